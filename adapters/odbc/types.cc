#include "adapters/odbc/types.h"

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#include <algorithm>

namespace sluice::adapters::odbc {
namespace {

using records::DataType;
using records::TypeId;

constexpr uint64_t kMostPrecision = 38;
constexpr DataType kAnyDecimal = {TypeId::kDecimal128, kMostPrecision, 10};

bool IsText(SourceType type) { return type == SourceType::kText || type == SourceType::kOtherText; }

}  // namespace

DataType DescribedType(SourceType type, uint64_t size, int digits, bool zone_is_utc) {
  switch (type) {
    case SourceType::kBool:
      return {TypeId::kBool};
    case SourceType::kInteger:
    case SourceType::kBit:
      return {TypeId::kInt64};
    case SourceType::kUnsigned:
      return {TypeId::kDecimal128, 20, 0};
    case SourceType::kFloat:
    case SourceType::kDouble:
      return {TypeId::kFloat64};
    case SourceType::kDecimal:
      if (size == 0 || size > kMostPrecision || digits < 0 || static_cast<uint64_t>(digits) > size)
        return kAnyDecimal;
      return {TypeId::kDecimal128, static_cast<uint8_t>(size), static_cast<uint8_t>(digits)};
    case SourceType::kDate:
      return {TypeId::kDate32};
    case SourceType::kTimestamp:
      return {TypeId::kTimestamp, 0, 0, zone_is_utc};
    case SourceType::kTimestampZone:
      return {TypeId::kTimestamp, 0, 0, true};
    case SourceType::kBinary:
      return {TypeId::kBinary};
    default:
      return {TypeId::kUtf8};
  }
}

bool CanRead(SourceType from, const DataType& to, bool zone_is_utc) {
  if (from == SourceType::kOther) return false;
  if (from == SourceType::kDynamic) return true;
  const bool text = IsText(from), whole = IsWhole(from);
  switch (to.id) {
    case TypeId::kBool:
      return from == SourceType::kBool || whole || text;
    case TypeId::kInt64:
      return whole || from == SourceType::kDecimal || text;
    case TypeId::kFloat64:
      return from == SourceType::kFloat || from == SourceType::kDouble || whole || text;
    case TypeId::kDecimal128:
      return from == SourceType::kDecimal || whole || text;
    case TypeId::kDate32:
      return from == SourceType::kDate || text;
    case TypeId::kTimestamp:
      if (from == SourceType::kTimestamp) return !to.utc || zone_is_utc;
      return text || (to.utc && from == SourceType::kTimestampZone);
    case TypeId::kUtf8:
      return text;
    case TypeId::kBinary:
      return from == SourceType::kBinary;
  }
  return false;
}

SourceType SourceTypeOf(int16_t sql_type, bool is_unsigned) {
  switch (sql_type) {
    case SQL_BIT:
      return SourceType::kBool;
    case SQL_TINYINT:
    case SQL_SMALLINT:
    case SQL_INTEGER:
      return SourceType::kInteger;
    case SQL_BIGINT:
      return is_unsigned ? SourceType::kUnsigned : SourceType::kInteger;
    case SQL_REAL:
      return SourceType::kFloat;
    case SQL_FLOAT:
    case SQL_DOUBLE:
      return SourceType::kDouble;
    case SQL_DECIMAL:
    case SQL_NUMERIC:
      return SourceType::kDecimal;
    case SQL_TYPE_DATE:
    case SQL_DATE:
      return SourceType::kDate;
    case SQL_TYPE_TIMESTAMP:
    case SQL_TIMESTAMP:
      return SourceType::kTimestamp;
    case SQL_VARCHAR:
    case SQL_WVARCHAR:
    case SQL_LONGVARCHAR:
    case SQL_WLONGVARCHAR:
      return SourceType::kText;
    case SQL_CHAR:
    case SQL_WCHAR:
    case SQL_GUID:
      return SourceType::kOtherText;
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY:
      return SourceType::kBinary;
    default:
      return SourceType::kOther;
  }
}

}  // namespace sluice::adapters::odbc
