// Streams from their request to their last record.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
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
#include "gateway/records/text_writers.h"

namespace sluice::exchange {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ReadTest, AStreamIsOpenedRecordedStepByStepAndClosed) {
  ReadWorld world(SmallSteps());
  world.source.rows = 9000;
  const auto consumer = world.Read(ReadWorld::Request());
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  world.AwaitIdle();

  EXPECT_EQ(consumer->payload(), JsonLines(9000));
  EXPECT_EQ(consumer->rows(), 9000);
  EXPECT_THAT(world.Kinds(), ElementsAre(v1::RECORD_KIND_OPENED, v1::RECORD_KIND_PROGRESS,
                                         v1::RECORD_KIND_PROGRESS, v1::RECORD_KIND_PROGRESS,
                                         v1::RECORD_KIND_CLOSED));
  const auto messages = consumer->messages();
  const v1::StreamOpening& opening = messages.front().opening();
  EXPECT_EQ(opening.receipt().index(), 0);
  EXPECT_EQ(opening.applied().source_version(), "version 7");
  EXPECT_TRUE(opening.applied().snapshot());
  const v1::StreamClosing& closing = messages.back().closing();
  EXPECT_EQ(closing.rows(), 9000);
  EXPECT_EQ(closing.digest(), RootOf(messages));
  const auto batch_lengths = Lengths(messages);
  EXPECT_TRUE(std::equal(batch_lengths.begin(), batch_lengths.end(),
                         closing.batch_lengths().begin(), closing.batch_lengths().end()));

  const v1::AuditEnvelope closed = world.Last().envelope;
  EXPECT_EQ(closed.count(), 9000);
  EXPECT_EQ(closed.digest(), closing.digest());
  EXPECT_EQ(closed.payload_bytes(), static_cast<int64_t>(consumer->payload().size()));
  EXPECT_EQ(closed.opened(), 0);
  EXPECT_EQ(closed.steps(), 3);
  EXPECT_EQ(closed.batches(), static_cast<int64_t>(batch_lengths.size()));
  EXPECT_EQ(closed.reason(), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(world.running->count(), 0);
  EXPECT_EQ(world.source.open_readers, 0);
}

TEST(ReadTest, EachStepIsProvedByTheReceiptThatComesWithIt) {
  ReadWorld world(SmallSteps());
  world.source.rows = 9000;
  const auto consumer = world.Read(ReadWorld::Request());
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  audit::CompactRange announced, came;
  std::deque<std::string> expected;
  for (const v1::ReadResponse& message : consumer->messages()) {
    if (message.has_step()) {
      EXPECT_TRUE(expected.empty());
      for (const std::string& digest : message.step().batch_digests()) {
        announced.Append(audit::LeafHash(digest));
        expected.push_back(digest);
      }
      EXPECT_TRUE(audit::VerifyReceipt(message.step().receipt(), audit::TestLogVerifier()).ok());
      v1::AuditEnvelope envelope;
      ASSERT_TRUE(envelope.ParseFromString(message.step().receipt().envelope()));
      EXPECT_EQ(envelope.digest(), AsBytes(announced.Root()));
      EXPECT_EQ(envelope.batches(), static_cast<int64_t>(announced.size()));
    }
    if (message.payload().empty()) continue;
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(expected.front(), AsBytes(Sha256(message.payload())));
    EXPECT_EQ(message.batch(), static_cast<int64_t>(came.size()));
    came.Append(audit::LeafHash(expected.front()));
    expected.pop_front();
  }
}

TEST(ReadTest, NothingLeavesBeforeItsRecordIsDurable) {
  ReadWorld world(SmallSteps());
  world.source.rows = 5000;
  world.log->Hold();
  const auto consumer = world.Read(ReadWorld::Request());
  world.log->PassOne();  // OPENED
  ASSERT_TRUE(consumer->AwaitMessages(1));
  EXPECT_TRUE(consumer->messages()[0].has_opening());
  EXPECT_EQ(world.file_log->size(), 1u);
  EXPECT_EQ(consumer->messages().size(), 1u);
  world.log->PassOne();  // PROGRESS
  ASSERT_TRUE(consumer->AwaitMessages(3));
  world.log->PassOne();  // PROGRESS, of what is left
  ASSERT_TRUE(consumer->AwaitMessages(4));
  EXPECT_EQ(consumer->rows(), 5000);
  EXPECT_EQ(consumer->finishes(), 0);
  world.log->PassOne();  // CLOSED
  EXPECT_TRUE(consumer->AwaitEnd().ok());
}

TEST(ReadTest, WhatTheLastProgressSaysIsNeverLessThanWhatLeft) {
  ReadWorld world(SmallSteps());
  world.source.rows = 20'000;
  auto consumer = std::make_shared<Consumer>(true);
  int64_t rows = 0, bytes = 0, batches = 0, checked = 0;
  consumer->on_write = [&](const v1::ReadResponse& message) {
    if (message.payload().empty()) return;
    rows += message.rows();
    bytes += message.payload().size();
    ++batches;
    // What a crash at this moment would leave in the log.
    const v1::AuditEnvelope latest = world.Last().envelope;
    ASSERT_EQ(latest.kind(), v1::RECORD_KIND_PROGRESS);
    EXPECT_GE(latest.count(), rows);
    EXPECT_GE(latest.payload_bytes(), bytes);
    EXPECT_GE(latest.batches(), batches);
    EXPECT_LE(latest.count() - rows, 2 * kBatchRows) << "more than one step is unknown";
    ++checked;
  };
  world.ReadInto(ReadWorld::Request(), consumer);
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  EXPECT_EQ(rows, 20'000);
  EXPECT_GT(checked, 8);
}

TEST(ReadTest, TheQuotaCutsAStreamAtItsLastRow) {
  ReadWorld world;
  world.grant.mutable_quota()->set_rows_per_day(3000);
  world.Publish();
  world.source.rows = 10'000;
  const auto consumer = world.Read(ReadWorld::Request());
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_QUOTA_EXCEEDED);
  EXPECT_EQ(consumer->payload(), JsonLines(3000));
  world.AwaitIdle();
  EXPECT_EQ(world.Last().envelope.reason(), v1::REASON_QUOTA_EXCEEDED);
  EXPECT_EQ(world.quotas.Left(world.grant, world.clock.Now()).rows_today(), 0);
  const auto next = world.Read(ReadWorld::Request());
  EXPECT_EQ(ReasonOf(next->AwaitEnd()), v1::REASON_QUOTA_EXCEEDED);
  world.AwaitIdle();
  EXPECT_EQ(world.Last().envelope.kind(), v1::RECORD_KIND_DENIED);
}

TEST(ReadTest, ExactlyAsManyRowsAsTheQuotaHasLeftIsNoCut) {
  ReadWorld world;
  world.grant.mutable_quota()->set_rows_per_day(3000);
  world.Publish();
  world.source.rows = 3000;
  EXPECT_TRUE(world.Read(ReadWorld::Request())->AwaitEnd().ok());
}

TEST(ReadTest, RowsThatDidNotLeaveAreGivenBack) {
  ReadWorld world(SmallSteps());
  world.grant.mutable_quota()->set_rows_total(100'000);
  world.Publish();
  world.source.rows = 50'000;
  const auto consumer = world.Read(ReadWorld::Request(), /*eager=*/false);
  consumer->Take();
  ASSERT_TRUE(consumer->AwaitMessages(2));
  world.cancel();
  consumer->TakeAll();
  EXPECT_FALSE(consumer->AwaitEnd().ok());
  world.AwaitIdle();
  EXPECT_EQ(world.quotas.Left(world.grant, world.clock.Now()).rows_total(),
            100'000 - consumer->rows());
}

TEST(ReadTest, AGrantOfPagesAloneAllowsNoStream) {
  ReadWorld world;
  world.grant.clear_modes();
  world.grant.add_modes(v1::MODE_QUERY);
  world.Publish();
  const auto consumer = world.Read(ReadWorld::Request());
  EXPECT_EQ(ReasonOf(consumer->AwaitEnd()), v1::REASON_MODE_NOT_GRANTED);
  EXPECT_THAT(world.Kinds(), ElementsAre(v1::RECORD_KIND_DENIED));
  EXPECT_EQ(world.source.nexts, 0);
}

TEST(ReadTest, AnUnknownMediaTypeIsRefused) {
  ReadWorld world;
  v1::ReadRequest request = ReadWorld::Request();
  request.set_media_type("application/xml");
  EXPECT_EQ(ReasonOf(world.Read(request)->AwaitEnd()), v1::REASON_REQUEST_INVALID);
}

TEST(ReadTest, CsvHasItsHeaderOnce) {
  ReadWorld world;
  world.source.rows = 5000;
  v1::ReadRequest request = ReadWorld::Request();
  request.set_media_type("text/csv");
  request.add_fields("name");
  request.add_fields("number");
  const auto consumer = world.Read(request);
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  const std::vector<std::string> lines = absl::StrSplit(consumer->payload(), "\r\n");
  ASSERT_EQ(lines.size(), 5002u);  // header, rows, nothing behind the last
  EXPECT_EQ(lines[0], "name,number");
  EXPECT_EQ(lines[5000], "Name 4999,4999");
}

TEST(ReadTest, NoRowIsAnAnswerToo) {
  ReadWorld world;
  const auto json = world.Read(ReadWorld::Request());
  ASSERT_TRUE(json->AwaitEnd().ok());
  EXPECT_EQ(json->messages().size(), 2u);
  EXPECT_EQ(json->messages()[1].closing().digest(), AsBytes(audit::EmptyRoot()));
  v1::ReadRequest request = ReadWorld::Request();
  request.set_media_type("text/csv");
  const auto csv = world.Read(request);
  ASSERT_TRUE(csv->AwaitEnd().ok());
  EXPECT_EQ(csv->payload(), "number,name,person\r\n");
}

TEST(ReadTest, BatchesEndWhereTheRowsSayNotWhereTheSourceDoes) {
  std::set<std::vector<int64_t>> lengths;
  for (const int64_t batch_rows : {7, 1000, 16'384}) {
    ReadWorld world;
    world.source.rows = 12'345;
    world.source.batch_rows = batch_rows;
    const auto consumer = world.Read(ReadWorld::Request());
    ASSERT_TRUE(consumer->AwaitEnd().ok());
    lengths.insert(Lengths(consumer->messages()));
  }
  EXPECT_EQ(lengths.size(), 1u);
  EXPECT_EQ(lengths.begin()->size(), 7u);
}

TEST(ReadTest, FilterAndMasksAreThoseOfAQuery) {
  ReadWorld world;
  v1::GrantedField& name = *world.grant.mutable_fields(1);
  name.mutable_mask()->set_kind(v1::MASK_KIND_PARTIAL);
  name.mutable_mask()->set_first(1);
  world.grant.set_row_filter("number < 50");
  world.Publish();
  world.source.rows = 1000;
  v1::QueryRequest query;
  query.set_dataset("public-security/persons");
  query.set_purpose("relief");
  query.set_filter("number >= 40");
  const auto page = world.Query(query);
  ASSERT_TRUE(page.ok()) << page.status();
  const auto rows = records::DecodeRowBatch(page->payload());
  ASSERT_TRUE(rows.ok());
  std::string expected;
  records::AppendJsonLines(*rows, expected);
  v1::ReadRequest request = ReadWorld::Request();
  request.set_filter("number >= 40");
  const auto consumer = world.Read(request);
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  EXPECT_EQ(consumer->payload(), expected);
  EXPECT_EQ(consumer->rows(), 10);
  EXPECT_THAT(consumer->payload(), HasSubstr("\"name\":\"N******\""));
}

TEST(ReadTest, WhereTheKeyIsHiddenRowsComeInNoOrderAndAreFew) {
  ReadWorld::Options options;
  options.broker.unordered_rows = 4096;
  ReadWorld world(options);
  world.grant.mutable_fields()->DeleteSubrange(0, 1);  // the key
  world.Publish();
  world.source.rows = 3000;
  const auto consumer = world.Read(ReadWorld::Request());
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  std::vector<std::string> lines = absl::StrSplit(consumer->payload(), '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 3000u);
  EXPECT_FALSE(consumer->messages()[0].opening().applied().ordered());
  EXPECT_THAT(lines[0], testing::Not(HasSubstr("\"Name 0\"")));
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), 3000u);

  world.source.rows = 5000;
  const auto more = world.Read(ReadWorld::Request());
  EXPECT_EQ(ReasonOf(more->AwaitEnd()), v1::REASON_ORDER_NOT_GRANTED);
  EXPECT_TRUE(more->messages().empty());
}

TEST(ReadTest, ProgressListsEverySubjectOfItsStep) {
  ReadWorld world(SmallSteps());
  world.source.rows = 9000;
  ASSERT_TRUE(world.Read(ReadWorld::Request())->AwaitEnd().ok());
  world.AwaitIdle();
  std::set<std::string> listed;
  for (const LoggedRecord& record : world.Records()) {
    if (record.envelope.kind() != v1::RECORD_KIND_PROGRESS) continue;
    EXPECT_EQ(record.envelope.subjects_released(), v1::SUBJECT_SCOPE_LISTED);
    for (const auto& subject : record.detail.released()) listed.insert(subject.pseudonym());
  }
  std::set<std::string> expected;
  for (int64_t i = 0; i < 9000; ++i)
    expected.insert(
        world.pseudonyms.ForSubject("CN-RID", PersonOf(i), world.clock.Now()).pseudonym());
  EXPECT_EQ(listed, expected);
  EXPECT_EQ(world.Records()[0].envelope.subjects_asked(), v1::SUBJECT_SCOPE_POPULATION);
}

TEST(ReadTest, ARepeatIsLinkedToTheFirstAndCounts) {
  ReadWorld world;
  world.grant.mutable_quota()->set_rows_total(1000);
  world.Publish();
  world.source.rows = 100;
  v1::ReadRequest request = ReadWorld::Request();
  request.set_request_id("nightly-1");
  ASSERT_TRUE(world.Read(request)->AwaitEnd().ok());
  world.AwaitIdle();
  const size_t before = world.Records().size();
  ASSERT_TRUE(world.Read(request)->AwaitEnd().ok());
  world.AwaitIdle();
  EXPECT_EQ(world.Records()[before].envelope.repeats(), 0);
  EXPECT_EQ(world.quotas.Left(world.grant, world.clock.Now()).rows_total(), 800);
  request.set_filter("number = 1");
  EXPECT_EQ(ReasonOf(world.Read(request)->AwaitEnd()), v1::REASON_REQUEST_ID_CONFLICT);
}

TEST(ReadTest, OnlySoManyStreamsAreOpenAtOnce) {
  ReadWorld::Options options;
  options.running.streams = 1;
  ReadWorld world(options);
  world.source.rows = 100'000;
  const auto first = world.Read(ReadWorld::Request(), /*eager=*/false);
  const auto second = world.Read(ReadWorld::Request());
  EXPECT_EQ(ReasonOf(second->AwaitEnd()), v1::REASON_OVERLOADED);
  first->TakeAll();
  EXPECT_TRUE(first->AwaitEnd().ok());
  world.AwaitIdle();
  EXPECT_TRUE(world.Read(ReadWorld::Request())->AwaitEnd().ok());
}

}  // namespace
}  // namespace sluice::exchange
