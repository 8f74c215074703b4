#include "adapters/postgres/settings.h"

#include "absl/strings/match.h"
#include "gateway/base/error.h"
#include "gtest/gtest.h"

namespace sluice::adapters::postgres {
namespace {

Settings Least() {
  return {{"host", "db.example"},
          {"database", "register"},
          {"user", "reader"},
          {"root_certificate", "/etc/root.crt"}};
}

// The settings that are named as wrong.
std::vector<std::string> Mistakes(const Settings& settings) {
  const absl::Status status = ParseSettings(settings).status();
  std::vector<std::string> names;
  const auto request = BadRequestOf(status);
  if (!request) return names;
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  for (const auto& violation : request->field_violations()) names.push_back(violation.field());
  return names;
}

TEST(PostgresSettings, DefaultsAreWhatProductionWants) {
  const auto parsed = ParseSettings(Least());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->tls, Tls::kVerifyFull);
  EXPECT_EQ(parsed->schema, "public");
  EXPECT_EQ(parsed->port, 5432);
  EXPECT_EQ(parsed->statement_timeout_ms, 10'000);
  EXPECT_FALSE(parsed->allow_writing_role);
}

TEST(PostgresSettings, AllMistakesAreNamedAtOnce) {
  Settings settings = Least();
  settings.erase("database");
  settings["port"] = "70000";
  settings["hots"] = "x";
  settings["statement_timeout_ms"] = "soon";
  EXPECT_EQ(Mistakes(settings),
            (std::vector<std::string>{"settings.hots", "settings.port",
                                      "settings.statement_timeout_ms", "settings.database"}));
}

TEST(PostgresSettings, APasswordInTheBlockIsRefusedAndNotRepeated) {
  Settings settings = Least();
  settings["password"] = "correct horse";
  const absl::Status status = ParseSettings(settings).status();
  EXPECT_EQ(Mistakes(settings), std::vector<std::string>{"settings.password"});
  EXPECT_TRUE(absl::StrContains(status.message(), "password_file")) << status;
  EXPECT_FALSE(absl::StrContains(status.ToString(), "horse")) << status;
}

TEST(PostgresSettings, TlsNeverFallsBackToPlainText) {
  for (const char* mode : {"prefer", "allow", "require", "", "VERIFY-FULL"}) {
    Settings settings = Least();
    settings["tls"] = mode;
    EXPECT_EQ(Mistakes(settings), std::vector<std::string>{"settings.tls"}) << mode;
  }
  Settings settings = Least();
  settings["tls"] = "disable";
  EXPECT_EQ(Mistakes(settings), std::vector<std::string>{"settings.tls"}) << "of another machine";
  settings.erase("root_certificate");
  for (const char* host : {"/run/postgresql", "localhost", "127.0.0.1", "::1"}) {
    settings["host"] = host;
    EXPECT_TRUE(ParseSettings(settings).ok()) << host;
  }
  settings = Least();
  settings.erase("root_certificate");
  EXPECT_EQ(Mistakes(settings), std::vector<std::string>{"settings.root_certificate"});
}

TEST(PostgresSettings, WhatBelongsTogetherComesTogether) {
  Settings settings = Least();
  settings["certificate"] = "/etc/gateway.crt";
  EXPECT_EQ(Mistakes(settings), std::vector<std::string>{"settings.key"});
  settings["key"] = "/etc/gateway.key";
  EXPECT_TRUE(ParseSettings(settings).ok());
  settings["password_file"] = "/etc/password";
  settings["password_env"] = "REGISTER_PASSWORD";
  EXPECT_EQ(Mistakes(settings), std::vector<std::string>{"settings.password_env"});
}

TEST(PostgresSettings, QueriesAreNamed) {
  Settings settings = Least();
  settings["query.births"] = "SELECT 1 AS id";
  const auto parsed = ParseSettings(settings);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->queries.at("births"), "SELECT 1 AS id");
  settings["query."] = "SELECT 1";
  EXPECT_EQ(Mistakes(settings), std::vector<std::string>{"settings.query."});
}

}  // namespace
}  // namespace sluice::adapters::postgres
