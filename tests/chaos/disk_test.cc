// Disks that fail or are full, under the real daemon (strace makes its calls fail). DESIGN,
// promise 1.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "tests/system/raw_client.h"

namespace sluice::system_test {
namespace {

struct DiskFault {
  std::string name;
  std::string injection;
};

class DiskTest : public testing::TestWithParam<DiskFault> {};

// The call fails, health turns, nothing is acked any more, ten seconds later the process ends for
// its supervisor, and the next one recovers.
TEST_P(DiskTest, AFailedWriteOrSyncPoisonsTheLog) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  const auto relief = gateway.Connect("relief", 5 * kSecond);
  ASSERT_TRUE(Call(*relief, cli::kQuery, Deployment::PersonsQuery()).ok());
  Process strace({"strace", "-f", "-qq", "-p", absl::StrCat(gateway.daemon().pid()), "-o",
                  "/dev/null", "-e", GetParam().injection},
                 {});
  absl::Status failed;
  ASSERT_TRUE(Eventually([&] {
    failed = Call(*relief, cli::kQuery, Deployment::PersonsQuery()).status();
    return !failed.ok();
  }));
  EXPECT_EQ(ReasonOf(failed), v1::REASON_AUDIT_UNAVAILABLE) << failed;
  strace.Signal(SIGINT);
  strace.Wait();
  // The disk is well again. Nothing is retried, nothing is acked.
  for (int i = 0; i < 5; ++i) {
    const auto refused = Call(*relief, cli::kQuery, Deployment::PersonsQuery());
    EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_AUDIT_UNAVAILABLE) << refused.status();
  }
  const auto status = Call(gateway.As("operator"), cli::kGetStatus, {});
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_FALSE(status->ready());
  const Finished ended = gateway.daemon().Wait(30);
  EXPECT_EQ(ended.code, 74);
  EXPECT_NE(ended.errors.find("log_poisoned"), std::string::npos) << ended.errors;
  gateway.Verify();
  gateway.Start();
  EXPECT_TRUE(Call(gateway.As("relief"), cli::kQuery, Deployment::PersonsQuery()).ok());
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Verify();
}

INSTANTIATE_TEST_SUITE_P(
    Each, DiskTest,
    testing::Values(DiskFault{"SyncFails", "inject=fdatasync:error=EIO:when=1"},
                    DiskFault{"WriteFails", "inject=pwrite64:error=EIO:when=1"},
                    DiskFault{"DiskIsFull", "inject=pwrite64:error=ENOSPC:when=1"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sluice::system_test
