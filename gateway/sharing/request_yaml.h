// An access request as the consumer writes it, and the terms of its approval as the owner does
// (docs/cli.md).
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/base/yaml.h"
#include "gateway/identity/yaml_file.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

struct RequestFile {
  v1::AccessRequest request;
  YamlDocument document;  // for PlaceViolations, message "request"
};
// DEFINITION_INVALID with all mistakes, a line each. What needs the dataset is for the gateway.
absl::StatusOr<RequestFile> ParseRequestYaml(std::string_view text, std::string_view file);
const identity::YamlNames& RequestYamlNames();

// A grant with only the parts that are said: none of its keys is needed.
struct TermsFile {
  v1::Grant terms;
  YamlDocument document;  // for PlaceViolations, message "terms" and GrantYamlNames
};
absl::StatusOr<TermsFile> ParseTermsYaml(std::string_view text, std::string_view file);

}  // namespace sluice::sharing
