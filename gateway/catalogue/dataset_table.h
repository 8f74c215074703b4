// Datasets as rows: the SQL of this room. Every revision is kept.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/store/store.h"

namespace sluice::catalogue {

// The room's tables: one of those that Store::Open is given, behind identity's.
store::Migrations CatalogueMigrations();

// The newest revision of each, made ready, for a snapshot.
using Datasets = std::map<std::string, DatasetPtr, std::less<>>;
absl::StatusOr<Datasets> LoadDatasets(store::Reader& reader);

// Revision 0 is the newest.
absl::StatusOr<std::optional<v1::Dataset>> FindDataset(store::Reader& reader, std::string_view name,
                                                       int64_t revision = 0);
// The revisions of a dataset up to `revision`, oldest first; the last `most`.
absl::StatusOr<std::vector<v1::Dataset>> LoadRevisions(store::Reader& reader, std::string_view name,
                                                       int64_t revision, int64_t most);
// Newest revisions by name, behind `after`; of one agency where it is not empty.
absl::StatusOr<std::vector<v1::Dataset>> ListDatasets(store::Reader& reader,
                                                      std::string_view agency,
                                                      std::string_view after, int64_t most);
// Adds a revision, which becomes the newest.
absl::Status AddRevision(store::Transaction& transaction, const v1::Dataset& dataset);

}  // namespace sluice::catalogue
