#include "gateway/self_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kLow = 1000;

class LinesOfAlarms : public OperationalLog {
 public:
  explicit LinesOfAlarms(const Clock& clock) : OperationalLog(-1, clock) {}
  std::vector<std::string> lines;

 protected:
  void WriteLine(const std::string& line) override { lines.push_back(line); }
};

class SelfWatchTest : public testing::Test {
 protected:
  SelfWatchTest() {
    sound_.disk_free = 10 * kLow;
    sound_.certificate_expires = clock_.Now() + 60 * kDay;
    sound_.list_due = clock_.Now() + 60 * kDay;
    observed_ = sound_;
    options_.disk_low = kLow;
    options_.cosign_stop = 5 * kMinute;
    watch_ = std::make_unique<SelfWatch>(options_, clock_, alarms_, gate_);
  }
  std::vector<std::string> Raised() {
    std::vector<std::string> names;
    for (const v1::Alarm& alarm : alarms_.Raised()) names.push_back(alarm.alarm());
    return names;
  }

  FakeClock clock_;
  LinesOfAlarms lines_{clock_};
  Alarms alarms_{clock_, lines_};
  exchange::ReleaseGate gate_;
  SelfWatchOptions options_;
  std::unique_ptr<SelfWatch> watch_;
  Observed sound_, observed_;
};

TEST_F(SelfWatchTest, NothingIsSaidWhereAllIsSound) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(watch_->Look(observed_), 0);
    clock_.Advance(kSecond);
  }
  EXPECT_THAT(Raised(), IsEmpty());
  EXPECT_TRUE(gate_.Check().ok());
  EXPECT_THAT(lines_.lines, IsEmpty());
}

TEST_F(SelfWatchTest, ReleasesStopWhereTheDiskIsLowAndGoOnWithAMargin) {
  observed_.disk_free = kLow - 1;
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), ElementsAre("disk_low"));
  EXPECT_TRUE(alarms_.Raised()[0].stops_releases());
  EXPECT_EQ(alarms_.Raised()[0].since().seconds(), clock_.Now() / kSecond);
  EXPECT_EQ(ReasonOf(gate_.Check()), v1::REASON_RELEASES_STOPPED);
  EXPECT_EQ(ErrorInfoOf(gate_.Check())->metadata().at("cause"), "disk_low");
  // Around the border it does not swing.
  for (const int64_t free : {kLow, kLow + 1, kLow + kLow / 4 - 1, kLow - 1}) {
    observed_.disk_free = free;
    watch_->Look(observed_);
    EXPECT_TRUE(gate_.closed()) << free;
  }
  observed_.disk_free = kLow + kLow / 4;
  watch_->Look(observed_);
  EXPECT_TRUE(gate_.Check().ok());
  EXPECT_THAT(Raised(), IsEmpty());
  for (const int64_t free : {kLow + 1, kLow}) {
    observed_.disk_free = free;
    watch_->Look(observed_);
    EXPECT_FALSE(gate_.closed()) << free;
  }
  ASSERT_EQ(lines_.lines.size(), 2u);
  EXPECT_THAT(lines_.lines[0], HasSubstr("\"event\":\"alarm_raised\""));
  EXPECT_THAT(lines_.lines[0], HasSubstr("\"alarm\":\"disk_low\""));
  EXPECT_THAT(lines_.lines[1], HasSubstr("\"event\":\"alarm_over\""));
}

TEST_F(SelfWatchTest, ReleasesStopWhereCosignaturesAreOlderThanTheBound) {
  observed_.cosign_age = options_.cosign_late;
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), IsEmpty());
  observed_.cosign_age = options_.cosign_late + 1;
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), ElementsAre("cosignatures_old"));
  EXPECT_FALSE(gate_.closed()) << "told before it stops anything";
  EXPECT_FALSE(alarms_.Raised()[0].stops_releases());
  observed_.cosign_age = options_.cosign_stop + 1;
  watch_->Look(observed_);
  EXPECT_EQ(ErrorInfoOf(gate_.Check())->metadata().at("cause"), "cosignatures_old");
  EXPECT_TRUE(alarms_.Raised()[0].stops_releases());
  observed_.cosign_age = kSecond;
  watch_->Look(observed_);
  EXPECT_TRUE(gate_.Check().ok());
  EXPECT_THAT(Raised(), IsEmpty());
}

TEST_F(SelfWatchTest, WithoutABoundOldCosignaturesStopNothing) {
  options_.cosign_stop = 0;
  SelfWatch watch(options_, clock_, alarms_, gate_);
  observed_.cosign_age = 30 * kDay;
  watch.Look(observed_);
  EXPECT_THAT(Raised(), ElementsAre("cosignatures_old"));
  EXPECT_FALSE(gate_.closed());
}

TEST_F(SelfWatchTest, AMismatchStopsReleasesUntilAPassFindsNone) {
  observed_.mismatch = "segments/000002, byte 4096: a batch's checksum does not fit";
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), ElementsAre("scrub_mismatch"));
  EXPECT_EQ(ErrorInfoOf(gate_.Check())->metadata().at("cause"), "scrub_mismatch");
  // Callers are not told where the log is broken.
  EXPECT_EQ(gate_.Check().message().find("segments"), absl::string_view::npos);
  // One cause that is gone does not open what another closes.
  observed_.disk_free = 1;
  watch_->Look(observed_);
  observed_.mismatch.reset();
  watch_->Look(observed_);
  EXPECT_TRUE(gate_.closed());
  watch_->Look(sound_);
  EXPECT_FALSE(gate_.closed());
}

TEST_F(SelfWatchTest, StepsOfTheClockAreToldOnceWithTheirSize) {
  watch_->Look(observed_);
  clock_.Advance(kSecond);
  clock_.Jump(-kHour);
  EXPECT_EQ(watch_->Look(observed_), -kHour);
  EXPECT_EQ(watch_->Look(observed_), 0);
  EXPECT_THAT(Raised(), ElementsAre("clock_stepped"));
  clock_.Jump(kMinute);
  EXPECT_EQ(watch_->Look(observed_), kMinute);
  // How a clock is steered is no step, but what it adds up to in one go is.
  clock_.Jump(kSecond / 20);
  EXPECT_EQ(watch_->Look(observed_), 0);
  for (int i = 0; i < 4; ++i) {
    clock_.Jump(kSecond / 2);
    EXPECT_EQ(watch_->Look(observed_), i < 3 ? 0 : 2 * kSecond) << i;
  }
  clock_.Advance(kHour - kSecond);
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), ElementsAre("clock_stepped"));
  clock_.Advance(kSecond);
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), IsEmpty());
}

TEST_F(SelfWatchTest, WhatLagsIsToldAfterAWhile) {
  observed_.log_records = 100'000;
  observed_.head_records = 99'999;
  observed_.index_records = 100;
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), IsEmpty());
  clock_.Advance(options_.head_interval + 30 * kSecond);
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), ElementsAre("head_old"));
  clock_.Advance(kMinute);
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), ElementsAre("head_old", "index_behind"));
  EXPECT_FALSE(gate_.closed());
  observed_.head_records = observed_.index_records = observed_.log_records;
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), IsEmpty());
}

TEST_F(SelfWatchTest, EndsThatComeNearAreTold) {
  observed_.certificate_expires = clock_.Now() + 13 * kDay;
  observed_.list_due = clock_.Now() + kDay;
  observed_.poisoned = true;
  watch_->Look(observed_);
  EXPECT_THAT(Raised(), testing::UnorderedElementsAre("certificate_ends", "revocation_list_due",
                                                      "log_write_failed"));
}

}  // namespace
}  // namespace sluice
