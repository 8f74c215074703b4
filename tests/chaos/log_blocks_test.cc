// The log on a disk whose blocks fail: ext4 on a loop device on a file of nbdfuse, whose blocks are
// those of nbdkit, which fails writes or reads while a file of ours is there. DESIGN, promise 1.
// What an acked record stands on is the disk, not the page cache: after a failed write the two
// differ, and mounting again takes the cache away.
#include <signal.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "tests/chaos/log_faults_testing.h"
#include "tests/system/process.h"

namespace sluice::chaos {
namespace {

namespace fs = std::filesystem;
using system_test::Eventually;
using system_test::Execute;
using system_test::Finished;
using system_test::Process;

constexpr int kDiskMebibytes = 16;

class LogBlocksTest : public LogFaultsTest {
 protected:
  ~LogBlocksTest() override {
    Unmount();
    if (fuse_) Execute({"fusermount3", "-u", Image()});
    fuse_.reset();
  }

  std::string Image() const { return Path("image"); }
  std::string Disk() const { return Path("disk"); }
  // While it is there, all calls of that kind fail.
  std::string Trouble(const std::string& call) const { return Path("fail-" + call); }

  // What is in the way, in words.
  std::string Begin() {
    for (const char* tool : {"nbdkit", "nbdfuse", "mkfs.ext4", "losetup"})
      if (Execute({"sh", "-c", absl::StrCat("command -v ", tool)}).code != 0)
        return absl::StrCat(tool, " is not there");
    if (!fs::exists("/dev/fuse")) return "there is no /dev/fuse";
    if (const std::string missing = SeeMountsAlone(); !missing.empty()) return missing;
    std::vector<std::string> server = {"nbdkit",
                                       "--foreground",
                                       "--unix",
                                       Path("socket"),
                                       "--filter=error",
                                       "memory",
                                       absl::StrCat(kDiskMebibytes, "M")};
    for (const std::string call : {"pread", "pwrite", "zero", "trim"}) {
      server.push_back(absl::StrCat("error-", call, "=EIO"));
      server.push_back(absl::StrCat("error-", call, "-rate=100%"));
      server.push_back(
          absl::StrCat("error-", call, "-file=", Trouble(call == "pread" ? "reads" : "writes")));
    }
    server_ = std::make_unique<Process>(server, system_test::Surroundings{});
    if (!Eventually([&] { return fs::exists(Path("socket")); }))
      return "nbdkit does not come up: " + server_->Errors();
    std::ofstream(Image()).close();
    fuse_ = std::make_unique<Process>(
        std::vector<std::string>{"nbdfuse", Image(),
                                 absl::StrCat("nbd+unix:///?socket=", Path("socket"))},
        system_test::Surroundings{});
    if (!Eventually([&] { return fs::file_size(Image()) > 0; }))
      return "nbdfuse does not come up: " + fuse_->Errors();
    if (const Finished made = Execute({"mkfs.ext4", "-q", "-F", Image()}); made.code != 0)
      return "no file system can be made: " + made.all();
    fs::create_directories(Disk());
    return Mount();
  }

  std::string Mount() {
    // Direct, lest the loop device have a cache of its own.
    const Finished loop = Execute({"losetup", "--direct-io=on", "--find", "--show", Image()});
    if (loop.code != 0) return "no loop device can be had: " + loop.all();
    loop_ = loop.output.substr(0, loop.output.find('\n'));
    const Finished mounted = Execute({"mount", loop_, Disk()});
    mounted_ = mounted.code == 0;
    return mounted_ ? "" : "it cannot be mounted: " + mounted.all();
  }

  void Unmount() {
    if (mounted_) {
      EXPECT_EQ(umount2(Disk().c_str(), 0), 0) << strerror(errno);
    }
    mounted_ = false;
    if (!loop_.empty()) Execute({"losetup", "--detach", loop_});
    loop_.clear();
  }

  // As after a loss of power: nothing of the page cache is left.
  void MountAgain() {
    Unmount();
    const std::string missing = Mount();
    ASSERT_EQ(missing, "");
  }

  void Fail(const std::string& calls) { std::ofstream(Trouble(calls)).close(); }
  void Mend(const std::string& calls) { fs::remove(Trouble(calls)); }

  std::unique_ptr<Process> server_, fuse_;
  std::string loop_;
  bool mounted_ = false;
};

TEST_F(LogBlocksTest, WhatIsAckedIsOnTheDiskThoughWritesFailedAndTheCacheSaysOtherwise) {
  if (const std::string missing = Begin(); !missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
  const audit::LogOptions options = OptionsIn(Disk());
  Acked acked;
  int refused = 0, went_on = 0;
  for (int round = 0; round < 8; ++round) {
    const std::string what = absl::StrCat("round ", round);
    auto log = Open(options);
    ASSERT_TRUE(log.ok()) << what << ": " << log.status();
    // Up to places in the middle and at the end of a segment.
    for (int i = 0; i <= round; ++i) {
      const absl::Status appended = Append(**log, absl::StrCat(what, ", before ", i), acked);
      ASSERT_TRUE(appended.ok()) << what << ": " << appended;
    }
    Fail("writes");
    for (int i = 0; i < 3; ++i) {
      const absl::Status failed = Append(**log, absl::StrCat(what, ", failing ", i), acked);
      EXPECT_EQ(ReasonOf(failed), v1::REASON_AUDIT_UNAVAILABLE) << what << ": " << failed;
      refused += !failed.ok();
    }
    EXPECT_TRUE((*log)->poisoned()) << what;
    Mend("writes");
    // The disk is well again, and still nothing more is taken.
    EXPECT_FALSE(Append(**log, "too late", acked).ok()) << what;
    EXPECT_FALSE((*log)->Close().ok()) << what;
    log->reset();
    // The process begins anew on the same cache. Where ext4 has given up, it says so.
    log = Open(options);
    if (log.ok()) {
      went_on += Append(**log, absl::StrCat(what, ", on the old cache"), acked).ok();
      (void)(*log)->Close();
      log->reset();
    }
    MountAgain();
    CheckSound(options, acked, what);
    if (HasFailure()) return;
  }
  EXPECT_EQ(refused, 8 * 3);
  RecordProperty("went_on", went_on);
}

TEST_F(LogBlocksTest, WhatCannotBeReadIsAnErrorAndNeverAnotherRecord) {
  if (const std::string missing = Begin(); !missing.empty()) GTEST_SKIP() << "SKIPPED: " << missing;
  const audit::LogOptions options = OptionsIn(Disk());
  Acked acked;
  {
    auto log = Open(options);
    ASSERT_TRUE(log.ok()) << log.status();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(**log, absl::StrCat("record-", i), acked).ok());
    ASSERT_TRUE((*log)->Close().ok());
  }
  MountAgain();
  // The names of the files are known, their blocks are not.
  for (const auto& entry : fs::recursive_directory_iterator(Disk())) (void)entry.path();
  Fail("reads");
  const auto unread = Open(options);
  EXPECT_FALSE(unread.ok());
  EXPECT_NE(audit::WhatIsBroken(*files_, options), "");
  Mend("reads");
  MountAgain();
  CheckSound(options, acked, "once it can be read again");
}

}  // namespace
}  // namespace sluice::chaos
