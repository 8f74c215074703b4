// Match and Count from end to end: what a consumer learns, and what it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MatchSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    gateway_.Start();
    gateway_.OfferSample();
    gateway_.Done("residents-owner", {"grant", "apply", "grants/persons-match.yaml"});
  }
  Finished Ask(std::vector<std::string> arguments, const std::string& input = "") {
    std::vector<std::string> all = {"--format", "json"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"public-security/persons", "--purpose", "relief", "--case", "RL-7"});
    return gateway_.Sluice("relief", all, input);
  }
  static std::string ItemOf(const std::string& id, const std::string& name) {
    return absl::StrCat("{\"id_number\": \"", id, "\", \"name\": \"", name, "\"}\n");
  }

  Deployment gateway_;
};

TEST_F(MatchSystemTest, YesNoOrNobodyAndNeverAValue) {
  const std::string &id = SampleIds()[0], &name = SampleNames()[0];
  const Finished asked = Ask({"match", "--items", "-"}, ItemOf(id, name) + ItemOf(id, "某某") +
                                                            ItemOf("11010519491231002X", name));
  EXPECT_EQ(asked.code, 0) << asked.errors;
  EXPECT_EQ(asked.output,
            "{\"item\":1,\"outcome\":\"MATCH\",\"fields\":{\"name\":\"MATCH\"}}\n"
            "{\"item\":2,\"outcome\":\"NO_MATCH\",\"fields\":{\"name\":\"NO_MATCH\"}}\n"
            "{\"item\":3,\"outcome\":\"NOT_FOUND\",\"fields\":{\"name\":\"NOT_FOUND\"}}\n");
  for (const std::string& value : {id, name})
    EXPECT_THAT(asked.output + asked.errors, Not(HasSubstr(value)));
  const auto records = gateway_.Records(v1::RECORD_KIND_MATCHED);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].envelope().match_misses(), 2u);
  EXPECT_THAT(gateway_.Verify(), HasSubstr("verified "));
}

TEST_F(MatchSystemTest, ValuesFromTheCommandLineAndFromFiles) {
  gateway_.Write("id", SampleIds()[1] + "\n");
  EXPECT_THAT(
      Ask({"match", "--value", "id_number=@id", "--value", "name=" + SampleNames()[1]}).output,
      HasSubstr("\"MATCH\""));
  EXPECT_EQ(Ask({"match"}).code, 2);
  EXPECT_EQ(Ask({"match", "--items", "-"}, "not json\n").code, 2);
  EXPECT_EQ(Ask({"match", "--items", "-"}, "").code, 2);
  const Finished wrong =
      Ask({"match", "--value", "id_number=110101194912310099", "--value", "name=x"});
  EXPECT_EQ(wrong.code, 2) << wrong.errors;
  EXPECT_THAT(wrong.errors, HasSubstr("PARAMETER_INVALID"));
  EXPECT_THAT(wrong.errors, Not(HasSubstr("110101194912310099")));
}

TEST_F(MatchSystemTest, GuessingEndsAndStandsInTheReport) {
  std::string guesses;
  for (int i = 0; i < 10; ++i) guesses += ItemOf(SampleIds()[0], absl::StrCat("猜", i));
  std::string others;
  for (int i = 1; i < 12; ++i) others += ItemOf(SampleIds()[i], "不是");
  EXPECT_EQ(Ask({"match", "--items", "-"}, guesses).code, 0);
  EXPECT_EQ(Ask({"match", "--items", "-"}, others).code, 0);
  const Finished refused = Ask({"match", "--items", "-"}, ItemOf(SampleIds()[0], SampleNames()[0]));
  EXPECT_THAT(refused.errors, HasSubstr("QUOTA_EXCEEDED")) << refused.output;
  EXPECT_THAT(refused.errors, HasSubstr("items[0]"));
  const std::string report =
      gateway_.Done("auditor", {"--format", "table", "audit", "report", "--since", "1d"});
  EXPECT_THAT(report, HasSubstr("guessing of values"));
  EXPECT_THAT(report, HasSubstr("QUOTA_EXCEEDED"));
}

TEST_F(MatchSystemTest, NumbersBySmallGroupsHeldBack) {
  const Finished all = Ask({"count"});
  EXPECT_EQ(all.output, "{\"rows\":12}\n") << all.errors;
  const Finished by = Ask({"count", "--by", "county"});
  EXPECT_EQ(by.code, 0) << by.errors;
  EXPECT_THAT(by.output, Not(HasSubstr(":1}")));
  EXPECT_THAT(by.output, Not(HasSubstr(":2}")));
  const Finished near = Ask({"count", "--where", "county != \"nowhere\""});
  EXPECT_EQ(near.code, 0) << near.errors << " no difference tells of nobody";
}

TEST_F(MatchSystemTest, TheGrantIsOnePageThatSaysAllOfIt) {
  const std::string list = gateway_.Done("residents-owner", {"grant", "list"});
  std::string id;
  for (const v1::Grant& grant : gateway_.GrantsInForce())
    if (grant.match_tells_fields()) id = grant.id();
  const std::string page = gateway_.Done("relief", {"--format", "table", "grant", "show", id});
  for (const char* text :
       {"Match; Count; no Query; no Read", "finds the record by id_number", "is compared by name",
        "200 answers a day that are not a match", "no group under 3 rows", "staff of the relief",
        "no onward transfer", "destroy within 30 days and report"})
    EXPECT_THAT(page, HasSubstr(text));
}

TEST_F(MatchSystemTest, AGrantAnswersFromItsNetworksAndAtItsHoursAlone) {
  const auto with = [&](const std::string& conditions) {
    for (const v1::Grant& grant : gateway_.GrantsInForce())
      gateway_.Done("residents-owner", {"grant", "revoke", grant.id(), "--reason", "replaced"});
    std::string text = gateway_.Read("grants/persons-match.yaml");
    gateway_.Write("grants/with.yaml", text + "conditions: " + conditions + "\n");
    gateway_.Done("residents-owner", {"grant", "apply", "grants/with.yaml"});
    return Ask({"count"}).errors;
  };
  EXPECT_THAT(with("{networks: [10.0.0.0/8]}"), HasSubstr("NETWORK_NOT_GRANTED"));
  EXPECT_THAT(with("{networks: [127.0.0.0/8, \"::1/128\"]}"), HasSubstr("receipt"));
  EXPECT_THAT(with("{hours: [\"00:00-24:00\"], time_zone: \"+08:00\"}"), HasSubstr("receipt"));
  // Now lies in the one or in the other.
  const std::string first = with("{hours: [\"00:00-12:00\"], time_zone: \"+00:00\"}");
  const std::string second = with("{hours: [\"12:00-24:00\"], time_zone: \"+00:00\"}");
  EXPECT_THAT(first + second, HasSubstr("OUTSIDE_HOURS"));
  EXPECT_THAT(first + second, HasSubstr("receipt"));
}

}  // namespace
}  // namespace sluice::system_test
