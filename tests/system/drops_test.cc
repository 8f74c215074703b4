// A drop that shrank is held back, said to be, and accepted by the operator; its consumer reads on.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string RegionLines(int rows) {
  std::string text = "code,name\n";
  for (int i = 0; i < rows; ++i) absl::StrAppend(&text, 110'000 + i, ",区", i, "\n");
  return text;
}

// When a file was last written, hours ago.
void SetAge(const std::string& path, int hours) {
  std::filesystem::last_write_time(
      path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
}

TEST(DropsSystemTest, WhatIsOlderThanItsOwnerPromisesIsRecordedOnceAlsoAcrossARestart) {
  Deployment gateway;
  gateway.Start();
  std::filesystem::create_directory(gateway.Path("drops"));
  gateway.Write("drops/region.csv", RegionLines(10));
  SetAge(gateway.Path("drops/region.csv"), 72);
  gateway.Write("sources/regions.yaml",
                absl::StrCat("source: regions\nowner: civil-affairs\nkind: delimited\nfolder: ",
                             gateway.Path("drops"), "\nkey: code\n"));
  gateway.Done("operator", {"source", "apply", "sources/regions.yaml"});
  gateway.Write("draft.yaml",
                gateway.Done("regions-owner", {"source", "describe", "regions", "region"}));
  gateway.Replace("draft.yaml", "purposes: []", "purposes: [planning]");
  gateway.Replace("draft.yaml", "update_cycle: irregular", "update_cycle: daily");
  gateway.Done("regions-owner", {"catalogue", "apply", "draft.yaml"});
  const auto told = [&gateway] {
    std::vector<std::string> actions;
    for (const v1::Record& record : gateway.Records(v1::RECORD_KIND_CHANGED)) {
      if (record.envelope().resource_kind() != "freshness") continue;
      EXPECT_EQ(record.envelope().resource_name(), "civil-affairs/region");
      EXPECT_EQ(record.envelope().owner_agency(), "civil-affairs");
      EXPECT_EQ(record.envelope().actor().principal(), "") << "the gateway's own";
      actions.push_back(record.envelope().action());
    }
    return actions;
  };
  gateway.Done("operator", {"reload"});  // looks at sources anew
  EXPECT_TRUE(Eventually([&] { return !told().empty(); }, 60'000));
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Start();
  // Whatever the restart would have repeated stands before this.
  SetAge(gateway.Path("drops/region.csv"), 0);
  gateway.Done("operator", {"reload"});
  EXPECT_TRUE(Eventually([&] { return told().size() > 1; }, 60'000));
  EXPECT_THAT(told(), testing::ElementsAre("overdue", "fresh"));
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Verify();
}

TEST(DropsSystemTest, AShrunkenDropIsSaidToBeAndServedOnceItIsAccepted) {
  Deployment gateway;
  gateway.Start();
  for (const char* folder : {"drops", "served"})
    std::filesystem::create_directory(gateway.Path(folder));
  gateway.Write("drops/region-20260101.csv", RegionLines(100));
  const std::string source = absl::StrCat(
      "source: regions\nowner: civil-affairs\nkind: delimited\nfolder: ", gateway.Path("drops"),
      "\npattern: \"{table}-{yyyyMMdd}.csv\"\nkey: code\n",
      "least_share: 90\nstate_folder: ", gateway.Path("served"), "\n");
  gateway.Write("sources/regions.yaml", source);
  gateway.Done("operator", {"source", "apply", "sources/regions.yaml"});
  std::string draft = gateway.Done("regions-owner", {"source", "describe", "regions", "region"});
  gateway.Write("draft.yaml", draft);
  gateway.Replace("draft.yaml", "purposes: []", "purposes: [planning]");
  gateway.Done("regions-owner", {"catalogue", "apply", "draft.yaml"});
  gateway.AddSystem("public-security", "planning");
  gateway.Write(
      "grant.yaml",
      "grant: new\ndataset: civil-affairs/region\nto: public-security\n"
      "systems: [planning]\npurposes: [planning]\nbasis: {law: \"测试\", article: \"1\"}\n"
      "fields: [{name: code}, {name: name}]\nexpires: 2099-01-01T00:00:00Z\n");
  gateway.Done("regions-owner", {"grant", "apply", "grant.yaml"});
  v1::QueryRequest request;
  request.set_dataset("civil-affairs/region");
  request.set_purpose("planning");
  const auto version = [&] {
    const auto reply = Call(gateway.As("planning"), cli::kQuery, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->applied().source_version() : "";
  };
  const auto digest = [](int rows) { return HexEncode(AsBytes(Sha256(RegionLines(rows)))); };
  const auto say = [&](const char* command) {
    return gateway.Done("operator", {"--format", "table", "source", command});
  };
  EXPECT_EQ(version(), digest(100));
  EXPECT_THAT(say("list"), Not(HasSubstr("held back")));
  EXPECT_THAT(gateway.Done("operator", {"--format", "table", "source", "describe", "regions"}),
              HasSubstr(" 100 "));

  gateway.Write("drops/region-20260201.csv", RegionLines(5));
  EXPECT_EQ(version(), digest(100));
  EXPECT_EQ(version(), digest(100));
  const std::string note = absl::StrCat(
      "regions: table 'region': the drop 'region-20260201.csv' is held back, and "
      "'region-20260101.csv' is served: it has 5 rows, the one served before 100 rows (least_share "
      "90); to serve it all the same, set accept: ",
      digest(5));
  EXPECT_THAT(say("list"), HasSubstr(note));
  EXPECT_THAT(say("probe"), HasSubstr(note));
  const auto events = gateway.Events("source_note");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["source"], "regions");
  EXPECT_THAT(std::string(events[0]["message"]), HasSubstr("region-20260201.csv"));

  gateway.Write("sources/regions.yaml", absl::StrCat(source, "accept: ", digest(5), "\n"));
  gateway.Done("operator", {"source", "apply", "sources/regions.yaml"});
  EXPECT_EQ(version(), digest(5));
  EXPECT_THAT(say("list"), Not(HasSubstr("held back")));
}

}  // namespace
}  // namespace sluice::system_test
