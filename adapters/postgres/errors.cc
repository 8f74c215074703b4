#include "adapters/postgres/errors.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::postgres {
namespace {

struct Sentence {
  std::string_view begin;  // of the SQLSTATE, or of libpq's own text
  std::string_view sentence;
};

// The longest that fits comes first.
constexpr std::array kUnavailable = {
    Sentence{"28P01", "the source refuses the password of the gateway's role"},
    Sentence{"28", "the source refuses the gateway's role, or its certificate: see pg_hba.conf"},
    Sentence{"3D000", "the source has no database of the name that its settings give"},
    Sentence{"42501",
             "the gateway's role may not read what the dataset reads: GRANT SELECT is missing"},
    Sentence{"53300", "the source has no connection left for the gateway"},
    Sentence{"53", "the source is out of memory, disk or another resource"},
    Sentence{"55P03", "what is read is locked by its owner's application"},
    Sentence{"57014", "the source's statement timeout passed"},
    Sentence{"57P03", "the source is starting up or shutting down"},
    Sentence{"57P05", "the source closed a connection that was idle"},
    Sentence{"57P", "the source is shutting down, or ended the gateway's session"},
    Sentence{"25P03", "the source ended a transaction of the gateway's that was idle"},
    Sentence{"25006", "a view or query of the owner's tries to write, and the gateway only reads"},
    Sentence{"40", "the source gave up the statement for another's sake; again is safe"},
    Sentence{"54", "the source finds the statement too large or too complex"},
    Sentence{"58", "the source failed to read its own storage"},
    Sentence{"XX001", "the source's data is damaged"},
    Sentence{"XX002", "an index of the source is damaged"},
    Sentence{"08", "the connection to the source failed"},
};

constexpr std::array kDrift = {
    Sentence{"42P01", "a table that the dataset reads is not in the source"},
    Sentence{"3F000", "the schema that the dataset reads is not in the source"},
    Sentence{"42703", "a column that the dataset reads is not in the source"},
    Sentence{"42", "what the dataset reads does not fit the source's schema any more"},
    Sentence{"0A000", "what the dataset reads does not fit the source's schema any more"},
};

// What libpq says of itself, in English: the gateway sets no locale.
constexpr std::array kOfLibpq = {
    Sentence{"certificate verify failed",
             "the source's certificate is not from the root that its settings name, or not valid"},
    Sentence{"does not match host name", "the source's certificate is for another host"},
    Sentence{"could not get server's host name", "the source's certificate names no host"},
    Sentence{"does not support SSL", "the source offers no TLS, which its settings demand"},
    Sentence{"root certificate file", "the file root_certificate cannot be read"},
    Sentence{"private key file", "the file key cannot be read, or others may read it too"},
    Sentence{"does not match private key", "the files certificate and key do not belong together"},
    Sentence{"certificate file", "the file certificate cannot be read"},
    Sentence{"alert", "the source refuses the gateway's certificate"},
    Sentence{"no password supplied", "the source asks for a password, and the settings name none"},
    Sentence{"SSL error", "TLS with the source failed"},
    Sentence{"could not translate host name", "the source's host name cannot be resolved"},
    Sentence{"Connection refused", "the source refuses connections: no server listens there"},
    Sentence{"No such file", "the source refuses connections: no server listens there"},
    Sentence{"Network is unreachable", "the source's network cannot be reached"},
    Sentence{"No route to host", "the source's network cannot be reached"},
};

template <class Table>
std::optional<std::string_view> Lookup(const Table& table, std::string_view state) {
  for (const Sentence& entry : table)
    if (state.substr(0, entry.begin.size()) == entry.begin) return entry.sentence;
  return std::nullopt;
}

// "FATAL:  28P01": how a connection that reports SQLSTATEs only tells why it was refused.
std::string_view StateIn(std::string_view text) {
  constexpr size_t kStateSize = 5;
  for (const std::string_view severity : {"FATAL:", "ERROR:", "PANIC:"}) {
    const size_t at = text.find(severity);
    if (at == std::string_view::npos) continue;
    std::string_view rest = text.substr(at + severity.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view state = rest.substr(0, kStateSize);
    const bool is_state =
        state.size() == kStateSize && std::all_of(state.begin(), state.end(), [](char c) {
          return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                 absl::ascii_isupper(static_cast<unsigned char>(c));
        });
    if (is_state) return state;
  }
  return {};
}

}  // namespace

absl::Status Unavailable(std::string_view sentence) {
  return Error(v1::REASON_SOURCE_UNAVAILABLE, sentence);
}

absl::Status Drift(std::string_view sentence) { return Error(v1::REASON_SCHEMA_DRIFT, sentence); }

absl::Status StateError(std::string_view sqlstate) {
  if (const auto sentence = Lookup(kUnavailable, sqlstate)) return Unavailable(*sentence);
  if (const auto sentence = Lookup(kDrift, sqlstate)) return Drift(*sentence);
  if (sqlstate.substr(0, 2) == "22" || sqlstate.substr(0, 2) == "P0") {
    return Error(v1::REASON_SOURCE_BAD_VALUE,
                 "an expression of a view or query cannot be computed, or a text has no Unicode");
  }
  return absl::InternalError(absl::StrCat("postgres: SQLSTATE ", View(sqlstate)));
}

absl::Status ConnectionError(PGconn* connection) {
  const std::string_view text = connection == nullptr ? "" : PQerrorMessage(connection);
  if (const std::string_view state = StateIn(text); !state.empty()) {
    const auto sentence = Lookup(kUnavailable, state);
    return Unavailable(sentence
                           ? std::string(*sentence)
                           : absl::StrCat("the source refused the gateway's session (SQLSTATE ",
                                          View(state), ")"));
  }
  for (const Sentence& entry : kOfLibpq)
    if (text.find(entry.begin) != std::string_view::npos) return Unavailable(entry.sentence);
  return Unavailable("the connection to the source is lost, or was not made");
}

bool SaysSchemaChanged(std::string_view sqlstate) {
  return sqlstate == "0A000" || sqlstate == "42703" || sqlstate == "42P01" || sqlstate == "42883" ||
         sqlstate == "42804";
}

}  // namespace sluice::adapters::postgres
