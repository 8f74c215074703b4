#include "adapters/odbc/settings.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/odbc/errors.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::odbc {
namespace {

constexpr std::string_view kQueryPrefix = "query.";
constexpr std::string_view kAttributePrefix = "attribute.";
constexpr size_t kMostQueryBytes = 64 << 10;

// What is wrong with a value, to be read behind the setting's name; empty for nothing.
using Mistake = std::string;
using Taker = std::function<Mistake(const std::string& value, OdbcSettings& parsed)>;

// Whether it can stand in braces in a connection string: not every driver reads a brace in them.
bool CanStand(std::string_view value) {
  return value.find_first_of(std::string_view("{}\0\r\n", 5)) == std::string_view::npos;
}

Taker Text(std::string OdbcSettings::*member, std::string what) {
  return [=](const std::string& value, OdbcSettings& parsed) -> Mistake {
    if (value.empty() || !CanStand(value)) return "must be " + what + ", without braces";
    parsed.*member = value;
    return "";
  };
}

Mistake TakePasswordFile(const std::string& value, OdbcSettings& parsed) {
  if (value.empty() || value[0] != '/' || value.find('\0') != std::string::npos)
    return "must be an absolute path on the gateway's machine";
  parsed.password_file = value;
  return "";
}

Taker Number(int OdbcSettings::*member, int least, int most) {
  return [=](const std::string& value, OdbcSettings& parsed) -> Mistake {
    int number = 0;
    if (!absl::SimpleAtoi(value, &number) || number < least || number > most)
      return absl::StrCat("must be a whole number from ", least, " to ", most);
    parsed.*member = number;
    return "";
  };
}

Mistake TakeAllowWriter(const std::string& value, OdbcSettings& parsed) {
  if (value != "yes" && value != "no" && value != "true" && value != "false")
    return "must be yes or no";
  parsed.allow_writer = value == "yes" || value == "true";
  return "";
}

Mistake TakeDialect(const std::string& value, OdbcSettings& parsed) {
  parsed.dialect = FindDialect(value);
  if (parsed.dialect == nullptr)
    return absl::StrCat("must be one of ", absl::StrJoin(DialectNames(), ", "));
  return "";
}

Mistake TakeZone(const std::string& value, OdbcSettings& parsed) {
  if (value != "utc" && value != "none")
    return "must be utc, where times without a zone are UTC, or none";
  parsed.zone_is_utc = value == "utc";
  return "";
}

Mistake RefusePassword(const std::string&, OdbcSettings&) {
  return "is not taken: a password does not stand in the block. Name the file that holds it "
         "(password_file) or the environment variable (password_env)";
}

const std::map<std::string, Taker>& Takers() {
  using S = OdbcSettings;
  static const auto* const takers = new std::map<std::string, Taker>{
      {"driver", Text(&S::driver, "a driver's name in odbcinst.ini, or its library's path")},
      {"server", Text(&S::server, "a host's name or address")},
      {"port", Number(&S::port, 1, 65'535)},
      {"database", Text(&S::database, "a database's name, or the path of its file")},
      {"schema", Text(&S::schema, "a schema's name")},
      {"user", Text(&S::user, "an account's name")},
      {"password", &RefusePassword},
      {"password_file", &TakePasswordFile},
      {"password_env", Text(&S::password_env, "an environment variable's name")},
      {"dialect", &TakeDialect},
      {"times_without_zone", &TakeZone},
      {"connect_timeout_ms", Number(&S::connect_timeout_ms, 100, 60'000)},
      {"statement_timeout_ms", Number(&S::statement_timeout_ms, 100, 3'600'000)},
      {"lock_timeout_ms", Number(&S::lock_timeout_ms, 1, 600'000)},
      {"most_connections", Number(&S::most_connections, 1, 128)},
      {"allow_writer", &TakeAllowWriter},
  };
  return *takers;
}

Mistake TakeQuery(const std::string& name, const std::string& value, OdbcSettings& parsed) {
  if (name.empty()) return "must be named: query.NAME";
  if (value.empty() || value.size() > kMostQueryBytes || value.find('\0') != std::string::npos)
    return absl::StrCat("must be one SELECT of at most ", kMostQueryBytes, " bytes");
  // It stands within another statement.
  parsed.queries[name] = value.substr(0, value.find_last_not_of("; \t\r\n") + 1);
  return "";
}

// What other settings say, or what would have the driver take, write or log something else.
bool IsRefused(const std::string& attribute) {
  static const auto* const refused = new std::vector<std::string>{
      "pwd",     "password", "uid",       "user",   "username",     "driver",
      "dsn",     "filedsn",  "savefile",  "server", "hostname",     "servername",
      "port",    "database", "db",        "trace",  "tracefile",    "debug",
      "commlog", "logdir",   "initstmt",  "stmt",   "connsettings", "tcpip",
      "loadext", "odbcini",  "sslkeypwd", "pipe",   "namedpipe"};
  return std::find(refused->begin(), refused->end(), absl::AsciiStrToLower(attribute)) !=
         refused->end();
}

Mistake TakeAttribute(const std::string& name, const std::string& value, OdbcSettings& parsed) {
  const bool named = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == ' ' || c == '-';
  });
  if (!named) return "must be named: attribute.NAME, of letters, digits, '_' and '-'";
  if (IsRefused(name))
    return "is not taken: what it says has a setting of its own, or would be written or logged";
  if (!CanStand(value) || absl::StrContains(absl::AsciiStrToLower(View(value)), "password="))
    return "must be without braces, line breaks and passwords";
  parsed.attributes[name] = value;
  return "";
}

using Mistakes = std::vector<std::pair<std::string, Mistake>>;

// What the settings say together.
void CheckTogether(const Settings& settings, Mistakes& mistakes) {
  const auto missing = [&](const char* name) { return !settings.contains(name); };
  if (missing("driver"))
    mistakes.emplace_back("driver", "is missing: which ODBC driver speaks to the source");
  if (missing("server") && missing("database"))
    mistakes.emplace_back("server",
                          "is missing, and so is database: one of them says what is read");
  if (!missing("password_file") && !missing("password_env"))
    mistakes.emplace_back("password_env", "stands beside password_file: one of them");
  const bool password = !missing("password_file") || !missing("password_env");
  if (password && missing("user"))
    mistakes.emplace_back("user", "is missing: whose the password is");
}

absl::StatusOr<std::string> ReadPassword(const OdbcSettings& settings) {
  if (!settings.password_env.empty()) {
    const char* const value = std::getenv(settings.password_env.c_str());
    if (value == nullptr)
      return Unavailable("the environment variable that password_env names is not set");
    return std::string(value);
  }
  struct stat info = {};
  if (::stat(settings.password_file.c_str(), &info) != 0)
    return Unavailable("the file password_file cannot be read");
  if ((info.st_mode & S_IRWXO) != 0)
    return Unavailable("the file password_file can be read by everybody: chmod 600");
  std::ifstream file(settings.password_file, std::ios::binary);
  std::string password{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return Unavailable("the file password_file cannot be read");
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r'))
    password.pop_back();
  return password;
}

bool IsThisMachine(const std::string& server) {
  return server.empty() || absl::StartsWith(server, "/") || server == "localhost" ||
         server == "::1" || absl::StartsWith(server, "127.");
}

class Attributes {
 public:
  // In braces only where it must: SQLite's driver takes them for a part of the value.
  void Add(const std::string& name, const std::string& value) {
    const bool plain = !value.empty() && value.find(';') == std::string::npos &&
                       value.front() != ' ' && value.back() != ' ';
    absl::StrAppend(&text, name, plain ? "=" : "={", value, plain ? ";" : "};");
  }
  std::string text;
};

}  // namespace

absl::StatusOr<OdbcSettings> ParseSettings(const Settings& settings) {
  OdbcSettings parsed;
  Mistakes mistakes;
  for (const auto& [name, value] : settings) {
    Mistake mistake = "is no setting of odbc; docs/adapters/odbc.md has them all";
    if (const auto taker = Takers().find(name); taker != Takers().end()) {
      mistake = taker->second(value, parsed);
    } else if (absl::StartsWith(name, View(kQueryPrefix))) {
      mistake = TakeQuery(name.substr(kQueryPrefix.size()), value, parsed);
    } else if (absl::StartsWith(name, View(kAttributePrefix))) {
      mistake = TakeAttribute(name.substr(kAttributePrefix.size()), value, parsed);
    }
    if (!mistake.empty()) mistakes.emplace_back(name, std::move(mistake));
  }
  CheckTogether(settings, mistakes);
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

absl::StatusOr<std::string> ConnectionString(const OdbcSettings& settings) {
  const Driver& driver = DriverOf(settings.driver);
  Attributes attributes;
  attributes.Add("DRIVER", settings.driver);
  if (!settings.server.empty()) attributes.Add("Server", settings.server);
  if (settings.port != 0) attributes.Add("Port", absl::StrCat(settings.port));
  if (!settings.database.empty()) attributes.Add("Database", settings.database);
  const auto given = [&](std::string_view name) {
    return std::any_of(
        settings.attributes.begin(), settings.attributes.end(),
        [&](const auto& attribute) { return absl::EqualsIgnoreCase(attribute.first, View(name)); });
  };
  std::vector<Driver::Attribute> usual = driver.attributes;
  if (!IsThisMachine(settings.server))
    usual.insert(usual.end(), driver.remote.begin(), driver.remote.end());
  for (const Driver::Attribute& attribute : usual) {
    if (given(attribute.name)) continue;
    attributes.Add(attribute.name,
                   Filled(attribute.value,
                          {{"{lock_ms}", absl::StrCat(settings.lock_timeout_ms)},
                           {"{connect_s}", absl::StrCat(std::max(
                                               2, (settings.connect_timeout_ms + 999) / 1'000))}}));
  }
  for (const auto& [name, value] : settings.attributes) attributes.Add(name, value);
  if (!settings.user.empty()) attributes.Add("UID", settings.user);
  if (!settings.password_file.empty() || !settings.password_env.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string password, ReadPassword(settings));
    if (!CanStand(password))
      return Unavailable(
          "the password cannot be given to an ODBC driver: it holds a brace or a "
          "line break");
    attributes.Add("PWD", password);
  }
  return std::move(attributes.text);
}

}  // namespace sluice::adapters::odbc
