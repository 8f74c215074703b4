// The authority's list of purposes as it is written (docs/formats/yaml.md).
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/yaml.h"
#include "gateway/identity/yaml_file.h"
#include "sluice/v1/registry.pb.h"

namespace sluice::identity {

// DEFINITION_INVALID with all mistakes.
absl::StatusOr<std::vector<v1::Purpose>> ParsePurposesYaml(std::string_view text,
                                                           std::string_view file);

// The entries of a list of purposes, for files that hold one among others.
std::vector<v1::Purpose> ReadPurposes(const YamlNode& list);

}  // namespace sluice::identity
