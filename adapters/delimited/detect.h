// What a file of text looks like, as proposals for the one who describes its source: settings that
// would fit, and types of columns. Nothing here decides anything; a file is read as its settings
// say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/delimited/settings.h"

namespace sluice::adapters::delimited {

// How much of a file is looked at.
inline constexpr size_t kSampleBytes = 256 << 10;
inline constexpr size_t kSampleRecords = 1'000;

struct Proposal {
  std::string setting;  // "separator", "date_format.born"; "field NAME" for a column's type
  std::string value;
  std::string because;  // without any of the file's values
};

// `sample` is the file's beginning; `whole`: nothing follows it. Only what differs from `current`
// is proposed, and types of columns.
std::vector<Proposal> Detect(std::string_view sample, bool whole, const DelimitedSettings& current);

// As a sentence each: "separator: semicolon (1,000 of 1,000 records have 7 fields)".
std::vector<std::string> Sentences(const std::vector<Proposal>& proposals);

}  // namespace sluice::adapters::delimited
