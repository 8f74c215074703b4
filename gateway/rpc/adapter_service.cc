#include "gateway/rpc/adapter_service.h"

#include <algorithm>
#include <utility>

#include "adapters/remote/messages.h"
#include "gateway/base/error.h"
#include "gateway/exchange/broker.h"
#include "gateway/rpc/adapter_scan.h"
#include "gateway/rpc/unary.h"
#include "gateway/rpc/wire.h"
#include "sluice/v1/adapter.grpc.pb.h"

namespace sluice::rpc {
namespace {

namespace remote = adapters::remote;

// Scan gives bytes.
using RawScan = v1::Adapter::WithCallbackMethod_Describe<v1::Adapter::WithCallbackMethod_Probe<
    v1::Adapter::WithRawCallbackMethod_Scan<v1::Adapter::Service>>>;

class AdapterService : public RawScan {
 public:
  explicit AdapterService(const AdapterServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest* request,
                                     v1::DescribeResponse* response) override {
    return Serve<v1::DescribeResponse>(
        *context, request->source(), response,
        [table = request->table(), proposes = request->proposes()](
            adapters::Adapter& adapter,
            adapters::CallContext call) -> absl::StatusOr<v1::DescribeResponse> {
          call.proposes = proposes;
          SLUICE_ASSIGN_OR_RETURN(const auto tables, adapter.Describe(table, call));
          v1::DescribeResponse described;
          for (const adapters::TableDescription& one : tables)
            *described.add_tables() = remote::ToProto(one);
          return described;
        });
  }

  grpc::ServerUnaryReactor* Probe(grpc::CallbackServerContext* context,
                                  const v1::ProbeRequest* request,
                                  v1::ProbeResponse* response) override {
    return Serve<v1::ProbeResponse>(
        *context, request->source(), response,
        [](adapters::Adapter& adapter,
           const adapters::CallContext& call) -> absl::StatusOr<v1::ProbeResponse> {
          SLUICE_RETURN_IF_ERROR(adapter.Probe(call));
          v1::ProbeResponse probed;
          for (std::string& note : adapter.Notes()) probed.add_notes(std::move(note));
          return probed;
        });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Scan(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* bytes) override {
    using Writer = std::shared_ptr<ServerStream::Writer>;
    return new ServerStream(context, [&](Writer writer) -> std::function<void()> {
      auto scan = Prepare(*context, *bytes, writer);
      if (!scan.ok()) {
        writer->Finish(Told(scan.status()), std::nullopt);
        return nullptr;
      }
      (*scan)->Start();
      return [scan = *scan] { scan->Cancel(); };
    });
  }

 private:
  absl::StatusOr<std::shared_ptr<AdapterScan>> Prepare(
      const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes,
      const std::shared_ptr<ServerStream::Writer>& writer) {
    SLUICE_RETURN_IF_ERROR(parts_.callers.Check(context));
    v1::ScanRequest request;
    SLUICE_RETURN_IF_ERROR(FromBuffer(bytes, request));
    SLUICE_ASSIGN_OR_RETURN(auto source, Find(request.source()));
    SLUICE_ASSIGN_OR_RETURN(adapters::ScanRequest scan, remote::FromProto(request));
    return std::make_shared<AdapterScan>(std::move(source), std::move(scan),
                                         ContextOf(context, parts_.max_scan, parts_.max_scan),
                                         writer, parts_.operations);
  }

  // What it was asked wrongly, the caller may know; what else has no reason is ours.
  absl::Status Told(const absl::Status& status) const {
    const bool plain = ReasonOf(status) == v1::REASON_UNSPECIFIED &&
                       (absl::IsNotFound(status) || absl::IsInvalidArgument(status));
    return plain ? status : exchange::PublicStatus(status, "", parts_.operations);
  }

  absl::StatusOr<std::shared_ptr<exchange::SourceAtWork>> Find(const std::string& id) const {
    auto source = parts_.sources.Find(id);
    if (source == nullptr)
      return absl::InvalidArgumentError("this adapter has no source of that name");
    return source;
  }

  adapters::CallContext ContextOf(const grpc::CallbackServerContext& context, Micros if_none,
                                  Micros most) const {
    adapters::CallContext call;
    call.clock = &parts_.clock;
    call.stop = std::make_shared<adapters::StopToken>();
    const auto deadline = context.deadline();
    Micros left = if_none;
    if (deadline != std::chrono::system_clock::time_point::max())
      left = std::chrono::duration_cast<std::chrono::microseconds>(deadline -
                                                                   std::chrono::system_clock::now())
                 .count();
    call.deadline = parts_.clock.Monotonic() + std::clamp<Micros>(left, 1, most);
    return call;
  }

  // One answer, from the source's pool.
  template <class Response, class Work>
  grpc::ServerUnaryReactor* Serve(const grpc::CallbackServerContext& context,
                                  const std::string& source_id, Response* response, Work work) {
    return new UnaryCall(
        response, MoveMessage<Response>, [&](UnaryCall::Finisher finish) -> UnaryCall::Canceller {
          const auto done = [this, finish](absl::StatusOr<Response> outcome) {
            finish(Told(outcome.status()), outcome.ok() ? &*outcome : nullptr);
          };
          if (absl::Status refused = parts_.callers.Check(context); !refused.ok()) {
            done(refused);
            return nullptr;
          }
          auto source = Find(source_id);
          if (!source.ok()) {
            done(source.status());
            return nullptr;
          }
          const adapters::CallContext call =
              ContextOf(context, parts_.default_deadline, parts_.max_scan);
          absl::Status taken = (*source)->Submit(
              [call, done, work](absl::StatusOr<adapters::Adapter*> adapter) -> absl::Status {
                auto outcome = adapter.ok() ? work(**adapter, call)
                                            : absl::StatusOr<Response>(adapter.status());
                const absl::Status status = outcome.status();
                done(std::move(outcome));
                // A table that is not there says nothing against the source.
                return absl::IsNotFound(status) ? absl::OkStatus() : status;
              });
          if (!taken.ok()) done(taken);
          return [stop = call.stop] { stop->Stop(); };
        });
  }

  const AdapterServiceParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdapterService(const AdapterServiceParts& parts) {
  return std::make_unique<AdapterService>(parts);
}

}  // namespace sluice::rpc
