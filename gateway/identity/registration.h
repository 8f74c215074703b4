// What is registered, as rows: the SQL of this room. Functions that find answer nothing where there
// is none; functions that put write the message whole and set its etag.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/identity/principal.h"
#include "gateway/store/store.h"

namespace sluice::identity {

// The room's tables: one of those that Store::Open is given.
store::Migrations RegistrationMigrations();

// Everything registered, for a snapshot.
absl::StatusOr<std::shared_ptr<const Directory>> LoadDirectory(store::Reader& reader);

absl::StatusOr<std::optional<v1::Agency>> FindAgency(store::Reader& reader, std::string_view id);
absl::StatusOr<std::optional<v1::ClientSystem>> FindSystem(store::Reader& reader,
                                                           std::string_view name);
absl::StatusOr<std::optional<v1::Person>> FindPerson(store::Reader& reader, std::string_view name);
absl::StatusOr<std::optional<v1::Source>> FindSource(store::Reader& reader, std::string_view id);
absl::StatusOr<std::vector<v1::Person>> LoadPersons(store::Reader& reader);
// By code, withdrawn ones too.
absl::StatusOr<std::vector<v1::Purpose>> LoadPurposes(store::Reader& reader);

absl::Status PutAgency(store::Transaction& transaction, v1::Agency& agency);
absl::Status PutSystem(store::Transaction& transaction, v1::ClientSystem& system);
absl::Status PutPerson(store::Transaction& transaction, v1::Person& person);
absl::Status PutSource(store::Transaction& transaction, v1::Source& source);
absl::Status PutPurpose(store::Transaction& transaction, const v1::Purpose& purpose);

// The newest revocation list that was published for an authority, by the SHA-256 (hex) of its
// public key. The gateway's verifier is built from these and from the lists that its configuration
// names, the higher number of an authority's two; lists of authorities that are no longer
// configured stay unused.
struct PublishedList {
  std::string authority_key;
  std::string pem;
  int64_t number = 0;
  int64_t revoked = 0;
};
absl::StatusOr<std::vector<PublishedList>> LoadPublishedLists(store::Reader& reader);
absl::Status PutPublishedList(store::Transaction& transaction, const PublishedList& list);

// "agency/name" in its parts; nothing where it is not two ids with a slash between.
struct NameParts {
  std::string agency;
  std::string name;
};
std::optional<NameParts> SplitName(std::string_view qualified);

}  // namespace sluice::identity
