// Which bytes or characters of a record are which column, as an owner writes it down:
//
//   code:6,name:30,city:4,-:2        one behind the other, each with its width; - is left out
//   code:1-6,name:7-36,city:37-40    or from the first place to the last, counted from 1
//
// One column a line does as well; a name with a comma or a line's end is quoted as in CSV.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::adapters::fixed {

struct FixedColumn {
  std::string name;
  size_t begin = 0;  // from 0; bytes or characters, as the source counts
  size_t end = 0;
};

struct RecordLayout {
  std::vector<FixedColumn> columns;
  size_t width = 0;  // of a record, without its end
};

inline constexpr size_t kMostColumns = 4'096;
inline constexpr size_t kMostWidth = 64 << 20;

// INVALID_ARGUMENT with a sentence's end, to be read behind the setting's name.
absl::StatusOr<RecordLayout> ParseLayout(std::string_view text);

}  // namespace sluice::adapters::fixed
