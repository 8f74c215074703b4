// Durable before release (DESIGN, promise 1).
#include <gtest/gtest.h>

#include "gateway/audit/log_testing.h"
#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

// The envelopes of the log that this storage recovers to.
std::vector<std::string> RecoveredEnvelopes(FakeFileSystem& storage) {
  const FakeClock clock;
  audit::RecoveryReport report;
  const auto log =
      audit::OpenLog(audit::TestLogOptions(), storage, clock, audit::TestLogKey(), &report);
  EXPECT_TRUE(log.ok()) << log.status();
  std::vector<std::string> envelopes;
  if (!log.ok()) return envelopes;
  const absl::Status read = (*log)->Read(0, [&](const audit::Log::Entry& entry) {
    envelopes.push_back(entry.record.envelope);
    return true;
  });
  EXPECT_TRUE(read.ok()) << read;
  return envelopes;
}

// Empty where there is no such record.
std::string At(const std::vector<std::string>& envelopes, int64_t index) {
  return index >= 0 && index < static_cast<int64_t>(envelopes.size()) ? envelopes[index] : "";
}

int64_t IndexTold(const absl::Status& status) {
  const auto info = ErrorInfoOf(status);
  const auto found = info->metadata().find("index");
  return found == info->metadata().end() ? -1 : std::stoll(found->second);
}

v1::QueryRequest DeniedRequest() {
  v1::QueryRequest request = PersonsRequest();
  request.set_purpose("curiosity");
  return request;
}

TEST(DurableReleaseTest, WhenAnAnswerIsGivenALossOfPowerCannotTakeItsRecord) {
  Exchange exchange;
  exchange.ps.SetRows(Persons(3));
  std::string recovered;
  PendingQuery pending;
  exchange.broker->Query(exchange.CallBy("civil-affairs/relief"), PersonsRequest(),
                         [&](absl::StatusOr<v1::QueryResponse> answer) {
                           const auto storage = exchange.files->AfterCrash();
                           if (answer.ok())
                             recovered =
                                 At(RecoveredEnvelopes(*storage), answer->receipt().index());
                           pending.Done()(std::move(answer));
                         });
  const auto answer = pending.Wait();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(recovered, answer->receipt().envelope());
}

TEST(DurableReleaseTest, WhenARefusalOrAFailureIsToldItsRecordIsDurableToo) {
  Exchange exchange;
  exchange.ps.FailScan(Error(v1::REASON_SCHEMA_DRIFT, "the table does not fit."));
  for (const v1::QueryRequest& request : {DeniedRequest(), PersonsRequest()}) {
    v1::AuditEnvelope recovered;
    PendingQuery pending;
    exchange.broker->Query(
        exchange.CallBy("civil-affairs/relief"), request,
        [&](absl::StatusOr<v1::QueryResponse> answer) {
          const auto storage = exchange.files->AfterCrash();
          recovered.ParseFromString(At(RecoveredEnvelopes(*storage), IndexTold(answer.status())));
          pending.Done()(std::move(answer));
        });
    const auto answer = pending.Wait();
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(recovered.reason(), ReasonOf(answer.status()));
  }
}

TEST(DurableReleaseTest, NothingIsToldWhileTheRecordIsBeingWritten) {
  Exchange exchange;
  exchange.ps.SetRows(Persons(1));
  exchange.log->Hold();
  const PendingQuery released = exchange.Start(PersonsRequest());
  const PendingQuery denied = exchange.Start(DeniedRequest());
  exchange.log->AwaitHeld(2);
  EXPECT_EQ(released.times(), 0);
  EXPECT_EQ(denied.times(), 0);
  exchange.log->PassAll();
  EXPECT_TRUE(released.Wait().ok());
  EXPECT_EQ(ReasonOf(denied.Wait().status()), v1::REASON_PURPOSE_UNKNOWN);
}

// Every write, sync and rename fails in turn, in each of the ways a disk has.
TEST(DurableReleaseTest, WhicheverOperationFailsNoAnswerIsGivenWithoutARecordThatRecovers) {
  for (const Fault::Kind kind :
       {Fault::Kind::kFail, Fault::Kind::kNoSpace, Fault::Kind::kCutShort, Fault::Kind::kCrash}) {
    bool happened = true;
    int released = 0;
    for (uint64_t at = 0; happened; ++at) {
      Exchange exchange;
      exchange.ps.SetRows(Persons(4));
      exchange.files->Inject({.at = exchange.files->Operations().size() + at, .kind = kind});
      std::vector<absl::StatusOr<v1::QueryResponse>> answers;
      for (int round = 0; round < 3; ++round) {
        const PendingQuery first = exchange.Start(PersonsRequest());
        const PendingQuery second = exchange.Start(PersonRequest(ResidentNumber(round)));
        answers.push_back(first.Wait());
        answers.push_back(second.Wait());
      }
      happened = exchange.files->fault_happened();
      const auto storage = exchange.files->AfterCrash();
      const std::vector<std::string> recovered = RecoveredEnvelopes(*storage);
      for (const auto& answer : answers) {
        if (!answer.ok()) {
          EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_AUDIT_UNAVAILABLE) << answer.status();
          continue;
        }
        ++released;
        EXPECT_EQ(At(recovered, answer->receipt().index()), answer->receipt().envelope())
            << "operation " << at << ", kind " << static_cast<int>(kind);
      }
      EXPECT_TRUE(happened || answers.back().ok());
      ASSERT_LT(at, 200u);
    }
    EXPECT_GT(released, 0);
  }
}

TEST(DurableReleaseTest, AfterOneFailedSyncEverythingIsAnsweredAuditUnavailable) {
  Exchange exchange;
  exchange.ps.SetRows(Persons(4));
  exchange.grants["persons1"].mutable_quota()->set_rows_per_day(100);
  exchange.Publish();
  ASSERT_TRUE(exchange.Query(PersonsRequest()).ok());
  exchange.files->Inject({.at = exchange.files->Operations().size() + 1});
  EXPECT_EQ(ReasonOf(exchange.Query(PersonsRequest()).status()), v1::REASON_AUDIT_UNAVAILABLE);
  ASSERT_TRUE(exchange.log->poisoned());
  EXPECT_EQ(ReasonOf(exchange.Query(PersonsRequest()).status()), v1::REASON_AUDIT_UNAVAILABLE);
  // Refusals too, and those that would only be counted.
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(ReasonOf(exchange.Query(DeniedRequest()).status()), v1::REASON_AUDIT_UNAVAILABLE)
        << i;
  }
  exchange.AwaitIdle();
  EXPECT_EQ(exchange.Left("persons1").rows_today(), 96);
}

}  // namespace
}  // namespace sluice::exchange
