// Data that become overdue and fresh again, as the log hears of it.
#include "gateway/catalogue/freshness_record.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/identity/world_testing.h"

namespace sluice::catalogue {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Micros kOneDay = 24 * 3600 * kSecond;

// Changes that wait until the test lets them go, or that are refused at once.
class HeldChanges : public audit::Changes {
 public:
  explicit HeldChanges(audit::Changes& made) : made_(made) {}

  void Submit(audit::ChangeActor actor, Effect effect, Mutation mutation,
              std::function<void(absl::Status)> done) override {
    ++submitted;
    if (!refusal.ok()) return done(refusal);
    waiting_.push_back({std::move(actor), effect, std::move(mutation), std::move(done)});
  }
  absl::Status Recover() override { return absl::OkStatus(); }
  void Close() override {}

  // Each is made, or fails with that status; how many there were.
  size_t LetGo(const absl::Status& status = absl::OkStatus()) {
    std::vector<Waiting> all;
    all.swap(waiting_);
    for (Waiting& one : all) {
      if (status.ok())
        made_.Submit(one.actor, one.effect, one.mutation, one.done);
      else
        one.done(status);
    }
    return all.size();
  }

  absl::Status refusal;
  int submitted = 0;

 private:
  struct Waiting {
    audit::ChangeActor actor;
    Effect effect;
    Mutation mutation;
    std::function<void(absl::Status)> done;
  };
  audit::Changes& made_;
  std::vector<Waiting> waiting_;
};

class FreshnessRecordTest : public ::testing::Test {
 protected:
  FreshnessRecordTest() : world_({CatalogueMigrations()}) {
    Offer("police/persons", v1::UPDATE_CYCLE_DAILY);
  }
  void TearDown() override { EXPECT_EQ(troubles_, expected_troubles_); }

  void Offer(const std::string& name, v1::UpdateCycle cycle,
             v1::DatasetState state = v1::DATASET_STATE_OFFERED) {
    auto dataset = std::make_shared<Dataset>();
    dataset->definition.set_name(name);
    dataset->definition.set_update_cycle(cycle);
    dataset->definition.set_state(state);
    dataset->definition.set_source("register");
    datasets_[name] = dataset;
  }
  // The source was last changed now.
  void Renew(const std::string& name) { as_of_[name] = world_.clock.Now(); }
  // Twenty that have become overdue.
  void OfferTwenty() {
    for (int i = 0; i < 20; ++i) {
      const std::string name = absl::StrCat("police/d", i);
      Offer(name, v1::UPDATE_CYCLE_DAILY);
      Renew(name);
    }
    world_.clock.Advance(2 * kOneDay);
  }
  // The dataset is withheld by now: read from no source.
  void Withhold(const std::string& name) {
    auto dataset = std::make_shared<Dataset>(*datasets_[name]);
    dataset->definition.clear_source();
    datasets_[name] = dataset;
  }
  // A gateway that was just started.
  std::unique_ptr<FreshnessRecord> Started() { return Started(*world_.changes); }
  std::unique_ptr<FreshnessRecord> Started(audit::Changes& changes) {
    return std::make_unique<FreshnessRecord>(
        *world_.store, changes, world_.clock,
        [this](const std::string& dataset) -> std::optional<v1::Freshness> {
          const auto found = as_of_.find(dataset);
          if (found == as_of_.end()) return std::nullopt;
          v1::Freshness freshness;
          if (found->second != 0)
            *freshness.mutable_data_as_of() =
                google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(found->second);
          freshness.set_version("sha256 of a file");
          return freshness;
        },
        [this](const absl::Status&) { ++troubles_; });
  }
  std::vector<std::string> Recorded() const {
    std::vector<std::string> lines;
    for (const auto& made : world_.changes->made())
      if (!made.outcome.unchanged)
        lines.push_back(absl::StrCat(made.outcome.resource_name, " ", made.outcome.action));
    return lines;
  }

  identity::World world_;
  Datasets datasets_;
  std::map<std::string, Micros> as_of_;
  int troubles_ = 0, expected_troubles_ = 0;
};

TEST_F(FreshnessRecordTest, EachChangeIsRecordedOnceAndNothingElse) {
  const auto record = Started();
  ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), IsEmpty()) << "nothing was found yet";
  Renew("police/persons");
  world_.clock.Advance(kOneDay);
  ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), IsEmpty()) << "as promised";
  world_.clock.Advance(kOneDay);
  for (int look = 0; look < 3; ++look) ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), ElementsAre("police/persons overdue"));
  const auto& made = world_.changes->last();
  EXPECT_EQ(made.outcome.resource_kind, "freshness");
  EXPECT_EQ(made.outcome.dataset, "police/persons");
  EXPECT_EQ(made.outcome.owner_agency, "police");
  EXPECT_EQ(made.outcome.before_json, "");
  EXPECT_EQ(made.outcome.after_json.find("sha256"), std::string::npos) << "no more than is needed";
  const std::string before = made.outcome.after_json;
  Renew("police/persons");
  for (int look = 0; look < 3; ++look) ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), ElementsAre("police/persons overdue", "police/persons fresh"));
  EXPECT_EQ(world_.changes->last().outcome.before_json, before);
}

TEST_F(FreshnessRecordTest, ARestartRepeatsNothingAndMissesNothing) {
  Renew("police/persons");
  world_.clock.Advance(2 * kOneDay);
  ASSERT_TRUE(Started()->Look(datasets_).ok());
  for (int start = 0; start < 3; ++start) ASSERT_TRUE(Started()->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), ElementsAre("police/persons overdue"));
  // Renewed while the gateway was down.
  Renew("police/persons");
  ASSERT_TRUE(Started()->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), ElementsAre("police/persons overdue", "police/persons fresh"));
}

// Two that look at the same store: whoever comes second finds that it was said.
TEST_F(FreshnessRecordTest, WhatAnotherRecordedIsNotRecordedAgain) {
  const auto one = Started(), other = Started();
  ASSERT_TRUE(one->Look(datasets_).ok());
  ASSERT_TRUE(other->Look(datasets_).ok());
  Renew("police/persons");
  world_.clock.Advance(2 * kOneDay);
  ASSERT_TRUE(one->Look(datasets_).ok());
  ASSERT_TRUE(other->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), ElementsAre("police/persons overdue"));
}

TEST_F(FreshnessRecordTest, WhatPromisesNothingOrTellsNothingIsNeverOverdue) {
  Offer("police/live", v1::UPDATE_CYCLE_REALTIME);
  Offer("police/old", v1::UPDATE_CYCLE_DAILY, v1::DATASET_STATE_RETIRED);
  for (const char* name : {"police/live", "police/old"}) Renew(name);
  as_of_["police/persons"] = 0;  // the source does not tell
  world_.clock.Advance(400 * kOneDay);
  ASSERT_TRUE(Started()->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), IsEmpty());
}

TEST_F(FreshnessRecordTest, AnotherPromiseMakesItFreshAgain) {
  Renew("police/persons");
  world_.clock.Advance(2 * kOneDay);
  const auto record = Started();
  ASSERT_TRUE(record->Look(datasets_).ok());
  Offer("police/persons", v1::UPDATE_CYCLE_MONTHLY);
  ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), ElementsAre("police/persons overdue", "police/persons fresh"));
}

// What was overdue is so no longer where nothing is promised of it, whatever was found before.
TEST_F(FreshnessRecordTest, WhatIsWithheldOrPromisesNothingIsOverdueNoLonger) {
  Offer("police/cars", v1::UPDATE_CYCLE_DAILY);
  for (const char* name : {"police/persons", "police/cars"}) Renew(name);
  world_.clock.Advance(2 * kOneDay);
  const auto record = Started();
  ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), ElementsAre("police/cars overdue", "police/persons overdue"));
  Withhold("police/cars");
  Offer("police/persons", v1::UPDATE_CYCLE_IRREGULAR);
  as_of_.clear();  // nobody looks at them any more
  for (int look = 0; look < 2; ++look) ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), UnorderedElementsAre("police/cars overdue", "police/persons overdue",
                                               "police/cars fresh", "police/persons fresh"));
}

TEST_F(FreshnessRecordTest, ASourceThatStoppedTellingStaysAsItWasRecorded) {
  Renew("police/persons");
  world_.clock.Advance(2 * kOneDay);
  ASSERT_TRUE(Started()->Look(datasets_).ok());
  as_of_["police/persons"] = 0;
  ASSERT_TRUE(Started()->Look(datasets_).ok());
  EXPECT_THAT(Recorded(), ElementsAre("police/persons overdue"));
}

TEST_F(FreshnessRecordTest, EightAreUnderWayAndTheNextLookGoesOn) {
  OfferTwenty();
  HeldChanges held(*world_.changes);
  const auto record = Started(held);
  std::vector<size_t> made;
  for (int round = 0; round < 4; ++round) {
    for (int look = 0; look < 3; ++look) ASSERT_TRUE(record->Look(datasets_).ok());
    made.push_back(held.LetGo());
  }
  EXPECT_THAT(made, ElementsAre(8u, 8u, 4u, 0u));
  EXPECT_EQ(Recorded().size(), 20u);
}

TEST_F(FreshnessRecordTest, ARefusalEndsTheLookAndTheNextTriesAgain) {
  OfferTwenty();
  HeldChanges held(*world_.changes);
  const auto record = Started(held);
  held.refusal = absl::UnavailableError("too many changes wait");
  ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_EQ(held.submitted, 1);
  EXPECT_EQ(troubles_, 1);
  // Taken, and then none of them made: one trouble for all of the look.
  held.refusal = absl::OkStatus();
  ASSERT_TRUE(record->Look(datasets_).ok());
  EXPECT_EQ(held.LetGo(absl::UnavailableError("the log is full")), 8u);
  EXPECT_EQ(troubles_, 2);
  EXPECT_THAT(Recorded(), IsEmpty());
  for (int look = 0; look < 3; ++look) {
    ASSERT_TRUE(record->Look(datasets_).ok());
    held.LetGo();
  }
  EXPECT_EQ(Recorded().size(), 20u);
  expected_troubles_ = 2;
}

}  // namespace
}  // namespace sluice::catalogue
