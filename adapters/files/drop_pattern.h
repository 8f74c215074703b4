// Names of files with a date in them: persons-{yyyyMMdd}.csv, {table}_{yyyyMMddHHmm}.dat. The
// letters of a date are TimePattern's. Immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/time_pattern.h"

namespace sluice::adapters::files {

class DropPattern {
 public:
  struct Found {
    std::string table;
    int64_t micros = 0;  // the date, as an instant UTC
  };

  // INVALID_ARGUMENT, whose message goes behind "must": one date, at most one {table}, and a
  // table's name from either.
  static absl::StatusOr<DropPattern> Parse(std::string_view pattern);
  // Nothing where a file's name does not fit, wholly.
  std::optional<Found> Match(std::string_view name) const;

 private:
  struct Token {
    enum class Kind { kText, kTable, kDate } kind = Kind::kText;
    std::string text;
  };
  bool MatchFrom(size_t token, std::string_view rest, Found& found) const;
  std::optional<int64_t> DateOf(std::string_view text) const;

  std::vector<Token> tokens_;
  std::string table_;  // where no token names it
  std::optional<TimePattern> date_, timestamp_;
};

}  // namespace sluice::adapters::files
