// Audit: reading the log. Its methods may block and run on the control pool.
#include "gateway/base/error.h"
#include "gateway/rpc/services.h"
#include "gateway/rpc/stream.h"
#include "gateway/rpc/wire.h"
#include "sluice/v1/audit.grpc.pb.h"

namespace sluice::rpc {
namespace {

// The way to one reader. Refusals are recorded before they are told.
template <class Base, class Message>
class LogStreamWriter : public Base {
 public:
  LogStreamWriter(const ServiceParts& parts, exchange::Call call,
                  std::shared_ptr<ServerStream::Writer> writer)
      : writer_(std::move(writer)), parts_(parts), call_(std::move(call)) {}
  void Write(Message message, std::function<void(bool)> taken) override {
    writer_->Write(ToBuffer(message), std::move(taken));
  }
  void Finish(absl::Status status) override {
    Answer(parts_, call_, status, nullptr,
           [writer = writer_](const absl::Status& told, google::protobuf::Message*) {
             writer->Finish(told, std::nullopt);
           });
  }

 protected:
  const std::shared_ptr<ServerStream::Writer> writer_;

 private:
  const ServiceParts& parts_;
  const exchange::Call call_;
};

class TailStreamWriter
    : public LogStreamWriter<exchange::TailWriter, const google::protobuf::Message&> {
 public:
  using LogStreamWriter::LogStreamWriter;
  void Abort() override { writer_->Abort(); }
};

using ReportStreamWriter = LogStreamWriter<exchange::ReportWriter, v1::ReportResponse>;

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
using RawStreams = v1::Audit::WithRawCallbackMethod_Tail<
    v1::Audit::WithRawCallbackMethod_Report<v1::Audit::WithRawCallbackMethod_Export<
        v1::Audit::WithRawCallbackMethod_CopyEntries<v1::Audit::Service>>>>;
using CallbackMethods =
    v1::Audit::WithCallbackMethod_ListRecords<v1::Audit::WithCallbackMethod_GetRecord<
        v1::Audit::WithCallbackMethod_ProveRecord<v1::Audit::WithCallbackMethod_GetHead<
            v1::Audit::WithCallbackMethod_ReportSharing<v1::Audit::WithCallbackMethod_RebuildIndex<
                v1::Audit::WithCallbackMethod_OpenSubjectKey<RawStreams>>>>>>>;

class AuditService : public CallbackMethods {
 public:
  AuditService(const ServiceParts& parts, exchange::LogReading& reading,
               exchange::LogReports& reports, exchange::SharingReports& sharing_reports)
      : parts_(parts), reading_(reading), reports_(reports), sharing_reports_(sharing_reports) {}
  SLUICE_READ_LOG(ListRecords)
  SLUICE_READ_LOG(GetRecord)
  SLUICE_READ_LOG(ProveRecord)
  SLUICE_READ_LOG(RebuildIndex)
  SLUICE_READ_LOG(OpenSubjectKey)

  grpc::ServerUnaryReactor* GetHead(grpc::CallbackServerContext* context,
                                    const v1::GetHeadRequest* request,
                                    v1::GetHeadResponse* response) override {
    return ServeBlocking(parts_, *context, *request, response, "Audit.GetHead",
                         [this](const exchange::Call&, v1::GetHeadRequest,
                                std::function<void(absl::StatusOr<v1::GetHeadResponse>)> done) {
                           done(reading_.GetHead());
                         });
  }

  grpc::ServerUnaryReactor* ReportSharing(grpc::CallbackServerContext* context,
                                          const v1::ReportSharingRequest* request,
                                          v1::ReportSharingResponse* response) override {
    return ServeBlocking(parts_, *context, *request, response, "Audit.ReportSharing",
                         [this](const exchange::Call& call, v1::ReportSharingRequest body,
                                exchange::SharingReports::Done done) {
                           sharing_reports_.ReportSharing(call, std::move(body), std::move(done));
                         });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Tail(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* bytes) override {
    return Stream<v1::TailRequest>(
        context, *bytes, "Audit.Tail",
        [this](const exchange::Call& call, v1::TailRequest request, const Writer& writer) {
          const Reader reader = MakeReader(call, writer);
          return Streaming{[this, reader, call, request = std::move(request)] {
                             reading_.Tail(reader, call, request);
                           },
                           [this, reader] { reading_.tail().GiveUp(reader); }};
        });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Export(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* bytes) override {
    return Stream<v1::ExportRequest>(
        context, *bytes, "Audit.Export",
        [this](const exchange::Call& call, v1::ExportRequest request, const Writer& writer) {
          const Reader reader = MakeReader(call, writer);
          return Streaming{[this, reader, call, request = std::move(request)] {
                             reading_.Export(reader, call, request);
                           },
                           [this, reader] { reading_.tail().GiveUp(reader); }};
        });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* CopyEntries(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* bytes) override {
    return Stream<v1::CopyEntriesRequest>(
        context, *bytes, "Audit.CopyEntries",
        [this](const exchange::Call& call, v1::CopyEntriesRequest request, const Writer& writer) {
          const Reader reader = MakeReader(call, writer);
          return Streaming{[this, reader, call, request = std::move(request)] {
                             reading_.CopyEntries(reader, call, request);
                           },
                           [this, reader] { reading_.tail().GiveUp(reader); }};
        });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Report(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* bytes) override {
    return Stream<v1::ReportRequest>(
        context, *bytes, "Audit.Report",
        [this](const exchange::Call& call, v1::ReportRequest request, const Writer& writer) {
          const auto asked = exchange::LogReports::Ask(
              call, std::move(request), std::make_shared<ReportStreamWriter>(parts_, call, writer));
          return Streaming{[this, asked] { reports_.Begin(asked); },
                           [asked] { exchange::LogReports::GiveUp(*asked); }};
        });
  }

 private:
  using Writer = std::shared_ptr<ServerStream::Writer>;
  using Reader = std::shared_ptr<exchange::LogTail::Follower>;
  // What a pool thread does, and what is done when the caller goes away.
  struct Streaming {
    std::function<void()> work, give_up;
  };

  Reader MakeReader(const exchange::Call& call, const Writer& writer) {
    return exchange::LogTail::MakeFollower(
        call, std::make_shared<TailStreamWriter>(parts_, call, writer));
  }

  template <class Request, class Prepare>
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Stream(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer& bytes,
                                                     std::string_view method,
                                                     const Prepare& prepare) {
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
      if (absl::Status status = FromBuffer(bytes, request); !status.ok()) {
        writer->Finish(std::move(status), std::nullopt);
        return nullptr;
      }
      Streaming streaming = prepare(*call, std::move(request), writer);
      if (!parts_.control.TrySubmit(std::move(streaming.work))) {
        writer->Finish(Error(v1::REASON_OVERLOADED, "too many calls of this kind are waiting."),
                       std::nullopt);
        return nullptr;
      }
      return std::move(streaming.give_up);
    });
  }

  const ServiceParts& parts_;
  exchange::LogReading& reading_;
  exchange::LogReports& reports_;
  exchange::SharingReports& sharing_reports_;
};

#undef SLUICE_READ_LOG

}  // namespace

std::unique_ptr<grpc::Service> MakeAuditService(const ServiceParts& parts,
                                                exchange::LogReading& reading,
                                                exchange::LogReports& reports,
                                                exchange::SharingReports& sharing_reports) {
  return std::make_unique<AuditService>(parts, reading, reports, sharing_reports);
}

}  // namespace sluice::rpc
