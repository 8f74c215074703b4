// Which type the texts of a column could be declared as: a proposal for people, of what was looked
// at only.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sluice::adapters::files {

struct TypeGuess {
  std::string type;            // "int64", "decimal128(12,2)", …
  std::string setting, value;  // what the source needs for it; empty where nothing
  std::string because;         // without any of the values
};

// Nothing where they are best left as text: codes with zeros in front, long numbers that name
// things, values of several forms. `values` has no nulls.
std::optional<TypeGuess> GuessType(const std::vector<std::string>& values);

}  // namespace sluice::adapters::files
