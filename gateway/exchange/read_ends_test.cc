// Streams that end before their time: by the consumer, the owner, the source, the log, a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/audit/log_testing.h"
#include "gateway/audit/receipts.h"
#include "gateway/base/error.h"
#include "gateway/exchange/abandoned.h"
#include "gateway/exchange/read_messages_testing.h"
#include "gateway/exchange/stream_batches.h"
#include "gateway/records/row_batch.h"

namespace sluice::exchange {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ReadTest, AConsumerThatTakesNothingHoldsAFewBatchesAndNoThread) {
  ReadWorld::Options options = SmallSteps();
  options.source.set_connections(1);
  ReadWorld world(options);
  world.source.rows = 100'000;
  const auto slow = world.Read(ReadWorld::Request(), /*eager=*/false);
  ASSERT_TRUE(slow->AwaitMessages(1));
  // The source's only thread is free.
  v1::QueryRequest lookup;
  lookup.set_dataset("public-security/persons");
  lookup.set_purpose("relief");
  lookup.set_filter("number = 7");
  for (int i = 0; i < 3; ++i) {
    const auto found = world.Query(lookup);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->rows(), 1);
  }
  slow->Take();
  ASSERT_TRUE(slow->AwaitMessages(2));
  while (world.sources->Status()[0].running() > 0) std::this_thread::yield();
  // Three steps of 4,096 rows, a batch that is open, and what a scan gave too much; the lookups'
  // three scans of all rows.
  EXPECT_LT(world.source.nexts - 3 * 101, 20);
  EXPECT_EQ(slow->messages().size(), 2u);
}

TEST(ReadTest, AConsumerThatStallsIsCutOff) {
  ReadWorld world(SmallSteps());
  world.source.rows = 100'000;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(2));
  world.clock.Advance(29 * kSecond);
  world.running->CheckDeadlines();
  EXPECT_FALSE(consumer->aborted());
  world.clock.Advance(2 * kSecond);
  world.running->CheckDeadlines();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_CONSUMER_STALLED);
  world.AwaitIdle();
  EXPECT_TRUE(consumer->aborted());
  EXPECT_EQ(consumer->finishes(), 1);
  const v1::AuditEnvelope closed = world.Last().envelope;
  EXPECT_EQ(closed.kind(), v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(closed.reason(), v1::REASON_CONSUMER_STALLED);
  EXPECT_EQ(closed.count(), kBatchRows);  // the batch that was handed over
  EXPECT_EQ(world.source.open_readers, 0);
}

TEST(ReadTest, ASlowConsumerIsNotCutOffAtTheEnd) {
  ReadWorld world;
  world.source.rows = 100;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(2));  // its last batch
  while (world.Last().envelope.kind() != v1::RECORD_KIND_CLOSED) std::this_thread::yield();
  world.clock.Advance(20 * kSecond);
  world.running->CheckDeadlines();
  EXPECT_FALSE(consumer->aborted());
  consumer->Take();
  EXPECT_TRUE(consumer->AwaitEnd().ok());
  EXPECT_TRUE(consumer->messages().back().has_closing());
}

TEST(ReadTest, RevocationEndsAStreamAndNothingLeavesAfterIt) {
  ReadWorld world(SmallSteps());
  world.source.rows = 100'000;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  consumer->Take();
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(3));
  Revoke(world);
  const size_t left = consumer->messages().size();
  consumer->TakeAll();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_GRANT_REVOKED);
  EXPECT_EQ(consumer->messages().size(), left);
  world.AwaitIdle();
  const v1::AuditEnvelope closed = world.Last().envelope;
  EXPECT_EQ(closed.kind(), v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(closed.reason(), v1::REASON_GRANT_REVOKED);
  EXPECT_EQ(closed.count(), consumer->rows());
  EXPECT_EQ(closed.digest(), RootOf(consumer->messages()));
}

// The owner's batch window is the owner's: what was begun before it does not go on within.
TEST(ReadTest, ClosedHoursEndAStreamWithItsTrueTotals) {
  ReadWorld world(SmallSteps());
  world.source.rows = 100'000;
  const auto hour = [&world](int ahead) {
    return absl::FormatTime("%H:00", absl::FromUnixMicros(world.clock.Now() + ahead * kHour),
                            absl::UTCTimeZone());
  };
  world.closed = absl::StrCat(hour(1), "-", hour(3));
  world.Publish();
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  consumer->Take();
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(3));
  while (world.sources->Find("ps")->Status().running() > 0) std::this_thread::yield();
  world.clock.Advance(kHour);
  consumer->TakeAll();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_SOURCE_CLOSED);
  world.AwaitIdle();
  const v1::AuditEnvelope closed = world.Last().envelope;
  EXPECT_EQ(closed.kind(), v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(closed.reason(), v1::REASON_SOURCE_CLOSED);
  EXPECT_EQ(closed.count(), consumer->rows());
  EXPECT_LT(closed.count(), 100'000);
  EXPECT_EQ(closed.digest(), RootOf(consumer->messages()));
  EXPECT_EQ(world.source.open_readers, 0);
}

TEST(ReadTest, AnAmendedGrantEndsAStream) {
  ReadWorld world;
  world.source.rows = 100'000;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  ASSERT_TRUE(consumer->AwaitMessages(1));
  world.grant.set_revision(2);
  world.grant.mutable_fields()->RemoveLast();
  world.Publish();
  consumer->TakeAll();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_GRANT_REVOKED);
}

TEST(ReadTest, RevocationWhileAStepIsBeingRecordedLetsNoneOfItLeave) {
  ReadWorld world(SmallSteps());
  world.source.rows = 100'000;
  world.log->Hold();
  const auto consumer = world.Read(ReadWorld::Request());
  world.log->PassOne();
  ASSERT_TRUE(consumer->AwaitMessages(1));
  // The first PROGRESS is held when the grant goes.
  Revoke(world);
  world.log->PassAll();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_GRANT_REVOKED);
  EXPECT_EQ(consumer->rows(), 0);
  world.AwaitIdle();
  EXPECT_EQ(world.Last().envelope.kind(), v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(world.Last().envelope.count(), 0);
}

TEST(ReadTest, RevocationWhileTheOpeningIsBeingRecordedClosesIt) {
  ReadWorld world;
  world.source.rows = 10;
  world.log->Hold();
  const auto consumer = world.Read(ReadWorld::Request());
  world.log->AwaitHeld();
  Revoke(world);
  world.log->PassAll();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_GRANT_REVOKED);
  EXPECT_TRUE(consumer->messages().empty());
  world.AwaitIdle();
  EXPECT_THAT(world.Kinds(), ElementsAre(v1::RECORD_KIND_OPENED, v1::RECORD_KIND_CLOSED));
}

TEST(ReadTest, GivingUpReachesTheSource) {
  ReadWorld world(SmallSteps());
  world.source.rows = 100'000;
  world.source.hangs_at = 10;
  const auto consumer = world.Read(ReadWorld::Request());
  ASSERT_TRUE(consumer->AwaitMessages(3));
  world.cancel();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_CANCELLED);
  world.AwaitIdle();
  EXPECT_EQ(world.source.cancels, 1);
  EXPECT_EQ(consumer->finishes(), 1);
  EXPECT_EQ(world.Last().envelope.reason(), v1::REASON_CANCELLED);
  EXPECT_EQ(world.Last().envelope.count(), consumer->rows());
}

TEST(ReadTest, AConsumerThatVanishesEndsItsStream) {
  ReadWorld world(SmallSteps());
  world.source.rows = 100'000;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(2));
  consumer->Vanish();
  EXPECT_FALSE(consumer->AwaitEnd().ok());
  world.AwaitIdle();
  EXPECT_EQ(world.Last().envelope.kind(), v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(world.Last().envelope.reason(), v1::REASON_CANCELLED);
  EXPECT_EQ(world.source.open_readers, 0);
}

// In crowds, before the opening, behind it, within a step and behind several.
TEST(ReadTest, CrowdsOfConsumersThatVanishLeaveNothingOpen) {
#ifdef SLUICE_SANITIZED  // slower by ten times
  constexpr int kCrowds = 2;
#else
  constexpr int kCrowds = 25;
#endif
  constexpr int kCrowd = 40;
  ReadWorld::Options options = SmallSteps();
  options.running.streams = kCrowd;
  ReadWorld world(options);
  world.source.rows = 30'000;
  std::map<int64_t, int64_t> handed_over;  // rows, by the index of the opening
  for (int crowd = 0; crowd < kCrowds; ++crowd) {
    std::vector<std::shared_ptr<Consumer>> consumers;
    for (int i = 0; i < kCrowd; ++i)
      consumers.push_back(world.Read(ReadWorld::Request(), /*eager=*/false));
    for (int i = 0; i < kCrowd; ++i) {
      for (int taken = 0; taken < i % 5; ++taken) consumers[i]->Take();
      consumers[i]->Vanish();
    }
    world.AwaitIdle();
    EXPECT_EQ(world.source.open_readers, 0);
    for (const auto& consumer : consumers) {
      EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_CANCELLED);
      const auto messages = consumer->messages();
      if (!messages.empty())
        handed_over[messages[0].opening().receipt().index()] = consumer->rows();
    }
  }
  int opened = 0, closed = 0, failed = 0;
  for (const LoggedRecord& record : world.Records()) {
    const v1::AuditEnvelope& envelope = record.envelope;
    opened += envelope.kind() == v1::RECORD_KIND_OPENED;
    failed += envelope.kind() == v1::RECORD_KIND_FAILED;
    if (envelope.kind() != v1::RECORD_KIND_CLOSED) continue;
    ++closed;
    if (const auto stream = handed_over.find(envelope.opened()); stream != handed_over.end()) {
      EXPECT_EQ(envelope.count(), stream->second);
    }
  }
  EXPECT_EQ(opened, closed);
  EXPECT_EQ(opened + failed, kCrowd * kCrowds);
  EXPECT_EQ(closed, static_cast<int>(handed_over.size()));
}

TEST(ReadTest, ADeadlineEndsAStream) {
  ReadWorld world(SmallSteps());
  world.source.rows = 100'000;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false, kMinute);
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(2));
  for (int i = 0; i < 3; ++i) {
    world.clock.Advance(20 * kSecond);
    consumer->Take();
  }
  world.running->CheckDeadlines();
  consumer->TakeAll();
  const absl::Status status = consumer->AwaitEnd();
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEADLINE_EXCEEDED);
  EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("Nothing was released")));
}

TEST(ReadTest, ASourceThatFailsAtOnceLeavesAFailedRecordAlone) {
  ReadWorld world;
  world.source.rows = 100;
  world.source.fails_at = 0;
  const auto consumer = world.Read(ReadWorld::Request());
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(consumer->messages().empty());
  world.AwaitIdle();
  EXPECT_THAT(world.Kinds(), ElementsAre(v1::RECORD_KIND_FAILED));
}

TEST(ReadTest, ASourceThatFailsMidwayCutsTheStreamBehindItsWholeBatches) {
  ReadWorld world;
  world.source.rows = 100'000;
  world.source.fails_at = 10;  // after 10,000 rows, of which 4 batches are whole
  const auto consumer = world.Read(ReadWorld::Request());
  const absl::Status status = consumer->AwaitEnd();
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(status.message(), "the source broke.");
  EXPECT_EQ(consumer->payload(), JsonLines(4 * kBatchRows));
  world.AwaitIdle();
  EXPECT_EQ(world.Last().envelope.kind(), v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(world.Last().envelope.reason(), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(world.Last().envelope.count(), 4 * kBatchRows);
  EXPECT_EQ(world.source.open_readers, 0);
}

TEST(ReadTest, ASourceThatGivesNothingIsGivenUp) {
  ReadWorld world;
  world.source.rows = 100'000;
  world.source.hangs_at = 0;
  const auto consumer = world.Read(ReadWorld::Request());
  while (world.source.nexts == 0) std::this_thread::yield();
  world.clock.Advance(61 * kSecond);  // six times a statement's limit
  world.running->CheckDeadlines();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_SOURCE_UNAVAILABLE);
  world.AwaitIdle();
  EXPECT_EQ(world.source.cancels, 1);
}

TEST(ReadTest, ALogThatCanNotGoOnLetsNothingMoreLeave) {
  ReadWorld world(SmallSteps());
  world.source.rows = 100'000;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(2));
  ASSERT_TRUE(world.file_log->Close().ok());  // takes no more
  const int64_t recorded = world.Last().envelope.count();
  consumer->TakeAll();
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_LE(consumer->rows(), recorded);
}

TEST(ReadTest, AnEndThatTheLogIsTooBusyToTakeIsRecordedLater) {
  ReadWorld world;
  world.source.rows = 100;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(2));
  while (world.Last().envelope.kind() != v1::RECORD_KIND_CLOSED) std::this_thread::yield();
  consumer->TakeAll();
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  world.AwaitIdle();

  world.source.rows = 100'000;
  const auto cut = world.Read(ReadWorld::Request(), /*eager=*/false);
  cut->Take();
  ASSERT_TRUE(cut->AwaitMessages(2));
  world.log->Overload(true);
  world.cancel();
  cut->TakeAll();
  world.running->CheckDeadlines();
  EXPECT_EQ(cut->finishes(), 0);
  world.log->Overload(false);
  world.running->CheckDeadlines();
  EXPECT_EQ(ReasonOf(cut->AwaitEnd()), v1::REASON_CANCELLED);
  world.AwaitIdle();
  EXPECT_EQ(world.Last().envelope.kind(), v1::RECORD_KIND_CLOSED);
}

// The process dies with a stream under way; the next start finds it.
TEST(ReadTest, AStreamThatACrashLeftOpenIsAbandonedWithWhatMayHaveLeft) {
  std::unique_ptr<FakeFileSystem> storage;
  int64_t left = 0, recorded = 0;
  const ReadWorld::Options options = SmallSteps();
  {
    ReadWorld world(options);
    world.source.rows = 100'000;
    const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
    for (int i = 0; i < 4; ++i) consumer->Take();
    ASSERT_TRUE(consumer->AwaitMessages(5));
    // Two steps were handed over, and so the third is recorded; then nothing moves.
    while (world.Kinds().size() < 4) std::this_thread::yield();
    left = consumer->rows();
    recorded = world.Last().envelope.count();
    EXPECT_EQ(recorded - left, 2 * kBatchRows);
    storage = world.files->AfterCrash();
  }
  ReadWorld world(options, std::move(storage));
  world.grant.mutable_quota()->set_rows_total(1'000'000);
  world.Publish();
  ASSERT_TRUE(world.usage
                  .Restore(*world.log, *world.snapshots.Get(), world.clock.Now(), world.quotas,
                           world.request_ids)
                  .ok());
  ASSERT_EQ(world.usage.open_streams().size(), 1u);
  ASSERT_TRUE(AbandonStreams(world.usage, *world.log, *world.sealer, *world.snapshots.Get(),
                             world.quotas, world.operations)
                  .ok());
  const v1::AuditEnvelope abandoned = world.Last().envelope;
  EXPECT_EQ(abandoned.kind(), v1::RECORD_KIND_ABANDONED);
  EXPECT_EQ(abandoned.opened(), 0);
  EXPECT_EQ(abandoned.count(), recorded);
  EXPECT_GE(abandoned.count(), left);
  EXPECT_EQ(world.quotas.Left(world.grant, world.clock.Now()).rows_total(), 1'000'000 - recorded);
  // Kept over another restart, and not abandoned twice.
  ASSERT_TRUE(world.usage.Save(*world.log, *world.snapshots.Get()).ok());
  EXPECT_TRUE(world.usage.open_streams().empty());
}

}  // namespace
}  // namespace sluice::exchange
