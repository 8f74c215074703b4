// Every method of the API that a command calls. A test holds them against the services' own
// descriptors.
#pragma once

#include "cli/gateway.h"
#include "sluice/v1/audit.pb.h"
#include "sluice/v1/catalogue.pb.h"
#include "sluice/v1/exchange.pb.h"
#include "sluice/v1/operations.pb.h"
#include "sluice/v1/registry.pb.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

#define SLUICE_CLI_METHODS(METHOD)         \
  METHOD(Exchange, Query)                  \
  METHOD(Exchange, Read)                   \
  METHOD(Exchange, Match)                  \
  METHOD(Exchange, Count)                  \
  METHOD(Exchange, Check)                  \
  METHOD(Catalogue, ApplyDataset)          \
  METHOD(Catalogue, GetDataset)            \
  METHOD(Catalogue, ListDatasets)          \
  METHOD(Catalogue, SetDatasetState)       \
  METHOD(Catalogue, ReviewDataset)         \
  METHOD(Sharing, ApplyGrant)              \
  METHOD(Sharing, GetGrant)                \
  METHOD(Sharing, ListGrants)              \
  METHOD(Sharing, RevokeGrant)             \
  METHOD(Sharing, SetGrantState)           \
  METHOD(Sharing, DraftAccessRequest)      \
  METHOD(Sharing, SubmitAccessRequest)     \
  METHOD(Sharing, GetAccessRequest)        \
  METHOD(Sharing, ListAccessRequests)      \
  METHOD(Sharing, ApproveAccessRequest)    \
  METHOD(Sharing, TakeAccessStep)          \
  METHOD(Sharing, GetInbox)                \
  METHOD(Sharing, RaiseCorrection)         \
  METHOD(Sharing, GetCorrection)           \
  METHOD(Sharing, ListCorrections)         \
  METHOD(Sharing, TakeCorrectionStep)      \
  METHOD(Sharing, DeclareCatalogueUpdate)  \
  METHOD(Sharing, GetCatalogueUpdate)      \
  METHOD(Sharing, ListCatalogueUpdates)    \
  METHOD(Sharing, TakeCatalogueUpdateStep) \
  METHOD(Audit, ListRecords)               \
  METHOD(Audit, GetRecord)                 \
  METHOD(Audit, ProveRecord)               \
  METHOD(Audit, GetHead)                   \
  METHOD(Audit, Tail)                      \
  METHOD(Audit, Export)                    \
  METHOD(Audit, CopyEntries)               \
  METHOD(Audit, RebuildIndex)              \
  METHOD(Audit, OpenSubjectKey)            \
  METHOD(Audit, Report)                    \
  METHOD(Audit, ReportSharing)             \
  METHOD(Operations, GetStatus)            \
  METHOD(Operations, Reload)               \
  METHOD(Operations, ListExchanges)        \
  METHOD(Operations, CancelExchange)       \
  METHOD(Operations, Drain)                \
  METHOD(Operations, Backup)               \
  METHOD(Registry, AddAgency)              \
  METHOD(Registry, ListAgencies)           \
  METHOD(Registry, AddSystem)              \
  METHOD(Registry, ListSystems)            \
  METHOD(Registry, SetSystemState)         \
  METHOD(Registry, AddPerson)              \
  METHOD(Registry, ListPersons)            \
  METHOD(Registry, SetPersonState)         \
  METHOD(Registry, GrantRole)              \
  METHOD(Registry, RevokeRole)             \
  METHOD(Registry, ApplyPurposes)          \
  METHOD(Registry, ListPurposes)           \
  METHOD(Registry, ApplySource)            \
  METHOD(Registry, ListSources)            \
  METHOD(Registry, ProbeSource)            \
  METHOD(Registry, DescribeSource)         \
  METHOD(Registry, CheckSource)            \
  METHOD(Registry, PublishRevocationList)  \
  METHOD(Registry, ListRevocationLists)    \
  METHOD(Registry, WhoAmI)

#define SLUICE_CLI_DECLARE(service, name)                                                       \
  inline constexpr Method<v1::name##Request, v1::name##Response> k##name{"/sluice.v1." #service \
                                                                         "/" #name};
SLUICE_CLI_METHODS(SLUICE_CLI_DECLARE)
#undef SLUICE_CLI_DECLARE

// The one method whose answer is another's: rows as Query gives them.
inline constexpr Method<v1::PreviewRequest, v1::QueryResponse> kPreview{
    "/sluice.v1.Exchange/Preview"};

}  // namespace sluice::cli
