// The sharing procedure at the desks of all who take part, through the tool and the API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPersons[] = "public-security/persons";

std::string IdIn(const std::string& page) {
  const size_t at = page.find("ACCESS REQUEST ");
  EXPECT_NE(at, std::string::npos) << page;
  return page.substr(at + sizeof("ACCESS REQUEST ") - 1, 8);
}

class ProcedureTest : public testing::Test {
 protected:
  void SetUp() override {
    gateway_.Start();
    gateway_.OfferSample();
  }
  // As at a terminal.
  std::string At(const std::string& party, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "table"});
    return gateway_.Done(party, arguments);
  }
  std::string Draft() {
    return IdIn(At("relief", {"access", "request", kPersons, "--purpose", "relief", "--law",
                              "社会救助暂行办法", "--article", "第五十八条", "--systems", "relief",
                              "--fields", "county", "--until", "90d"}));
  }
  // What the log tells of it, oldest first.
  std::vector<std::string> Recorded(const std::string& name) {
    std::vector<std::string> actions;
    for (const v1::Record& record : gateway_.Records(v1::RECORD_KIND_CHANGED))
      if (record.envelope().resource_name() == name) actions.push_back(record.envelope().action());
    return actions;
  }

  Deployment gateway_;
};

TEST_F(ProcedureTest, AWholeLifeAtTheDesksOfAllWhoTakePart) {
  const std::string id = Draft();
  EXPECT_THAT(At("residents-owner", {"inbox"}), Not(HasSubstr(id)));  // not before it is sent
  EXPECT_THAT(At("regions-owner", {"inbox"}), HasSubstr(id));
  At("regions-owner", {"access", "submit", id});
  EXPECT_THAT(At("residents-owner", {"inbox"}), HasSubstr(id));
  At("residents-owner", {"access", "return", id, "--reason", "the basis is not enclosed", "--paper",
                         "decision of the county"});
  EXPECT_THAT(At("regions-owner", {"access", "show", id}), HasSubstr("stands still"));
  At("regions-owner", {"access", "submit", id, "--paper", "decision of the county"});
  At("residents-owner", {"access", "ask-extension", id, "--reason", "a holiday"});
  EXPECT_THAT(At("authority", {"inbox"}), HasSubstr("consent-extension, decline-extension"));
  At("authority", {"access", "consent-extension", id, "--reason", "a holiday"});
  At("residents-owner", {"access", "agree", id, "--reason", "it is needed", "--law",
                         "政务数据共享条例", "--article", "第二十一条"});
  At("residents-owner", {"access", "approve", id});
  const std::string shown = At("residents-owner", {"access", "provide", id});
  EXPECT_THAT(shown, HasSubstr("PROVIDED: grant "));
  EXPECT_THAT(shown, HasSubstr("reply_conditional (政务数据共享条例 第二十一条)"));
  const std::string grant = shown.substr(shown.find("PROVIDED: grant ") + 16, 6);
  // The grant's own command is the request's step as well.
  gateway_.Done("residents-owner", {"grant", "suspend", grant, "--reason", "misuse"});
  EXPECT_THAT(At("relief", {"access", "show", id}), HasSubstr("SUSPENDED: grant " + grant));
  At("regions-owner", {"access", "dispute", id, "--reason", "it was no misuse"});
  EXPECT_THAT(At("authority", {"inbox"}), HasSubstr("uphold"));
  At("authority", {"access", "uphold", id, "--reason", "it was"});
  At("residents-owner", {"access", "end", id, "--reason", "misuse"});
  EXPECT_THAT(At("relief", {"grant", "show", grant}), HasSubstr("REVOKED"));

  EXPECT_THAT(Recorded(id), ElementsAre("draft", "submit", "return", "submit", "ask_extension",
                                        "consent_extension", "agree", "grant", "provide", "suspend",
                                        "dispute", "uphold", "end"));
  EXPECT_THAT(Recorded(grant), ElementsAre("create", "suspend", "revoke"));
  EXPECT_EQ(gateway_.Stop().code, 0);
  gateway_.Verify();
}

TEST_F(ProcedureTest, DoubtfulDataGoFromTheAnswerToItsOwnersDeskAndBack) {
  // Of an agency that was lent nothing.
  const Finished before = gateway_.Sluice(
      "authority", {"correction", "raise", kPersons, "--doubt", "counties are old"});
  EXPECT_EQ(before.code, 3);
  EXPECT_THAT(before.errors, HasSubstr("error: NO_GRANT: "));
  const std::string request = Draft();
  At("regions-owner", {"access", "submit", request});
  At("residents-owner", {"access", "approve", request});
  const std::string page =
      At("relief", {"correction", "raise", kPersons, "--fields", "county", "--doubt",
                    "counties are old", "--record", "7", "--paper", "decision of the province"});
  const size_t at = page.find("CORRECTION ");
  ASSERT_NE(at, std::string::npos) << page;
  const std::string id = page.substr(at + sizeof("CORRECTION ") - 1, 8);
  EXPECT_THAT(page, HasSubstr("correction (政务数据共享条例 第二十六条)"));
  EXPECT_THAT(At("residents-owner", {"inbox"}), HasSubstr(id));
  EXPECT_THAT(At("residents-owner", {"correction", "show", id}),
              HasSubstr("audit record 7, as civil-affairs says"));
  const Finished own =
      gateway_.Sluice("relief", {"correction", "answer", id, "--confirmed", "it is right"});
  EXPECT_EQ(own.code, 3);
  EXPECT_THAT(own.errors, HasSubstr("error: OFFICE_REQUIRED"));
  EXPECT_THAT(At("residents-owner", {"correction", "answer", id, "--corrected", "renewed"}),
              HasSubstr("CORRECTED"));
  EXPECT_THAT(At("residents-owner", {"inbox"}), Not(HasSubstr(id)));
  EXPECT_THAT(At("relief", {"correction", "list", "--state", "corrected"}), HasSubstr(id));
  EXPECT_THAT(Recorded(id), ElementsAre("raise", "correct"));
  EXPECT_EQ(gateway_.Stop().code, 0);
  gateway_.Verify();
}

TEST_F(ProcedureTest, AChangeOfLawsGoesOverTheDesksOfOwnerAndAuthority) {
  const std::string page =
      At("authority", {"catalogue", "update", "declare", "--agency", "public-security", "--change",
                       "counties are registered by the ministry", "--law", "a law", "--article",
                       "1", "--datasets", kPersons});
  const size_t at = page.find("CATALOGUE UPDATE ");
  ASSERT_NE(at, std::string::npos) << page;
  const std::string id = page.substr(at + sizeof("CATALOGUE UPDATE ") - 1, 8);
  EXPECT_THAT(page, HasSubstr("catalogue_update (政务数据共享条例 第十七条)"));
  EXPECT_THAT(At("residents-owner", {"inbox"}), HasSubstr(id));
  const Finished other = gateway_.Sluice("regions-owner", {"catalogue", "update", "show", id});
  EXPECT_THAT(other.errors, HasSubstr("error: NOT_FOUND: "))
      << "another agency knows nothing of it";
  const Finished unchanged = gateway_.Sluice(
      "residents-owner",
      {"catalogue", "update", "complete", id, "--revision", std::string(kPersons) + "@1"});
  EXPECT_THAT(unchanged.errors, HasSubstr("error: DEFINITION_INVALID"));
  EXPECT_THAT(unchanged.all(), HasSubstr("none of the entries was changed"));
  At("residents-owner",
     {"catalogue", "update", "complete", id, "--revision", std::string(kPersons) + "@1", "--reason",
      "the entry names no county's registry"});
  EXPECT_THAT(At("residents-owner", {"inbox"}), Not(HasSubstr(id)));
  EXPECT_THAT(At("authority", {"inbox"}), HasSubstr("accept, return"));
  EXPECT_THAT(At("authority", {"catalogue", "update", "accept", id}), HasSubstr("ACCEPTED"));
  EXPECT_THAT(Recorded(id), ElementsAre("declare", "complete", "accept"));
  EXPECT_EQ(gateway_.Stop().code, 0);
  gateway_.Verify();
}

TEST_F(ProcedureTest, NobodyTakesTheStepOfAnotherOffice) {
  const std::string id = Draft();
  const Finished sent = gateway_.Sluice("relief", {"access", "submit", id});
  EXPECT_EQ(sent.code, 3);
  EXPECT_THAT(sent.errors, HasSubstr("error: OFFICE_REQUIRED: This step is for: requester_office"));
  At("regions-owner", {"access", "submit", id});
  const Finished own = gateway_.Sluice("regions-owner", {"access", "approve", id});
  EXPECT_EQ(own.code, 3);
  EXPECT_THAT(own.errors, HasSubstr("OFFICE_REQUIRED"));
  // The owner's office becomes the authority as well, and still does not consent to itself.
  gateway_.Done("authority", {"role", "grant", "public-security/residents-owner", "authority"});
  At("residents-owner", {"access", "ask-extension", id, "--reason", "a holiday"});
  const Finished consent = gateway_.Sluice(
      "residents-owner", {"access", "consent-extension", id, "--reason", "a holiday"});
  EXPECT_EQ(consent.code, 3);
  EXPECT_THAT(consent.errors, HasSubstr("error: SAME_HANDS: "));
  const Finished twice =
      gateway_.Sluice("residents-owner", {"access", "ask-extension", id, "--reason", "a holiday"});
  EXPECT_EQ(twice.code, 1);
  EXPECT_THAT(twice.errors, HasSubstr("error: STEP_NOT_ALLOWED: "));
}

TEST_F(ProcedureTest, OfManyWhoActOnWhatTheyReadOneIsInTime) {
  for (int round = 0; round < 5; ++round) {
    const std::string id = Draft();
    At("regions-owner", {"access", "submit", id});
    v1::GetAccessRequestRequest get;
    get.set_id(id);
    const auto read = Call(gateway_.As("residents-owner"), cli::kGetAccessRequest, get);
    ASSERT_TRUE(read.ok()) << read.status();
    std::atomic<int> taken{0}, late{0};
    std::vector<std::thread> writers;
    for (const auto action : {v1::ACCESS_ACTION_AGREE, v1::ACCESS_ACTION_REFUSE,
                              v1::ACCESS_ACTION_RETURN, v1::ACCESS_ACTION_ASK_EXTENSION}) {
      writers.emplace_back(
          [&, action, owner = std::shared_ptr<cli::Gateway>(gateway_.Connect("residents-owner"))] {
            v1::TakeAccessStepRequest step;
            step.set_id(id);
            step.set_action(action);
            step.set_reason("a test");
            step.mutable_basis()->set_law("a law");
            step.mutable_basis()->set_article("1");
            if (action == v1::ACCESS_ACTION_RETURN) step.add_papers("a paper");
            step.set_etag(read->request().etag());
            const auto answer = Call(*owner, cli::kTakeAccessStep, step);
            if (answer.ok()) ++taken;
            const v1::Reason reason = ReasonOf(answer.status());
            if (reason == v1::REASON_ETAG_MISMATCH || reason == v1::REASON_STEP_NOT_ALLOWED) ++late;
          });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(taken, 1);
    EXPECT_EQ(late, 3);
    EXPECT_EQ(Recorded(id).size(), 3u);  // drafted, submitted, and one more
  }
}

TEST_F(ProcedureTest, ACalendarOrProfileWithAMistakeStopsTheStart) {
  const Deployment second;
  second.Write("cn.yaml",
               "calendar: cn\ntime_zone: Asia/Shanghai\nweekend: [Sat, Sun]\nyears:\n"
               "  - {year: 2026, source: \"a test\", off: [02-14], worked: []}\n");
  second.Replace("sluiced.yaml", "calendars: []", "calendars: [cn.yaml]");
  const std::string file = second.Path("sluiced.yaml");
  Finished refused = Execute({"sluiced", "--config", file, "--check"});
  EXPECT_EQ(refused.code, 78) << refused.all();
  EXPECT_THAT(refused.errors,
              HasSubstr("cn.yaml:5: years[0].off[0]: 02-14 is a Sat, which is off anyway"));
  second.Replace("cn.yaml", "02-14", "02-16");
  refused = Execute({"sluiced", "--config", file, "--check"});
  EXPECT_EQ(refused.code, 0) << refused.all();
  second.Replace("sluiced.yaml", "clocks: []", "clocks: [gone.yaml]");
  refused = Execute({"sluiced", "--config", file, "--check"});
  EXPECT_EQ(refused.code, 78) << refused.all();
  EXPECT_THAT(refused.errors, HasSubstr("sharing.clocks[0]: "));
}

}  // namespace
}  // namespace sluice::system_test
