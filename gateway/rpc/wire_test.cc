#include "gateway/rpc/wire.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::rpc {
namespace {

// A payload whose owner tells when it goes.
Pieces Payload(const std::vector<size_t>& sizes, bool* gone) {
  struct Kept {
    std::vector<std::string> texts;
    bool* gone;
    ~Kept() { *gone = true; }
  };
  auto kept = std::make_shared<Kept>();
  kept->gone = gone;
  for (size_t i = 0; i < sizes.size(); ++i)
    kept->texts.emplace_back(sizes[i], static_cast<char>('a' + i % 26));
  std::vector<std::string_view> pieces(kept->texts.begin(), kept->texts.end());
  return Pieces(std::move(pieces), std::move(kept));
}

TEST(WireTest, AMessageWithAPayloadIsWhatProtobufWouldWrite) {
  for (const std::vector<size_t>& sizes :
       {std::vector<size_t>{}, {1}, {100'000}, {8, 8, 5000, 3, 1 << 20, 7}, {4000, 1, 1, 4000}}) {
    bool gone = false;
    v1::ReadResponse head;
    head.set_batch(7);
    head.set_resume_token("a token");
    v1::ReadResponse expected = head;
    grpc::ByteBuffer buffer;
    {
      const Pieces payload = Payload(sizes, &gone);
      expected.set_payload(payload.Joined());
      buffer = ToBuffer(head, v1::ReadResponse::kPayloadFieldNumber, payload);
    }
    EXPECT_EQ(buffer.Length(), expected.ByteSizeLong());
    v1::ReadResponse read;
    ASSERT_TRUE(FromBuffer(buffer, read).ok());
    EXPECT_EQ(read.SerializeAsString(), expected.SerializeAsString());
    buffer.Clear();
    EXPECT_TRUE(gone);
  }
}

TEST(WireTest, LargePiecesAreNotCopiedAndLiveAsLongAsTheBuffer) {
  bool gone = false;
  Pieces payload = Payload({64, 1 << 20}, &gone);
  const char* const large = payload.pieces()[1].data();
  grpc::ByteBuffer buffer =
      ToBuffer(v1::ReadResponse(), v1::ReadResponse::kPayloadFieldNumber, payload);
  payload = Pieces();
  EXPECT_FALSE(gone);
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(buffer.Dump(&slices).ok());
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(static_cast<const void*>(slices[1].begin()), large);
  slices.clear();
  buffer.Clear();
  EXPECT_TRUE(gone);
}

TEST(WireTest, WhatIsNoMessageIsRefused) {
  const grpc::Slice slice("\xFF\xFF", 2);
  v1::ReadRequest request;
  EXPECT_EQ(ReasonOf(FromBuffer(grpc::ByteBuffer(&slice, 1), request)), v1::REASON_REQUEST_INVALID);
}

}  // namespace
}  // namespace sluice::rpc
