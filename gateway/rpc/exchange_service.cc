#include "gateway/base/error.h"
#include "gateway/rpc/services.h"
#include "sluice/v1/exchange.grpc.pb.h"

namespace sluice::rpc {
namespace {

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
