// Registry, Catalogue, Sharing and Operations: their methods may block and run on the
// control pool.
#include "adapters/remote/messages.h"
#include "gateway/base/error.h"
#include "gateway/rpc/services.h"
#include "sluice/v1/catalogue.grpc.pb.h"
#include "sluice/v1/operations.grpc.pb.h"
#include "sluice/v1/registry.grpc.pb.h"
#include "sluice/v1/sharing.grpc.pb.h"

namespace sluice::rpc {
namespace {

// A method that is passed on as it is to `target`, with what `convert` makes of the call.
#define SLUICE_PASS_ON(service, method, target, convert)                                          \
  grpc::ServerUnaryReactor* method(grpc::CallbackServerContext* context,                          \
                                   const v1::method##Request* request,                            \
                                   v1::method##Response* response) override {                     \
    return ServeBlocking(parts_, *context, *request, response, #service "." #method,              \
                         [this](const exchange::Call& call, v1::method##Request body,             \
                                std::function<void(absl::StatusOr<v1::method##Response>)> done) { \
                           target.method(convert(call), std::move(body), std::move(done));        \
                         });                                                                      \
  }

// The same for methods that answer at once.
#define SLUICE_ASK(service, method, target)                                                       \
  grpc::ServerUnaryReactor* method(grpc::CallbackServerContext* context,                          \
                                   const v1::method##Request* request,                            \
                                   v1::method##Response* response) override {                     \
    return ServeBlocking(parts_, *context, *request, response, #service "." #method,              \
                         [this](const exchange::Call& call, v1::method##Request body,             \
                                std::function<void(absl::StatusOr<v1::method##Response>)> done) { \
                           done(target.method(ToCaller(call), body));                             \
                         });                                                                      \
  }

const exchange::Call& AsItIs(const exchange::Call& call) { return call; }

class RegistryService : public v1::Registry::CallbackService {
 public:
  RegistryService(const ServiceParts& parts, identity::Registry& registry,
                  exchange::SourceLooks& looks, const SnapshotCell<policy::Snapshot>& snapshots,
                  const OperationsParts& operations)
      : parts_(parts),
        registry_(registry),
        looks_(looks),
        snapshots_(snapshots),
        operations_(operations) {}

  SLUICE_PASS_ON(Registry, AddAgency, registry_, ToCaller)
  SLUICE_ASK(Registry, ListAgencies, registry_)
  SLUICE_PASS_ON(Registry, AddSystem, registry_, ToCaller)
  SLUICE_ASK(Registry, ListSystems, registry_)
  SLUICE_PASS_ON(Registry, SetSystemState, registry_, ToCaller)
  SLUICE_PASS_ON(Registry, AddPerson, registry_, ToCaller)
  SLUICE_ASK(Registry, ListPersons, registry_)
  SLUICE_PASS_ON(Registry, SetPersonState, registry_, ToCaller)
  SLUICE_PASS_ON(Registry, GrantRole, registry_, ToCaller)
  SLUICE_PASS_ON(Registry, RevokeRole, registry_, ToCaller)
  SLUICE_PASS_ON(Registry, ApplyPurposes, registry_, ToCaller)
  SLUICE_ASK(Registry, ListPurposes, registry_)
  SLUICE_PASS_ON(Registry, ApplySource, registry_, ToCaller)
  SLUICE_ASK(Registry, ListSources, registry_)
  SLUICE_PASS_ON(Registry, ProbeSource, looks_, AsItIs)
  SLUICE_PASS_ON(Registry, CheckSource, looks_, AsItIs)

  grpc::ServerUnaryReactor* DescribeSource(grpc::CallbackServerContext* context,
                                           const v1::DescribeSourceRequest* request,
                                           v1::DescribeSourceResponse* response) override {
    return ServeBlocking(
        parts_, *context, *request, response, "Registry.DescribeSource",
        [this](const exchange::Call& call, v1::DescribeSourceRequest body,
               std::function<void(absl::StatusOr<v1::DescribeSourceResponse>)> done) {
          looks_.DescribeSource(call, std::move(body),
                                [done](absl::StatusOr<exchange::DescribedSource> described) {
                                  if (!described.ok()) return done(described.status());
                                  v1::DescribeSourceResponse answer;
                                  answer.set_source(described->definition.id());
                                  answer.set_kind(described->definition.kind());
                                  answer.set_owner_agency(described->definition.owner_agency());
                                  for (const adapters::TableDescription& table : described->tables)
                                    *answer.add_tables() = adapters::remote::ToProto(table);
                                  done(std::move(answer));
                                });
        });
  }

  SLUICE_PASS_ON(Registry, PublishRevocationList, registry_, ToCaller)
  SLUICE_ASK(Registry, ListRevocationLists, registry_)

  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context,
                                   const v1::WhoAmIRequest* request,
                                   v1::WhoAmIResponse* response) override {
    return ServeBlocking(parts_, *context, *request, response, "Registry.WhoAmI",
                         [this](const exchange::Call& call, v1::WhoAmIRequest,
                                std::function<void(absl::StatusOr<v1::WhoAmIResponse>)> done) {
                           const identity::Principal& who = *call.principal;
                           v1::WhoAmIResponse answer;
                           answer.set_principal(who.path);
                           answer.set_agency(who.agency);
                           const auto snapshot = snapshots_.Get();
                           if (const auto agency = snapshot->directory->agencies.find(who.agency);
                               agency != snapshot->directory->agencies.end()) {
                             *answer.mutable_agency_title() = agency->second.title();
                           }
                           for (v1::Role role : who.roles) answer.add_roles(role);
                           answer.mutable_certificate_expires()->set_seconds(who.expires / kSecond);
                           answer.set_certificate_serial(who.serial);
                           answer.set_gateway(operations_.gateway);
                           answer.set_version(operations_.version);
                           done(std::move(answer));
                         });
  }

 private:
  const ServiceParts& parts_;
  identity::Registry& registry_;
  exchange::SourceLooks& looks_;
  const SnapshotCell<policy::Snapshot>& snapshots_;
  const OperationsParts& operations_;
};

class CatalogueService : public v1::Catalogue::CallbackService {
 public:
  CatalogueService(const ServiceParts& parts, catalogue::Catalogue& catalogue)
      : parts_(parts), catalogue_(catalogue) {}
  SLUICE_PASS_ON(Catalogue, ApplyDataset, catalogue_, ToCaller)
  SLUICE_ASK(Catalogue, GetDataset, catalogue_)
  SLUICE_ASK(Catalogue, ListDatasets, catalogue_)
  SLUICE_PASS_ON(Catalogue, SetDatasetState, catalogue_, ToCaller)
  SLUICE_PASS_ON(Catalogue, ReviewDataset, catalogue_, ToCaller)

 private:
  const ServiceParts& parts_;
  catalogue::Catalogue& catalogue_;
};

class SharingService : public v1::Sharing::CallbackService {
 public:
  SharingService(const ServiceParts& parts, const SharingParts& sharing)
      : parts_(parts), sharing_(sharing) {}
  SLUICE_PASS_ON(Sharing, ApplyGrant, sharing_.grants, ToCaller)
  SLUICE_ASK(Sharing, GetGrant, sharing_.grants)
  SLUICE_ASK(Sharing, ListGrants, sharing_.grants)
  SLUICE_PASS_ON(Sharing, RevokeGrant, sharing_.grants, ToCaller)
  SLUICE_PASS_ON(Sharing, SetGrantState, sharing_.grants, ToCaller)
  SLUICE_PASS_ON(Sharing, DraftAccessRequest, sharing_.requests, ToCaller)
  SLUICE_PASS_ON(Sharing, SubmitAccessRequest, sharing_.requests, ToCaller)
  SLUICE_ASK(Sharing, GetAccessRequest, sharing_.requests)
  SLUICE_ASK(Sharing, ListAccessRequests, sharing_.requests)
  SLUICE_PASS_ON(Sharing, ApproveAccessRequest, sharing_.requests, ToCaller)
  SLUICE_PASS_ON(Sharing, TakeAccessStep, sharing_.requests, ToCaller)
  SLUICE_ASK(Sharing, GetInbox, sharing_.inbox)
  SLUICE_PASS_ON(Sharing, RaiseCorrection, sharing_.corrections, ToCaller)
  SLUICE_ASK(Sharing, GetCorrection, sharing_.corrections)
  SLUICE_ASK(Sharing, ListCorrections, sharing_.corrections)
  SLUICE_PASS_ON(Sharing, TakeCorrectionStep, sharing_.corrections, ToCaller)
  SLUICE_PASS_ON(Sharing, DeclareCatalogueUpdate, sharing_.updates, ToCaller)
  SLUICE_ASK(Sharing, GetCatalogueUpdate, sharing_.updates)
  SLUICE_ASK(Sharing, ListCatalogueUpdates, sharing_.updates)
  SLUICE_PASS_ON(Sharing, TakeCatalogueUpdateStep, sharing_.updates, ToCaller)

 private:
  const ServiceParts& parts_;
  const SharingParts sharing_;
};

absl::Status RequireOperator(const identity::Principal& who) {
  if (who.Has(v1::ROLE_OPERATOR)) return absl::OkStatus();
  return Error(v1::REASON_ROLE_REQUIRED, "this is for operators.", {{"role", "operator"}});
}

class OperationsService : public v1::Operations::CallbackService {
 public:
  OperationsService(const ServiceParts& parts, const OperationsParts& operations)
      : parts_(parts), operations_(operations) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override {
    return ServeBlocking(
        parts_, *context, *request, response, "Operations.GetStatus",
        [this](const exchange::Call& call, v1::GetStatusRequest,
               std::function<void(absl::StatusOr<v1::GetStatusResponse>)> done) {
          const identity::Principal& who = *call.principal;
          if (!who.Has(v1::ROLE_OPERATOR) && !who.Has(v1::ROLE_AUDITOR) &&
              !who.Has(v1::ROLE_AUTHORITY)) {
            return done(Error(v1::REASON_ROLE_REQUIRED,
                              "the status is for operators, auditors and the authority.",
                              {{"role", "operator"}}));
          }
          done(operations_.status());
        });
  }

// A method for operators alone.
#define SLUICE_OPERATE(method, work)                                                         \
  grpc::ServerUnaryReactor* method(grpc::CallbackServerContext* context,                     \
                                   const v1::method##Request* request,                       \
                                   v1::method##Response* response) override {                \
    return ServeBlocking(                                                                    \
        parts_, *context, *request, response, "Operations." #method,                         \
        [this](const exchange::Call& call, [[maybe_unused]] const v1::method##Request& body, \
               std::function<void(absl::StatusOr<v1::method##Response>)> done) {             \
          absl::Status status = RequireOperator(*call.principal);                            \
          if (!status.ok()) return done(std::move(status));                                  \
          done(work);                                                                        \
        });                                                                                  \
  }

  SLUICE_OPERATE(Reload, operations_.reload(call))
  SLUICE_OPERATE(ListExchanges, operations_.list_exchanges(body))
  SLUICE_OPERATE(CancelExchange, operations_.cancel_exchange(call, body))
  SLUICE_OPERATE(Drain, operations_.drain(call, body))
  SLUICE_OPERATE(Backup, operations_.backup(call))
#undef SLUICE_OPERATE

 private:
  const ServiceParts& parts_;
  const OperationsParts& operations_;
};

#undef SLUICE_PASS_ON
#undef SLUICE_ASK

}  // namespace

std::unique_ptr<grpc::Service> MakeRegistryService(const ServiceParts& parts,
                                                   identity::Registry& registry,
                                                   exchange::SourceLooks& looks,
                                                   const SnapshotCell<policy::Snapshot>& snapshots,
                                                   const OperationsParts& operations) {
  return std::make_unique<RegistryService>(parts, registry, looks, snapshots, operations);
}
std::unique_ptr<grpc::Service> MakeCatalogueService(const ServiceParts& parts,
                                                    catalogue::Catalogue& catalogue) {
  return std::make_unique<CatalogueService>(parts, catalogue);
}
std::unique_ptr<grpc::Service> MakeSharingService(const ServiceParts& parts,
                                                  const SharingParts& sharing) {
  return std::make_unique<SharingService>(parts, sharing);
}
std::unique_ptr<grpc::Service> MakeOperationsService(const ServiceParts& parts,
                                                     const OperationsParts& operations) {
  return std::make_unique<OperationsService>(parts, operations);
}

}  // namespace sluice::rpc
