// Values in PostgreSQL's binary form (network order; src/backend/utils/adt/*send), typed into
// columns. Strict: a value either is of the declared type or it is bad; nothing is guessed, rounded
// or cut.
#pragma once

#include <cstdint>
#include <string_view>

#include "adapters/postgres/types.h"
#include "gateway/records/types.h"

namespace sluice::adapters::postgres {

// Of one column: what it is sent as, and what is made of it.
struct Reading {
  SourceType from = SourceType::kText;
  records::DataType to;
};

// Appends, or appends nothing and gives false for a bad value. Only for pairs that CanRead allows,
// and never for null.
bool AppendValue(std::string_view bytes, const Reading& reading, records::ColumnBuilder& out);

}  // namespace sluice::adapters::postgres
