// Keys as bytes whose order (memcmp) is the order of scans: nulls first, numbers by size, text by
// code point. No encoded column begins another of the same type, so that columns are put one behind
// the other; -0.0 is 0.0, NaN the greatest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/files/format.h"
#include "adapters/files/values.h"
#include "gateway/records/predicate.h"

namespace sluice::adapters::files {

// Longer ones are bad values: an index holds many.
inline constexpr size_t kMostKeyBytes = 2'048;

void AppendKey(const Value& value, std::string& out);

// The key of the row that rows stand at. One thread.
class KeyReader {
 public:
  // `key`: indices into the columns that rows were opened with. `rows` outlives it.
  KeyReader(Rows& rows, std::vector<ColumnRequest> columns, std::vector<int> key, std::string table,
            const char* counted)
      : rows_(rows),
        columns_(std::move(columns)),
        key_(std::move(key)),
        table_(std::move(table)),
        counted_(counted) {}
  // Encoded. SOURCE_BAD_VALUE where a part of it is none.
  absl::Status Read(std::string& key);

 private:
  Rows& rows_;
  const std::vector<ColumnRequest> columns_;
  const std::vector<int> key_;
  const std::string table_;
  const char* const counted_;
};

// Keys from `low` on and before `high`; to the end where high is empty.
struct KeyRange {
  std::string low;
  std::string high;
  bool operator==(const KeyRange&) const = default;
};

// Disjoint ranges, ascending, outside of which the predicate certainly is not TRUE; `field` is the
// first column of the key. Everything where nothing is certain.
std::vector<KeyRange> RangesOf(const records::Predicate& predicate, int field);

// Both must hold; for positions.
std::vector<KeyRange> Behind(std::vector<KeyRange> ranges, const std::string& key);

}  // namespace sluice::adapters::files
