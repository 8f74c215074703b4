// Ids of grants, requests and other matters. For this room.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/crypto.h"

namespace sluice::sharing {

// Six characters that can be read out on the telephone, drawn evenly: "7q4m2k".
std::string RandomId(RandomSource& random);
bool IsGrantId(std::string_view id);
// "r-" and six such characters.
bool IsAccessRequestId(std::string_view id);
// The prefix of its kind, "c-", and six such characters.
bool IsMatterId(std::string_view prefix, std::string_view id);

}  // namespace sluice::sharing
