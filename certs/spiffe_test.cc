#include "certs/spiffe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sluice::certs {
namespace {

TEST(Spiffe, EveryFormIsReadAndWrittenBack) {
  const struct {
    const char* uri;
    Kind kind;
    const char* agency;
    const char* name;
    const char* path;
  } kCases[] = {
      {"spiffe://gov.example/agency/civil-affairs/system/relief", Kind::kSystem, "civil-affairs",
       "relief", "agency/civil-affairs/system/relief"},
      {"spiffe://gov.example/agency/a/person/li-na", Kind::kPerson, "a", "li-na",
       "agency/a/person/li-na"},
      {"spiffe://gov.example/agency/a/adapter/cobol", Kind::kAdapter, "a", "cobol",
       "agency/a/adapter/cobol"},
      {"spiffe://gov.example/gateway/gw1", Kind::kGateway, "", "gw1", "gateway/gw1"},
      {"spiffe://gov/witness/0", Kind::kWitness, "", "0", "witness/0"},
  };
  for (const auto& one : kCases) {
    const auto id = ParseSpiffeId(one.uri);
    ASSERT_TRUE(id.ok()) << one.uri << id.status();
    EXPECT_EQ(id->kind, one.kind);
    EXPECT_EQ(id->agency, one.agency);
    EXPECT_EQ(id->name, one.name);
    EXPECT_EQ(id->Path(), one.path);
    EXPECT_EQ(id->Format(), one.uri);
    EXPECT_EQ(*MakeSpiffeId(id->trust_domain, id->kind, id->agency, id->name), *id);
  }
}

TEST(Spiffe, EverythingElseIsRefused) {
  const std::string long_id(64, 'a');
  const std::string kBad[] = {
      "",
      "spiffe:",
      "spiffe://",
      "SPIFFE://gov.example/gateway/gw1",
      "https://gov.example/gateway/gw1",
      "spiffe://gov.example",
      "spiffe://gov.example/",
      "spiffe:///gateway/gw1",
      "spiffe://Gov.example/gateway/gw1",
      "spiffe://gov.example./gateway/gw1",
      "spiffe://.gov/gateway/gw1",
      "spiffe://gov..example/gateway/gw1",
      "spiffe://gov.example:443/gateway/gw1",
      "spiffe://me@gov.example/gateway/gw1",
      "spiffe://gov_x.example/gateway/gw1",
      "spiffe://gov.example//gateway/gw1",
      "spiffe://gov.example/gateway/gw1/",
      "spiffe://gov.example/gateway//gw1",
      "spiffe://gov.example/gateway/gw1?x",
      "spiffe://gov.example/gateway/gw1#x",
      "spiffe://gov.example/gateway/gw%31",
      "spiffe://gov.example/gateway/GW1",
      "spiffe://gov.example/gateway/gw.1",
      "spiffe://gov.example/gateway/-gw",
      "spiffe://gov.example/gateway/gw-",
      "spiffe://gov.example/gateway/..",
      "spiffe://gov.example/gateway/" + long_id,
      "spiffe://gov.example/gateway",
      "spiffe://gov.example/agency/a",
      "spiffe://gov.example/agency/a/system",
      "spiffe://gov.example/agency/a/system/s/more",
      "spiffe://gov.example/agency/a/gateway/g",
      "spiffe://gov.example/system/s",
      "spiffe://gov.example/agency//system/s",
      "spiffe://gov.example/agency/a/system/s ",
      " spiffe://gov.example/agency/a/system/s",
      std::string("spiffe://gov.example/agency/a/system/s\0", 39),
      "spiffe://gov.example/agency/\xe5\x85\xac/system/s",
      "spiffe://" + std::string(3000, 'a') + "/gateway/g",
  };
  for (const std::string& uri : kBad) {
    const auto id = ParseSpiffeId(uri);
    EXPECT_EQ(id.status().code(), absl::StatusCode::kInvalidArgument) << uri;
  }
}

TEST(Spiffe, TheMistakeIsPlaced) {
  EXPECT_THAT(std::string(ParseSpiffeId("spiffe://gov.example/gateway/g%31").status().message()),
              testing::HasSubstr("at character 31"));
}

TEST(Spiffe, PartsAreCheckedLikeText) {
  EXPECT_FALSE(MakeSpiffeId("gov.example", Kind::kGateway, "a", "gw").ok());
  EXPECT_FALSE(MakeSpiffeId("gov.example", Kind::kSystem, "", "s").ok());
  EXPECT_FALSE(MakeSpiffeId("gov.example", Kind::kSystem, "a", "s/t").ok());
  EXPECT_FALSE(MakeSpiffeId("gov/example", Kind::kSystem, "a", "s").ok());
}

}  // namespace
}  // namespace sluice::certs
