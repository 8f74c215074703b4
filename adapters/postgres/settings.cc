#include "adapters/postgres/settings.h"

#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::postgres {
namespace {

constexpr std::string_view kQueryPrefix = "query.";
constexpr size_t kMostQueryBytes = 64 << 10;

// What is wrong with a value, to be read behind the setting's name; empty for nothing.
using Mistake = std::string;
using Taker = std::function<Mistake(const std::string& value, PostgresSettings& parsed)>;

Taker Text(std::string PostgresSettings::*member, std::string what) {
  return [=](const std::string& value, PostgresSettings& parsed) -> Mistake {
    if (value.empty() || value.find('\0') != std::string::npos) return "must be " + what;
    parsed.*member = value;
    return "";
  };
}

Taker File(std::string PostgresSettings::*member) {
  return [=](const std::string& value, PostgresSettings& parsed) -> Mistake {
    if (value.empty() || value[0] != '/' || value.find('\0') != std::string::npos)
      return "must be an absolute path on the gateway's machine";
    parsed.*member = value;
    return "";
  };
}

Taker Number(int PostgresSettings::*member, int least, int most) {
  return [=](const std::string& value, PostgresSettings& parsed) -> Mistake {
    int number = 0;
    if (!absl::SimpleAtoi(value, &number) || number < least || number > most)
      return absl::StrCat("must be a whole number from ", least, " to ", most);
    parsed.*member = number;
    return "";
  };
}

Mistake TakeTls(const std::string& value, PostgresSettings& parsed) {
  if (value == "verify-full") {
    parsed.tls = Tls::kVerifyFull;
  } else if (value == "verify-ca") {
    parsed.tls = Tls::kVerifyCa;
  } else if (value == "disable") {
    parsed.tls = Tls::kDisable;
  } else {
    return "must be verify-full, verify-ca or disable: others fall back to plain text";
  }
  return "";
}

Mistake TakeAllowWriting(const std::string& value, PostgresSettings& parsed) {
  if (value != "yes" && value != "no" && value != "true" && value != "false")
    return "must be yes or no";
  parsed.allow_writing_role = value == "yes" || value == "true";
  return "";
}

Mistake RefusePassword(const std::string&, PostgresSettings&) {
  return "is not taken: a password does not stand in the block. Name the file that holds it "
         "(password_file) or the environment variable (password_env)";
}

const std::map<std::string, Taker>& Takers() {
  using S = PostgresSettings;
  static const auto* const takers = new std::map<std::string, Taker>{
      {"host", Text(&S::host, "a host's name or address, or the folder of a Unix socket")},
      {"port", Number(&S::port, 1, 65'535)},
      {"database", Text(&S::database, "a database's name")},
      {"user", Text(&S::user, "a role's name")},
      {"schema", Text(&S::schema, "a schema's name")},
      {"password", &RefusePassword},
      {"password_file", File(&S::password_file)},
      {"password_env", Text(&S::password_env, "an environment variable's name")},
      {"tls", &TakeTls},
      {"root_certificate", File(&S::root_certificate)},
      {"revocation_list", File(&S::revocation_list)},
      {"certificate", File(&S::certificate)},
      {"key", File(&S::key)},
      {"application_name", Text(&S::application_name, "a name")},
      {"connect_timeout_ms", Number(&S::connect_timeout_ms, 100, 60'000)},
      {"statement_timeout_ms", Number(&S::statement_timeout_ms, 100, 3'600'000)},
      {"lock_timeout_ms", Number(&S::lock_timeout_ms, 1, 600'000)},
      {"idle_timeout_ms", Number(&S::idle_timeout_ms, 1'000, 3'600'000)},
      {"most_connections", Number(&S::most_connections, 1, 128)},
      {"allow_writing_role", &TakeAllowWriting},
  };
  return *takers;
}

Mistake TakeQuery(const std::string& name, const std::string& value, PostgresSettings& parsed) {
  if (name.empty()) return "must be named: query.NAME";
  if (value.empty() || value.size() > kMostQueryBytes || value.find('\0') != std::string::npos)
    return absl::StrCat("must be one SELECT of at most ", kMostQueryBytes, " bytes");
  // It stands within another statement.
  parsed.queries[name] = value.substr(0, value.find_last_not_of("; \t\r\n") + 1);
  return "";
}

bool IsThisMachine(const std::string& host) {
  return absl::StartsWith(host, "/") || host == "localhost" || host == "::1" ||
         absl::StartsWith(host, "127.");
}

using Mistakes = std::vector<std::pair<std::string, Mistake>>;

// What the settings say together.
void CheckTogether(const Settings& settings, const PostgresSettings& parsed, Mistakes& mistakes) {
  const auto missing = [&](const char* name) { return !settings.contains(name); };
  const auto need = [&](const char* name, const char* what) {
    if (missing(name)) mistakes.emplace_back(name, absl::StrCat("is missing: ", what));
  };
  need("host", "the server's host name");
  need("database", "which database is read");
  need("user", "the role that reads");
  if (!missing("password_file") && !missing("password_env"))
    mistakes.emplace_back("password_env", "stands beside password_file: one of them");
  if (missing("certificate") != missing("key"))
    mistakes.emplace_back(missing("key") ? "key" : "certificate",
                          "is missing: a client certificate and its key come together");
  if (parsed.tls != Tls::kDisable) {
    need("root_certificate", "the file of the authority that the server's certificate is from");
  } else if (!parsed.host.empty() && !IsThisMachine(parsed.host)) {
    mistakes.emplace_back("tls", "is disable, which only a server on the gateway's machine may be");
  }
  if (absl::StartsWith(parsed.host, "/") && parsed.tls != Tls::kDisable)
    mistakes.emplace_back("tls", "must be disable for a Unix socket, which has none");
}

}  // namespace

absl::StatusOr<PostgresSettings> ParseSettings(const Settings& settings) {
  PostgresSettings parsed;
  Mistakes mistakes;
  for (const auto& [name, value] : settings) {
    Mistake mistake = "is no setting of postgres; docs/adapters/postgres.md has them all";
    if (const auto taker = Takers().find(name); taker != Takers().end()) {
      mistake = taker->second(value, parsed);
    } else if (absl::StartsWith(name, View(kQueryPrefix))) {
      mistake = TakeQuery(name.substr(kQueryPrefix.size()), value, parsed);
    }
    if (!mistake.empty()) mistakes.emplace_back(name, std::move(mistake));
  }
  CheckTogether(settings, parsed, mistakes);
  if (mistakes.empty()) return parsed;
  const std::string sentence =
      absl::StrJoin(mistakes, "; ", [](std::string* out, const auto& mistake) {
        absl::StrAppend(out, "setting '", mistake.first, "' ", mistake.second);
      });
  absl::Status status = Error(v1::REASON_DEFINITION_INVALID, sentence);
  for (const auto& [name, mistake] : mistakes)
    AddFieldViolation(status, absl::StrCat("settings.", name), mistake);
  return status;
}

}  // namespace sluice::adapters::postgres
