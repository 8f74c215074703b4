// Messages as the bytes that gRPC sends, with a large field that is not copied into them.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "gateway/base/pieces.h"

namespace sluice::rpc {

grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message);
// The message, and after all else a field of type bytes. What it borrows is kept alive until gRPC
// lets it go, on whatever thread that is; small pieces are copied together.
grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message, int field,
                          const Pieces& bytes);
// REQUEST_INVALID where the bytes are no such message.
absl::Status FromBuffer(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message);

}  // namespace sluice::rpc
