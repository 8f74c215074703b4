// Matters (corrections and the like) as rows. For this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/identity/principal.h"
#include "gateway/sharing/matter_life.h"
#include "gateway/store/definition.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

// Where a matter belongs; whoever may see it follows from that.
struct MatterPlace {
  std::string dataset;  // empty where it is of none
  std::string owner_agency;
  std::string consumer_agency;  // empty where there is none
};
MatterPlace PlaceOf(const v1::Correction& correction);
MatterPlace PlaceOf(const v1::CatalogueUpdate& update);

struct MatterFilter {
  std::string dataset, owner_agency, consumer_agency;  // empty: any
  std::vector<int> states;                             // none: any
  bool oldest_first = false;
  std::string after;  // the id of the one that stands before the first
};

bool MaySeeMatter(const identity::Principal& who, const MatterPlace& place);

// Definitions of one kind, as stored.
absl::StatusOr<std::vector<store::SqlRow>> FindMatterRow(store::Reader& reader,
                                                         std::string_view kind,
                                                         std::string_view id);
// Those that the principal may see.
absl::StatusOr<std::vector<store::SqlRow>> LoadMatterRows(store::Reader& reader,
                                                          const identity::Principal& who,
                                                          std::string_view kind,
                                                          const MatterFilter& filter, int64_t most);
absl::StatusOr<int64_t> CountMatters(store::Reader& reader, std::string_view kind,
                                     const MatterFilter& filter);
absl::Status AddMatterRow(store::Transaction& transaction, std::string_view kind,
                          const std::string& id, const MatterPlace& place, int state,
                          const std::string& definition);
absl::Status PutMatterRow(store::Transaction& transaction, const std::string& id, int state,
                          const std::string& definition);

template <class Matter>
absl::StatusOr<std::optional<Matter>> FindMatter(store::Reader& reader, std::string_view id) {
  SLUICE_ASSIGN_OR_RETURN(const auto rows, FindMatterRow(reader, LifeOf(Matter()).kind, id));
  SLUICE_ASSIGN_OR_RETURN(auto found, store::ParseRows<Matter>(rows));
  if (found.empty()) return std::optional<Matter>();
  return std::optional<Matter>(std::move(found.front()));
}

template <class Matter>
absl::StatusOr<std::vector<Matter>> LoadMatters(store::Reader& reader,
                                                const identity::Principal& who,
                                                const MatterFilter& filter, int64_t most) {
  SLUICE_ASSIGN_OR_RETURN(const auto rows,
                          LoadMatterRows(reader, who, LifeOf(Matter()).kind, filter, most));
  return store::ParseRows<Matter>(rows);
}

}  // namespace sluice::sharing
