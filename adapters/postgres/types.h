// PostgreSQL's types, as far as they are lent, and which of ours each can be read as.
// docs/adapters/postgres.md has the table.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/records/types.h"

namespace sluice::adapters::postgres {

enum class SourceType : uint8_t {
  kOther,  // not lent: arrays, composites, intervals, ranges, …
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kOid,
  kFloat4,
  kFloat8,
  kNumeric,
  kDate,
  kTimestamp,
  kTimestampTz,
  kText,    // text, varchar
  kBpchar,  // char(n): read without the blanks that fill it up, as its own cast to text does
  kName,    // name and "char", of PostgreSQL's own tables
  kEnum,
  kJson,  // json and jsonb, as text
  kUuid,
  kBytea,
};

// Of a base type's OID (pg_type.dat); `is_enum` where pg_type.typtype says so.
SourceType SourceTypeOf(uint32_t oid, bool is_enum);

// What Describe says of it. `modifier` is pg_attribute.atttypmod: of numeric(p,s).
records::DataType DescribedType(SourceType type, int32_t modifier);

// Whether values of it may be of that type; each is checked when it is read.
bool CanRead(SourceType from, const records::DataType& to);

// The type that a column is cast to in a statement's results, so that what comes is what is
// decoded: its name, and its OID.
const char* ResultTypeName(SourceType type);
uint32_t ResultOid(SourceType type);

bool IsText(SourceType type);
bool IsWholeNumber(SourceType type);

}  // namespace sluice::adapters::postgres
