#include "gateway/control_state.h"

#include "absl/strings/str_cat.h"
#include "gateway/audit/outbox.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"
#include "gateway/identity/registration.h"
#include "gateway/sharing/grants.h"

namespace sluice {
namespace {

// Beside the list of the authority that signed it; one of an authority that is configured no longer
// stays unused.
absl::Status AddPublished(const identity::PublishedList& list,
                          certs::ChainVerifierOptions& options) {
  for (certs::AuthorityConfig& authority : options.authorities) {
    SLUICE_ASSIGN_OR_RETURN(
        const auto certificates,
        certs::Certificate::ChainFromPem(authority.certificates_pem, authority.place));
    for (const certs::Certificate& certificate : certificates) {
      if (HexEncode(AsBytes(certificate.spki_hash())) != list.authority_key) continue;
      authority.lists_pem += "\n" + list.pem;
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<store::Store>> OpenControlStore(const std::string& path) {
  return store::Store::Open(path, {audit::OutboxMigrations(), identity::RegistrationMigrations(),
                                   catalogue::CatalogueMigrations(), sharing::GrantMigrations()});
}

absl::StatusOr<certs::ChainVerifierOptions> ReadAuthorities(const Config& config,
                                                            FileSystem& files) {
  certs::ChainVerifierOptions options;
  options.trust_domain = config.trust_domain;
  options.crl_grace = config.tls.crl_grace;
  for (const AuthorityConfig& configured : config.tls.authorities) {
    certs::AuthorityConfig authority;
    authority.place = configured.certificate;
    authority.agencies = configured.agencies;
    SLUICE_ASSIGN_OR_RETURN(authority.certificates_pem, files.ReadAll(configured.certificate));
    SLUICE_ASSIGN_OR_RETURN(authority.lists_pem, files.ReadAll(configured.revocation_list));
    options.authorities.push_back(std::move(authority));
  }
  return options;
}

absl::StatusOr<policy::SnapshotPtr> BuildSnapshot(store::Store& store,
                                                  certs::ChainVerifierOptions authorities) {
  auto snapshot = std::make_shared<policy::Snapshot>();
  std::vector<identity::PublishedList> lists;
  std::vector<v1::Dataset> datasets;
  std::vector<v1::Grant> grants;
  SLUICE_RETURN_IF_ERROR(store.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(snapshot->directory, identity::LoadDirectory(reader));
    SLUICE_ASSIGN_OR_RETURN(lists, identity::LoadPublishedLists(reader));
    SLUICE_ASSIGN_OR_RETURN(datasets, catalogue::LoadDatasets(reader));
    SLUICE_ASSIGN_OR_RETURN(grants, sharing::LoadGrants(reader));
    return absl::OkStatus();
  }));
  for (const identity::PublishedList& list : lists)
    SLUICE_RETURN_IF_ERROR(AddPublished(list, authorities));
  SLUICE_ASSIGN_OR_RETURN(snapshot->verifier, certs::ChainVerifier::Build(std::move(authorities)));
  for (const v1::Dataset& definition : datasets) {
    auto dataset = catalogue::Compile(definition);
    if (!dataset.ok())
      return Annotate(dataset.status(), absl::StrCat("dataset ", definition.name()));
    snapshot->datasets.emplace(definition.name(), *std::move(dataset));
  }
  for (const v1::Grant& definition : grants) {
    const auto dataset = snapshot->datasets.find(definition.dataset());
    if (dataset == snapshot->datasets.end())
      return absl::InternalError(absl::StrCat("grant ", definition.id(), " has no dataset"));
    auto grant = policy::Compile(definition, dataset->second);
    if (!grant.ok()) return Annotate(grant.status(), absl::StrCat("grant ", definition.id()));
    snapshot->grants.emplace(definition.id(), *grant);
    snapshot->by_consumer[absl::StrCat(definition.consumer_agency(), "\n", definition.dataset())]
        .push_back(*std::move(grant));
  }
  return snapshot;
}

}  // namespace sluice
