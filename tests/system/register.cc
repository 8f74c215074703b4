#include "tests/system/register.h"

#include <sqlite3.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace sluice::system_test {
namespace {

constexpr char kRegister[] = R"yaml(dataset: public-security/register
title: {en: "Register (generated)"
}
sharing: conditional
purposes: [relief]
update_cycle: daily
source: residents
from: {table: register}
key: [number]
on_bad_value: stop
fields:
  - {name: number, type: int64, class: L2, not_null: true}
  - {name: name, type: utf8, class: L2}
  - {name: person, type: utf8, class: L4, subject: CN-RID}
)yaml";

constexpr char kGrant[] = R"yaml(grant: new
dataset: public-security/register
to: civil-affairs
systems: [relief]
purposes: [relief]
basis: {law: "社会救助暂行办法", article: "第五十八条"}
fields:
  - {name: number}
  - {name: name}
  - {name: person}
modes: [query, read]
expires: "2099-01-01T00:00:00Z"
)yaml";

}  // namespace

void ExecuteSql(Deployment& gateway, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(gateway.Path("sources/residents.db").c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
}

void OfferRegister(Deployment& gateway, int rows) {
  const std::string sql = absl::StrCat(
      "CREATE TABLE register(number INTEGER PRIMARY KEY NOT NULL, name TEXT, person TEXT);"
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+1<",
      rows,
      ") INSERT INTO register SELECT i, 'resident number ' || i,"
      " printf('99010119%02d0101%03d0', 40 + i / 1000 % 60, i % 1000) FROM n;");
  ExecuteSql(gateway, sql);
  gateway.Start();
  gateway.OfferSample();
  gateway.Write("datasets/register.yaml", kRegister);
  gateway.Write("grants/register.yaml", kGrant);
  gateway.Done("residents-owner", {"catalogue", "apply", "datasets/register.yaml"});
  gateway.Done("residents-owner", {"grant", "apply", "grants/register.yaml"});
}

v1::ReadRequest RegisterRequest() {
  v1::ReadRequest request;
  request.set_dataset("public-security/register");
  request.set_purpose("relief");
  return request;
}

std::string RegisterGrant(Deployment& gateway) {
  v1::ListGrantsRequest request;
  request.set_dataset("public-security/register");
  const auto grants = Call(gateway.As("auditor"), cli::kListGrants, request);
  EXPECT_TRUE(grants.ok()) << grants.status();
  return grants.ok() && grants->grants_size() == 1 ? grants->grants(0).id() : "";
}

int64_t DaemonMemory(Deployment& gateway, const std::string& which) {
  std::ifstream status(absl::StrCat("/proc/", gateway.daemon().pid(), "/status"));
  for (std::string line; std::getline(status, line);) {
    if (!absl::StartsWith(line, which)) continue;
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
    int64_t kilobytes = 0;
    EXPECT_TRUE(absl::SimpleAtoi(words.at(1), &kilobytes));
    return kilobytes;
  }
  ADD_FAILURE() << "no " << which;
  return 0;
}

}  // namespace sluice::system_test
