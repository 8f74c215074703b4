#include "tests/chaos/log_faults_testing.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sluice::chaos {

namespace fs = std::filesystem;

LogFaultsTest::LogFaultsTest() : files_(MakePosixFileSystem()), clock_(MakeSystemClock()) {
  std::string folder = (fs::temp_directory_path() / "sluice-calls-XXXXXX").string();
  root_ = mkdtemp(folder.data());
}

LogFaultsTest::~LogFaultsTest() { fs::remove_all(root_); }

absl::StatusOr<std::unique_ptr<audit::Log>> LogFaultsTest::Open(const audit::LogOptions& options) {
  return audit::OpenLog(options, *files_, *clock_, audit::TestLogKey(), nullptr);
}

absl::Status LogFaultsTest::Append(audit::Log& log, const std::string& name, Acked& acked) {
  const auto receipt = audit::AppendOne(log, BigRecord(name));
  if (receipt.ok()) acked[static_cast<uint64_t>(receipt->index())] = name;
  return receipt.status();
}

void LogFaultsTest::CheckSound(const audit::LogOptions& options, const Acked& acked,
                               const std::string& what) {
  auto log = Open(options);
  ASSERT_TRUE(log.ok()) << what << ": " << log.status();
  std::vector<std::string> names;
  const absl::Status read = (*log)->Read(0, [&](const audit::Log::Entry& entry) {
    v1::AuditEnvelope envelope;
    EXPECT_TRUE(envelope.ParseFromString(entry.record.envelope)) << what;
    names.push_back(envelope.dataset());
    return true;
  });
  ASSERT_TRUE(read.ok()) << what << ": " << read;
  for (const auto& [index, name] : acked) {
    ASSERT_LT(index, names.size()) << what << ": " << name << " was acked and is gone";
    EXPECT_EQ(names[index], name) << what;
  }
  EXPECT_TRUE(audit::AppendOne(**log, BigRecord("after")).ok()) << what;
  EXPECT_TRUE((*log)->Close().ok()) << what;
  log->reset();
  EXPECT_EQ(audit::WhatIsBroken(*files_, options), "") << what;
}

std::string SeeMountsAlone() {
  if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0)
    return "";
  return absl::StrCat("this machine lets us mount nothing: ", std::strerror(errno));
}

}  // namespace sluice::chaos
