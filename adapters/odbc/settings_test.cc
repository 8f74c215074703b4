#include "adapters/odbc/settings.h"

#include "absl/strings/match.h"
#include "gateway/base/error.h"
#include "gtest/gtest.h"

namespace sluice::adapters::odbc {
namespace {

Settings LeastOdbc() {
  return {{"driver", "MariaDB Unicode"}, {"server", "db.example"}, {"database", "register"}};
}

// The settings that are named as wrong.
std::vector<std::string> OdbcMistakes(const Settings& settings) {
  const absl::Status status = ParseSettings(settings).status();
  std::vector<std::string> names;
  const auto request = BadRequestOf(status);
  if (!request) return names;
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  for (const auto& violation : request->field_violations()) names.push_back(violation.field());
  return names;
}

TEST(OdbcSettings, DefaultsAreWhatProductionWants) {
  const auto parsed = ParseSettings(LeastOdbc());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->dialect, nullptr) << "what the source says of itself";
  EXPECT_EQ(parsed->statement_timeout_ms, 10'000);
  EXPECT_FALSE(parsed->allow_writer);
  EXPECT_FALSE(parsed->zone_is_utc);
}

TEST(OdbcSettings, AllMistakesAreNamedAtOnce) {
  Settings settings = LeastOdbc();
  settings.erase("driver");
  settings["port"] = "70000";
  settings["hots"] = "x";
  settings["dialect"] = "mysql9";
  settings["statement_timeout_ms"] = "soon";
  settings["times_without_zone"] = "CET";
  EXPECT_EQ(OdbcMistakes(settings),
            (std::vector<std::string>{"settings.dialect", "settings.hots", "settings.port",
                                      "settings.statement_timeout_ms",
                                      "settings.times_without_zone", "settings.driver"}));
}

TEST(OdbcSettings, ASecretInTheBlockIsRefusedAndNotRepeated) {
  for (const char* name : {"password", "attribute.PWD", "attribute.Password", "attribute.UID",
                           "attribute.SSLKeyPwd", "attribute.DSN", "attribute.TraceFile"}) {
    Settings settings = LeastOdbc();
    settings[name] = "correct horse";
    const absl::Status status = ParseSettings(settings).status();
    EXPECT_EQ(OdbcMistakes(settings), std::vector<std::string>{absl::StrCat("settings.", name)});
    EXPECT_FALSE(absl::StrContains(status.ToString(), "horse")) << status;
  }
  Settings settings = LeastOdbc();
  settings["attribute.pqopt"] = "sslmode=disable password=horse";
  EXPECT_EQ(OdbcMistakes(settings), std::vector<std::string>{"settings.attribute.pqopt"});
}

TEST(OdbcSettings, NothingLeavesItsPlaceInTheConnectionString) {
  Settings settings = LeastOdbc();
  settings["database"] = "a;SERVER=evil";
  auto parsed = ParseSettings(settings);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(absl::StrContains(*ConnectionString(*parsed), "Database={a;SERVER=evil};"));
  for (const char* hostile : {"a};SERVER={evil", "a{", "a\nb"}) {
    settings["database"] = hostile;
    EXPECT_EQ(OdbcMistakes(settings), std::vector<std::string>{"settings.database"});
  }
  settings = LeastOdbc();
  settings["attribute.A;SERVER"] = "evil";
  settings["attribute.B"] = "x}";
  EXPECT_EQ(OdbcMistakes(settings),
            (std::vector<std::string>{"settings.attribute.A;SERVER", "settings.attribute.B"}));
}

TEST(OdbcSettings, AnotherMachineIsReachedOverTlsUnlessTheBlockSaysOtherwise) {
  Settings settings = LeastOdbc();
  EXPECT_TRUE(absl::StrContains(*ConnectionString(*ParseSettings(settings)), "SSLVERIFY=1;"));
  settings["driver"] = "PostgreSQL Unicode";
  EXPECT_TRUE(
      absl::StrContains(*ConnectionString(*ParseSettings(settings)), "SSLmode=verify-full;"));
  settings["attribute.sslmode"] = "verify-ca";
  const std::string text = *ConnectionString(*ParseSettings(settings));
  EXPECT_TRUE(absl::StrContains(text, "sslmode=verify-ca;")) << text;
  EXPECT_FALSE(absl::StrContains(text, "verify-full")) << text;
  settings = LeastOdbc();
  settings["server"] = "127.0.0.1";
  EXPECT_FALSE(absl::StrContains(*ConnectionString(*ParseSettings(settings)), "SSLVERIFY"));
}

TEST(OdbcSettings, WhatBelongsTogetherComesTogether) {
  Settings settings = LeastOdbc();
  settings["password_file"] = "/etc/password";
  EXPECT_EQ(OdbcMistakes(settings), std::vector<std::string>{"settings.user"});
  settings["user"] = "reader";
  EXPECT_TRUE(ParseSettings(settings).ok());
  settings["password_env"] = "REGISTER_PASSWORD";
  EXPECT_EQ(OdbcMistakes(settings), std::vector<std::string>{"settings.password_env"});
}

TEST(OdbcSettings, QueriesAreNamed) {
  Settings settings = LeastOdbc();
  settings["query.births"] = "SELECT 1 AS id ; ";
  const auto parsed = ParseSettings(settings);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->queries.at("births"), "SELECT 1 AS id");
  settings["query."] = "SELECT 1";
  EXPECT_EQ(OdbcMistakes(settings), std::vector<std::string>{"settings.query."});
}

TEST(OdbcDialects, AreKnownByNameAndByWhatTheSourceSays) {
  for (const char* name :
       {"postgresql", "mariadb", "sqlite", "sqlserver", "oracle", "db2", "generic"}) {
    ASSERT_NE(FindDialect(name), nullptr) << name;
  }
  EXPECT_STREQ(DialectOf("Microsoft SQL Server").name, "sqlserver");
  EXPECT_STREQ(DialectOf("DB2/LINUXX8664").name, "db2");
  EXPECT_STREQ(DialectOf("dBase").name, "generic");
  EXPECT_FALSE(DialectOf("Oracle").tested);
  EXPECT_TRUE(DialectOf("MariaDB").tested);
  EXPECT_FALSE(DriverOf("/usr/lib/x86_64-linux-gnu/odbc/libmaodbc.so").wide);
  EXPECT_EQ(Quoted(*FindDialect("sqlserver"), "a]b"), "[a]]b]");
}

}  // namespace
}  // namespace sluice::adapters::odbc
