#include "adapters/postgres/types.h"

#include <algorithm>

namespace sluice::adapters::postgres {
namespace {

using records::DataType;
using records::TypeId;

constexpr int kMostPrecision = 38;
constexpr int kModifierOffset = 4;  // VARHDRSZ: what a type's modifier begins with

// numeric(p,s), also where the scale is negative or above the precision (since PostgreSQL 15).
DataType DecimalOf(int32_t modifier) {
  constexpr DataType kUnbounded{TypeId::kDecimal128, kMostPrecision, 10};
  if (modifier < kModifierOffset) return kUnbounded;
  const int32_t packed = modifier - kModifierOffset;
  int precision = packed >> 16;
  int scale = ((packed & 0x7FF) ^ 1024) - 1024;
  if (scale < 0) {
    precision -= scale;
    scale = 0;
  }
  precision = std::max(precision, scale);
  if (precision > kMostPrecision) return kUnbounded;
  return {TypeId::kDecimal128, static_cast<uint8_t>(precision), static_cast<uint8_t>(scale)};
}

}  // namespace

SourceType SourceTypeOf(uint32_t oid, bool is_enum) {
  if (is_enum) return SourceType::kEnum;
  switch (oid) {
    case 16:
      return SourceType::kBool;
    case 17:
      return SourceType::kBytea;
    case 18:
    case 19:
      return SourceType::kName;
    case 20:
      return SourceType::kInt8;
    case 21:
      return SourceType::kInt2;
    case 23:
      return SourceType::kInt4;
    case 25:
    case 1043:
      return SourceType::kText;
    case 26:
      return SourceType::kOid;
    case 114:
    case 3802:
      return SourceType::kJson;
    case 700:
      return SourceType::kFloat4;
    case 701:
      return SourceType::kFloat8;
    case 1042:
      return SourceType::kBpchar;
    case 1082:
      return SourceType::kDate;
    case 1114:
      return SourceType::kTimestamp;
    case 1184:
      return SourceType::kTimestampTz;
    case 1700:
      return SourceType::kNumeric;
    case 2950:
      return SourceType::kUuid;
    default:
      return SourceType::kOther;
  }
}

bool IsText(SourceType type) {
  return type == SourceType::kText || type == SourceType::kBpchar || type == SourceType::kName ||
         type == SourceType::kEnum || type == SourceType::kJson;
}

bool IsWholeNumber(SourceType type) {
  return type == SourceType::kInt2 || type == SourceType::kInt4 || type == SourceType::kInt8 ||
         type == SourceType::kOid;
}

DataType DescribedType(SourceType type, int32_t modifier) {
  switch (type) {
    case SourceType::kBool:
      return {TypeId::kBool};
    case SourceType::kInt2:
    case SourceType::kInt4:
    case SourceType::kInt8:
    case SourceType::kOid:
      return {TypeId::kInt64};
    case SourceType::kFloat4:
    case SourceType::kFloat8:
      return {TypeId::kFloat64};
    case SourceType::kNumeric:
      return DecimalOf(modifier);
    case SourceType::kDate:
      return {TypeId::kDate32};
    case SourceType::kTimestamp:
      return {TypeId::kTimestamp, 0, 0, false};
    case SourceType::kTimestampTz:
      return {TypeId::kTimestamp, 0, 0, true};
    case SourceType::kBytea:
    // Nothing is read from binary but binary: so whoever checks a dataset against the description
    // refuses the column by its type's name.
    case SourceType::kOther:
      return {TypeId::kBinary};
    default:
      return {TypeId::kUtf8};
  }
}

bool CanRead(SourceType from, const DataType& to) {
  const bool number = IsWholeNumber(from);
  const bool text = IsText(from) && from != SourceType::kJson;
  switch (to.id) {
    case TypeId::kBool:
      return from == SourceType::kBool || number || text;
    case TypeId::kInt64:
      return number || from == SourceType::kNumeric || text;
    case TypeId::kFloat64:
      return from == SourceType::kFloat4 || from == SourceType::kFloat8 || number || text;
    case TypeId::kDecimal128:
      return from == SourceType::kNumeric || number || text;
    case TypeId::kDate32:
      return from == SourceType::kDate || text;
    case TypeId::kTimestamp:
      return from == (to.utc ? SourceType::kTimestampTz : SourceType::kTimestamp) || text;
    case TypeId::kUtf8:
      return IsText(from) || from == SourceType::kUuid;
    case TypeId::kBinary:
      return from == SourceType::kBytea;
  }
  return false;
}

const char* ResultTypeName(SourceType type) {
  switch (type) {
    case SourceType::kBool:
      return "pg_catalog.bool";
    case SourceType::kInt2:
      return "pg_catalog.int2";
    case SourceType::kInt4:
      return "pg_catalog.int4";
    case SourceType::kInt8:
      return "pg_catalog.int8";
    case SourceType::kOid:
      return "pg_catalog.oid";
    case SourceType::kFloat4:
      return "pg_catalog.float4";
    case SourceType::kFloat8:
      return "pg_catalog.float8";
    case SourceType::kNumeric:
      return "pg_catalog.numeric";
    case SourceType::kDate:
      return "pg_catalog.date";
    case SourceType::kTimestamp:
      return "pg_catalog.timestamp";
    case SourceType::kTimestampTz:
      return "pg_catalog.timestamptz";
    case SourceType::kUuid:
      return "pg_catalog.uuid";
    case SourceType::kBytea:
      return "pg_catalog.bytea";
    default:
      return "pg_catalog.text";
  }
}

uint32_t ResultOid(SourceType type) {
  switch (type) {
    case SourceType::kBool:
      return 16;
    case SourceType::kInt2:
      return 21;
    case SourceType::kInt4:
      return 23;
    case SourceType::kInt8:
      return 20;
    case SourceType::kOid:
      return 26;
    case SourceType::kFloat4:
      return 700;
    case SourceType::kFloat8:
      return 701;
    case SourceType::kNumeric:
      return 1700;
    case SourceType::kDate:
      return 1082;
    case SourceType::kTimestamp:
      return 1114;
    case SourceType::kTimestampTz:
      return 1184;
    case SourceType::kUuid:
      return 2950;
    case SourceType::kBytea:
      return 17;
    default:
      return 25;
  }
}

}  // namespace sluice::adapters::postgres
