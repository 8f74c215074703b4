// Reasons in words, from the options in reason.proto.
#pragma once

#include <string>
#include <vector>

#include "sluice/v1/reason.pb.h"

namespace sluice::cli {

std::vector<v1::Reason> AllReasons();  // in the order of their numbers
std::string RetryWords(v1::Retry retry);
std::string StatusCodeName(int code);  // "PERMISSION_DENIED"
// docs/reasons.md, whole; a test holds the file against it.
std::string ReasonsMarkdown();

}  // namespace sluice::cli
