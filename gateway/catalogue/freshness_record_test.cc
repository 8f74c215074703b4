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

constexpr Micros kOneDay = 24 * 3600 * kSecond;

class FreshnessRecordTest : public ::testing::Test {
 protected:
  FreshnessRecordTest() : world_({CatalogueMigrations()}) {
    Offer("police/persons", v1::UPDATE_CYCLE_DAILY);
  }

  void Offer(const std::string& name, v1::UpdateCycle cycle,
             v1::DatasetState state = v1::DATASET_STATE_OFFERED) {
    auto dataset = std::make_shared<Dataset>();
    dataset->definition.set_name(name);
    dataset->definition.set_update_cycle(cycle);
    dataset->definition.set_state(state);
    datasets_[name] = dataset;
  }
  // The source was last changed now.
  void Renew(const std::string& name) { as_of_[name] = world_.clock.Now(); }
  // A gateway that was just started.
  std::unique_ptr<FreshnessRecord> Started() {
    return std::make_unique<FreshnessRecord>(
        *world_.store, *world_.changes, world_.clock,
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
        [](const absl::Status& status) { ADD_FAILURE() << status; });
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

}  // namespace
}  // namespace sluice::catalogue
