// The gRPC services of sluice.v1, and Arrow Flight. Each method translates and calls; what it does
// is elsewhere.
#pragma once

#include <memory>

#include "gateway/catalogue/catalogue.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/log_reading.h"
#include "gateway/exchange/log_report.h"
#include "gateway/exchange/sharing_report.h"
#include "gateway/exchange/source_looks.h"
#include "gateway/identity/registry.h"
#include "gateway/rpc/service_base.h"
#include "gateway/sharing/access_requests.h"
#include "gateway/sharing/catalogue_updates.h"
#include "gateway/sharing/corrections.h"
#include "gateway/sharing/grants.h"
#include "gateway/sharing/inbox.h"
#include "sluice/v1/operations.pb.h"

namespace grpc {
class Service;
}

namespace sluice::rpc {

// What the Operations service asks of the daemon.
struct OperationsParts {
  std::function<v1::GetStatusResponse()> status;
  // The mistakes of a bad configuration, or what changed.
  std::function<absl::StatusOr<v1::ReloadResponse>(const exchange::Call&)> reload;
  std::function<v1::ListExchangesResponse(const v1::ListExchangesRequest&)> list_exchanges;
  std::function<absl::StatusOr<v1::CancelExchangeResponse>(const exchange::Call&,
                                                           const v1::CancelExchangeRequest&)>
      cancel_exchange;
  std::function<absl::StatusOr<v1::DrainResponse>(const exchange::Call&, const v1::DrainRequest&)>
      drain;
  std::function<absl::StatusOr<v1::BackupResponse>(const exchange::Call&)> backup;
  // For WhoAmI: "gateway/gw1", and the version.
  std::string gateway, version;
};

std::unique_ptr<grpc::Service> MakeExchangeService(const ServiceParts& parts,
                                                   exchange::Broker& broker,
                                                   sharing::AccessRequests& requests);
// Over the same broker.
std::unique_ptr<grpc::Service> MakeFlightService(const ServiceParts& parts,
                                                 exchange::Broker& broker);
std::unique_ptr<grpc::Service> MakeAuditService(const ServiceParts& parts,
                                                exchange::LogReading& reading,
                                                exchange::LogReports& reports,
                                                exchange::SharingReports& sharing_reports);
std::unique_ptr<grpc::Service> MakeRegistryService(const ServiceParts& parts,
                                                   identity::Registry& registry,
                                                   exchange::SourceLooks& looks,
                                                   const SnapshotCell<policy::Snapshot>& snapshots,
                                                   const OperationsParts& operations);
std::unique_ptr<grpc::Service> MakeCatalogueService(const ServiceParts& parts,
                                                    catalogue::Catalogue& catalogue);
// What the Sharing service passes its calls on to.
struct SharingParts {
  sharing::Grants& grants;
  sharing::AccessRequests& requests;
  sharing::Corrections& corrections;
  sharing::CatalogueUpdates& updates;
  sharing::Inbox& inbox;
};
std::unique_ptr<grpc::Service> MakeSharingService(const ServiceParts& parts,
                                                  const SharingParts& sharing);
std::unique_ptr<grpc::Service> MakeOperationsService(const ServiceParts& parts,
                                                     const OperationsParts& operations);

}  // namespace sluice::rpc
