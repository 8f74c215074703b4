// Audit: reading the log. Its methods may block and run on the control pool.
#include "gateway/base/error.h"
#include "gateway/rpc/services.h"
#include "gateway/rpc/stream.h"
#include "gateway/rpc/wire.h"
#include "sluice/v1/audit.grpc.pb.h"

namespace sluice::rpc {
namespace {

// A stream's way to one reader. Refusals are recorded before they are told.
class TailStreamWriter : public exchange::TailWriter {
 public:
  TailStreamWriter(const ServiceParts& parts, exchange::Call call,
                   std::shared_ptr<ServerStream::Writer> writer)
      : parts_(parts), call_(std::move(call)), writer_(std::move(writer)) {}
  void Write(const google::protobuf::Message& message, std::function<void(bool)> taken) override {
    writer_->Write(ToBuffer(message), std::move(taken));
  }
  void Finish(absl::Status status) override {
    Answer(parts_, call_, status, nullptr,
           [writer = writer_](const absl::Status& told, google::protobuf::Message*) {
             writer->Finish(told, std::nullopt);
           });
  }
  void Abort() override { writer_->Abort(); }

 private:
  const ServiceParts& parts_;
  const exchange::Call call_;
  const std::shared_ptr<ServerStream::Writer> writer_;
};

#define SLUICE_READ_LOG(method)                                                                   \
  grpc::ServerUnaryReactor* method(grpc::CallbackServerContext* context,                          \
                                   const v1::method##Request* request,                            \
                                   v1::method##Response* response) override {                     \
    return ServeBlocking(parts_, *context, *request, response, "Audit." #method,                  \
                         [this](const exchange::Call& call, v1::method##Request body,             \
                                std::function<void(absl::StatusOr<v1::method##Response>)> done) { \
                           reading_.method(call, std::move(body), std::move(done));               \
                         });                                                                      \
  }

// Streams give bytes.
using RawStreams = v1::Audit::WithRawCallbackMethod_Tail<v1::Audit::WithRawCallbackMethod_Export<
    v1::Audit::WithRawCallbackMethod_CopyEntries<v1::Audit::Service>>>;
using CallbackMethods =
    v1::Audit::WithCallbackMethod_ListRecords<v1::Audit::WithCallbackMethod_GetRecord<
        v1::Audit::WithCallbackMethod_ProveRecord<v1::Audit::WithCallbackMethod_GetHead<
            v1::Audit::WithCallbackMethod_RebuildIndex<RawStreams>>>>>;

class AuditService : public CallbackMethods {
 public:
  AuditService(const ServiceParts& parts, exchange::LogReading& reading)
      : parts_(parts), reading_(reading) {}
  SLUICE_READ_LOG(ListRecords)
  SLUICE_READ_LOG(GetRecord)
  SLUICE_READ_LOG(ProveRecord)
  SLUICE_READ_LOG(RebuildIndex)

  grpc::ServerUnaryReactor* GetHead(grpc::CallbackServerContext* context,
                                    const v1::GetHeadRequest* request,
                                    v1::GetHeadResponse* response) override {
    return ServeBlocking(parts_, *context, *request, response, "Audit.GetHead",
                         [this](const exchange::Call&, v1::GetHeadRequest,
                                std::function<void(absl::StatusOr<v1::GetHeadResponse>)> done) {
                           done(reading_.GetHead());
                         });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Tail(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* bytes) override {
    return Stream<v1::TailRequest>(
        context, bytes, "Audit.Tail",
        [this](const Reader& reader, const exchange::Call& call, v1::TailRequest request) {
          reading_.Tail(reader, call, std::move(request));
        });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Export(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* bytes) override {
    return Stream<v1::ExportRequest>(
        context, bytes, "Audit.Export",
        [this](const Reader& reader, const exchange::Call& call, v1::ExportRequest request) {
          reading_.Export(reader, call, std::move(request));
        });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* CopyEntries(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* bytes) override {
    return Stream<v1::CopyEntriesRequest>(context, bytes, "Audit.CopyEntries",
                                          [this](const Reader& reader, const exchange::Call& call,
                                                 const v1::CopyEntriesRequest& request) {
                                            reading_.CopyEntries(reader, call, request);
                                          });
  }

 private:
  using Reader = std::shared_ptr<exchange::LogTail::Follower>;

  // `begin` runs on the control pool.
  template <class Request>
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Stream(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes, std::string_view method,
      std::function<void(const Reader&, const exchange::Call&, Request)> begin) {
    using Writer = std::shared_ptr<ServerStream::Writer>;
    return new ServerStream(context, [&](Writer writer) -> std::function<void()> {
      auto call =
          parts_.authenticator.Identify(*context, method, StreamDeadlineOf(*context, parts_));
      if (!call.ok()) {
        AnswerUnknown(parts_, *context, method, call.status(),
                      [writer](const absl::Status& refused, google::protobuf::Message*) {
                        writer->Finish(refused, std::nullopt);
                      });
        return nullptr;
      }
      Request request;
      if (absl::Status status = FromBuffer(*bytes, request); !status.ok()) {
        writer->Finish(std::move(status), std::nullopt);
        return nullptr;
      }
      const Reader reader = exchange::LogTail::MakeFollower(
          *call, std::make_shared<TailStreamWriter>(parts_, *call, writer));
      const bool taken = parts_.control.TrySubmit(
          [reader, call = *call, begin = std::move(begin), request = std::move(request)]() mutable {
            begin(reader, call, std::move(request));
          });
      if (!taken) {
        writer->Finish(Error(v1::REASON_OVERLOADED, "too many calls of this kind are waiting."),
                       std::nullopt);
        return nullptr;
      }
      return [this, reader] { reading_.tail().GiveUp(reader); };
    });
  }

  const ServiceParts& parts_;
  exchange::LogReading& reading_;
};

#undef SLUICE_READ_LOG

}  // namespace

std::unique_ptr<grpc::Service> MakeAuditService(const ServiceParts& parts,
                                                exchange::LogReading& reading) {
  return std::make_unique<AuditService>(parts, reading);
}

}  // namespace sluice::rpc
