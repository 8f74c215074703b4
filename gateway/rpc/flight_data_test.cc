#include "gateway/rpc/flight_data.h"

#include <gtest/gtest.h>

#include <random>

#include "arrow/flight/Flight.pb.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/records/batch_testing.h"
#include "gateway/rpc/wire.h"

namespace sluice::rpc {
namespace {

using arrow::flight::protocol::FlightData;

class FlightDataTest : public testing::Test {
 protected:
  FlightDataTest() { messages_.Begin(batch_.schema()); }

  // What goes out for a message; nothing where none does.
  std::optional<FlightData> Next(const v1::ReadResponse& head, const Pieces& payload = Pieces()) {
    const auto buffer = messages_.Next(head, payload);
    if (!buffer) return std::nullopt;
    FlightData data;
    EXPECT_TRUE(FromBuffer(*buffer, data).ok());
    return data;
  }
  static v1::ReadResponse Opening(int64_t batches_before) {
    v1::ReadResponse head;
    head.mutable_opening()->set_call_id("call");
    if (batches_before > 0)
      head.mutable_opening()->mutable_continues()->set_batches(batches_before);
    return head;
  }
  static v1::ReadResponse Batch(int64_t number) {
    v1::ReadResponse head;
    head.set_batch(number);
    head.set_resume_token("token");
    return head;
  }
  static v1::ReadResponse HeadOf(const FlightData& data) {
    v1::ReadResponse head;
    EXPECT_TRUE(head.ParseFromString(data.app_metadata()));
    return head;
  }
  // As docs/formats/flight.md says how a client puts it together again.
  static std::string IpcOf(const FlightData& data) {
    const auto length = static_cast<uint32_t>(data.data_header().size());
    std::string ipc(4, '\xff');
    ipc.append(reinterpret_cast<const char*>(&length), sizeof(length));
    return ipc + data.data_header() + data.data_body();
  }
  static Pieces EndMark() {
    std::string mark;
    records::AppendArrowEnd(mark);
    return Pieces(std::move(mark));
  }

  std::mt19937_64 random_{7};
  const records::RecordBatch batch_ = records::RandomBatch(random_, 1000);
  const std::string schema_ = records::EncodeArrowSchema(*batch_.schema());
  FlightMessages messages_;
};

TEST_F(FlightDataTest, TheOpeningGoesWithTheSchemaAndTheEndMarkDoesNotGo) {
  EXPECT_FALSE(Next(Opening(0)));
  const auto schema = Next(Batch(0), Pieces(schema_));
  ASSERT_TRUE(schema);
  EXPECT_EQ(IpcOf(*schema), schema_);
  EXPECT_EQ(HeadOf(*schema).opening().call_id(), "call");
  EXPECT_EQ(HeadOf(*schema).resume_token(), "token");

  records::ArrowMessage message = records::EncodeArrowBatch(batch_);
  std::vector<std::string_view> pieces{message.metadata};
  pieces.insert(pieces.end(), message.body.begin(), message.body.end());
  const Pieces payload(std::move(pieces), nullptr);
  const auto batch = Next(Batch(1), payload);
  ASSERT_TRUE(batch);
  EXPECT_EQ(IpcOf(*batch), payload.Joined());
  EXPECT_EQ(static_cast<int64_t>(batch->data_body().size()), message.body_bytes);
  EXPECT_FALSE(HeadOf(*batch).has_opening());
  EXPECT_EQ(HeadOf(*batch).batch(), 1);

  EXPECT_FALSE(Next(Batch(2), EndMark()));
}

TEST_F(FlightDataTest, AStreamThatGoesOnRepeatsTheSchemaWithItsOpening) {
  const auto schema = Next(Opening(3));
  ASSERT_TRUE(schema);
  EXPECT_EQ(IpcOf(*schema), schema_);
  EXPECT_EQ(HeadOf(*schema).opening().continues().batches(), 3);
}

TEST_F(FlightDataTest, TheTrailerProvesTheEndAndStaysSmall) {
  v1::ReadResponse end = Batch(2);
  end.mutable_step()->add_batch_digests(std::string(32, 'd'));
  end.mutable_step()->mutable_receipt()->set_envelope(std::string(600, 'e'));
  EXPECT_FALSE(Next(end, EndMark()));
  v1::ReadResponse last;
  v1::StreamClosing& closing = *last.mutable_closing();
  closing.set_rows(1000);
  closing.set_digest(std::string(32, 'r'));
  closing.mutable_receipt()->set_envelope(std::string(600, 'e'));
  for (int i = 0; i < 100'000; ++i) closing.add_batch_lengths(1 << 19);

  const std::string text = messages_.Closing(last);
  v1::ReadResponse told;
  ASSERT_TRUE(told.ParseFromString(text));
  EXPECT_EQ(told.batch(), 2);
  EXPECT_EQ(told.step().batch_digests_size(), 1);
  EXPECT_EQ(told.closing().receipt().envelope().size(), 600u);
  EXPECT_EQ(told.closing().digest(), closing.digest());
  EXPECT_EQ(told.closing().batch_lengths_size(), 0);
  EXPECT_TRUE(told.resume_token().empty());

  // Whatever the receipts hold, totals and digest are told.
  for (const size_t size : {5000, 50'000}) {
    FlightMessages messages;
    messages.Next(end, EndMark());
    closing.mutable_receipt()->set_envelope(std::string(size, 'e'));
    const std::string less = messages.Closing(last);
    EXPECT_LT(less.size(), 6000u);
    ASSERT_TRUE(told.ParseFromString(less));
    EXPECT_FALSE(told.has_step());
    EXPECT_EQ(told.closing().has_receipt(), size == 5000);
    EXPECT_EQ(told.closing().digest(), closing.digest());
    EXPECT_EQ(told.closing().rows(), 1000);
  }
}

}  // namespace
}  // namespace sluice::rpc
