#include "adapters/odbc/errors.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::odbc {
namespace {

enum class Means { kUnavailable, kDrift, kBadValue };

// The first that fits: how the SQLSTATE begins, the driver's number (0 for any), and what stands in
// its text (null for anything).
struct Rule {
  std::string_view state;
  int native;
  const char* text;
  Means means;
  std::string_view sentence;
};

constexpr auto kU = Means::kUnavailable;
constexpr auto kD = Means::kDrift;
constexpr auto kB = Means::kBadValue;

constexpr std::string_view kLost = "the connection to the source failed";
constexpr std::string_view kEnded = "the source is shutting down, or ended the gateway's session";
constexpr std::string_view kNobody = "the source refuses connections: no server listens there";
constexpr std::string_view kPassword = "the source refuses the password of the gateway's account";
constexpr std::string_view kNoDatabase =
    "the source has no database of the name that its settings give";
constexpr std::string_view kMayNot =
    "the gateway's account may not read what the dataset reads: a grant is missing";
constexpr std::string_view kTimeout = "the source's statement timeout passed";
constexpr std::string_view kLocked = "what is read is locked by its owner's application";
constexpr std::string_view kChanged = "what the dataset reads does not fit the source's schema";
constexpr std::string_view kNoTable = "a table that the dataset reads is not in the source";
constexpr std::string_view kNoColumn = "a column that the dataset reads is not in the source";
constexpr std::string_view kDamaged = "the source's data is damaged, or no database";

constexpr std::array kRules = {
    // The driver manager.
    Rule{"", 0, "Can't open lib", kU,
         "the ODBC driver that the setting driver names is not installed on the gateway's machine: "
         "'odbcinst -q -d' lists those that are"},
    Rule{"IM", 0, nullptr, kU,
         "the ODBC driver cannot be used, or lacks what the gateway needs of it"},
    // Refused sessions, as libpq words them: psqlodbc has one SQLSTATE for all.
    Rule{"", 0, "password authentication failed", kU, kPassword},
    Rule{"", 0, "no password supplied", kU,
         "the source asks for a password, and the settings name none"},
    Rule{"", 0, "no pg_hba.conf entry", kU,
         "the source refuses the gateway's account, or wants TLS: see pg_hba.conf"},
    Rule{"08", 0, "FATAL:  database", kU, kNoDatabase},
    Rule{"08", 0, "FATAL:  role", kU, "the source refuses the gateway's account"},
    Rule{"", 0, "Connection refused", kU, kNobody},
    Rule{"", 0, "No such file or directory", kU, kNobody},
    Rule{"", 0, "could not translate host name", kU, "the source's host name cannot be resolved"},
    Rule{"", 0, "certificate verify failed", kU,
         "the source's certificate is not from the root that its settings name, or not valid"},
    Rule{"", 0, "does not match host name", kU, "the source's certificate is for another host"},
    Rule{"", 0, "root certificate file", kU, "the file of the root certificate cannot be read"},
    Rule{"", 0, "does not support SSL", kU, "the source offers no TLS, which its settings demand"},
    // And lost ones: its SQLSTATE is often HY000.
    Rule{"", 0, "terminating connection", kU, kEnded},
    Rule{"", 0, "server closed the connection", kU, kLost},
    Rule{"", 0, "no connection to the server", kU, kLost},
    Rule{"", 0, "connection has been closed", kU, kLost},
    Rule{"", 0, "connection dead", kU, kLost},
    Rule{"", 0, "SSL SYSCALL error", kU, kLost},
    Rule{"", 0, "could not receive data from server", kU, kLost},
    Rule{"", 0, "could not send data to server", kU, kLost},
    Rule{"", 0, "timeout expired", kU, "the source does not answer: no session in time"},
    // FreeTDS.
    Rule{"08", 20009, nullptr, kU, kNobody},
    // MariaDB and MySQL: https://mariadb.com/kb/en/mariadb-error-codes/.
    Rule{"28000", 1045, nullptr, kU, kPassword},
    Rule{"", 1049, nullptr, kU, kNoDatabase},
    Rule{"", 1044, nullptr, kU, kMayNot},
    Rule{"42000", 1142, nullptr, kU, kMayNot},
    Rule{"42000", 1143, nullptr, kU, kMayNot},
    Rule{"42000", 1227, nullptr, kU, kMayNot},
    Rule{"", 1040, nullptr, kU, "the source has no connection left for the gateway"},
    Rule{"", 1205, nullptr, kU, kLocked},
    Rule{"70100", 0, nullptr, kU, kTimeout},
    Rule{"", 1969, nullptr, kU, kTimeout},
    Rule{"", 1053, nullptr, kU, kEnded},
    Rule{"", 1927, nullptr, kU, kEnded},
    Rule{"", 1356, nullptr, kD, kChanged},
    Rule{"", 2002, nullptr, kU, kNobody},
    Rule{"", 2003, nullptr, kU, kNobody},
    Rule{"", 2005, nullptr, kU, "the source's host name cannot be resolved"},
    Rule{"", 2006, nullptr, kU, kLost},
    Rule{"", 2013, nullptr, kU, kLost},
    Rule{"", 2026, nullptr, kU, "TLS with the source failed"},
    // SQLite: https://www.sqlite.org/rescode.html. Its driver gives HY000 for all.
    Rule{"HY", 1, "no such table", kD, kNoTable},
    Rule{"HY", 1, "no such column", kD, kNoColumn},
    Rule{"HY", 1, "readonly", kU, "a view of the owner's tries to write"},
    Rule{"HY", 4, "[SQLite]", kU, kTimeout},
    Rule{"HY", 5, "[SQLite]", kU, kLocked},
    Rule{"HY", 6, "[SQLite]", kU, kLocked},
    Rule{"HY", 9, "[SQLite]", kU, kTimeout},
    Rule{"HY", 10, "[SQLite]", kU, "the source's file cannot be read"},
    Rule{"HY", 11, "[SQLite]", kU, kDamaged},
    Rule{"HY", 14, "[SQLite]", kU, "the source's file is not there, or cannot be opened"},
    Rule{"HY", 26, "[SQLite]", kU, kDamaged},
    Rule{"", 0, "malformed", kU, kDamaged},
    Rule{"", 0, "file is not a database", kU, kDamaged},
    // SQLSTATEs of PostgreSQL (its manual, appendix A).
    Rule{"28P01", 0, nullptr, kU, kPassword},
    Rule{"3D000", 0, nullptr, kU, kNoDatabase},
    Rule{"42501", 0, nullptr, kU, kMayNot},
    Rule{"53300", 0, nullptr, kU, "the source has no connection left for the gateway"},
    Rule{"53", 0, nullptr, kU, "the source is out of memory, disk or another resource"},
    Rule{"55P03", 0, nullptr, kU, kLocked},
    Rule{"57014", 0, nullptr, kU, kTimeout},
    Rule{"57P", 0, nullptr, kU, kEnded},
    Rule{"25P03", 0, nullptr, kU, "the source ended a transaction of the gateway's that was idle"},
    Rule{"25006", 0, nullptr, kU,
         "a view or query of the owner's tries to write, and the gateway only reads"},
    Rule{"54", 0, nullptr, kU, "the source finds the statement too large or too complex"},
    Rule{"58", 0, nullptr, kU, "the source failed to read its own storage"},
    Rule{"XX00", 0, nullptr, kU, kDamaged},
    Rule{"42P01", 0, nullptr, kD, kNoTable},
    Rule{"42703", 0, nullptr, kD, kNoColumn},
    // ODBC's own (appendix A of its reference) and the standard's.
    Rule{"42S02", 0, nullptr, kD, kNoTable},
    Rule{"42S22", 0, nullptr, kD, kNoColumn},
    Rule{"28", 0, nullptr, kU, "the source refuses the gateway's account"},
    Rule{"HYT", 0, nullptr, kU, kTimeout},
    Rule{"HY008", 0, nullptr, kU, kTimeout},
    Rule{"40", 0, nullptr, kU, "the source gave up the statement for another's sake"},
    Rule{"08", 0, nullptr, kU, kLost},
    Rule{"22", 0, nullptr, kB, "a value cannot be computed, or converted"},
    Rule{"P0", 0, nullptr, kB, "an expression of a view or query cannot be computed"},
    Rule{"3F000", 0, nullptr, kD, "the schema that the dataset reads is not in the source"},
    Rule{"42", 0, nullptr, kD, kChanged},
    Rule{"0A000", 0, nullptr, kD, kChanged},
    Rule{"07006", 0, nullptr, kD, kChanged},
};

const Rule* Find(const Diagnostics& diagnostics) {
  for (const Rule& rule : kRules) {
    for (const Diagnostic& one : diagnostics) {
      if (one.state.compare(0, rule.state.size(), rule.state) == 0 &&
          (rule.native == 0 || rule.native == one.native) &&
          (rule.text == nullptr || absl::StrContains(one.text, rule.text)))
        return &rule;
    }
  }
  return nullptr;
}

std::string Codes(const Diagnostics& diagnostics) {
  std::string codes = "ODBC diagnostics:";
  for (const Diagnostic& one : diagnostics)
    absl::StrAppend(&codes, " SQLSTATE ", one.state, " (", one.native, ")");
  return codes;
}

}  // namespace

absl::Status Unavailable(std::string_view sentence) {
  return Error(v1::REASON_SOURCE_UNAVAILABLE, sentence);
}

absl::Status Drift(std::string_view sentence) { return Error(v1::REASON_SCHEMA_DRIFT, sentence); }

absl::Status StatementError(const Diagnostics& diagnostics) {
  const Rule* const rule = Find(diagnostics);
  absl::Status status;
  if (rule == nullptr) {
    status = Unavailable("the source failed in a way that the gateway does not know");
  } else if (rule->means == Means::kUnavailable) {
    status = Unavailable(rule->sentence);
  } else if (rule->means == Means::kDrift) {
    status = Drift(rule->sentence);
  } else {
    status = Error(v1::REASON_SOURCE_BAD_VALUE, rule->sentence);
  }
  AddOperatorNote(status, Codes(diagnostics));
  return status;
}

absl::Status ConnectError(const Diagnostics& diagnostics) {
  const Rule* const rule = Find(diagnostics);
  absl::Status status =
      Unavailable(rule == nullptr || rule->means != Means::kUnavailable
                      ? std::string_view("the connection to the source was not made")
                      : rule->sentence);
  AddOperatorNote(status, Codes(diagnostics));
  return status;
}

bool SaysSessionLost(const absl::Status& status) {
  return ReasonOf(status) == v1::REASON_SOURCE_UNAVAILABLE &&
         (View(kLost) == status.message() || View(kEnded) == status.message());
}

}  // namespace sluice::adapters::odbc
