// One call to an adapter process, waited for with patience: a person, a deadline or a process that
// hangs ends the wait, and the process is told. Blocking; one thread at a time, but for Cancel.
//
// Messages come as bytes and are parsed here: gRPC's own streams take one that cannot be parsed for
// the end of all.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>

#include "adapters/remote/patience.h"
#include "sluice/v1/adapter.pb.h"

namespace sluice::adapters::remote {

inline constexpr char kDescribe[] = "/sluice.v1.Adapter/Describe";
inline constexpr char kProbe[] = "/sluice.v1.Adapter/Probe";
inline constexpr char kScan[] = "/sluice.v1.Adapter/Scan";

// How a call ended.
struct Ending {
  // CANCELLED, DEADLINE_EXCEEDED or SOURCE_UNAVAILABLE where we gave it up; OK otherwise.
  absl::Status given_up;
  grpc::Status status;      // gRPC's
  bool unreadable = false;  // a message was none
};

// One answer.
Ending CallOnce(const std::shared_ptr<grpc::Channel>& channel, const char* method,
                const google::protobuf::MessageLite& request,
                google::protobuf::MessageLite& response, const CallContext& context,
                const Patience& patience);

// A scan that runs.
class ScanCall {
 public:
  ScanCall(std::shared_ptr<grpc::Channel> channel, const v1::ScanRequest& request,
           const CallContext& context);
  // Gives it up where it has not ended.
  ~ScanCall();
  ScanCall(const ScanCall&) = delete;
  ScanCall& operator=(const ScanCall&) = delete;

  // The next message, or false and how the call ended. Not again behind its end.
  bool Read(v1::ScanResponse& message, const Patience& patience, Ending& ending);
  // Any thread.
  void Cancel() { context_.TryCancel(); }

 private:
  // Sends the request. False where the call is over already.
  bool Start(const Patience& patience, Ending& ending);

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::ByteBuffer request_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace sluice::adapters::remote
