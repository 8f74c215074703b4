// A grant as the owner writes it (docs/formats/yaml.md).
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/base/yaml.h"
#include "gateway/identity/yaml_file.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

struct GrantFile {
  v1::Grant grant;
  YamlDocument document;  // for PlaceViolations, message "grant"
};
// DEFINITION_INVALID with all mistakes, a line each. What needs the dataset is for the gateway.
absl::StatusOr<GrantFile> ParseGrantYaml(std::string_view text, std::string_view file);
const identity::YamlNames& GrantYamlNames();

}  // namespace sluice::sharing
