#include "adapters/sqlite/values.h"

#include <string_view>

#include "adapters/sqlite/statement.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::sqlite {
namespace {

using records::ColumnBuilder;
using records::DataType;
using records::Decimal128;
using records::TypeId;

constexpr int64_t kMostExactInDouble = int64_t{1} << 53;
constexpr int64_t kFirstSecond = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr int64_t kLastSecond = 253'402'300'799;   // 9999-12-31T23:59:59Z

bool AppendBool(sqlite3_stmt* row, int column, ColumnBuilder& out) {
  if (sqlite3_column_type(row, column) != SQLITE_INTEGER) return false;
  const int64_t value = sqlite3_column_int64(row, column);
  if (value != 0 && value != 1) return false;
  out.AppendBool(value == 1);
  return true;
}

bool AppendInt64(sqlite3_stmt* row, int column, ColumnBuilder& out) {
  if (sqlite3_column_type(row, column) != SQLITE_INTEGER) return false;
  out.AppendInt64(sqlite3_column_int64(row, column));
  return true;
}

bool AppendFloat64(sqlite3_stmt* row, int column, ColumnBuilder& out) {
  const int stored = sqlite3_column_type(row, column);
  if (stored == SQLITE_INTEGER) {
    const int64_t value = sqlite3_column_int64(row, column);
    if (value > kMostExactInDouble || value < -kMostExactInDouble) return false;
    out.AppendFloat64(static_cast<double>(value));
    return true;
  }
  if (stored != SQLITE_FLOAT) return false;
  out.AppendFloat64(sqlite3_column_double(row, column));
  return true;
}

// The integer times ten to the scale, where the precision holds it.
bool AppendWhole(int64_t value, const DataType& type, ColumnBuilder& out) {
  Decimal128 bound = 1;
  for (int i = 0; i < type.precision - type.scale; ++i) bound *= 10;
  if (value >= bound || value <= -bound) return false;
  Decimal128 unscaled = value;
  for (int i = 0; i < type.scale; ++i) unscaled *= 10;
  out.AppendDecimal(unscaled);
  return true;
}

bool AppendDecimal(sqlite3_stmt* row, int column, const DataType& type, ColumnBuilder& out) {
  const int stored = sqlite3_column_type(row, column);
  if (stored == SQLITE_INTEGER) return AppendWhole(sqlite3_column_int64(row, column), type, out);
  // A REAL is a binary fraction already: what the owner once wrote can no longer be told.
  if (stored != SQLITE_TEXT) return false;
  const auto value = records::ParseDecimal(ColumnText(row, column), type.precision, type.scale);
  if (!value.ok()) return false;
  out.AppendDecimal(*value);
  return true;
}

bool AppendDate(sqlite3_stmt* row, int column, ColumnBuilder& out) {
  if (sqlite3_column_type(row, column) != SQLITE_TEXT) return false;
  const std::string_view text = ColumnText(row, column);
  // One text for one day, so that the order of texts is the order of days.
  if (text.size() != 10) return false;
  const auto day = records::ParseDate(text);
  if (!day.ok()) return false;
  out.AppendDate32(*day);
  return true;
}

bool AppendTimestamp(sqlite3_stmt* row, int column, const DataType& type, ColumnBuilder& out) {
  const int stored = sqlite3_column_type(row, column);
  if (stored == SQLITE_INTEGER) {
    // SQLite's own convention (datatype3.html, 2.2): Unix seconds, an instant and no wall clock
    // time.
    const int64_t seconds = sqlite3_column_int64(row, column);
    if (!type.utc || seconds < kFirstSecond || seconds > kLastSecond) return false;
    out.AppendInt64(seconds * 1'000'000);
    return true;
  }
  if (stored != SQLITE_TEXT) return false;
  std::string text(ColumnText(row, column));
  if (text.size() < 19 || text.size() > 32 || text[4] != '-' || text[7] != '-') return false;
  if (text[10] == ' ') text[10] = 'T';  // as CURRENT_TIMESTAMP writes it
  if (text[10] != 'T') return false;
  // A text without zone in a column declared UTC is UTC, as CURRENT_TIMESTAMP is. Other offsets are
  // refused: they belong to another day than they say.
  const bool has_z = text.back() == 'Z';
  if (text.find_first_of("+-", 10) != std::string::npos || (has_z && !type.utc)) return false;
  if (type.utc && !has_z) text.push_back('Z');
  const auto micros = records::ParseTimestamp(text, type.utc);
  if (!micros.ok()) return false;
  out.AppendInt64(*micros);
  return true;
}

bool AppendText(sqlite3_stmt* row, int column, ColumnBuilder& out) {
  if (sqlite3_column_type(row, column) != SQLITE_TEXT) return false;
  const std::string_view text = ColumnText(row, column);
  if (!records::ValidUtf8(text)) return false;
  out.AppendBytes(text);
  return true;
}

bool AppendBinary(sqlite3_stmt* row, int column, ColumnBuilder& out) {
  if (sqlite3_column_type(row, column) != SQLITE_BLOB) return false;
  const void* bytes = sqlite3_column_blob(row, column);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(row, column));
  out.AppendBytes({size == 0 ? "" : static_cast<const char*>(bytes), size});
  return true;
}

bool Append(sqlite3_stmt* row, int column, const DataType& type, ColumnBuilder& out) {
  switch (type.id) {
    case TypeId::kBool:
      return AppendBool(row, column, out);
    case TypeId::kInt64:
      return AppendInt64(row, column, out);
    case TypeId::kFloat64:
      return AppendFloat64(row, column, out);
    case TypeId::kDecimal128:
      return AppendDecimal(row, column, type, out);
    case TypeId::kDate32:
      return AppendDate(row, column, out);
    case TypeId::kTimestamp:
      return AppendTimestamp(row, column, type, out);
    case TypeId::kUtf8:
      return AppendText(row, column, out);
    case TypeId::kBinary:
      return AppendBinary(row, column, out);
  }
  return false;
}

}  // namespace

Outcome AppendValue(sqlite3_stmt* row, int column, const DataType& type, ColumnBuilder& out) {
  if (sqlite3_column_type(row, column) == SQLITE_NULL) {
    out.AppendNull();
    return Outcome::kNull;
  }
  return Append(row, column, type, out) ? Outcome::kValue : Outcome::kBad;
}

int64_t SizeOf(sqlite3_stmt* row, int column) {
  constexpr int64_t kFixed = 16;
  const int stored = sqlite3_column_type(row, column);
  const bool varies = stored == SQLITE_TEXT || stored == SQLITE_BLOB;
  return kFixed + (varies ? sqlite3_column_bytes(row, column) : 0);
}

}  // namespace sluice::adapters::sqlite
