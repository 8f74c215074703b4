// What a column of any source is, as far as it is lent, and which of our types each can be read as.
// docs/adapters/odbc.md has the table.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/records/types.h"

namespace sluice::adapters::odbc {

enum class SourceType : uint8_t {
  kOther,  // not lent: intervals, times of day, arrays, geometries, …
  kBool,
  kInteger,   // up to 64 bits with sign
  kUnsigned,  // 64 bits without
  kBit,       // MariaDB's BIT(n)
  kFloat,     // 32 bits
  kDouble,
  kDecimal,
  kDate,
  kTimestamp,      // without zone
  kTimestampZone,  // an instant
  kText,           // of the kind that the source compares by itself
  kOtherText,      // read as text: char(n), enums, UUIDs, JSON
  kBinary,
  kDynamic,  // SQLite: each value says itself what it is
};
inline constexpr int kSourceTypes = static_cast<int>(SourceType::kDynamic) + 1;

inline bool IsWhole(SourceType type) {
  return type == SourceType::kInteger || type == SourceType::kUnsigned || type == SourceType::kBit;
}

// What Describe says of it. `size` and `digits` as SQLDescribeCol gives them, of decimals.
records::DataType DescribedType(SourceType type, uint64_t size, int digits, bool zone_is_utc);

// Whether values of it may be of that type; each is checked when it is read. `zone_is_utc`: the
// settings say that times without a zone are UTC.
bool CanRead(SourceType from, const records::DataType& to, bool zone_is_utc);

// By ODBC's own code of a type; kOther where that says too little.
SourceType SourceTypeOf(int16_t sql_type, bool is_unsigned);

}  // namespace sluice::adapters::odbc
