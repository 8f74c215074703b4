// Dates and times as a pattern says they are written: yyyy-MM-dd, yyyyMMdd, dd/MM/yyyy HH:mm:ss.
// Immutable; any thread.
//
//   yyyy MM dd HH mm ss   exactly so many digits
//   M d H                 one or two digits
//   S, SS, … SSSSSS       digits of the fraction of a second
//   X                     Z, or an offset such as +08:00
//   T, and whatever is no letter, stands for itself
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::adapters::files {

class TimePattern {
 public:
  // INVALID_ARGUMENT, whose message goes behind "must": year, month and day once each; for a
  // timestamp hour and minute as well.
  static absl::StatusOr<TimePattern> ForDate(std::string_view pattern);
  static absl::StatusOr<TimePattern> ForTimestamp(std::string_view pattern);

  // Nothing where the text does not fit, wholly, or is no time of the years 1 to 9999.
  std::optional<int32_t> Days(std::string_view text) const;
  // `utc`: the field is an instant. A text without offset is UTC then; one with an offset is no
  // wall clock time.
  std::optional<int64_t> Micros(std::string_view text, bool utc) const;

 private:
  enum class Part : uint8_t {
    kYear,
    kMonth,
    kDay,
    kHour,
    kMinute,
    kSecond,
    kFraction,
    kOffset,
    kText
  };
  struct Token {
    Part part;
    int least = 0;  // digits
    int most = 0;
    char text = 0;
  };
  struct Read;

  static absl::StatusOr<TimePattern> Compile(std::string_view pattern);
  int Count(Part part) const;
  bool Match(std::string_view text, Read& read) const;

  std::vector<Token> tokens_;
};

}  // namespace sluice::adapters::files
