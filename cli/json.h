// Messages as JSON for scripts: keys as in the proto files, integers as numbers, enum values by
// their name without its prefix ("PURPOSE_NOT_GRANTED"), times in RFC 3339, bytes in base64.
// Texts, lists and messages that are not set are left out.
#pragma once

#include <string>

#include "google/protobuf/message.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {

nlohmann::ordered_json ToJson(const google::protobuf::Message& message);
// In one line, without a line feed.
std::string ToJsonLine(const google::protobuf::Message& message);

// "RECORD_KIND_RELEASED" as "RELEASED".
std::string EnumWord(const google::protobuf::EnumValueDescriptor& value);

}  // namespace sluice::cli
