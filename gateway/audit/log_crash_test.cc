// Crash tests. A fixed story is played on a fake file system; for every operation of it, that
// operation fails, is cut short, or the power goes off there, keeping any subset of what was not
// synced. What must hold afterwards: nothing acked is missing, nothing is half there, the log
// opens, takes records again, and verifies.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/audit/log_crash_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::audit {
namespace {

// All subsets of up to eight units; a few of more.
constexpr Subsets kSubsets{.exhaustive = 8, .seeded = 12, .seed = 1};

TEST(LogCrashTest, PowerGoesOffAtEveryOperation) {
  size_t crashes = 0;
  for (const size_t at : Story::Changes()) {
    Story story;
    story.files->Inject({.at = at, .kind = Fault::Kind::kCrash});
    story.Play();
    if (!story.files->fault_happened()) continue;
    crashes += story.CheckEverySubset(kSubsets, absl::StrCat("power off at ", at));
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(crashes, 4 * Story::Changes().size());
}

TEST(LogCrashTest, EveryOperationFailsAndThenThePowerGoesOff) {
  const size_t operations = Story().Play();
  for (const Fault::Kind kind : {Fault::Kind::kFail, Fault::Kind::kNoSpace}) {
    for (size_t at = 0; at < operations; at += kSweepStep) {
      Story story;
      story.files->Inject({.at = at, .kind = kind});
      story.Play();
      const std::string what = absl::StrCat("failure ", static_cast<int>(kind), " at ", at);
      // First a restart of the process alone: page cache and storage may differ.
      story.CheckRestart(what);
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(LogCrashTest, EveryWriteIsCutShort) {
  for (const size_t at : Story::Changes()) {
    for (const size_t keep : {size_t{1}, size_t{700}, size_t{4096}}) {
      Story story;
      story.files->Inject({.at = at, .kind = Fault::Kind::kCutShort, .keep = keep});
      story.Play();
      story.CheckEverySubset({.exhaustive = 4, .seeded = 3, .seed = at},
                             absl::StrCat("cut to ", keep, " at ", at));
      story.CheckRestart(absl::StrCat("cut to ", keep, " at ", at));
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(LogCrashTest, PowerGoesOffDuringRecovery) {
  // A torn batch behind acked ones, so that opening copies, supersedes and removes.
  Story torn;
  torn.files->Inject({.at = torn.LastSync(), .kind = Fault::Kind::kCrash});
  torn.Play();
  const size_t units = torn.files->Units().size();
  ASSERT_GE(units, 2u);
  std::vector<bool> keep(units, true);
  keep[0] = false;
  const auto base = torn.files->AfterCrash(keep)->Files();

  Story counted(base, torn.acked);
  const size_t operations = counted.Reopen();
  for (size_t at = 0; at < operations; at += kSweepStep) {
    Story story(base, torn.acked);
    story.files->Inject({.at = at, .kind = Fault::Kind::kCrash});
    story.Reopen();
    if (!story.files->fault_happened()) continue;
    story.CheckEverySubset(kSubsets, absl::StrCat("power off at ", at, " of recovery"));
    if (testing::Test::HasFailure()) return;
  }
}

TEST(LogCrashTest, AKilledProcessLeavesTheCacheAndThePowerGoesOffLater) {
  // The process dies at each operation; the kernel lives, and a second process takes over what it
  // reads, part of which was never synced. Then the power goes off.
  for (const size_t at : Story::Changes()) {
    Story story;
    story.files->Inject({.at = at, .kind = Fault::Kind::kCrash});
    story.Play();
    if (!story.files->fault_happened()) continue;
    story.files->PowerOn();
    story.Reopen();
    story.CheckEverySubset({.exhaustive = 6, .seeded = 6, .seed = at},
                           absl::StrCat("killed at ", at));
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace sluice::audit
