#include "gateway/control_state.h"

#include "absl/strings/str_cat.h"
#include "gateway/audit/changes.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/identity/registration.h"
#include "gateway/sharing/grant_table.h"

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
                                   catalogue::CatalogueMigrations(), sharing::SharingMigrations()});
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

absl::StatusOr<std::shared_ptr<const sharing::Rules>> ReadSharingRules(const Config& config,
                                                                       FileSystem& files) {
  const auto read =
      [&files](
          const std::vector<std::string>& paths) -> absl::StatusOr<std::vector<sharing::RuleFile>> {
    std::vector<sharing::RuleFile> texts;
    for (const std::string& path : paths) {
      SLUICE_ASSIGN_OR_RETURN(std::string text, files.ReadAll(path, 1 << 20));
      texts.push_back({path, std::move(text)});
    }
    return texts;
  };
  SLUICE_ASSIGN_OR_RETURN(const auto calendars, read(config.sharing.calendars));
  SLUICE_ASSIGN_OR_RETURN(const auto clocks, read(config.sharing.clocks));
  return sharing::Rules::Make(calendars, clocks);
}

absl::StatusOr<policy::SnapshotPtr> BuildSnapshot(store::Store& store,
                                                  certs::ChainVerifierOptions authorities) {
  auto snapshot = std::make_shared<policy::Snapshot>();
  std::vector<identity::PublishedList> lists;
  SLUICE_RETURN_IF_ERROR(store.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(snapshot->directory, identity::LoadDirectory(reader));
    SLUICE_ASSIGN_OR_RETURN(lists, identity::LoadPublishedLists(reader));
    SLUICE_ASSIGN_OR_RETURN(snapshot->datasets, catalogue::LoadDatasets(reader));
    SLUICE_ASSIGN_OR_RETURN(snapshot->grants, sharing::LoadGrants(reader, snapshot->datasets));
    return absl::OkStatus();
  }));
  for (const identity::PublishedList& list : lists)
    SLUICE_RETURN_IF_ERROR(AddPublished(list, authorities));
  SLUICE_ASSIGN_OR_RETURN(snapshot->verifier, certs::ChainVerifier::Build(std::move(authorities)));
  for (const auto& [id, grant] : snapshot->grants)
    snapshot
        ->by_consumer[absl::StrCat(grant->definition.consumer_agency(), "\n",
                                   grant->definition.dataset())]
        .push_back(grant);
  return snapshot;
}

}  // namespace sluice
