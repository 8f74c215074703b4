// Steps through the service: who takes them, what they leave behind, what waits for whom.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "gateway/identity/registration.h"
#include "gateway/sharing/clock_profile.h"
#include "gateway/sharing/requests_testing.h"

namespace sluice::sharing {
namespace {

using identity::Caller;
using identity::Violations;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RequestStepsTest : public ::testing::Test {
 protected:
  void At(const char* china) {
    Micros time = 0;
    ASSERT_TRUE(ParseTime(china, &time));
    world_.clock.Jump(time - world_.clock.Now());
  }
  v1::AccessRequest Must(const Caller& caller, const std::string& id, v1::AccessAction action) {
    const absl::Status status = world_.Try(caller, world_.Now(id), action);
    EXPECT_TRUE(status.ok()) << ActionWord(action) << ": " << status;
    return world_.Now(id);
  }
  v1::Reason Refused(const Caller& caller, const std::string& id, v1::AccessAction action) {
    return ReasonOf(world_.Try(caller, world_.Now(id), action));
  }
  v1::GetAccessRequestResponse Get(const Caller& caller, const std::string& id) {
    v1::GetAccessRequestRequest get;
    get.set_id(id);
    const auto response = world_.requests.GetAccessRequest(caller, get);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::GetAccessRequestResponse();
  }
  std::vector<std::string> Inbox(const Caller& caller) {
    const auto response = world_.inbox.GetInbox(caller, {});
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> lines;
    for (const v1::InboxItem& item : response->items())
      lines.push_back(item.request().id() + " " + OfficeWord(item.office()));
    return lines;
  }
  v1::GrantState StateOfGrant(const std::string& id) {
    return world_.Get(world_.owner, id)->grant().state();
  }

  RequestsWorld world_;
};

TEST_F(RequestStepsTest, AWholeLifeIsRecordedStepByStep) {
  At("2026-02-09T10:00:00+08:00");
  const auto drafted = world_.Draft(world_.consumer_system, world_.Asked());
  ASSERT_TRUE(drafted.ok()) << drafted.status();
  const std::string id = drafted->request().id();
  EXPECT_EQ(drafted->request().state(), v1::ACCESS_REQUEST_STATE_DRAFTED);
  EXPECT_THAT(Get(world_.consumer_system, id).clocks(), IsEmpty());
  Must(world_.consumer_office, id, v1::ACCESS_ACTION_SUBMIT);
  At("2026-02-12T16:00:00+08:00");
  const v1::AccessRequest returned = Must(world_.owner_office, id, v1::ACCESS_ACTION_RETURN);
  EXPECT_THAT(returned.steps(2).papers(), ElementsAre("the decision of the county"));
  EXPECT_EQ(Get(world_.owner, id).clocks(0).state(), v1::CLOCK_STATE_STOPPED);
  At("2026-02-24T09:00:00+08:00");
  Must(world_.consumer_system, id, v1::ACCESS_ACTION_DRAFT);
  Must(world_.consumer_office, id, v1::ACCESS_ACTION_SUBMIT);
  EXPECT_EQ(Refused(world_.owner, id, v1::ACCESS_ACTION_RETURN), v1::REASON_STEP_TAKEN_BEFORE);
  Must(world_.owner_office, id, v1::ACCESS_ACTION_ASK_EXTENSION);
  Must(world_.authority, id, v1::ACCESS_ACTION_CONSENT_EXTENSION);
  EXPECT_EQ(Get(world_.owner, id).clocks(0).working_days(), 20);
  Must(world_.owner_office, id, v1::ACCESS_ACTION_AGREE);
  // An owner who is not of the sharing office may do what was agreed.
  const Caller only_owner = world_.AddPerson("police", "dba", {v1::ROLE_OWNER});
  const v1::AccessRequest granted = Must(only_owner, id, v1::ACCESS_ACTION_GRANT);
  EXPECT_EQ(StateOfGrant(granted.grant()), v1::GRANT_STATE_IN_FORCE);
  Must(only_owner, id, v1::ACCESS_ACTION_PROVIDE);
  const auto clocks = Get(world_.consumer_system, id).clocks();
  ASSERT_THAT(clocks, SizeIs(2));
  EXPECT_EQ(clocks[0].state(), v1::CLOCK_STATE_MET);
  EXPECT_EQ(clocks[1].name(), "provide");
  EXPECT_EQ(clocks[1].state(), v1::CLOCK_STATE_MET);
  const v1::AccessRequest ended = Must(world_.consumer_office, id, v1::ACCESS_ACTION_END);
  EXPECT_EQ(StateOfGrant(ended.grant()), v1::GRANT_STATE_REVOKED);
  std::vector<std::string> told;
  for (const v1::AccessStep& step : ended.steps())
    told.push_back(ActionWord(step.action()) + " " + OfficeWord(step.office()));
  EXPECT_THAT(told, ElementsAre("draft requester", "submit requester_office", "return owner_office",
                                "submit requester_office", "ask_extension owner_office",
                                "consent_extension authority", "agree owner_office", "grant owner",
                                "provide owner", "end requester_office"));
  // A record each, and one of the draft that was mended; what moved a grant has its record beside.
  std::vector<std::string> records;
  for (const auto& made : world_.changes->made()) {
    EXPECT_EQ(made.outcome.resource_name, id);
    records.push_back(made.outcome.action);
  }
  EXPECT_THAT(records, ElementsAre("draft", "submit", "return", "update", "submit", "ask_extension",
                                   "consent_extension", "agree", "grant", "provide", "end"));
  EXPECT_EQ(world_.changes->last().outcome.also[0].action, "revoke");
  EXPECT_EQ(world_.changes->last().effect, audit::Changes::Effect::kAtCommit);
}

TEST_F(RequestStepsTest, TwoOfficesStepsAreNotTakenByOnePerson) {
  // One person who is all offices at once, where the ministry asks itself.
  const Caller mighty = world_.AddPerson(
      "police", "mighty", {v1::ROLE_SHARING_OFFICE, v1::ROLE_OWNER, v1::ROLE_AUTHORITY});
  v1::AccessRequest wanted = world_.Asked();
  wanted.clear_systems();
  const auto drafted = world_.Draft(mighty, wanted);
  ASSERT_TRUE(drafted.ok()) << drafted.status();
  const std::string id = drafted->request().id();
  Must(mighty, id, v1::ACCESS_ACTION_SUBMIT);
  for (const auto action :
       {v1::ACCESS_ACTION_RETURN, v1::ACCESS_ACTION_ASK_EXTENSION, v1::ACCESS_ACTION_AGREE,
        v1::ACCESS_ACTION_REFUSE, v1::ACCESS_ACTION_GRANT})
    EXPECT_EQ(Refused(mighty, id, action), v1::REASON_SAME_HANDS) << ActionWord(action);
  Must(world_.owner_office, id, v1::ACCESS_ACTION_ASK_EXTENSION);
  // Nor does the owner's side consent to its own delay.
  for (const auto action :
       {v1::ACCESS_ACTION_CONSENT_EXTENSION, v1::ACCESS_ACTION_DECLINE_EXTENSION})
    EXPECT_EQ(Refused(mighty, id, action), v1::REASON_SAME_HANDS) << ActionWord(action);
  world_.AddPerson("police", "office", {v1::ROLE_SHARING_OFFICE, v1::ROLE_AUTHORITY});
  EXPECT_EQ(Refused(world_.owner_office, id, v1::ACCESS_ACTION_CONSENT_EXTENSION),
            v1::REASON_SAME_HANDS);
  Must(world_.authority, id, v1::ACCESS_ACTION_CONSENT_EXTENSION);
}

TEST_F(RequestStepsTest, WhoeverMendsADraftIsOfTheAskingSide) {
  const Caller mighty =
      world_.AddPerson("police", "mighty", {v1::ROLE_SHARING_OFFICE, v1::ROLE_OWNER});
  v1::AccessRequest wanted = world_.Asked();
  wanted.clear_systems();
  const auto drafted = world_.Draft(world_.owner_system, wanted);
  ASSERT_TRUE(drafted.ok()) << drafted.status();
  const std::string id = drafted->request().id();
  EXPECT_THAT(Must(mighty, id, v1::ACCESS_ACTION_DRAFT).steps(), SizeIs(2));
  EXPECT_THAT(Must(mighty, id, v1::ACCESS_ACTION_DRAFT).steps(), SizeIs(2));
  Must(world_.owner_office, id, v1::ACCESS_ACTION_SUBMIT);
  EXPECT_EQ(Refused(mighty, id, v1::ACCESS_ACTION_GRANT), v1::REASON_SAME_HANDS);
  EXPECT_EQ(Refused(world_.owner_office, id, v1::ACCESS_ACTION_GRANT), v1::REASON_SAME_HANDS);
  Must(world_.owner, id, v1::ACCESS_ACTION_GRANT);
}

TEST_F(RequestStepsTest, RolesCountAsTheyAreNow) {
  const v1::AccessRequest made = world_.MustSubmit();
  world_.AddPerson("police", "owner", {v1::ROLE_OWNER});  // taken away since
  EXPECT_EQ(Refused(world_.owner, made.id(), v1::ACCESS_ACTION_AGREE), v1::REASON_OFFICE_REQUIRED);
  EXPECT_THAT(Get(world_.owner, made.id()).actions(), IsEmpty());
}

TEST_F(RequestStepsTest, ADraftIsItsOwnAgencysAlone) {
  const auto drafted = world_.Draft(world_.consumer_system, world_.Asked());
  ASSERT_TRUE(drafted.ok()) << drafted.status();
  const std::string id = drafted->request().id();
  for (int i = 0; i < 2; ++i) {
    for (const Caller* caller : {&world_.owner, &world_.owner_office, &world_.authority}) {
      v1::GetAccessRequestRequest get;
      get.set_id(id);
      EXPECT_EQ(ReasonOf(world_.requests.GetAccessRequest(*caller, get).status()),
                v1::REASON_NOT_FOUND);
      EXPECT_THAT(world_.requests.ListAccessRequests(*caller, {})->requests(), IsEmpty());
    }
    EXPECT_THAT(world_.requests.ListAccessRequests(world_.consumer_clerk, {})->requests(),
                SizeIs(1));
    EXPECT_THAT(world_.requests.ListAccessRequests(world_.auditor, {})->requests(), SizeIs(1));
    // Nor once it was taken back.
    if (i == 0) Must(world_.consumer_system, id, v1::ACCESS_ACTION_WITHDRAW);
  }
}

TEST_F(RequestStepsTest, AGrantAndItsRequestMoveTogether) {
  const std::string id = world_.MustSubmit().id();
  const std::string grant = Must(world_.owner, id, v1::ACCESS_ACTION_GRANT).grant();
  ASSERT_TRUE(world_.SetState(world_.owner, grant, v1::GRANT_STATE_SUSPENDED).ok());
  EXPECT_EQ(world_.Now(id).state(), v1::ACCESS_REQUEST_STATE_SUSPENDED);
  EXPECT_EQ(world_.Now(id).steps(3).reason(), "an inquiry");
  ASSERT_THAT(world_.changes->last().outcome.also, SizeIs(1));
  EXPECT_EQ(world_.changes->last().outcome.also[0].resource_kind, "access_request");
  Must(world_.owner_office, id, v1::ACCESS_ACTION_RESUME);
  EXPECT_EQ(StateOfGrant(grant), v1::GRANT_STATE_IN_FORCE);
  EXPECT_EQ(world_.Now(id).state(), v1::ACCESS_REQUEST_STATE_GRANTED);
  Must(world_.owner, id, v1::ACCESS_ACTION_PROVIDE);
  Must(world_.owner_office, id, v1::ACCESS_ACTION_SUSPEND);
  EXPECT_EQ(StateOfGrant(grant), v1::GRANT_STATE_SUSPENDED);
  ASSERT_TRUE(world_.SetState(world_.owner, grant, v1::GRANT_STATE_IN_FORCE).ok());
  EXPECT_EQ(world_.Now(id).state(), v1::ACCESS_REQUEST_STATE_PROVIDED);
  ASSERT_TRUE(world_.Revoke(world_.owner, grant).ok());
  EXPECT_EQ(world_.Now(id).state(), v1::ACCESS_REQUEST_STATE_ENDED);

  // Reopened, it gets a grant of its own; the old one moves it no more.
  Must(world_.consumer_office, id, v1::ACCESS_ACTION_DISPUTE);
  EXPECT_EQ(Must(world_.authority, id, v1::ACCESS_ACTION_REOPEN).grant(), "");
  const v1::AccessRequest again = Must(world_.owner, id, v1::ACCESS_ACTION_GRANT);
  EXPECT_NE(again.grant(), grant);
  EXPECT_EQ(StateOfGrant(again.grant()), v1::GRANT_STATE_IN_FORCE);
}

TEST_F(RequestStepsTest, WhatCannotStandIsNotResumedNorSubmitted) {
  const std::string id = world_.MustSubmit().id();
  const std::string grant = Must(world_.owner, id, v1::ACCESS_ACTION_GRANT).grant();
  Must(world_.owner, id, v1::ACCESS_ACTION_SUSPEND);
  const auto drafted = world_.Draft(world_.consumer_system, world_.Asked());
  ASSERT_TRUE(drafted.ok());
  world_.clock.Advance(31 * kDay);  // past the end of both
  EXPECT_EQ(Refused(world_.owner, id, v1::ACCESS_ACTION_RESUME), v1::REASON_DEFINITION_INVALID);
  EXPECT_EQ(world_.Now(id).state(), v1::ACCESS_REQUEST_STATE_SUSPENDED);
  EXPECT_EQ(StateOfGrant(grant), v1::GRANT_STATE_SUSPENDED);
  EXPECT_EQ(Refused(world_.consumer_office, drafted->request().id(), v1::ACCESS_ACTION_SUBMIT),
            v1::REASON_DEFINITION_INVALID);
  EXPECT_EQ(world_.Now(drafted->request().id()).state(), v1::ACCESS_REQUEST_STATE_DRAFTED);
}

TEST_F(RequestStepsTest, WordsThatAreNeededAreAskedFor) {
  const std::string id = world_.MustSubmit().id();
  const auto mistakes = [&](v1::AccessAction action, bool reason, bool basis, bool papers) {
    v1::TakeAccessStepRequest step;
    step.set_id(id);
    step.set_action(action);
    if (reason) step.set_reason("a test");
    if (basis) step.mutable_basis()->set_law("Law on Data");
    if (basis) step.mutable_basis()->set_article("21");
    if (papers) step.add_papers("a paper");
    const absl::Status status = world_.Take(world_.owner, step).status();
    EXPECT_EQ(ReasonOf(status), v1::REASON_REQUEST_INVALID) << status;
    return Violations(status);
  };
  EXPECT_THAT(mistakes(v1::ACCESS_ACTION_RETURN, true, false, false),
              ElementsAre("papers: needed: all that is missing is told once"));
  EXPECT_THAT(mistakes(v1::ACCESS_ACTION_RETURN, false, false, true),
              ElementsAre("reason: needed: it is recorded"));
  EXPECT_THAT(mistakes(v1::ACCESS_ACTION_AGREE, true, false, false),
              ElementsAre("basis.law: needed: whoever is concerned reads it"));
  EXPECT_THAT(mistakes(v1::ACCESS_ACTION_REFUSE, false, true, false), SizeIs(1));
  EXPECT_THAT(mistakes(v1::ACCESS_ACTION_REFUSE, true, true, true),
              ElementsAre("papers: only of RETURN and SUBMIT"));
  EXPECT_THAT(mistakes(v1::ACCESS_ACTION_GRANT, true, true, false),
              ElementsAre("action: has a method of its own"));
  EXPECT_THAT(mistakes(v1::ACCESS_ACTION_UNSPECIFIED, true, true, false), SizeIs(1));
  EXPECT_THAT(world_.Now(id).steps(), SizeIs(2));
}

TEST_F(RequestStepsTest, OfTwoWritersOneIsTooLate) {
  const v1::AccessRequest made = world_.MustSubmit();
  ASSERT_TRUE(
      world_.Take(world_.owner_office, made.id(), v1::ACCESS_ACTION_ASK_EXTENSION, made.etag())
          .ok());
  EXPECT_EQ(
      ReasonOf(world_.Take(world_.owner, made.id(), v1::ACCESS_ACTION_AGREE, made.etag()).status()),
      v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(world_.Now(made.id()).state(), v1::ACCESS_REQUEST_STATE_EXTENSION_ASKED);
  const auto drafted = world_.Draft(world_.consumer_system, world_.Asked());
  ASSERT_TRUE(drafted.ok());
  v1::AccessRequest one = drafted->request(), two = drafted->request();
  one.set_justification("one");
  two.set_justification("two");
  EXPECT_TRUE(world_.Draft(world_.consumer_system, one).ok());
  EXPECT_EQ(ReasonOf(world_.Draft(world_.consumer_clerk, two).status()), v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(world_.Now(one.id()).justification(), "one");
}

TEST_F(RequestStepsTest, TheInboxShowsEachWhatWaitsForHimOldestFirst) {
  At("2026-03-02T10:00:00+08:00");
  const std::string first = world_.MustSubmit().id();
  world_.clock.Advance(kHour);
  const std::string second = world_.MustSubmit().id();
  world_.clock.Advance(kHour);
  const auto drafted = world_.Draft(world_.consumer_system, world_.Asked());
  ASSERT_TRUE(drafted.ok());
  EXPECT_THAT(Inbox(world_.owner_office),
              ElementsAre(first + " owner_office", second + " owner_office"));
  EXPECT_THAT(Inbox(world_.consumer_office),
              ElementsAre(drafted->request().id() + " requester_office"));
  for (const Caller* caller : {&world_.authority, &world_.clerk, &world_.auditor,
                               &world_.other_owner, &world_.consumer_system})
    EXPECT_THAT(Inbox(*caller), IsEmpty()) << caller->principal.path;
  // Whoever has come to wait last stands last.
  world_.clock.Advance(kHour);
  Must(world_.owner_office, first, v1::ACCESS_ACTION_ASK_EXTENSION);
  EXPECT_THAT(Inbox(world_.owner_office),
              ElementsAre(second + " owner_office", first + " owner_office"));
  EXPECT_THAT(Inbox(world_.authority), ElementsAre(first + " authority"));
  world_.clock.Advance(kHour);
  Must(world_.owner_office, second, v1::ACCESS_ACTION_RETURN);
  EXPECT_THAT(Inbox(world_.consumer_system), ElementsAre(second + " requester"));

  const auto items = world_.inbox.GetInbox(world_.authority, {});
  ASSERT_TRUE(items.ok());
  EXPECT_THAT(items->items(0).actions(), ElementsAre(v1::ACCESS_ACTION_CONSENT_EXTENSION,
                                                     v1::ACCESS_ACTION_DECLINE_EXTENSION));
  EXPECT_EQ(items->items(0).clock().name(), "reply_conditional");
  EXPECT_EQ(items->items(0).clock().working_days_left(), 10);
}

TEST_F(RequestStepsTest, WhatIsLateBecomesTheAuthoritysMatterByItself) {
  At("2026-03-02T10:00:00+08:00");
  const std::string id = world_.MustSubmit().id();
  EXPECT_THAT(Inbox(world_.authority), IsEmpty());
  // Nothing ran meanwhile; ten working days are over at this midnight.
  At("2026-03-17T00:00:00+08:00");
  const auto items = world_.inbox.GetInbox(world_.authority, {});
  ASSERT_TRUE(items.ok());
  ASSERT_THAT(items->items(), SizeIs(1));
  EXPECT_EQ(items->items(0).request().id(), id);
  EXPECT_EQ(items->items(0).office(), v1::SHARING_OFFICE_AUTHORITY);
  EXPECT_EQ(items->items(0).clock().state(), v1::CLOCK_STATE_BREACHED);
  EXPECT_EQ(items->items(0).since().seconds(), items->items(0).clock().due().seconds());
  EXPECT_THAT(Inbox(world_.owner_office), ElementsAre(id + " owner_office"));
  Must(world_.owner_office, id, v1::ACCESS_ACTION_AGREE);
  EXPECT_THAT(Inbox(world_.authority), IsEmpty());
  EXPECT_EQ(Get(world_.auditor, id).clocks(0).state(), v1::CLOCK_STATE_MISSED);
}

TEST_F(RequestStepsTest, AnUnconditionalDatasetIsAnsweredWithinADay) {
  At("2026-03-02T10:00:00+08:00");
  v1::Dataset dataset = GrantsWorld::Persons();
  dataset.set_revision(2);
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_UNCONDITIONAL);
  world_.PutDataset(dataset);
  const v1::AccessRequest made = world_.MustSubmit();
  EXPECT_TRUE(made.unconditional());
  // What it was when it was submitted holds, whatever becomes of it.
  dataset.set_revision(3);
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  world_.PutDataset(dataset);
  const auto clocks = Get(world_.owner, made.id()).clocks();
  ASSERT_THAT(clocks, SizeIs(1));
  EXPECT_EQ(clocks[0].name(), "reply_unconditional");
  EXPECT_EQ(clocks[0].working_days(), 1);
}

}  // namespace
}  // namespace sluice::sharing
