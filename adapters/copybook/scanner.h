// Cuts a copybook into words: what COBOL's two reference formats mean by lines and columns is
// forgotten behind it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::adapters::copybook {

enum class ReferenceFormat {
  kFixed,  // text stands in columns 8 to 72, a mark for the line in column 7
  kFree,
};

struct Word {
  enum class Kind { kWord, kLiteral, kPeriod };
  Kind kind = Kind::kWord;
  std::string text;   // of a literal nothing: none is needed
  std::string upper;  // in ASCII upper case
  int line = 0;       // from 1
};

// What is wrong with a copybook, at a line: "line 12: …".
absl::Status AtLine(int line, std::string_view what);

// INVALID_ARGUMENT with such a sentence.
absl::StatusOr<std::vector<Word>> Scan(std::string_view text, ReferenceFormat format);

}  // namespace sluice::adapters::copybook
