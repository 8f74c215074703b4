#include "adapters/remote/call.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <string>
#include <utility>

namespace sluice::adapters::remote {
namespace {

// Stop tokens and clocks of tests are looked at so often.
constexpr auto kLook = std::chrono::milliseconds(20);

// Waits for the one operation that was begun, and says whether it succeeded. Gives the call up once
// patience ends; the operation ends soon after.
bool Await(grpc::CompletionQueue& queue, grpc::ClientContext& context, const Patience& patience,
           absl::Status& given_up) {
  void* tag = nullptr;
  bool ok = false;
  for (;;) {
    const auto got = queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kLook);
    if (got == grpc::CompletionQueue::GOT_EVENT) return ok && given_up.ok();
    if (!given_up.ok()) continue;
    given_up = patience.Check();
    if (!given_up.ok()) context.TryCancel();
  }
}

void SetDeadline(const CallContext& context, grpc::ClientContext& call) {
  if (const auto deadline = DeadlineOf(context)) call.set_deadline(*deadline);
}

grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool Parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  if (!bytes.Valid()) return false;
  grpc::ProtoBufferReader reader(&bytes);
  return reader.status().ok() && message.ParseFromZeroCopyStream(&reader);
}

}  // namespace

Ending CallOnce(const std::shared_ptr<grpc::Channel>& channel, const char* method,
                const google::protobuf::MessageLite& request,
                google::protobuf::MessageLite& response, const CallContext& context,
                const Patience& patience) {
  Ending ending;
  grpc::ClientContext call;
  SetDeadline(context, call);
  grpc::CompletionQueue queue;
  const auto reader =
      grpc::GenericStub(channel).PrepareUnaryCall(&call, method, ToBytes(request), &queue);
  reader->StartCall();
  grpc::ByteBuffer received;
  reader->Finish(&received, &ending.status, nullptr);
  Await(queue, call, patience, ending.given_up);
  queue.Shutdown();
  if (ending.given_up.ok() && ending.status.ok()) ending.unreadable = !Parse(received, response);
  return ending;
}

ScanCall::ScanCall(std::shared_ptr<grpc::Channel> channel, const v1::ScanRequest& request,
                   const CallContext& context)
    : channel_(std::move(channel)), request_(ToBytes(request)) {
  SetDeadline(context, context_);
  stream_ = grpc::GenericStub(channel_).PrepareCall(&context_, kScan, &queue_);
}

ScanCall::~ScanCall() {
  if (started_ && !ended_) {
    context_.TryCancel();
    grpc::Status ignored;
    stream_->Finish(&ignored, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
  }
  queue_.Shutdown();
}

bool ScanCall::Start(const Patience& patience, Ending& ending) {
  started_ = true;
  stream_->StartCall(nullptr);
  if (!Await(queue_, context_, patience, ending.given_up)) return false;
  stream_->WriteLast(request_, grpc::WriteOptions(), nullptr);
  return Await(queue_, context_, patience, ending.given_up);
}

bool ScanCall::Read(v1::ScanResponse& message, const Patience& patience, Ending& ending) {
  if (started_ || Start(patience, ending)) {
    grpc::ByteBuffer received;
    stream_->Read(&received, nullptr);
    if (Await(queue_, context_, patience, ending.given_up)) {
      if (Parse(received, message)) return true;
      ending.unreadable = true;
      context_.TryCancel();
    }
  }
  stream_->Finish(&ending.status, nullptr);
  Await(queue_, context_, patience, ending.given_up);
  ended_ = true;
  return false;
}

}  // namespace sluice::adapters::remote
