// Values as drivers write them, typed into columns. Strict: a value either is of the declared type
// or it is bad; nothing is guessed, rounded or cut.
#pragma once

#include <string_view>

#include "adapters/odbc/dialect.h"
#include "adapters/odbc/types.h"
#include "gateway/records/types.h"

namespace sluice::adapters::odbc {

// Of one column: what it is, how its bytes come, and what is made of them.
struct ValueReading {
  SourceType from = SourceType::kText;
  Fetch fetch = Fetch::kText;
  bool wide = false;  // of text: in UTF-16
  records::DataType to;
};

// Appends, or appends nothing and gives false for a bad value. Only for pairs that CanRead allows,
// and never for null.
bool AppendValue(std::string_view bytes, const ValueReading& reading, records::ColumnBuilder& out);

}  // namespace sluice::adapters::odbc
