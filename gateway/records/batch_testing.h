// Batches of seeded random values for tests: every type, nulls, and the values at which code breaks
// (extremes, NaN, -0.0, text of every length of code point, control characters).
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "gateway/records/types.h"

namespace sluice::records {

// Of a type written as in a dataset: "decimal128(9,0)".
inline DataType TypeOf(std::string_view text) { return ParseDataType(text).value(); }

// Fields named by their types: bool, int64, float64, decimal128(38,5), decimal128(9,0), date32,
// timestamp(utc), timestamp(local), utf8, binary. A quarter of the values is null. Dates and times
// lie in years 1 to 9999. Few distinct values, so that equal ones meet.
RecordBatch RandomBatch(std::mt19937_64& random, int64_t rows);

// One value (not null), as RandomBatch draws them.
void AppendRandom(std::mt19937_64& random, ColumnBuilder& out);

}  // namespace sluice::records
