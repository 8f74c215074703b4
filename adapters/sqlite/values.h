// SQLite's values, typed one by one, into columns that are typed as a whole. Strict: a value either
// is of the declared type or it is bad; nothing is guessed, rounded or cut.
#pragma once

#include "gateway/records/types.h"
#include "sqlite3.h"

namespace sluice::adapters::sqlite {

enum class Outcome { kValue, kNull, kBad };

// Appends to `out` in the first two cases only. docs/adapters/sqlite.md has the table of what fits.
Outcome AppendValue(sqlite3_stmt* row, int column, const records::DataType& type,
                    records::ColumnBuilder& out);

// What the value will take in a batch, in bytes, about.
int64_t SizeOf(sqlite3_stmt* row, int column);

}  // namespace sluice::adapters::sqlite
