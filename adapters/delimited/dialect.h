// How a file is written: what separates fields and rows, and how much of what is found in the wild
// is taken. The defaults are RFC 4180's, and strict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "adapters/files/encoding.h"

namespace sluice::adapters::delimited {

using files::Encoding;

enum class LineEnds {
  kLfOrCrLf,  // each of both
  kLf,
  kCrLf,
  kCr,
  kAny,  // each of the three
};

struct Dialect {
  Encoding encoding = Encoding::kUtf8;
  char separator = ',';             // ASCII
  std::optional<char> quote = '"';  // ASCII
  // A backslash takes the character behind it as it is, quoted or not.
  bool backslash = false;
  // A quote inside a field that does not begin with one is a character like others.
  bool stray_quotes = false;
  LineEnds line_ends = LineEnds::kLfOrCrLf;
  bool quoted_line_ends = true;           // a quoted field may hold line ends
  bool needs_last_line_end = true;        // a file without may have been cut short
  bool drops_trailing_separator = false;  // one separator at a row's end ends nothing
  bool skips_blank_lines = false;
  bool header = true;
  int64_t skip_lines = 0;  // lines before the header that are no rows
  // With its line ends; longer is a mistake of the file, such as a quote that is never closed.
  size_t most_row_bytes = 8 << 20;
};

inline constexpr size_t kMostColumns = 4'096;

}  // namespace sluice::adapters::delimited
