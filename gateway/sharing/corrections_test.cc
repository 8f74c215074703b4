// Corrections through the service: who raises and answers them, who sees them, what they leave
// behind, for whom they wait.
#include "gateway/sharing/corrections.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "gateway/sharing/matter_table.h"
#include "gateway/sharing/requests_testing.h"

namespace sluice::sharing {
namespace {

using identity::Caller;
using identity::Violations;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CorrectionsTest : public ::testing::Test {
 protected:
  CorrectionsTest() { world_.MustApply(world_.Wanted()); }

  void At(const char* china) {
    Micros time = 0;
    ASSERT_TRUE(ParseTime(china, &time));
    world_.clock.Jump(time - world_.clock.Now());
  }
  v1::Correction Doubted() const {
    v1::Correction correction;
    correction.set_dataset("police/persons");
    correction.add_fields("county");
    correction.set_doubt("counties that were merged in 2024 still stand in it");
    correction.set_record_index(41);
    correction.add_papers("decision of the province on its counties");
    return correction;
  }
  absl::StatusOr<v1::RaiseCorrectionResponse> Raise(const Caller& caller,
                                                    const v1::Correction& wanted,
                                                    bool dry_run = false) {
    v1::RaiseCorrectionRequest request;
    *request.mutable_correction() = wanted;
    request.set_dry_run(dry_run);
    return identity::Answer<v1::RaiseCorrectionResponse>(
        [&](auto done) { world_.corrections.RaiseCorrection(caller, request, done); });
  }
  v1::Correction MustRaise() {
    const auto raised = Raise(world_.consumer_system, Doubted());
    EXPECT_TRUE(raised.ok()) << raised.status();
    return raised.ok() ? raised->correction() : v1::Correction();
  }
  absl::StatusOr<v1::TakeCorrectionStepResponse> Take(const Caller& caller, const std::string& id,
                                                      v1::CorrectionAction action,
                                                      const std::string& etag = "",
                                                      const std::string& reason = "a test") {
    v1::TakeCorrectionStepRequest request;
    request.set_id(id);
    request.set_action(action);
    request.set_reason(reason);
    request.set_etag(etag);
    return identity::Answer<v1::TakeCorrectionStepResponse>(
        [&](auto done) { world_.corrections.TakeCorrectionStep(caller, request, done); });
  }
  absl::StatusOr<v1::GetCorrectionResponse> Get(const Caller& caller, const std::string& id) {
    v1::GetCorrectionRequest request;
    request.set_id(id);
    return world_.corrections.GetCorrection(caller, request);
  }
  std::vector<std::string> Listed(const Caller& caller,
                                  const v1::ListCorrectionsRequest& request = {}) {
    const auto response = world_.corrections.ListCorrections(caller, request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> ids;
    for (const v1::Correction& one : response->corrections()) ids.push_back(one.id());
    return ids;
  }

  RequestsWorld world_;
};

TEST_F(CorrectionsTest, OneIsRaisedAndAnsweredWithARecordAStep) {
  At("2026-03-02T10:00:00+08:00");
  const auto raised = Raise(world_.consumer_system, Doubted());
  ASSERT_TRUE(raised.ok()) << raised.status();
  const v1::Correction& made = raised->correction();
  EXPECT_THAT(made.id(), HasSubstr("c-"));
  EXPECT_EQ(made.consumer_agency(), "welfare");
  EXPECT_EQ(made.state(), v1::CORRECTION_STATE_RAISED);
  EXPECT_EQ(made.record_index(), 41);
  ASSERT_THAT(raised->clocks(), SizeIs(1));
  EXPECT_EQ(raised->clocks(0).name(), "correction");
  EXPECT_EQ(raised->clocks(0).article(), "第二十六条");
  EXPECT_EQ(raised->clocks(0).working_days(), 10);
  const auto& first = world_.changes->last().outcome;
  EXPECT_EQ(first.resource_kind, "correction");
  EXPECT_EQ(first.resource_name, made.id());
  EXPECT_EQ(first.action, "raise");
  EXPECT_EQ(first.dataset, "police/persons");
  EXPECT_EQ(first.owner_agency, "police");
  EXPECT_EQ(first.before_json, "");
  At("2026-03-16T23:59:59+08:00");
  const auto corrected = Take(world_.owner_office, made.id(), v1::CORRECTION_ACTION_CORRECT, "",
                              "the register was brought up to date");
  ASSERT_TRUE(corrected.ok()) << corrected.status();
  EXPECT_EQ(corrected->correction().state(), v1::CORRECTION_STATE_CORRECTED);
  EXPECT_EQ(corrected->clocks(0).state(), v1::CLOCK_STATE_MET);
  const auto& second = world_.changes->last();
  EXPECT_EQ(second.outcome.action, "correct");
  EXPECT_EQ(second.outcome.reason, "the register was brought up to date");
  EXPECT_EQ(second.outcome.before_json, first.after_json);
  EXPECT_EQ(second.effect, audit::Changes::Effect::kAfterRecord);
  EXPECT_THAT(world_.changes->made(), SizeIs(3)) << "the grant, and two steps";
  const auto shown = Get(world_.auditor, made.id());
  ASSERT_TRUE(shown.ok());
  ASSERT_THAT(shown->correction().steps(), SizeIs(2));
  EXPECT_EQ(shown->correction().steps(1).office(), v1::SHARING_OFFICE_OWNER_OFFICE);
  EXPECT_EQ(shown->correction().steps(1).taken_by(), world_.owner_office.principal.path);
  v1::Correction recorded;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(second.outcome.after_json, &recorded).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(recorded, shown->correction()));
}

TEST_F(CorrectionsTest, WhoNeverHadAGrantHasNothingToDoubt) {
  EXPECT_EQ(ReasonOf(Raise(world_.other_system, Doubted()).status()), v1::REASON_NO_GRANT);
  v1::Correction unknown = Doubted();
  unknown.set_dataset("police/nothing");
  EXPECT_EQ(ReasonOf(Raise(world_.consumer_system, unknown).status()), v1::REASON_DATASET_UNKNOWN);
  // Whoever may not know of the dataset hears no more than that.
  v1::Dataset hidden = GrantsWorld::Persons();
  hidden.set_revision(2);
  hidden.add_audience("welfare");
  world_.PutDataset(hidden);
  EXPECT_EQ(ReasonOf(Raise(world_.other_system, Doubted()).status()), v1::REASON_DATASET_UNKNOWN);
  EXPECT_TRUE(Raise(world_.consumer_system, Doubted()).ok());
}

TEST_F(CorrectionsTest, AGrantThatIsOverIsEnough) {
  v1::ListGrantsRequest list;
  const std::string grant = world_.grants.ListGrants(world_.auditor, list)->grants(0).id();
  ASSERT_TRUE(world_.Revoke(world_.owner, grant).ok());
  EXPECT_TRUE(Raise(world_.consumer_clerk, Doubted()).ok());
}

TEST_F(CorrectionsTest, MistakesAreNamedByTheirPathAndChangeNothing) {
  v1::Correction wrong = Doubted();
  wrong.add_fields("county");
  wrong.add_fields("born in secret");
  wrong.set_doubt(" ");
  wrong.set_record_index(-1);
  wrong.add_papers("");
  const auto refused = Raise(world_.consumer_system, wrong);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_DEFINITION_INVALID);
  EXPECT_THAT(Violations(refused.status()),
              ElementsAre("correction.fields[1]: stands twice",
                          "correction.fields[2]: not a field that a grant of your agency's gave",
                          "correction.doubt: needed: whoever is concerned reads it",
                          "correction.record_index: an index of the log, as the answer's receipt "
                          "has it",
                          "correction.papers[1]: 1 to 500 bytes of UTF-8"));
  wrong = Doubted();
  wrong.set_doubt(std::string(4097, 'a'));
  EXPECT_THAT(Violations(Raise(world_.consumer_system, wrong).status()),
              ElementsAre("correction.doubt: at most 4096 bytes of UTF-8"));
  EXPECT_TRUE(Raise(world_.consumer_system, Doubted(), true).ok());
  EXPECT_THAT(Listed(world_.auditor), IsEmpty()) << "a dry run changes nothing either";
  EXPECT_THAT(world_.changes->made(), SizeIs(1)) << "the grant alone";
}

TEST_F(CorrectionsTest, NoIdentityNumberStandsInWordsThatAllSidesRead) {
  // Numbers of nobody, with their check characters.
  const std::string number = "990101195001013019";
  const std::string refusal =
      "an identity number stands in it; leave it out, or name an answer's audit record instead";
  v1::Correction wrong = Doubted();
  wrong.set_doubt("the county of " + number + " is old");
  wrong.set_papers(0, "file (" + number + ")");
  const auto refused = Raise(world_.consumer_system, wrong);
  EXPECT_THAT(Violations(refused.status()),
              ElementsAre("correction.doubt: " + refusal, "correction.papers[0]: " + refusal));
  EXPECT_EQ(std::string(refused.status().message()).find(number), std::string::npos);
  // What has no check character, or is part of something longer, is none.
  for (const char* other : {"990101195001013018", "A990101195001013019", "9901011950010130199"}) {
    v1::Correction fine = Doubted();
    fine.set_doubt(other);
    EXPECT_TRUE(Raise(world_.consumer_system, fine, true).ok()) << other;
  }
  const std::string id = MustRaise().id();
  EXPECT_THAT(
      Violations(Take(world_.owner_office, id, v1::CORRECTION_ACTION_CORRECT, "", number).status()),
      ElementsAre("reason: " + refusal));
}

TEST_F(CorrectionsTest, AnAnswerSaysHowOrWhy) {
  const std::string id = MustRaise().id();
  for (const auto action : {v1::CORRECTION_ACTION_CORRECT, v1::CORRECTION_ACTION_CONFIRM})
    EXPECT_THAT(Violations(Take(world_.owner_office, id, action, "", "").status()),
                ElementsAre("reason: needed: it is recorded"));
  EXPECT_THAT(Violations(Take(world_.consumer_system, id, v1::CORRECTION_ACTION_RAISE).status()),
              ElementsAre("action: has a method of its own"));
  EXPECT_THAT(Violations(Take(world_.owner, id, v1::CORRECTION_ACTION_UNSPECIFIED).status()),
              ElementsAre("action: needed"));
  EXPECT_TRUE(Take(world_.consumer_system, id, v1::CORRECTION_ACTION_WITHDRAW, "", "").ok());
}

// Every caller with every call: what is seen, and which steps are taken.
TEST_F(CorrectionsTest, NobodySeesOrTakesWhatIsAnothers) {
  struct Party {
    const Caller* caller;
    bool sees, asks, answers;
  };
  const Caller other_office = world_.AddPerson("tax-office", "office", {v1::ROLE_SHARING_OFFICE});
  const Party parties[] = {
      {&world_.consumer_system, true, true, false},   {&world_.consumer_clerk, true, true, false},
      {&world_.consumer_office, true, true, false},   {&world_.owner, true, false, true},
      {&world_.owner_office, true, false, true},      {&world_.clerk, true, false, false},
      {&world_.owner_system, false, false, false},    {&world_.other_owner, false, false, false},
      {&world_.other_system, false, false, false},    {&other_office, false, false, false},
      {&world_.operator_person, false, false, false}, {&world_.auditor, true, false, false},
      {&world_.authority, true, false, false},
  };
  for (const Party& party : parties) {
    SCOPED_TRACE(party.caller->principal.path);
    world_.clock.Advance(kDay);  // a day has so many, and no more
    const auto raised = Raise(*party.caller, Doubted(), true);
    EXPECT_EQ(raised.ok(), party.asks) << raised.status();
    if (!party.asks) {
      EXPECT_EQ(ReasonOf(raised.status()), v1::REASON_NO_GRANT);
    }
    const v1::Correction made = MustRaise();
    const auto shown = Get(*party.caller, made.id());
    EXPECT_EQ(shown.ok(), party.sees) << shown.status();
    if (!party.sees) {
      EXPECT_EQ(ReasonOf(shown.status()), v1::REASON_NOT_FOUND);
    }
    EXPECT_EQ(Listed(*party.caller).empty(), !party.sees);
    for (const auto action : {v1::CORRECTION_ACTION_CORRECT, v1::CORRECTION_ACTION_CONFIRM,
                              v1::CORRECTION_ACTION_WITHDRAW}) {
      const v1::Correction one = MustRaise();
      const bool may = action == v1::CORRECTION_ACTION_WITHDRAW ? party.asks : party.answers;
      const auto answer = Take(*party.caller, one.id(), action);
      EXPECT_EQ(answer.ok(), may) << v1::CorrectionAction_Name(action) << answer.status();
      if (!may) {
        EXPECT_EQ(ReasonOf(answer.status()),
                  party.sees ? v1::REASON_OFFICE_REQUIRED : v1::REASON_NOT_FOUND);
        EXPECT_EQ(Get(world_.auditor, one.id())->correction().etag(), one.etag());
        ASSERT_TRUE(Take(world_.consumer_system, one.id(), v1::CORRECTION_ACTION_WITHDRAW).ok());
      }
      // Nothing is answered twice.
      EXPECT_EQ(
          ReasonOf(Take(world_.owner_office, one.id(), v1::CORRECTION_ACTION_CONFIRM).status()),
          v1::REASON_STEP_NOT_ALLOWED);
    }
    ASSERT_TRUE(Take(world_.consumer_system, made.id(), v1::CORRECTION_ACTION_WITHDRAW).ok());
  }
}

TEST_F(CorrectionsTest, WhoRaisedItDoesNotAnswerIt) {
  // An agency that lends to itself, and a person who is on both sides.
  v1::Grant own = world_.Wanted();
  own.set_consumer_agency("police");
  own.clear_systems();
  world_.MustApply(own);
  const auto raised = Raise(world_.owner_office, Doubted());
  ASSERT_TRUE(raised.ok()) << raised.status();
  const std::string& id = raised->correction().id();
  EXPECT_EQ(ReasonOf(Take(world_.owner_office, id, v1::CORRECTION_ACTION_CONFIRM).status()),
            v1::REASON_SAME_HANDS);
  EXPECT_TRUE(Take(world_.owner, id, v1::CORRECTION_ACTION_CONFIRM).ok());
}

TEST_F(CorrectionsTest, OfTwoWritersOneIsTooLate) {
  const v1::Correction made = MustRaise();
  v1::Correction other = MustRaise();
  EXPECT_NE(made.id(), other.id());
  ASSERT_TRUE(Take(world_.owner, made.id(), v1::CORRECTION_ACTION_CONFIRM, made.etag()).ok());
  // Somebody was quicker: that is what the other hears, not that the step cannot be taken now.
  EXPECT_EQ(
      ReasonOf(Take(world_.owner_office, made.id(), v1::CORRECTION_ACTION_CORRECT, made.etag())
                   .status()),
      v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(ReasonOf(Take(world_.owner_office, made.id(), v1::CORRECTION_ACTION_CORRECT).status()),
            v1::REASON_STEP_NOT_ALLOWED);
  // Whatever the state would allow, what was read is what counts.
  EXPECT_EQ(
      ReasonOf(Take(world_.owner, other.id(), v1::CORRECTION_ACTION_CONFIRM, made.etag()).status()),
      v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(Get(world_.owner, other.id())->correction().etag(), other.etag());
}

TEST_F(CorrectionsTest, AnAgencyMayNotDoubtWithoutEnd) {
  for (int i = 0; i < 20; ++i) MustRaise();
  world_.clock.Advance(kDay);
  const auto refused = Raise(world_.consumer_clerk, Doubted());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_REQUEST_INVALID);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("20 corrections"));
  ASSERT_TRUE(Take(world_.owner, Listed(world_.owner)[0], v1::CORRECTION_ACTION_CONFIRM).ok());
  EXPECT_TRUE(Raise(world_.consumer_clerk, Doubted()).ok());
}

// Raised and taken back, over and over: none of them waits, and each has records of its own.
TEST_F(CorrectionsTest, WhatIsTakenBackCountsForTheDayOnWhichItWasRaised) {
  const auto turn = [this] {
    ASSERT_TRUE(
        Take(world_.consumer_system, MustRaise().id(), v1::CORRECTION_ACTION_WITHDRAW).ok());
  };
  turn();
  world_.clock.Advance(kHour);
  for (int i = 0; i < 19; ++i) turn();
  for (const bool dry_run : {true, false}) {
    const auto refused = Raise(world_.consumer_clerk, Doubted(), dry_run);
    EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_REQUEST_INVALID);
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("20 corrections"));
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("within a day"));
  }
  // The first is a day old, the others not.
  world_.clock.Advance(23 * kHour);
  turn();
  EXPECT_EQ(ReasonOf(Raise(world_.consumer_clerk, Doubted()).status()), v1::REASON_REQUEST_INVALID);
  world_.clock.Advance(kHour);
  for (int i = 0; i < 19; ++i) turn();
}

TEST_F(CorrectionsTest, ListsAreOfPagesNewestFirst) {
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.insert(made.begin(), MustRaise().id());
  ASSERT_TRUE(Take(world_.owner, made[1], v1::CORRECTION_ACTION_CORRECT).ok());
  EXPECT_EQ(Listed(world_.owner), made);
  v1::ListCorrectionsRequest request;
  request.set_page_size(2);
  std::vector<std::string> paged;
  do {
    const auto page = world_.corrections.ListCorrections(world_.owner, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Correction& one : page->corrections()) paged.push_back(one.id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(paged, made);
  request.Clear();
  request.set_state(v1::CORRECTION_STATE_CORRECTED);
  EXPECT_THAT(Listed(world_.owner, request), ElementsAre(made[1]));
  request.Clear();
  request.set_dataset("police/other");
  EXPECT_THAT(Listed(world_.owner, request), IsEmpty());
  request.Clear();
  request.set_consumer_agency("welfare");
  EXPECT_THAT(Listed(world_.authority, request), SizeIs(5));
  request.set_page_token("r-222222");
  EXPECT_EQ(ReasonOf(world_.corrections.ListCorrections(world_.owner, request).status()),
            v1::REASON_PAGE_TOKEN_INVALID);
}

TEST_F(CorrectionsTest, WhatWaitsForWhomAndWhatIsLateBecomesTheAuthoritysMatterByItself) {
  const auto inbox = [this](const Caller& caller) {
    const auto response = world_.inbox.GetInbox(caller, {});
    EXPECT_TRUE(response.ok()) << response.status();
    return *response;
  };
  At("2026-03-02T10:00:00+08:00");
  const v1::Correction made = MustRaise();
  for (const Caller* caller : {&world_.owner_office, &world_.owner}) {
    const auto box = inbox(*caller);
    ASSERT_THAT(box.items(), SizeIs(1)) << caller->principal.path;
    EXPECT_EQ(box.items(0).correction().id(), made.id());
    EXPECT_EQ(box.items(0).office(), v1::SHARING_OFFICE_OWNER_OFFICE) << "an owner of the office";
    EXPECT_THAT(box.items(0).correction_actions(),
                ElementsAre(v1::CORRECTION_ACTION_CORRECT, v1::CORRECTION_ACTION_CONFIRM));
    EXPECT_EQ(box.items(0).since().seconds(), made.steps(0).taken().seconds());
    EXPECT_EQ(box.items(0).clock().working_days_left(), 10);
    EXPECT_FALSE(box.items(0).has_request());
  }
  for (const Caller* caller :
       {&world_.authority, &world_.auditor, &world_.clerk, &world_.consumer_office,
        &world_.consumer_system, &world_.other_owner})
    EXPECT_THAT(inbox(*caller).items(), IsEmpty()) << caller->principal.path;
  At("2026-03-16T12:00:00+08:00");
  EXPECT_EQ(inbox(world_.owner).items(0).clock().state(), v1::CLOCK_STATE_WARNING);
  // The tenth working day is over; nothing ran meanwhile.
  At("2026-03-17T00:00:00+08:00");
  const auto late = inbox(world_.authority);
  ASSERT_THAT(late.items(), SizeIs(1));
  EXPECT_EQ(late.items(0).office(), v1::SHARING_OFFICE_AUTHORITY);
  EXPECT_EQ(late.items(0).clock().state(), v1::CLOCK_STATE_BREACHED);
  EXPECT_EQ(late.items(0).since().seconds(), late.items(0).clock().due().seconds());
  EXPECT_THAT(late.items(0).correction_actions(), IsEmpty());
  ASSERT_TRUE(Take(world_.owner, made.id(), v1::CORRECTION_ACTION_CONFIRM).ok());
  EXPECT_THAT(inbox(world_.authority).items(), IsEmpty());
  EXPECT_EQ(Get(world_.consumer_system, made.id())->clocks(0).state(), v1::CLOCK_STATE_MISSED);
}

TEST_F(CorrectionsTest, WhatIsTakenBackIsNotLate) {
  At("2026-03-02T10:00:00+08:00");
  const std::string id = MustRaise().id();
  ASSERT_TRUE(Take(world_.consumer_clerk, id, v1::CORRECTION_ACTION_WITHDRAW).ok());
  At("2026-06-02T10:00:00+08:00");
  EXPECT_EQ(Get(world_.auditor, id)->clocks(0).state(), v1::CLOCK_STATE_MET);
  EXPECT_THAT(world_.inbox.GetInbox(world_.authority, {})->items(), IsEmpty());
}

}  // namespace
}  // namespace sluice::sharing
