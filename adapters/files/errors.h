// The errors of files. Sentences name files by their table, rows by number and columns by name;
// never a value, never a path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sluice::adapters::files {

// Where a row begins.
struct Place {
  int64_t offset = 0;  // of its record's first byte in the content
  int64_t number = 1;  // what people count, from 1: a physical line, or a record
  int32_t part = 0;    // of the rows that one record holds, from 0
};

// What an error says of where it is.
struct Spot {
  std::string_view table;
  const char* counted = "line";  // what `place.number` counts
  Place place;
};

absl::Status Unavailable(std::string_view sentence);
absl::Status Drift(std::string_view sentence);
absl::Status Changed();
// SOURCE_BAD_VALUE. Number and offset are in the metadata: `line` (or what is counted), `offset`.
absl::Status BadRecord(const Spot& spot, std::string_view what);
absl::Status BadField(const Spot& spot, std::string_view column, std::string_view what);
// SOURCE_BAD_VALUE of the file as a whole.
absl::Status BadFile(std::string_view table, std::string_view what);
// SCHEMA_DRIFT of a key that comes twice. `counted` as in Spot.
absl::Status RepeatedKey(std::string_view table, const char* counted, const Place& a,
                         const Place& b);

}  // namespace sluice::adapters::files
