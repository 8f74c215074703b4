#include "gateway/base/error.h"
#include "gateway/rpc/services.h"
#include "gateway/rpc/stream.h"
#include "gateway/rpc/wire.h"
#include "sluice/v1/exchange.grpc.pb.h"

namespace sluice::rpc {
namespace {

constexpr int kMostPreviewed = 20;

// The broker's way to one consumer.
class ReadStreamWriter : public exchange::ReadWriter {
 public:
  explicit ReadStreamWriter(std::shared_ptr<ServerStream::Writer> writer)
      : writer_(std::move(writer)) {}
  void Write(v1::ReadResponse message, Pieces payload, std::function<void(bool)> taken) override {
    writer_->Write(ToBuffer(message, v1::ReadResponse::kPayloadFieldNumber, payload),
                   std::move(taken));
  }
  void Finish(absl::Status status, std::optional<v1::ReadResponse> last) override {
    std::optional<grpc::ByteBuffer> buffer;
    if (last) buffer = ToBuffer(*last);
    writer_->Finish(std::move(status), std::move(buffer));
  }
  void Abort() override { writer_->Abort(); }

 private:
  const std::shared_ptr<ServerStream::Writer> writer_;
};

// Read takes and gives bytes.
using Methods = v1::Exchange::WithCallbackMethod_Match<
    v1::Exchange::WithCallbackMethod_Count<v1::Exchange::WithCallbackMethod_Check<
        v1::Exchange::WithCallbackMethod_Preview<v1::Exchange::Service>>>>;
using RawRead =
    v1::Exchange::WithCallbackMethod_Query<v1::Exchange::WithRawCallbackMethod_Read<Methods>>;

class ExchangeService : public RawRead {
 public:
  ExchangeService(const ServiceParts& parts, exchange::Broker& broker,
                  sharing::AccessRequests& requests)
      : parts_(parts), broker_(broker), requests_(requests) {}

  grpc::ServerUnaryReactor* Query(grpc::CallbackServerContext* context,
                                  const v1::QueryRequest* request,
                                  v1::QueryResponse* response) override {
    return Answer(context, request, response, "Exchange.Query", &exchange::Broker::Query);
  }
  grpc::ServerUnaryReactor* Match(grpc::CallbackServerContext* context,
                                  const v1::MatchRequest* request,
                                  v1::MatchResponse* response) override {
    return Answer(context, request, response, "Exchange.Match", &exchange::Broker::Match);
  }
  grpc::ServerUnaryReactor* Count(grpc::CallbackServerContext* context,
                                  const v1::CountRequest* request,
                                  v1::CountResponse* response) override {
    return Answer(context, request, response, "Exchange.Count", &exchange::Broker::Count);
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Read(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* bytes) override {
    using Writer = std::shared_ptr<ServerStream::Writer>;
    return new ServerStream(context, [&](Writer writer) -> std::function<void()> {
      static constexpr std::string_view kMethod = "Exchange.Read";
      auto call =
          parts_.authenticator.Identify(*context, kMethod, StreamDeadlineOf(*context, parts_));
      if (!call.ok()) {
        AnswerUnknown(parts_, *context, kMethod, call.status(),
                      [writer](const absl::Status& refused, google::protobuf::Message*) {
                        writer->Finish(refused, std::nullopt);
                      });
        return nullptr;
      }
      v1::ReadRequest request;
      if (absl::Status status = FromBuffer(*bytes, request); !status.ok()) {
        writer->Finish(std::move(status), std::nullopt);
        return nullptr;
      }
      return broker_.Read(*std::move(call), request,
                          std::make_shared<ReadStreamWriter>(std::move(writer)));
    });
  }

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const v1::CheckRequest* request,
                                  v1::CheckResponse* response) override {
    const auto start = [&](UnaryCall::Finisher done) -> UnaryCall::Canceller {
      static constexpr std::string_view kMethod = "Exchange.Check";
      auto call = parts_.authenticator.Identify(*context, kMethod, DeadlineOf(*context, parts_));
      if (call.ok()) {
        broker_.Check(*std::move(call), *request, Typed<v1::CheckResponse>(std::move(done)));
      } else {
        AnswerUnknown(parts_, *context, kMethod, call.status(), done);
      }
      return nullptr;
    };
    return new UnaryCall(response, MoveMessage<v1::CheckResponse>, start);
  }

  // What would be given is read from the store, which may block.
  grpc::ServerUnaryReactor* Preview(grpc::CallbackServerContext* context,
                                    const v1::PreviewRequest* request,
                                    v1::QueryResponse* response) override {
    return ServeBlocking(
        parts_, *context, *request, response, "Exchange.Preview",
        [this](const exchange::Call& call, const v1::PreviewRequest& body,
               std::function<void(absl::StatusOr<v1::QueryResponse>)> done) {
          if (body.limit() < 0 || body.limit() > kMostPreviewed) {
            absl::Status status = Error(v1::REASON_REQUEST_INVALID, "limit: 1 to 20");
            AddFieldViolation(status, "limit", "1 to 20");
            return done(std::move(status));
          }
          auto proposal = requests_.Propose(ToCaller(call), body.access_request(), body.terms());
          if (!proposal.ok()) return done(proposal.status());
          exchange::Preview preview;
          preview.access_request = body.access_request();
          preview.grant = std::move(proposal->grant);
          if (body.limit() > 0) preview.rows = body.limit();
          broker_.Show(call, std::move(preview), std::move(done));
        });
  }

 private:
  // Not by way of the control pool: the broker's part on this thread takes microseconds.
  template <class Request, class Response>
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const Request* request,
                                   Response* response, std::string_view method,
                                   std::function<void()> (exchange::Broker::*serve)(
                                       exchange::Call, Request,
                                       std::function<void(absl::StatusOr<Response>)>)) {
    const auto start = [&](UnaryCall::Finisher done) -> UnaryCall::Canceller {
      auto call = parts_.authenticator.Identify(*context, method, DeadlineOf(*context, parts_));
      if (!call.ok()) {
        AnswerUnknown(parts_, *context, method, call.status(), done);
        return nullptr;
      }
      // gRPC looks at its request no more, and copying one costs as much as deciding on it.
      return (broker_.*serve)(*std::move(call), std::move(const_cast<Request&>(*request)),
                              Typed<Response>(std::move(done)));
    };
    return new UnaryCall(response, MoveMessage<Response>, start);
  }

  const ServiceParts& parts_;
  exchange::Broker& broker_;
  sharing::AccessRequests& requests_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeExchangeService(const ServiceParts& parts,
                                                   exchange::Broker& broker,
                                                   sharing::AccessRequests& requests) {
  return std::make_unique<ExchangeService>(parts, broker, requests);
}

}  // namespace sluice::rpc
