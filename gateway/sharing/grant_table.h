// Grants as rows. Every revision is kept and can be read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/policy/grant.h"
#include "gateway/store/store.h"

namespace sluice::sharing {

// The room's tables: one of those that Store::Open is given, behind the catalogue's.
store::Migrations SharingMigrations();

// The newest revision of each, made ready, for a snapshot; revoked ones too. One that does not
// stand on its dataset any more (revoked or expired, and the dataset went on) is given as revoked
// and without fields, so that nothing can leave by it whatever the clock says.
using GrantsById = std::map<std::string, policy::GrantPtr, std::less<>>;
absl::StatusOr<GrantsById> LoadGrants(store::Reader& reader, const catalogue::Datasets& datasets);

// Whether a grant may allow anything at that moment or later: one that is suspended may be resumed.
bool InForce(const v1::Grant& grant, Micros now);

// The newest revision of each grant on a dataset that InForce.
absl::StatusOr<std::vector<v1::Grant>> GrantsInForce(store::Reader& reader,
                                                     std::string_view dataset, Micros now);
// The revisions of a grant up to `revision`, oldest first; the last `most`.
absl::StatusOr<std::vector<v1::Grant>> LoadRevisions(store::Reader& reader, std::string_view id,
                                                     int64_t revision, int64_t most);

// Revision 0 is the newest.
absl::StatusOr<std::optional<v1::Grant>> FindGrant(store::Reader& reader, std::string_view id,
                                                   int64_t revision = 0);
// Who asks for a list: all grants, or those of the owner's or the consumer's agency.
struct Sight {
  bool all = false;
  std::string as_owner;     // agency; empty: none
  std::string as_consumer;  // agency; empty: none
};
// Newest revisions by id, behind `after`; of one dataset or consumer agency where not empty.
absl::StatusOr<std::vector<v1::Grant>> ListGrants(store::Reader& reader, const Sight& sight,
                                                  std::string_view dataset,
                                                  std::string_view consumer_agency,
                                                  std::string_view after, int64_t most);
// Every revision of every grant that an agency has or had on a dataset, in no order.
absl::StatusOr<std::vector<v1::Grant>> AllGrantsOf(store::Reader& reader, std::string_view dataset,
                                                   std::string_view consumer_agency);
// Adds a revision, which becomes the newest.
absl::Status AddRevision(store::Transaction& transaction, const v1::Grant& grant);

// The agency of "agency/dataset".
std::string OwnerOf(const v1::Grant& grant);

}  // namespace sluice::sharing
