// The adapter's errors. Sentences name files by their table, lines by number and columns by name;
// never a value, never a path.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace sluice::adapters::delimited {

absl::Status Unavailable(std::string_view sentence);
absl::Status Drift(std::string_view sentence);
absl::Status Changed();
// SOURCE_BAD_VALUE. `line` is the physical line, from 1, on which the record begins.
absl::Status BadRecord(std::string_view table, int64_t line, std::string_view what);
absl::Status BadField(std::string_view table, int64_t line, std::string_view column,
                      std::string_view what);

}  // namespace sluice::adapters::delimited
