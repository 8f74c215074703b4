// The text of a field as a value of a field's type. Strict: it is of the type, wholly, or it is
// bad; nothing is guessed, rounded, trimmed or cut. docs/adapters/delimited.md has the table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adapters/files/time_pattern.h"
#include "gateway/records/predicate.h"
#include "gateway/records/types.h"

namespace sluice::adapters::files {

// How a column's values are written.
struct ValueRule {
  std::optional<TimePattern> date;       // else 2026-11-24
  std::optional<TimePattern> timestamp;  // else 2026-11-24T02:00:00.5Z, as records read it
  bool base64 = false;                   // binary; else hex
  std::string true_word = "true";
  std::string false_word = "false";
  char decimal_point = '.';
};

// std::monostate is null. Views borrow from the text or from scratch.
using Value = std::variant<std::monostate, bool, int64_t, double, int32_t, records::Decimal128,
                           std::string_view>;

// Nothing where the text is not of the type. `text` is UTF-8, unescaped.
std::optional<Value> ParseValue(std::string_view text, const records::DataType& type,
                                const ValueRule& rule, std::string& scratch);

void Append(const Value& value, records::ColumnBuilder& out);

// The same of a scalar, as predicates and positions hold them; borrows from it.
Value ValueOf(const records::Scalar& scalar);

}  // namespace sluice::adapters::files
