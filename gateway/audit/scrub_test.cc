#include "gateway/audit/scrub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/audit/log_testing.h"

namespace sluice::audit {
namespace {

using ::testing::HasSubstr;

class ScrubTest : public ::testing::Test {
 protected:
  ScrubTest() {
    EXPECT_TRUE(files_.CreateDirectories("/gw").ok());
    options_.segment_bytes = 16 << 10;
    log_ = *OpenLog(options_, files_, clock_, TestLogKey(), nullptr);
  }
  ~ScrubTest() override { EXPECT_TRUE(log_->Close().ok()); }

  // Over several segments, under a head, and one more above it.
  void Fill() {
    for (int i = 0; i < 20; ++i)
      EXPECT_TRUE(
          AppendOne(*log_, MakeRecord(v1::RECORD_KIND_RELEASED, absl::StrCat(i), 3000)).ok());
    EXPECT_TRUE(AskForHead(*log_, clock_).ok());
    EXPECT_TRUE(AppendOne(*log_, MakeRecord(v1::RECORD_KIND_RELEASED, "last", 10)).ok());
  }
  FakeFileSystem files_;
  FakeClock clock_;
  LogOptions options_ = TestLogOptions();
  std::unique_ptr<Log> log_;
};

TEST_F(ScrubTest, ReadsWhatTheHeadCoversAndFindsItSound) {
  Scrub scrub(ScrubOptions{options_.directory, 0, kHour}, *log_, TestLogVerifier(), files_, clock_);
  EXPECT_TRUE(scrub.Pass().ok()) << "no head yet";
  EXPECT_EQ(scrub.State().records, 0u);
  Fill();
  ASSERT_TRUE(files_.Stat(absl::StrCat(options_.directory, "/segments/000003")).ok());
  EXPECT_TRUE(scrub.Pass().ok()) << scrub.State().found;
  EXPECT_EQ(scrub.State().records, 20u);
  EXPECT_EQ(scrub.State().passes, 2u);
  EXPECT_EQ(scrub.State().ended, clock_.Now());
}

// Behind the running log's back, as a disk or a hand changes it.
TEST_F(ScrubTest, OneChangedByteIsFoundWithItsPlace) {
  Fill();
  const std::string path = absl::StrCat(options_.directory, "/segments/000002");
  const std::string sound = *files_.ReadAll(path);
  size_t found = 0;
  for (const size_t at : {size_t{40}, size_t{4096 + 9}, size_t{4096 + 700}, size_t{8192 + 100}}) {
    std::string changed = sound;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    std::map<std::string, std::string> copy = files_.Files();
    copy[path] = changed;
    FakeFileSystem damaged(copy);
    Scrub scrub(ScrubOptions{options_.directory, 0, kHour}, *log_, TestLogVerifier(), damaged,
                clock_);
    const absl::Status status = scrub.Pass();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << at << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("segments/000002")) << at;
    EXPECT_EQ(scrub.State().found, status);
    found += status.ok() ? 0 : 1;
  }
  EXPECT_EQ(found, 4u);
}

TEST_F(ScrubTest, AnotherLogInItsPlaceIsFound) {
  Fill();
  FakeFileSystem other;
  ASSERT_TRUE(other.CreateDirectories("/gw").ok());
  {
    auto log = *OpenLog(options_, other, clock_, TestLogKey(), nullptr);
    for (int i = 0; i < 20; ++i)
      ASSERT_TRUE(
          AppendOne(*log, MakeRecord(v1::RECORD_KIND_RELEASED, absl::StrCat("other", i))).ok());
    ASSERT_TRUE(log->Close().ok());
  }
  Scrub scrub(ScrubOptions{options_.directory, 0, kHour}, *log_, TestLogVerifier(), other, clock_);
  EXPECT_EQ(scrub.Pass().code(), absl::StatusCode::kDataLoss);
}

TEST_F(ScrubTest, KeepsToItsRateAndStopsAtOnce) {
  Fill();
  // A byte a second: the first batch is all that it gets to.
  Scrub scrub(ScrubOptions{options_.directory, 1, kHour}, *log_, TestLogVerifier(), files_, clock_);
  scrub.Start();
  while (scrub.State().records == 0) std::this_thread::yield();
  EXPECT_EQ(scrub.State().records, 1u);
  EXPECT_EQ(scrub.State().passes, 0u);
  scrub.Stop();
  EXPECT_EQ(scrub.State().passes, 0u);
}

}  // namespace
}  // namespace sluice::audit
