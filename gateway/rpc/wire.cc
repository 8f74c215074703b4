#include "gateway/rpc/wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <vector>

#include "gateway/base/error.h"

namespace sluice::rpc {
namespace {

// Below this a slice of its own costs more than a copy.
constexpr size_t kCopiedBelow = 2048;
constexpr uint32_t kLengthDelimited = 2;

grpc::Slice Owned(std::string text) {
  auto* const owned = new std::string(std::move(text));
  return grpc::Slice(
      owned->data(), owned->size(), [](void* text) { delete static_cast<std::string*>(text); },
      owned);
}

grpc::Slice Borrowed(std::string_view piece, const std::shared_ptr<const void>& owner) {
  using Owner = std::shared_ptr<const void>;
  // gRPC only reads it.
  return grpc::Slice(
      const_cast<char*>(piece.data()), piece.size(),
      [](void* owner) { delete static_cast<Owner*>(owner); }, new Owner(owner));
}

}  // namespace

grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message) {
  return ToBuffer(message, 0, Pieces());
}

grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message, int field,
                          const Pieces& bytes) {
  std::string open = message.SerializeAsString();
  if (!bytes.empty()) {
    google::protobuf::io::StringOutputStream stream(&open);
    google::protobuf::io::CodedOutputStream coded(&stream);
    // The stream appends to what is there.
    coded.WriteVarint32(static_cast<uint32_t>(field) << 3 | kLengthDelimited);
    coded.WriteVarint64(bytes.size());
  }
  std::vector<grpc::Slice> slices;
  for (const std::string_view piece : bytes.pieces()) {
    if (piece.size() < kCopiedBelow) {
      open.append(piece);
      continue;
    }
    if (!open.empty()) slices.push_back(Owned(std::exchange(open, std::string())));
    slices.push_back(Borrowed(piece, bytes.owner()));
  }
  if (!open.empty()) slices.push_back(Owned(std::move(open)));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

absl::Status FromBuffer(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message) {
  grpc::ByteBuffer copy(buffer);  // reading takes it apart
  grpc::ProtoBufferReader reader(&copy);
  if (reader.status().ok() && message.ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  return Error(v1::REASON_REQUEST_INVALID, "the request is not the message that the method takes.");
}

}  // namespace sluice::rpc
