// A source as the operator writes it (docs/formats/yaml.md).
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/base/yaml.h"
#include "gateway/identity/registry.h"
#include "gateway/identity/yaml_file.h"

namespace sluice::identity {

struct SourceFile {
  v1::Source source;
  YamlDocument document;  // for PlaceViolations, message "source"
};
// Keys that are not Sluice's own are settings of the source's kind; `check` knows those, and its
// violations name the setting. DEFINITION_INVALID with all mistakes.
absl::StatusOr<SourceFile> ParseSourceYaml(std::string_view text, std::string_view file,
                                           const SourceCheck& check);
const YamlNames& SourceYamlNames();

}  // namespace sluice::identity
