#include "gateway/base/error.h"
#include "gateway/rpc/services.h"
#include "gateway/rpc/stream.h"
#include "sluice/v1/exchange.grpc.pb.h"

namespace sluice::rpc {
namespace {

using ReadStream = ServerStream<v1::ReadResponse>;

// The broker's way to one consumer.
class ReadStreamWriter : public exchange::ReadWriter {
 public:
  explicit ReadStreamWriter(std::shared_ptr<ReadStream::Writer> writer)
      : writer_(std::move(writer)) {}
  void Write(v1::ReadResponse message, std::function<void(bool)> taken) override {
    writer_->Write(std::move(message), std::move(taken));
  }
  void Finish(absl::Status status, std::optional<v1::ReadResponse> last) override {
    writer_->Finish(std::move(status), std::move(last));
  }
  void Abort() override { writer_->Abort(); }

 private:
  const std::shared_ptr<ReadStream::Writer> writer_;
};

class ExchangeService : public v1::Exchange::CallbackService {
 public:
  ExchangeService(const ServiceParts& parts, exchange::Broker& broker)
      : parts_(parts), broker_(broker) {}

  // Not by way of the control pool: the broker's part on this thread takes microseconds.
  grpc::ServerUnaryReactor* Query(grpc::CallbackServerContext* context,
                                  const v1::QueryRequest* request,
                                  v1::QueryResponse* response) override {
    using Done = exchange::Broker::QueryDone;
    return new UnaryCall<v1::QueryResponse>(response, [&](Done done) -> std::function<void()> {
      static constexpr std::string_view kMethod = "Exchange.Query";
      auto call = parts_.authenticator.Identify(*context, kMethod, DeadlineOf(*context, parts_));
      if (!call.ok()) {
        exchange::Call unknown;
        unknown.method = std::string(kMethod);
        unknown.peer = context->peer();
        Answer<v1::QueryResponse>(parts_, unknown, call.status(), done);
        return nullptr;
      }
      return broker_.Query(*std::move(call), *request, std::move(done));
    });
  }

  grpc::ServerWriteReactor<v1::ReadResponse>* Read(grpc::CallbackServerContext* context,
                                                   const v1::ReadRequest* request) override {
    using Writer = std::shared_ptr<ReadStream::Writer>;
    return new ReadStream(context, [&](Writer writer) -> std::function<void()> {
      static constexpr std::string_view kMethod = "Exchange.Read";
      auto call =
          parts_.authenticator.Identify(*context, kMethod, StreamDeadlineOf(*context, parts_));
      if (!call.ok()) {
        exchange::Call unknown;
        unknown.method = std::string(kMethod);
        unknown.peer = context->peer();
        Answer<v1::ReadResponse>(parts_, unknown, call.status(),
                                 [writer](absl::StatusOr<v1::ReadResponse> refused) {
                                   writer->Finish(refused.status(), std::nullopt);
                                 });
        return nullptr;
      }
      return broker_.Read(*std::move(call), *request,
                          std::make_shared<ReadStreamWriter>(std::move(writer)));
    });
  }

 private:
  const ServiceParts& parts_;
  exchange::Broker& broker_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeExchangeService(const ServiceParts& parts,
                                                   exchange::Broker& broker) {
  return std::make_unique<ExchangeService>(parts, broker);
}

}  // namespace sluice::rpc
