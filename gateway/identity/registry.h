// The Registry service without its transport: who takes part, and the rules that all stand on.
// Every method but WhoAmI, which needs nothing of this.
//
// Methods that change take a callback, called once from any thread when the change is recorded and
// in effect, or refused. Methods that read answer at once; they read the store, so call them where
// blocking is allowed. All check the caller's role, first as the call knows it, then, within the
// transaction, as it is registered at that moment. Any thread may call any method.
//
// Errors: ROLE_REQUIRED, REQUEST_INVALID and DEFINITION_INVALID with field violations, NOT_FOUND,
// ALREADY_EXISTS, ETAG_MISMATCH, STILL_IN_USE, and those of audit::Changes.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "certs/chain_verifier.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/principal.h"
#include "gateway/identity/submit.h"
#include "gateway/store/store.h"
#include "sluice/v1/registry.pb.h"

namespace sluice::identity {

// The settings of a source's kind, without touching the source: adapters::FindKind's `check`.
// DEFINITION_INVALID where the kind is unknown or a setting wrong.
using SourceCheck = std::function<absl::Status(const v1::Source&)>;
// The verifier in force: what was published is in it.
using VerifierSource = std::function<std::shared_ptr<const certs::ChainVerifier>()>;

class Registry {
 public:
  // The references outlive the registry.
  Registry(store::Store& store, audit::Changes& changes, const Clock& clock,
           VerifierSource verifier, SourceCheck check_source);

  // The authority's.
  void AddAgency(const Caller& caller, v1::AddAgencyRequest request,
                 Done<v1::AddAgencyResponse> done);
  void ApplyPurposes(const Caller& caller, v1::ApplyPurposesRequest request,
                     Done<v1::ApplyPurposesResponse> done);
  // Nobody gives himself a role, and the last authority keeps its own: both would end the
  // separation that roles are for.
  void GrantRole(const Caller& caller, v1::GrantRoleRequest request,
                 Done<v1::GrantRoleResponse> done);
  void RevokeRole(const Caller& caller, v1::RevokeRoleRequest request,
                  Done<v1::RevokeRoleResponse> done);

  // The operator's.
  void AddSystem(const Caller& caller, v1::AddSystemRequest request,
                 Done<v1::AddSystemResponse> done);
  void SetSystemState(const Caller& caller, v1::SetSystemStateRequest request,
                      Done<v1::SetSystemStateResponse> done);
  void AddPerson(const Caller& caller, v1::AddPersonRequest request,
                 Done<v1::AddPersonResponse> done);
  void SetPersonState(const Caller& caller, v1::SetPersonStateRequest request,
                      Done<v1::SetPersonStateResponse> done);
  void ApplySource(const Caller& caller, v1::ApplySourceRequest request,
                   Done<v1::ApplySourceResponse> done);
  void PublishRevocationList(const Caller& caller, v1::PublishRevocationListRequest request,
                             Done<v1::PublishRevocationListResponse> done);

  // Every registered principal's.
  absl::StatusOr<v1::ListAgenciesResponse> ListAgencies(const Caller& caller,
                                                        const v1::ListAgenciesRequest& request);
  absl::StatusOr<v1::ListPurposesResponse> ListPurposes(const Caller& caller,
                                                        const v1::ListPurposesRequest& request);
  // The operator's, the authority's and the auditor's.
  absl::StatusOr<v1::ListSystemsResponse> ListSystems(const Caller& caller,
                                                      const v1::ListSystemsRequest& request);
  absl::StatusOr<v1::ListPersonsResponse> ListPersons(const Caller& caller,
                                                      const v1::ListPersonsRequest& request);
  absl::StatusOr<v1::ListSourcesResponse> ListSources(const Caller& caller,
                                                      const v1::ListSourcesRequest& request);
  absl::StatusOr<v1::ListRevocationListsResponse> ListRevocationLists(
      const Caller& caller, const v1::ListRevocationListsRequest& request);

 private:
  void ChangeRole(const Caller& caller, const std::string& person, int role, bool give,
                  Done<v1::Person> done);

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  const VerifierSource verifier_;
  const SourceCheck check_source_;
};

}  // namespace sluice::identity
