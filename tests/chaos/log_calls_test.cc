// The log on real file systems whose calls fail one at a time, or that are full. DESIGN, promise 1:
// what was acked is there afterwards, and after a failure nothing is acked. What a crash leaves
// behind is tried more thoroughly, on a file system of our own, by gateway/audit/log_crash_test.cc.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "tests/chaos/log_faults_testing.h"
#include "tests/system/process.h"

namespace sluice::chaos {
namespace {

namespace fs = std::filesystem;
using system_test::Execute;
using system_test::Finished;

// Beside this binary.
std::string Appender() {
  return fs::read_symlink("/proc/self/exe").replace_filename("log_appender");
}

// The n-th call of that kind in whichever thread makes it.
using CallTarget = std::pair<std::string, int>;

// Those calls of a run that name a file in the folder, or a descriptor of one. Lines are
// "PID call(arguments…", with the path of each descriptor beside it (strace -y).
std::set<CallTarget> TargetsIn(const std::string& trace, const std::string& folder) {
  std::map<std::pair<std::string, std::string>, int> counts;
  std::set<CallTarget> targets;
  for (const absl::string_view line : absl::StrSplit(trace, '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    if (parts.size() != 2) continue;
    const absl::string_view call = absl::StripLeadingAsciiWhitespace(parts[1]);
    const size_t bracket = call.find('(');
    if (bracket == call.npos || bracket == 0 || call[0] == '<' || call[0] == '+') continue;
    const std::string name(call.substr(0, bracket));
    const int number = ++counts[{std::string(parts[0]), name}];
    if (absl::StrContains(call, folder)) targets.insert({name, number});
  }
  return targets;
}

// What a run said. After a refusal nothing may have been acked.
void TakeAcked(const std::string& output, Acked& acked, const std::string& what) {
  bool refused = false;
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words[0] == "refused") refused = true;
    if (words[0] != "acked" || words.size() != 3) continue;
    EXPECT_FALSE(refused) << what << ": " << line << " after a refusal";
    uint64_t index = 0;
    ASSERT_TRUE(absl::SimpleAtoi(words[1], &index)) << line;
    acked[index] = words[2];
  }
}

// Without these the log, or its head, is not where it should be: none may go wrong unnoticed.
bool MustBeNoticed(const std::string& call) {
  return call == "pwrite64" || call == "fdatasync" || call == "fsync" || call == "rename";
}

class InjectedTest : public LogFaultsTest, public testing::WithParamInterface<std::string> {};

TEST_P(InjectedTest, NothingAckedIsLostWhicheverCallOfTheLogItHits) {
  const Finished allowed = Execute({"strace", "-f", "-o", Path("allowed"), "true"});
  if (allowed.code != 0)
    GTEST_SKIP() << "SKIPPED: strace is not there or may not trace: " << allowed.errors;
  // A log that was used before.
  const std::string base = Path("base");
  fs::create_directories(base);
  const Finished first = Execute({Appender(), base, "first"});
  ASSERT_EQ(first.code, 0) << first.all();
  Acked before;
  TakeAcked(first.output, before, "first");
  ASSERT_EQ(before.size(), size_t{kRecordsOfARun});

  const std::string folder = Path("log");
  fs::copy(base, folder, fs::copy_options::recursive);
  const std::string trace = Path("trace");
  const Finished counted = Execute(
      {"strace", "-f", "-y", "-o", trace, "-e", "trace=%file,%desc", Appender(), folder, "next"});
  ASSERT_EQ(counted.code, 0) << counted.all();
  const auto text = files_->ReadAll(trace);
  ASSERT_TRUE(text.ok());
  const std::set<CallTarget> targets = TargetsIn(*text, folder);
  std::set<std::string> kinds;
  for (const auto& [call, number] : targets) kinds.insert(call);
  for (const char* call : {"openat", "pwrite64", "fdatasync", "fsync", "rename", "close"})
    EXPECT_TRUE(kinds.contains(call)) << "the log no longer calls " << call;

  int unacked = 0;
  for (const auto& [call, number] : targets) {
    const std::string what = absl::StrCat(call, " ", number, " ", GetParam());
    fs::remove_all(folder);
    fs::copy(base, folder, fs::copy_options::recursive);
    const Finished run =
        Execute({"strace", "-f", "-qq", "-o", trace, "-e", absl::StrCat("trace=", call), "-e",
                 absl::StrCat("inject=", call, ":", GetParam(), ":when=", number), Appender(),
                 folder, "next"});
    Acked acked = before;
    TakeAcked(run.output, acked, what);
    unacked += acked.size() < before.size() + kRecordsOfARun;
    const bool killed = GetParam() == "signal=SIGKILL";
    // The n-th call of the first thread may be its loader's, which ends with 127.
    const std::set<int> ends = killed ? std::set<int>{0, 137} : std::set<int>{0, 2, 3, 4, 127};
    EXPECT_TRUE(ends.contains(run.code)) << what << " ended with " << run.code << run.all();
    // Threads take turns as they like, so that the n-th call is not always made.
    const auto traced = files_->ReadAll(trace);
    ASSERT_TRUE(traced.ok());
    if (MustBeNoticed(call) && absl::StrContains(*traced, "INJECTED")) {
      EXPECT_NE(run.code, 0) << what << ": went by unnoticed";
    }
    CheckSound(OptionsIn(folder), acked, what);
    if (HasFailure()) return;
  }
  // The fault got at the appends themselves, not at the beginning and the end alone.
  EXPECT_GT(unacked, kRecordsOfARun);
  RecordProperty("calls", static_cast<int>(targets.size()));
}

INSTANTIATE_TEST_SUITE_P(Each, InjectedTest,
                         testing::Values("error=EIO", "error=ENOSPC", "signal=SIGKILL"),
                         [](const auto& info) {
                           return std::string(info.param.substr(info.param.find('=') + 1));
                         });

class FullDiskTest : public LogFaultsTest, public testing::WithParamInterface<std::string> {
 protected:
  ~FullDiskTest() override {
    if (mounted_) umount2(disk_.c_str(), MNT_DETACH);
  }

  // Eight MiB, seen by this process alone. What is in the way, in words.
  std::string Mount() {
    disk_ = Path("disk");
    fs::create_directories(disk_);
    if (const std::string missing = SeeMountsAlone(); !missing.empty()) return missing;
    if (GetParam() == "tmpfs") {
      if (mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=8m") != 0)
        return absl::StrCat("no tmpfs can be mounted: ", strerror(errno));
    } else {
      const std::string image = Path("image");
      std::ofstream(image).close();
      fs::resize_file(image, 8 << 20);
      const Finished made = Execute({"mkfs." + GetParam(), "-q", "-F", image});
      if (made.code != 0) return "no file system can be made: " + made.all();
      const Finished mounted = Execute({"mount", "-o", "loop", image, disk_});
      if (mounted.code != 0) return "no image can be mounted: " + mounted.all();
    }
    mounted_ = true;
    return "";
  }

  std::string disk_;
  bool mounted_ = false;
};

TEST_P(FullDiskTest, FailsClosedAndGoesOnOnceThereIsSpace) {
  if (const std::string missing = Mount(); !missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
  const std::string ballast = JoinPath(disk_, "ballast");
  std::ofstream(ballast) << std::string(2 << 20, 'b');
  audit::LogOptions options = OptionsIn(disk_);
  options.segment_bytes = 256 << 10;
  auto log = Open(options);
  ASSERT_TRUE(log.ok()) << log.status();
  Acked acked;
  absl::Status failed;
  for (int i = 0; failed.ok() && i < 2000; ++i) {
    failed = Append(**log, absl::StrCat("record-", i), acked);
  }
  EXPECT_EQ(ReasonOf(failed), v1::REASON_AUDIT_UNAVAILABLE) << failed;
  EXPECT_GT(acked.size(), 100u);
  EXPECT_TRUE((*log)->poisoned());
  // Though there is space again, the log that failed takes nothing more.
  ASSERT_TRUE(fs::remove(ballast));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(audit::AppendOne(**log, BigRecord("too late")).ok());
  EXPECT_FALSE((*log)->Close().ok());
  log->reset();
  CheckSound(options, acked, "after " + GetParam() + " was full");
}

// A start on a full disk changes nothing that it would need.
TEST_P(FullDiskTest, AStartOnAFullDiskLosesNothing) {
  if (const std::string missing = Mount(); !missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
  audit::LogOptions options = OptionsIn(disk_);
  options.segment_bytes = 1 << 20;
  Acked acked;
  {
    auto log = Open(options);
    ASSERT_TRUE(log.ok()) << log.status();
    for (int i = 0; i < 20; ++i) {
      const absl::Status appended = Append(**log, absl::StrCat("record-", i), acked);
      ASSERT_TRUE(appended.ok()) << appended;
    }
    ASSERT_TRUE((*log)->Close().ok());
  }
  const std::string ballast = JoinPath(disk_, "ballast");
  std::ofstream(ballast) << std::string(8 << 20, 'b');  // as much as goes in
  for (int i = 0; i < 3; ++i) {
    const auto log = Open(options);
    if (!log.ok()) continue;
    (void)Append(**log, "on a full disk", acked);
  }
  ASSERT_TRUE(fs::remove(ballast));
  CheckSound(options, acked, "after starts on a full " + GetParam());
}

INSTANTIATE_TEST_SUITE_P(Each, FullDiskTest, testing::Values("tmpfs", "ext4"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace sluice::chaos
