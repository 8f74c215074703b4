// A dataset made ready for decisions: its definition with the schema and indices that follow from
// it. Immutable.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/records/types.h"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::catalogue {

struct Dataset {
  v1::Dataset definition;
  std::string owner_agency;         // before the slash of its name
  records::SchemaPtr schema;        // all fields, in order
  std::vector<int> key;             // indices of the key's fields
  std::vector<int> subject_fields;  // indices of fields that name data subjects

  const v1::DatasetField& field(int i) const { return definition.fields(i); }
  std::optional<int> IndexOf(std::string_view name) const;
  // The field whose name was probably meant (NearestName).
  std::optional<std::string> Nearest(std::string_view typed) const;
};
using DatasetPtr = std::shared_ptr<const Dataset>;

// DATASET_UNKNOWN: of what is not there, and of what the caller may not know of.
absl::Status NoSuchDataset(std::string_view name);

// The dataset, of those that the agency may know of and may still ask for, whose name was probably
// meant (NearestName).
std::optional<std::string> NearestDataset(
    std::string_view typed, const std::map<std::string, DatasetPtr, std::less<>>& datasets,
    std::string_view agency);

// Whether the agency may know of the dataset: for others it does not exist. Before it is published
// its owner's agency alone may.
bool InAudience(const v1::Dataset& definition, std::string_view agency);

// DEFINITION_INVALID with one field violation a mistake (path as in the message: "fields[2].type").
// Checks the definition by itself: names, types, classes, key, masks that fit their types, id
// types, withheld datasets that cite their law. Whether source and purposes exist is checked on
// applying.
absl::StatusOr<DatasetPtr> Compile(const v1::Dataset& definition);

}  // namespace sluice::catalogue
