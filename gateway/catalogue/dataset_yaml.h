// A dataset as its owner writes it (docs/formats/yaml.md).
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/base/yaml.h"
#include "gateway/identity/yaml_file.h"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::catalogue {

struct DatasetFile {
  v1::Dataset dataset;
  YamlDocument document;  // for PlaceViolations, message "dataset"
};
// DEFINITION_INVALID with all mistakes, a line each: those of the file, and, where it is sound,
// those that Compile finds.
absl::StatusOr<DatasetFile> ParseDatasetYaml(std::string_view text, std::string_view file);
const identity::YamlNames& DatasetYamlNames();

}  // namespace sluice::catalogue
