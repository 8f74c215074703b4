// Which columns a table has: a record's leaves by their names, those that repeat by their
// occurrences, and what must hold for each to be there. docs/adapters/copybook.md has the rules.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/copybook/settings.h"
#include "adapters/copybook/shape.h"
#include "adapters/files/format.h"

namespace sluice::adapters::copybook {

// An element of a leaf or of a table, where some of the occurrences are the row's.
struct Element {
  int64_t base = 0;
  std::vector<int64_t> steps;  // one for each table of the row's path; empty where none matters
  int64_t At(const std::vector<int64_t>& path) const {
    int64_t element = base;
    for (size_t i = 0; i < steps.size(); ++i) element += steps[i] * path[i];
    return element;
  }
};

// There is an occurrence `index` of the table only where its count is above that.
struct Guard {
  int table = 0;
  Element around;
  int64_t index = 0;
};

// The leaf has one of the values.
struct Condition {
  int leaf = 0;
  Element element;
  std::vector<std::string> values;
};

struct ColumnPlan {
  enum class Kind : uint8_t { kField, kRecordNumber, kOccurrenceNumber, kRecordLength };
  Kind kind = Kind::kField;
  int leaf = -1;
  Element element;
  std::vector<Guard> guards;
  std::vector<Condition> holds;  // else it is null
  std::optional<Condition> null_if;
  int length_leaf = -1;  // how many of its bytes are its text
  Element length_element;
};

struct TableLayout : files::Layout {
  std::shared_ptr<const Shape> shape;
  std::vector<ColumnPlan> plans;  // of the columns
  std::vector<int> path;          // tables whose occurrences are rows, outermost first
  int segment_leaf = -1;
  std::vector<std::string> segment_values;  // of this part's records
  std::vector<std::string> other_values;    // of other parts'
};

inline constexpr size_t kMostColumns = 4'096;

// Columns of the table, or of a source as a whole where it has no name. INVALID_ARGUMENT with a
// sentence that names the setting or the copybook's line.
absl::StatusOr<TableLayout> PlanColumns(std::shared_ptr<const Shape> shape,
                                        const CopybookSettings& settings,
                                        const files::TableName& table);

}  // namespace sluice::adapters::copybook
