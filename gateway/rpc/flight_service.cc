// Arrow Flight: reading, and nothing else. Descriptors and headers become the request that
// Exchange.Read takes, and from there on it is that exchange.
#include "arrow/flight/Flight.grpc.pb.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/rpc/flight_data.h"
#include "gateway/rpc/flight_listing.h"
#include "gateway/rpc/flight_request.h"
#include "gateway/rpc/services.h"
#include "gateway/rpc/stream.h"
#include "gateway/rpc/wire.h"

namespace sluice::rpc {
namespace {

namespace flight = arrow::flight::protocol;

// How long a ticket is good for.
constexpr Micros kTicketLife = 5 * kMinute;

CallHeaders HeadersOf(const grpc::CallbackServerContext& context) {
  CallHeaders headers;
  for (const auto& [name, value] : context.client_metadata())
    headers.emplace(std::string_view(name.data(), name.size()),
                    std::string_view(value.data(), value.size()));
  return headers;
}

// Answers a call of any kind that it is not served.
template <class Reactor>
class Unserved : public Reactor {
 public:
  Unserved() {
    this->Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                              "of Arrow Flight this gateway serves ListFlights, GetFlightInfo, "
                              "GetSchema and DoGet."));
  }
  void OnDone() override { delete this; }
};

using Api = flight::FlightService;
template <class Base>
using WithServed = Api::WithRawCallbackMethod_ListFlights<Api::WithCallbackMethod_GetFlightInfo<
    Api::WithCallbackMethod_GetSchema<Api::WithRawCallbackMethod_DoGet<Base>>>>;
template <class Base>
using WithUnserved = Api::WithCallbackMethod_Handshake<Api::WithCallbackMethod_PollFlightInfo<
    Api::WithCallbackMethod_DoPut<Api::WithCallbackMethod_DoExchange<
        Api::WithCallbackMethod_DoAction<Api::WithCallbackMethod_ListActions<Base>>>>>>;

class FlightService : public WithServed<WithUnserved<Api::Service>> {
 public:
  FlightService(const ServiceParts& parts, exchange::Broker& broker)
      : parts_(parts), broker_(broker) {}

  grpc::ServerUnaryReactor* GetFlightInfo(grpc::CallbackServerContext* context,
                                          const flight::FlightDescriptor* descriptor,
                                          flight::FlightInfo* response) override {
    return Describe<flight::FlightInfo>(
        *context, *descriptor, response, "FlightService.GetFlightInfo",
        [this, given = *descriptor](const std::string& principal, const v1::ReadRequest& request,
                                    const exchange::Description& description) {
          return InfoOf(given, principal, request, description);
        });
  }

  grpc::ServerUnaryReactor* GetSchema(grpc::CallbackServerContext* context,
                                      const flight::FlightDescriptor* descriptor,
                                      flight::SchemaResult* response) override {
    return Describe<flight::SchemaResult>(
        *context, *descriptor, response, "FlightService.GetSchema",
        [](const std::string&, const v1::ReadRequest&, const exchange::Description& description) {
          flight::SchemaResult result;
          result.set_schema(records::EncodeArrowSchema(*description.schema));
          return result;
        });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* DoGet(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* bytes) override {
    return Stream(*context, "FlightService.DoGet", StreamDeadlineOf(*context, parts_),
                  [&](exchange::Call call, Writer writer) -> std::function<void()> {
                    flight::Ticket ticket;
                    if (absl::Status status = FromBuffer(*bytes, ticket); !status.ok()) {
                      writer->Finish(std::move(status), std::nullopt);
                      return nullptr;
                    }
                    const auto request = broker_.parts().tokens.OpenTicket(
                        call.principal->path, ticket.ticket(), broker_.parts().clock.Now());
                    if (!request.ok()) return Refuse(call, request.status(), writer);
                    return broker_.Read(std::move(call), *request,
                                        std::make_shared<FlightWriter>(std::move(writer)));
                  });
  }

  // All that is told stands in the snapshot: nothing blocks.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* ListFlights(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* bytes) override {
    const Micros deadline = DeadlineOf(*context, parts_);
    return Stream(*context, "FlightService.ListFlights", deadline,
                  [&](const exchange::Call& call, const Writer& writer) -> std::function<void()> {
                    flight::Criteria criteria;
                    absl::Status status = FromBuffer(*bytes, criteria);
                    if (!status.ok()) {
                      writer->Finish(std::move(status), std::nullopt);
                      return nullptr;
                    }
                    auto words =
                        catalogue::SearchWords(criteria.expression(), "criteria.expression");
                    if (!words.ok()) {
                      writer->Finish(words.status(), std::nullopt);
                      return nullptr;
                    }
                    const Micros left = deadline - parts_.clock.Monotonic();
                    std::make_shared<FlightListing>(broker_.parts(), *call.principal,
                                                    *std::move(words), writer)
                        ->Start(std::chrono::system_clock::now() + std::chrono::microseconds(left));
                    return nullptr;
                  });
  }

  grpc::ServerBidiReactor<flight::HandshakeRequest, flight::HandshakeResponse>* Handshake(
      grpc::CallbackServerContext*) override {
    return new Unserved<
        grpc::ServerBidiReactor<flight::HandshakeRequest, flight::HandshakeResponse>>();
  }
  grpc::ServerUnaryReactor* PollFlightInfo(grpc::CallbackServerContext*,
                                           const flight::FlightDescriptor*,
                                           flight::PollInfo*) override {
    return new Unserved<grpc::ServerUnaryReactor>();
  }
  grpc::ServerBidiReactor<flight::FlightData, flight::PutResult>* DoPut(
      grpc::CallbackServerContext*) override {
    return new Unserved<grpc::ServerBidiReactor<flight::FlightData, flight::PutResult>>();
  }
  grpc::ServerBidiReactor<flight::FlightData, flight::FlightData>* DoExchange(
      grpc::CallbackServerContext*) override {
    return new Unserved<grpc::ServerBidiReactor<flight::FlightData, flight::FlightData>>();
  }
  grpc::ServerWriteReactor<flight::Result>* DoAction(grpc::CallbackServerContext*,
                                                     const flight::Action*) override {
    return new Unserved<grpc::ServerWriteReactor<flight::Result>>();
  }
  grpc::ServerWriteReactor<flight::ActionType>* ListActions(grpc::CallbackServerContext*,
                                                            const flight::Empty*) override {
    return new Unserved<grpc::ServerWriteReactor<flight::ActionType>>();
  }

 private:
  using Writer = std::shared_ptr<ServerStream::Writer>;

  // A stream whose caller is known; `start` is as ServerStream's.
  template <class Start>
  ServerStream* Stream(grpc::CallbackServerContext& context, std::string_view method,
                       Micros deadline, const Start& start) {
    return new ServerStream(&context, [&](Writer writer) -> std::function<void()> {
      auto call = parts_.authenticator.Identify(context, method, deadline);
      if (call.ok()) return start(*std::move(call), std::move(writer));
      AnswerUnknown(parts_, context, method, call.status(),
                    [writer](const absl::Status& refused, google::protobuf::Message*) {
                      writer->Finish(refused, std::nullopt);
                    });
      return nullptr;
    });
  }

  // What is refused before the broker sees it is recorded like what the broker refuses.
  std::function<void()> Refuse(const exchange::Call& call, const absl::Status& status,
                               const Writer& writer) {
    parts_.authenticator.RecordRefusal(call, status, [writer](absl::Status refused) {
      writer->Finish(std::move(refused), std::nullopt);
    });
    return nullptr;
  }

  // `answer` makes the response of what the broker would do.
  template <class Response>
  grpc::ServerUnaryReactor* Describe(
      grpc::CallbackServerContext& context, const flight::FlightDescriptor& descriptor,
      Response* response, std::string_view method,
      std::function<Response(const std::string& principal, const v1::ReadRequest&,
                             const exchange::Description&)>
          answer) {
    const auto start = [&](UnaryCall::Finisher done) -> UnaryCall::Canceller {
      auto call = parts_.authenticator.Identify(context, method, DeadlineOf(context, parts_));
      if (!call.ok()) {
        AnswerUnknown(parts_, context, method, call.status(), done);
        return nullptr;
      }
      auto request = ReadRequestOf(descriptor, HeadersOf(context));
      if (!request.ok()) {
        parts_.authenticator.RecordRefusal(
            *call, request.status(),
            [done](const absl::Status& refused) { done(refused, nullptr); });
        return nullptr;
      }
      const std::string principal = call->principal->path;
      broker_.Describe(*std::move(call), *request,
                       [principal, request = *request, answer = std::move(answer),
                        done = std::move(done)](absl::StatusOr<exchange::Description> described) {
                         if (!described.ok()) return done(described.status(), nullptr);
                         Response answered = answer(principal, request, *described);
                         done(absl::OkStatus(), &answered);
                       });
      return nullptr;
    };
    return new UnaryCall(response, MoveMessage<Response>, start);
  }

  flight::FlightInfo InfoOf(const flight::FlightDescriptor& given, const std::string& principal,
                            const v1::ReadRequest& request,
                            const exchange::Description& description) {
    const Micros expires = broker_.parts().clock.Now() + kTicketLife;
    flight::FlightInfo info;
    info.set_schema(records::EncodeArrowSchema(*description.schema));
    *info.mutable_flight_descriptor() = given;
    // No location: it is here.
    flight::FlightEndpoint& endpoint = *info.add_endpoint();
    endpoint.mutable_ticket()->set_ticket(
        broker_.parts().tokens.SealTicket(principal, request, expires));
    endpoint.mutable_expiration_time()->set_seconds(expires / kSecond);
    endpoint.mutable_expiration_time()->set_nanos(static_cast<int32_t>(expires % kSecond) * 1000);
    info.set_total_records(-1);
    info.set_total_bytes(-1);
    info.set_ordered(description.check.applied().ordered());
    info.set_app_metadata(description.check.SerializeAsString());
    return info;
  }

  const ServiceParts& parts_;
  exchange::Broker& broker_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeFlightService(const ServiceParts& parts,
                                                 exchange::Broker& broker) {
  return std::make_unique<FlightService>(parts, broker);
}

}  // namespace sluice::rpc
