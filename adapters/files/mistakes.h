// Mistakes in settings, all of them at once, and what finds them in a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::adapters::files {

// What is wrong with a value, to be read behind the setting's name; empty for nothing.
using Mistake = std::string;

// All that is wrong with a source's settings.
class Mistakes {
 public:
  void Add(std::string_view setting, Mistake mistake);  // nothing where it is empty
  bool any() const { return !mistakes_.empty(); }
  // DEFINITION_INVALID that names each; OK where there is none.
  absl::Status AsStatus() const;

 private:
  std::vector<std::pair<std::string, Mistake>> mistakes_;
};

// A list as one line of CSV.
absl::StatusOr<std::vector<std::string>> ParseList(std::string_view text);
Mistake TakePath(const std::string& value);
Mistake TakeNumber(const std::string& value, int64_t least, int64_t most, int64_t& number);
// A number of seconds, minutes, hours or days: 30s, 5m, 2h, 1d.
Mistake TakeDuration(const std::string& value, int64_t most_seconds, int64_t& seconds);
// One of two words; `flag` is whether it is the second.
Mistake TakeChoice(const std::string& value, std::string_view no, std::string_view yes, bool& flag);

}  // namespace sluice::adapters::files
