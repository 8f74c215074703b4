// The known name that a mistyped one was probably meant to be.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace sluice {

// The one of `known` that is the fewest single-character insertions, deletions, replacements and
// swaps of neighbours away from `typed` (its capitals taken as small letters), the first of them
// where several are; none where that is more than three or a third of the longer one's length, or
// where `typed` is over 64 bytes long. An error may show it: it is a known name, and nothing of
// `typed` is in it.
std::optional<std::string> NearestName(std::string_view typed,
                                       absl::Span<const std::string_view> known);

}  // namespace sluice
