// Streams that are cut and go on: the same bytes, one digest, and parts that name each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/read_messages_testing.h"
#include "gateway/exchange/stream_batches.h"
#include "gateway/records/arrow_writer.h"

namespace sluice::exchange {
namespace {

std::vector<v1::ReadResponse> BatchesOf(const Consumer& consumer) {
  std::vector<v1::ReadResponse> batches;
  for (const v1::ReadResponse& message : consumer.messages())
    if (!message.payload().empty()) batches.push_back(message);
  return batches;
}

std::string TokenOf(const Consumer& consumer, size_t batch) {
  return BatchesOf(consumer).at(batch).resume_token();
}

v1::ReadRequest RequestIn(std::string_view media_type, const std::string& token = "") {
  v1::ReadRequest request = ReadWorld::Request();
  request.set_media_type(std::string(media_type));
  request.set_resume_token(token);
  return request;
}

// What a consumer has of a stream that it may have begun before.
struct Stream {
  std::string bytes;
  v1::StreamClosing closing;
};

Stream Whole(const Consumer& consumer) {
  return {consumer.payload(), consumer.messages().back().closing()};
}

class ReadResumeTest : public testing::TestWithParam<std::string_view> {};

INSTANTIATE_TEST_SUITE_P(InEachFormat, ReadResumeTest,
                         testing::Values(kJsonLinesMediaType, kCsvMediaType,
                                         records::kArrowStreamMediaType),
                         [](const auto& info) {
                           return std::string(info.param.substr(info.param.size() - 3)) == "csv"
                                      ? "Csv"
                                  : info.param == kJsonLinesMediaType ? "JsonLines"
                                                                      : "Arrow";
                         });

TEST_P(ReadResumeTest, BehindAnyBatchTheRestIsTheSame) {
  ReadWorld world(SmallSteps());
  world.source.rows = 20'000;
  const auto uncut = world.Read(RequestIn(GetParam()));
  ASSERT_TRUE(uncut->AwaitEnd().ok());
  const Stream expected = Whole(*uncut);
  const auto batches = BatchesOf(*uncut);
  ASSERT_GE(batches.size(), 4u);
  std::string before;
  int64_t rows_before = 0;
  for (size_t i = 0; i < batches.size(); ++i) {
    before += batches[i].payload();
    rows_before += batches[i].rows();
    // In other portions than before.
    world.source.batch_rows = 700 + static_cast<int64_t>(i);
    const auto rest = world.Read(RequestIn(GetParam(), batches[i].resume_token()));
    ASSERT_TRUE(rest->AwaitEnd().ok());
    EXPECT_EQ(before + rest->payload(), expected.bytes) << i;
    const v1::StreamClosing closing = Whole(*rest).closing;
    EXPECT_EQ(closing.digest(), expected.closing.digest());
    EXPECT_EQ(closing.rows(), 20'000);
    EXPECT_EQ(closing.payload_bytes(), static_cast<int64_t>(expected.bytes.size()));
    const v1::StreamStart start = rest->messages().front().opening().continues();
    EXPECT_EQ(start.first(), 0);
    EXPECT_EQ(start.batches(), static_cast<int64_t>(i) + 1);
    EXPECT_EQ(start.rows(), rows_before);
    EXPECT_EQ(start.payload_bytes(), static_cast<int64_t>(before.size()));
    // Its records count its own rows, and the root is over all.
    const v1::AuditEnvelope closed = world.Last().envelope;
    EXPECT_EQ(closed.count(), 20'000 - rows_before);
    EXPECT_EQ(closed.batches(), static_cast<int64_t>(batches.size() - i) - 1);
    EXPECT_EQ(closed.digest(), closing.digest());
    EXPECT_EQ(closed.continues().batches(), start.batches());
  }
}

TEST_P(ReadResumeTest, CutAfterEachBatchOneAfterTheOther) {
  ReadWorld world(SmallSteps());
  world.source.rows = 15'000;
  const auto uncut = world.Read(RequestIn(GetParam()));
  ASSERT_TRUE(uncut->AwaitEnd().ok());
  const Stream expected = Whole(*uncut);
  const size_t batches = BatchesOf(*uncut).size();

  std::string came, token;
  int64_t previous = -1, first = -1;
  for (size_t part = 0; part < batches; ++part) {
    const auto consumer = world.Read(RequestIn(GetParam(), token), /*eager=*/false);
    consumer->Take();  // the opening
    ASSERT_TRUE(consumer->AwaitMessages(2));
    const auto messages = consumer->messages();
    EXPECT_EQ(messages[1].batch(), static_cast<int64_t>(part));
    const v1::StreamOpening& opening = messages[0].opening();
    if (part == 0) first = opening.receipt().index();
    EXPECT_EQ(opening.has_continues(), part > 0);
    if (part > 0) {
      EXPECT_EQ(opening.continues().first(), first);
      EXPECT_EQ(opening.continues().previous(), previous);
    }
    previous = opening.receipt().index();
    came += messages[1].payload();
    token = messages[1].resume_token();
    // Behind the last batch the stream ends, whether the consumer hears of it or not; here it has
    // ended before the consumer goes.
    if (part + 1 == batches)
      while (world.Last().envelope.kind() != v1::RECORD_KIND_CLOSED) std::this_thread::yield();
    consumer->Vanish();
    EXPECT_EQ(consumer->AwaitEnd().ok(), part + 1 == batches);
    world.AwaitIdle();
  }
  EXPECT_EQ(came, expected.bytes);
  // Only the closing is missing.
  const auto last = world.Read(RequestIn(GetParam(), token));
  ASSERT_TRUE(last->AwaitEnd().ok());
  EXPECT_EQ(last->payload(), "");
  EXPECT_EQ(Whole(*last).closing.digest(), expected.closing.digest());
}

TEST(ReadResume, BehindTheLastBatchTheSourceIsAskedForNothing) {
  ReadWorld world(SmallSteps());
  world.source.rows = 5000;
  const auto uncut = world.Read(ReadWorld::Request());
  ASSERT_TRUE(uncut->AwaitEnd().ok());
  const auto batches = BatchesOf(*uncut);
  const int nexts = world.source.nexts;
  world.source.rows = 6000;
  v1::ReadRequest request = ReadWorld::Request();
  request.set_resume_token(batches.back().resume_token());
  const auto rest = world.Read(request);
  ASSERT_TRUE(rest->AwaitEnd().ok());
  EXPECT_EQ(world.source.nexts, nexts);
  EXPECT_EQ(rest->messages().back().closing().rows(), 5000);
}

TEST(ReadResume, AfterARestartOfTheGateway) {
  std::string token, before, all;
  {
    ReadWorld world(SmallSteps());
    world.source.rows = 9000;
    const auto uncut = world.Read(ReadWorld::Request());
    ASSERT_TRUE(uncut->AwaitEnd().ok());
    all = uncut->payload();
    before = BatchesOf(*uncut)[0].payload();
    token = TokenOf(*uncut, 0);
  }
  ReadWorld world(SmallSteps());
  world.source.rows = 9000;
  v1::ReadRequest request = ReadWorld::Request();
  request.set_resume_token(token);
  const auto rest = world.Read(request);
  ASSERT_TRUE(rest->AwaitEnd().ok());
  EXPECT_EQ(before + rest->payload(), all);
}

class ReadResumeRefusals : public testing::Test {
 protected:
  ReadResumeRefusals() {
    world_.source.rows = 5000;
    const auto uncut = world_.Read(ReadWorld::Request());
    EXPECT_TRUE(uncut->AwaitEnd().ok());
    request_ = ReadWorld::Request();
    request_.set_resume_token(TokenOf(*uncut, 0));
    released_ = world_.Records().size();
  }
  v1::Reason Reason() {
    const auto rest = world_.Read(request_);
    const absl::Status status = rest->AwaitEnd();
    EXPECT_TRUE(rest->payload().empty());
    return ReasonOf(status);
  }

  ReadWorld world_{SmallSteps()};
  v1::ReadRequest request_;
  size_t released_ = 0;
};

TEST_F(ReadResumeRefusals, AnotherRequestGrantOrKindOfToken) {
  const v1::ReadRequest good = request_;
  request_.add_fields("name");
  EXPECT_EQ(Reason(), v1::REASON_RESUME_TOKEN_INVALID);
  request_ = good;
  request_.set_media_type(std::string(kCsvMediaType));
  EXPECT_EQ(Reason(), v1::REASON_RESUME_TOKEN_INVALID);
  request_ = good;
  request_.mutable_resume_token()->back() = '!';
  EXPECT_EQ(Reason(), v1::REASON_RESUME_TOKEN_INVALID);
  v1::QueryRequest page;
  page.set_dataset(good.dataset());
  page.set_purpose("relief");
  page.set_page_size(10);
  const auto answer = world_.Query(page);
  ASSERT_TRUE(answer.ok());
  request_.set_resume_token(answer->next_page_token());
  EXPECT_EQ(Reason(), v1::REASON_RESUME_TOKEN_INVALID);
  // And the other way round.
  page.set_page_token(good.resume_token());
  EXPECT_EQ(ReasonOf(world_.Query(page).status()), v1::REASON_PAGE_TOKEN_INVALID);
  request_ = good;
  EXPECT_TRUE(world_.Read(request_)->AwaitEnd().ok());
  world_.grant.set_revision(2);
  world_.Publish();
  EXPECT_EQ(Reason(), v1::REASON_RESUME_TOKEN_INVALID);
  EXPECT_EQ(world_.Last().envelope.kind(), v1::RECORD_KIND_DENIED);
}

TEST_F(ReadResumeRefusals, AnHourLater) {
  world_.clock.Advance(kHour + kSecond);
  EXPECT_EQ(Reason(), v1::REASON_RESUME_TOKEN_EXPIRED);
}

TEST_F(ReadResumeRefusals, AChangedSource) {
  world_.source.version = 8;
  EXPECT_EQ(Reason(), v1::REASON_SOURCE_CHANGED);
  EXPECT_EQ(world_.Last().envelope.kind(), v1::RECORD_KIND_FAILED);
}

TEST(ReadResume, WhereTheGrantHidesTheKeyThereIsNoToken) {
  ReadWorld world;
  world.source.rows = 3000;
  world.grant.mutable_fields()->DeleteSubrange(0, 1);
  world.Publish();
  const auto consumer = world.Read(ReadWorld::Request());
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  EXPECT_FALSE(consumer->messages()[0].opening().applied().ordered());
  for (const v1::ReadResponse& message : consumer->messages())
    EXPECT_EQ(message.resume_token(), "");
}

TEST(ReadResume, ATokenShowsNothingOfTheKey) {
  ReadWorld world(SmallSteps());
  world.source.rows = 5000;
  const auto consumer = world.Read(ReadWorld::Request());
  ASSERT_TRUE(consumer->AwaitEnd().ok());
  // As long whatever the key's value is, and never the same twice.
  const auto batches = BatchesOf(*consumer);
  v1::ReadRequest request = ReadWorld::Request();
  const auto again = world.Read(request);
  ASSERT_TRUE(again->AwaitEnd().ok());
  EXPECT_NE(TokenOf(*again, 0), batches[0].resume_token());
  EXPECT_LT(batches[0].resume_token().size(), 1000u);
}

TEST(ReadResume, OneRequestIdServesAnyNumberOfPartsAndRowsCountOnce) {
  ReadWorld world(SmallSteps());
  world.source.rows = 5000;
  world.grant.mutable_quota()->set_rows_per_day(5001);
  world.Publish();
  v1::ReadRequest request = ReadWorld::Request();
  request.set_request_id("nightly");
  const auto uncut = world.Read(request);
  ASSERT_TRUE(uncut->AwaitEnd().ok());
  request.set_resume_token(BatchesOf(*uncut).back().resume_token());
  for (int part = 0; part < 15; ++part) {
    const auto rest = world.Read(request);
    ASSERT_TRUE(rest->AwaitEnd().ok());
    EXPECT_EQ(rest->messages().front().opening().request_id(), "nightly");
    world.AwaitIdle();
  }
  EXPECT_EQ(world.quotas.Left(world.grant, world.clock.Now()).rows_today(), 1);
}

TEST(ReadResume, APartThatIsCutSaysWhatStoodBefore) {
  ReadWorld world(SmallSteps());
  world.source.rows = 9000;
  const auto uncut = world.Read(ReadWorld::Request());
  ASSERT_TRUE(uncut->AwaitEnd().ok());
  v1::ReadRequest request = ReadWorld::Request();
  request.set_resume_token(TokenOf(*uncut, 1));
  world.source.fails_at = 3;
  const auto rest = world.Read(request);
  EXPECT_EQ(ReasonOf(rest->AwaitEnd()), v1::REASON_SOURCE_UNAVAILABLE);
  const v1::AuditEnvelope closed = world.Last().envelope;
  EXPECT_EQ(closed.kind(), v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(closed.continues().batches(), 2);
  EXPECT_EQ(closed.count(), rest->rows());
}

}  // namespace
}  // namespace sluice::exchange
