// Debian's Abseil has a string_view of its own, beside the standard's.
#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace sluice {

inline absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace sluice
