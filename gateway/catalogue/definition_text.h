// Parts of definitions as the short texts that YAML and differences use: masks and types.
#pragma once

#include <google/protobuf/message.h>

#include <optional>
#include <string>

namespace sluice::catalogue {

// For identity::Differences.
std::optional<std::string> DefinitionText(const google::protobuf::Message& message);

}  // namespace sluice::catalogue
