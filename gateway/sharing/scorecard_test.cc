// The scorecard against lives of requests that are worked out by hand, on the working days of
// November 2026 in China (weekdays, none of them off).
#include "gateway/sharing/scorecard.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "gateway/base/error.h"
#include "gateway/identity/differences.h"

namespace sluice::sharing {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// "2026-11-02 09:00", in Beijing.
Micros When(const std::string& text) {
  absl::Time time;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M %z", text + " +0800", &time, nullptr)) << text;
  return absl::ToUnixMicros(time);
}

struct TakenStep {
  v1::AccessAction action;
  const char* when;
};

class ScorecardTest : public ::testing::Test {
 protected:
  // Until the end of November.
  Scorecard Card(const std::string& agency = "", const char* since = "2026-11-01 00:00",
                 const char* now = "2026-12-05 12:00") {
    return Scorecard({When(since), When("2026-12-01 00:00"), 480}, When(now), agency, *rules_);
  }

  static v1::AuditEnvelope Envelope(v1::RecordKind kind, const char* when, const std::string& owner,
                                    const std::string& grant = "") {
    v1::AuditEnvelope envelope;
    envelope.set_kind(kind);
    *envelope.mutable_time() = TimeUtil::MicrosecondsToTimestamp(When(when));
    envelope.set_owner_agency(owner);
    envelope.set_grant(grant);
    envelope.set_repeats(-1);
    return envelope;
  }

  static void Change(Scorecard& card, const char* kind, const std::string& name, const char* action,
                     const std::string& owner, const char* when,
                     const google::protobuf::Message& after) {
    v1::AuditEnvelope envelope = Envelope(v1::RECORD_KIND_CHANGED, when, owner);
    envelope.set_resource_kind(kind);
    envelope.set_resource_name(name);
    envelope.set_action(action);
    v1::AuditDetail detail;
    detail.set_after_json(identity::ToJson(&after));
    ASSERT_TRUE(Scorecard::WantsDetail(envelope));
    ASSERT_TRUE(card.Add(envelope, &detail).ok());
  }

  // A record a step, each with the request as it was by then.
  static void Request(Scorecard& card, const std::string& id, bool unconditional,
                      const std::vector<TakenStep>& steps, const std::string& owner = "police") {
    v1::AccessRequest request;
    request.set_id(id);
    request.set_dataset(owner + "/persons");
    request.set_unconditional(unconditional);
    for (const TakenStep& taken : steps) {
      v1::AccessStep& step = *request.add_steps();
      step.set_action(taken.action);
      *step.mutable_taken() = TimeUtil::MicrosecondsToTimestamp(When(taken.when));
      step.mutable_basis()->set_law("Law on Data");
      step.mutable_basis()->set_article("21");
      Change(card, "access_request", id, "step", owner, taken.when, request);
    }
  }

  static void Grant(Scorecard& card, const std::string& id, const char* action, const char* when,
                    v1::GrantState state) {
    v1::Grant grant;
    grant.set_id(id);
    grant.set_dataset("police/persons");
    grant.set_consumer_agency("welfare");
    grant.set_state(state);
    *grant.mutable_expires() = TimeUtil::MicrosecondsToTimestamp(When("2027-11-01 00:00"));
    Change(card, "grant", id, action, "police", when, grant);
  }

  const std::shared_ptr<const Rules> rules_ = Rules::Shipped();
};

TEST_F(ScorecardTest, RepliesAreKeptLateOrOverdueByTheLawsDays) {
  Scorecard card = Card();
  // The tenth working day is the 16th; it took six: 3 to 6, 9, 10. Provided on the second of
  // twenty.
  Request(card, "r-met", false,
          {{v1::ACCESS_ACTION_SUBMIT, "2026-11-02 09:00"},
           {v1::ACCESS_ACTION_GRANT, "2026-11-10 10:00"},
           {v1::ACCESS_ACTION_PROVIDE, "2026-11-12 10:00"}});
  // 4, 5 and 6 stand still, so the tenth is the 19th; it took eleven.
  Request(card, "r-late", false,
          {{v1::ACCESS_ACTION_SUBMIT, "2026-11-02 09:00"},
           {v1::ACCESS_ACTION_RETURN, "2026-11-04 09:00"},
           {v1::ACCESS_ACTION_SUBMIT, "2026-11-06 09:00"},
           {v1::ACCESS_ACTION_REFUSE, "2026-11-20 09:00"}});
  // Over on the 9th, and nobody answered.
  Request(card, "r-open", false, {{v1::ACCESS_ACTION_SUBMIT, "2026-10-26 09:00"}});
  // A day for what is shared unconditionally.
  Request(card, "r-free", true,
          {{v1::ACCESS_ACTION_SUBMIT, "2026-11-02 09:00"},
           {v1::ACCESS_ACTION_AGREE, "2026-11-03 09:00"}});
  // No reply, and none was needed.
  Request(card, "r-gone", false,
          {{v1::ACCESS_ACTION_SUBMIT, "2026-11-16 09:00"},
           {v1::ACCESS_ACTION_WITHDRAW, "2026-11-17 09:00"}});
  const v1::ReportSharingResponse made = card.Build();
  ASSERT_THAT(made.scores(), SizeIs(1));
  const v1::SharingScore& score = made.scores(0);
  EXPECT_EQ(score.month(), "2026-11");
  EXPECT_EQ(score.agency(), "police");
  EXPECT_EQ(score.submitted(), 4) << "one was submitted in October";
  EXPECT_EQ(score.agreed(), 2);
  EXPECT_EQ(score.refused(), 1);
  EXPECT_EQ(score.returned(), 1);
  EXPECT_EQ(score.provided(), 1);
  EXPECT_EQ(score.replies_met(), 2);
  EXPECT_EQ(score.replies_missed(), 1);
  EXPECT_EQ(score.replies_overdue(), 1);
  EXPECT_EQ(score.provided_met(), 1);
  EXPECT_EQ(score.provided_missed() + score.provided_overdue(), 0);
  EXPECT_THAT(score.reply_days(), ElementsAre(1, 6, 11)) << "of the withdrawn one there was none";
  ASSERT_THAT(made.refusals(), SizeIs(1));
  EXPECT_EQ(made.refusals(0).law(), "Law on Data");
  EXPECT_EQ(made.refusals(0).count(), 1);
  ASSERT_THAT(made.breaches(), SizeIs(2));
  EXPECT_EQ(made.breaches(0).access_request(), "r-late");
  EXPECT_EQ(made.breaches(0).clock(), "reply_conditional");
  EXPECT_EQ(made.breaches(0).working_days_late(), 1);
  EXPECT_FALSE(made.breaches(0).open());
  EXPECT_EQ(made.breaches(1).access_request(), "r-open");
  EXPECT_TRUE(made.breaches(1).open());
}

TEST_F(ScorecardTest, CorrectionsAreAnsweredInTimeLateOrNotAtAll) {
  Scorecard card = Card();
  const auto correction = [&card](const std::string& id, const char* raised,
                                  v1::CorrectionAction answer, const char* answered) {
    v1::Correction one;
    one.set_id(id);
    one.set_dataset("police/persons");
    one.set_consumer_agency("welfare");
    const auto step = [&](v1::CorrectionAction action, v1::CorrectionState state,
                          const char* when) {
      v1::CorrectionStep& taken = *one.add_steps();
      taken.set_action(action);
      one.set_state(state);
      *taken.mutable_taken() = TimeUtil::MicrosecondsToTimestamp(When(when));
      Change(card, "correction", id, "step", "police", when, one);
    };
    step(v1::CORRECTION_ACTION_RAISE, v1::CORRECTION_STATE_RAISED, raised);
    if (answered == nullptr) return;
    step(answer,
         answer == v1::CORRECTION_ACTION_WITHDRAW ? v1::CORRECTION_STATE_WITHDRAWN
                                                  : v1::CORRECTION_STATE_CONFIRMED,
         answered);
  };
  // The tenth working day behind the 2nd is the 16th.
  correction("c-met", "2026-11-02 09:00", v1::CORRECTION_ACTION_CONFIRM, "2026-11-16 23:59");
  correction("c-late", "2026-11-02 09:00", v1::CORRECTION_ACTION_CONFIRM, "2026-11-18 00:00");
  correction("c-open", "2026-10-26 09:00", v1::CORRECTION_ACTION_CONFIRM, nullptr);
  correction("c-gone", "2026-11-16 09:00", v1::CORRECTION_ACTION_WITHDRAW, "2026-11-17 09:00");
  // Taken back too late: nobody had answered by then.
  correction("c-regret", "2026-11-02 09:00", v1::CORRECTION_ACTION_WITHDRAW, "2026-11-17 00:00");
  const auto made = card.Build();
  ASSERT_THAT(made.scores(), SizeIs(1));
  EXPECT_EQ(made.scores(0).corrections_raised(), 4) << "one was raised in October";
  EXPECT_EQ(made.scores(0).corrections_met(), 1) << "what was taken back has no answer";
  EXPECT_EQ(made.scores(0).corrections_missed(), 2);
  EXPECT_EQ(made.scores(0).corrections_overdue(), 1);
  ASSERT_THAT(made.breaches(), SizeIs(3));
  EXPECT_EQ(made.breaches(0).correction(), "c-late");
  EXPECT_EQ(made.breaches(0).clock(), "correction");
  EXPECT_EQ(made.breaches(0).working_days_late(), 2);
  EXPECT_EQ(made.breaches(1).correction(), "c-open");
  EXPECT_TRUE(made.breaches(1).open());
  EXPECT_EQ(made.breaches(2).correction(), "c-regret");
  EXPECT_EQ(made.breaches(2).working_days_late(), 1);
  EXPECT_FALSE(made.breaches(2).open());
}

TEST_F(ScorecardTest, UpdatesOfACatalogueAreTheOwnersUntilTheyAreDone) {
  Scorecard card = Card();
  const auto update =
      [&card](const std::string& id,
              const std::vector<std::pair<v1::CatalogueUpdateAction, const char*>>& steps) {
        v1::CatalogueUpdate one;
        one.set_id(id);
        one.set_agency("police");
        for (const auto& [action, when] : steps) {
          v1::CatalogueUpdateStep& taken = *one.add_steps();
          taken.set_action(action);
          *taken.mutable_taken() = TimeUtil::MicrosecondsToTimestamp(When(when));
          Change(card, "catalogue_update", id, "step", "police", when, one);
        }
      };
  update("u-1", {{v1::CATALOGUE_UPDATE_ACTION_DECLARE, "2026-11-02 09:00"},
                 {v1::CATALOGUE_UPDATE_ACTION_COMPLETE, "2026-11-10 09:00"},
                 // The authority's own two days are over on the 12th; that is not the owner's.
                 {v1::CATALOGUE_UPDATE_ACTION_RETURN, "2026-11-16 09:00"}});
  // And the owner's ten, begun anew, on the 30th. What was done before is done in time when it was
  // not sent back.
  update("u-2", {{v1::CATALOGUE_UPDATE_ACTION_DECLARE, "2026-11-02 09:00"},
                 {v1::CATALOGUE_UPDATE_ACTION_COMPLETE, "2026-11-03 09:00"},
                 {v1::CATALOGUE_UPDATE_ACTION_RETURN, "2026-11-04 09:00"},
                 {v1::CATALOGUE_UPDATE_ACTION_COMPLETE, "2026-11-05 09:00"}});
  const auto made = card.Build();
  ASSERT_THAT(made.scores(), SizeIs(1));
  EXPECT_EQ(made.scores(0).updates_declared(), 2);
  EXPECT_EQ(made.scores(0).updates_met(), 1) << "each once";
  EXPECT_EQ(made.scores(0).updates_missed(), 0);
  EXPECT_EQ(made.scores(0).updates_overdue(), 1);
  ASSERT_THAT(made.breaches(), SizeIs(1));
  EXPECT_EQ(made.breaches(0).catalogue_update(), "u-1");
  EXPECT_EQ(made.breaches(0).dataset(), "");
}

TEST_F(ScorecardTest, OverdueDataAreThoseThatWereSoWhenTheMonthEnded) {
  Scorecard card = Card("", "2026-10-01 00:00");
  v1::Dataset dataset;
  dataset.set_state(v1::DATASET_STATE_OFFERED);
  const auto told = [&card](const char* name, const char* action, const char* when) {
    v1::AuditEnvelope envelope = Envelope(v1::RECORD_KIND_CHANGED, when, "police");
    envelope.set_resource_kind("freshness");
    envelope.set_resource_name(name);
    envelope.set_action(action);
    ASSERT_FALSE(Scorecard::WantsDetail(envelope)) << "so that its detail may be erased";
    ASSERT_TRUE(card.Add(envelope, nullptr).ok());
  };
  for (const char* name : {"police/persons", "police/cars", "police/gone"})
    Change(card, "dataset", name, "create", "police", "2026-09-01 09:00", dataset);
  for (const char* name : {"police/persons", "police/cars", "police/gone"})
    told(name, "overdue", "2026-10-10 09:00");
  told("police/cars", "fresh", "2026-11-10 09:00");
  dataset.set_state(v1::DATASET_STATE_RETIRED);
  Change(card, "dataset", "police/gone", "retire", "police", "2026-11-11 09:00", dataset);
  const auto made = card.Build();
  ASSERT_THAT(made.scores(), SizeIs(2));
  EXPECT_EQ(made.scores(0).datasets_overdue(), 3);
  EXPECT_EQ(made.scores(1).datasets(), 2);
  EXPECT_EQ(made.scores(1).datasets_overdue(), 1);
  EXPECT_EQ(made.erased(), 0);
}

TEST_F(ScorecardTest, ALateReplyCountsInTheMonthOfItsLastDay) {
  Scorecard card = Card("", "2026-10-01 00:00");
  // The tenth working day behind the 12th is the 26th of October.
  Request(card, "r", false,
          {{v1::ACCESS_ACTION_SUBMIT, "2026-10-12 09:00"},
           {v1::ACCESS_ACTION_GRANT, "2026-11-03 09:00"}});
  const auto made = card.Build();
  ASSERT_THAT(made.scores(), SizeIs(2));
  EXPECT_EQ(made.scores(0).month(), "2026-10");
  EXPECT_EQ(made.scores(0).replies_missed(), 1);
  EXPECT_EQ(made.scores(1).agreed(), 1);
  EXPECT_EQ(made.scores(1).replies_missed(), 0);
  EXPECT_THAT(made.scores(1).reply_days(), SizeIs(1));
}

TEST_F(ScorecardTest, GrantsAndDatasetsStandAsTheyWereWhenTheMonthEnded) {
  Scorecard card = Card("", "2026-10-01 00:00");
  v1::Dataset dataset;
  dataset.set_name("police/persons");
  dataset.set_state(v1::DATASET_STATE_OFFERED);
  Change(card, "dataset", "police/persons", "create", "police", "2026-09-01 09:00", dataset);
  Change(card, "dataset", "police/cars", "create", "police", "2026-09-01 09:00", dataset);
  Grant(card, "used", "create", "2026-10-10 09:00", v1::GRANT_STATE_IN_FORCE);
  Grant(card, "idle", "create", "2026-10-11 09:00", v1::GRANT_STATE_IN_FORCE);
  Grant(card, "stopped", "create", "2026-10-12 09:00", v1::GRANT_STATE_IN_FORCE);
  ASSERT_TRUE(
      card.Add(Envelope(v1::RECORD_KIND_MATCHED, "2026-11-05 09:00", "police", "used"), nullptr)
          .ok());
  Grant(card, "stopped", "suspend", "2026-11-10 09:00", v1::GRANT_STATE_SUSPENDED);
  dataset.set_state(v1::DATASET_STATE_RETIRED);
  Change(card, "dataset", "police/cars", "retire", "police", "2026-11-10 09:00", dataset);
  const auto made = card.Build();
  ASSERT_THAT(made.scores(), SizeIs(2));
  const v1::SharingScore& october = made.scores(0);
  EXPECT_EQ(october.datasets(), 2);
  EXPECT_EQ(october.grants(), 3);
  EXPECT_EQ(october.grants_unused(), 3);
  const v1::SharingScore& november = made.scores(1);
  EXPECT_EQ(november.datasets(), 1);
  EXPECT_EQ(november.grants(), 2);
  EXPECT_EQ(november.grants_unused(), 1);
  EXPECT_EQ(november.suspended(), 1);
  ASSERT_THAT(made.unused(), SizeIs(1)) << "what is suspended is not in force";
  EXPECT_EQ(made.unused(0).grant(), "idle");
  EXPECT_EQ(TimeUtil::TimestampToMicroseconds(made.unused(0).since()), When("2026-10-11 09:00"));
  EXPECT_FALSE(made.unused(0).has_last_used());
}

TEST_F(ScorecardTest, AnswersAndDenialsAreCountedByTheOwner) {
  Scorecard card = Card();
  const auto add = [&card](v1::RecordKind kind, const char* when, const std::string& owner,
                           int64_t count = 0, int64_t repeats = -1) {
    v1::AuditEnvelope envelope = Envelope(kind, when, owner, "g");
    envelope.set_count(count);
    envelope.set_repeats(repeats);
    ASSERT_TRUE(card.Add(envelope, nullptr).ok());
  };
  add(v1::RECORD_KIND_RELEASED, "2026-11-02 09:00", "police");
  add(v1::RECORD_KIND_RELEASED, "2026-11-02 09:00", "police");
  add(v1::RECORD_KIND_FAILED, "2026-11-02 09:00", "police", 0, 1);
  add(v1::RECORD_KIND_OPENED, "2026-11-30 23:59", "police");
  add(v1::RECORD_KIND_COUNTED, "2026-11-03 09:00", "transport");
  add(v1::RECORD_KIND_RELEASED, "2026-12-01 00:00", "police");
  add(v1::RECORD_KIND_RELEASED, "2026-10-31 23:59", "police");
  add(v1::RECORD_KIND_DENIED, "2026-11-03 09:00", "police");
  add(v1::RECORD_KIND_DENIALS, "2026-11-03 09:00", "police", 5);
  const auto made = card.Build();
  ASSERT_THAT(made.scores(), SizeIs(2));
  EXPECT_EQ(made.scores(0).answers(), 2);
  EXPECT_EQ(made.scores(0).denied(), 6);
  EXPECT_EQ(made.scores(1).agency(), "transport");
  EXPECT_EQ(made.scores(1).answers(), 1);
}

TEST_F(ScorecardTest, AnAgencySeesItsOwnAndWhatWasErasedIsCounted) {
  Scorecard card = Card("transport");
  Request(card, "r-theirs", false, {{v1::ACCESS_ACTION_SUBMIT, "2026-11-02 09:00"}});
  Request(card, "r-own", false, {{v1::ACCESS_ACTION_SUBMIT, "2026-11-02 09:00"}}, "transport");
  v1::AuditEnvelope erased = Envelope(v1::RECORD_KIND_CHANGED, "2026-11-02 09:00", "transport");
  erased.set_resource_kind("grant");
  ASSERT_TRUE(card.Add(erased, nullptr).ok());
  ASSERT_TRUE(
      card.Add(Envelope(v1::RECORD_KIND_DENIED, "2026-11-02 09:00", "police"), nullptr).ok());
  const auto made = card.Build();
  ASSERT_THAT(made.scores(), SizeIs(1));
  EXPECT_EQ(made.scores(0).agency(), "transport");
  EXPECT_EQ(made.scores(0).submitted(), 1);
  EXPECT_EQ(made.erased(), 1);
  for (const v1::SharingBreach& breach : made.breaches())
    EXPECT_EQ(breach.access_request(), "r-own");
}

TEST(ScorecardSpanTest, ItIsOfWholeMonths) {
  const auto refused = [](const char* since, const char* until, int offset) {
    v1::ReportSharingRequest request;
    *request.mutable_since() = TimeUtil::MicrosecondsToTimestamp(When(since));
    *request.mutable_until() = TimeUtil::MicrosecondsToTimestamp(When(until));
    request.set_utc_offset_minutes(offset);
    return ReasonOf(Scorecard::SpanOf(request).status());
  };
  EXPECT_EQ(refused("2026-11-01 00:00", "2026-12-01 00:00", 480), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(refused("2025-11-01 00:00", "2026-12-01 00:00", 480), v1::REASON_UNSPECIFIED);
  for (const auto& [since, until, offset] : std::vector<std::tuple<const char*, const char*, int>>{
           {"2026-11-01 00:00", "2026-12-01 00:00", 0},
           {"2026-11-02 00:00", "2026-12-01 00:00", 480},
           {"2026-11-01 00:00", "2026-11-30 00:00", 480},
           {"2026-12-01 00:00", "2026-11-01 00:00", 480},
           {"2025-10-01 00:00", "2026-12-01 00:00", 480},
           {"2026-11-01 00:00", "2026-12-01 00:00", 900}})
    EXPECT_EQ(refused(since, until, offset), v1::REASON_REQUEST_INVALID) << since << until;
  EXPECT_EQ(ReasonOf(Scorecard::SpanOf({}).status()), v1::REASON_REQUEST_INVALID);
}

}  // namespace
}  // namespace sluice::sharing
