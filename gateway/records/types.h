// Types, schemas and columnar batches, in Arrow's memory layout (validity bitmap with the least
// significant bit first, int32 offsets, little-endian values), so that an Arrow IPC message is a
// header around buffers that exist already. https://arrow.apache.org/docs/format/Columnar.html
//
// Everything here is immutable once made and may be read by any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::records {

enum class TypeId : uint8_t {
  kBool,
  kInt64,
  kFloat64,
  kDecimal128,  // precision 1..38, scale 0..precision; unscaled two's complement 128 bits
  kDate32,      // days since 1970-01-01
  kTimestamp,   // microseconds; utc says whether it is UTC or a wall clock time without zone
  kUtf8,
  kBinary,
};

struct DataType {
  TypeId id = TypeId::kUtf8;
  uint8_t precision = 0;
  uint8_t scale = 0;
  bool utc = false;
  bool operator==(const DataType&) const = default;
};

// "utf8", "decimal128(12,2)", "timestamp(utc)", "timestamp(local)", "date32", …: as in dataset
// YAML.
std::string ToString(const DataType& type);
absl::StatusOr<DataType> ParseDataType(std::string_view text);

using Decimal128 = __int128;

// 0001-01-01 to 9999-12-31 of the proleptic Gregorian calendar, as days and as microseconds: what
// text and the wire hold. Adapters refuse values outside.
inline constexpr int32_t kMinDate32 = -719162;
inline constexpr int32_t kMaxDate32 = 2932896;
inline constexpr int64_t kMinTimestamp = int64_t{kMinDate32} * 86'400'000'000;
inline constexpr int64_t kMaxTimestamp = (int64_t{kMaxDate32} + 1) * 86'400'000'000 - 1;

// Every parser below gives INVALID_ARGUMENT, which says what was expected and never the text.

// 10 to the power of n, n in 0..38.
Decimal128 PowerOfTen(int n);
// Whether it has no more digits than `precision`.
bool FitsPrecision(Decimal128 unscaled, int precision);
// "-12.50" with exactly `scale` digits after the point, and back. Parsing refuses more digits after
// the point than the scale holds, and more digits in all than the precision holds. A digit at least
// stands on each side of a point; no plus sign, no exponent.
std::string FormatDecimal(Decimal128 unscaled, int scale);
absl::StatusOr<Decimal128> ParseDecimal(std::string_view text, int precision, int scale);

struct CivilDate {
  int32_t year = 1970;
  int32_t month = 1;
  int32_t day = 1;
  bool operator==(const CivilDate&) const = default;
};
// Any number of days has a date.
CivilDate CivilFromDays(int32_t days);
// Nothing where there is no such day, or its year is not one of 1 to 9999.
std::optional<int32_t> DaysFromCivil(const CivilDate& date);

// "2026-11-24", years 0001 to 9999. Others are written with a sign and at least four digits
// ("+10000-01-01"), which cannot be parsed back.
std::string FormatDate(int32_t days);
absl::StatusOr<int32_t> ParseDate(std::string_view text);
// "2026-11-24T02:00:00.5Z" for UTC, without the Z for local; a fraction of at most six digits
// without zeros at its end, left out where it is zero. Parsing takes a space in place of the T, and
// for UTC an offset ("+08:00") in place of the Z; it refuses a zone for local, its lack for UTC, a
// seventh digit and leap seconds.
std::string FormatTimestamp(int64_t micros, bool utc);
absl::StatusOr<int64_t> ParseTimestamp(std::string_view text, bool utc);

struct Field {
  std::string name;
  DataType type;
  bool nullable = true;
  bool operator==(const Field&) const = default;
};

class Schema {
 public:
  explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}
  const std::vector<Field>& fields() const { return fields_; }
  size_t size() const { return fields_.size(); }
  const Field& field(size_t i) const { return fields_[i]; }
  std::optional<size_t> IndexOf(std::string_view name) const;
  bool operator==(const Schema&) const = default;

 private:
  std::vector<Field> fields_;
};
using SchemaPtr = std::shared_ptr<const Schema>;

// Bytes that a value takes in its column's buffers at least: of text its offset, of bool a whole
// one.
int64_t WidthOf(const DataType& type);

using Buffer = std::shared_ptr<const std::vector<uint8_t>>;

// One column. Cheap to copy: buffers are shared.
class Column {
 public:
  // What the buffers hold, as the accessors below say that they hold it; sizes and the order of
  // offsets are the caller's duty.
  struct Buffers {
    Buffer validity, offsets, data;
  };
  Column() = default;
  Column(DataType type, int64_t length, int64_t null_count, Buffers buffers)
      : type_(type),
        length_(length),
        null_count_(null_count),
        validity_(std::move(buffers.validity)),
        offsets_(std::move(buffers.offsets)),
        data_(std::move(buffers.data)) {}

  const DataType& type() const { return type_; }
  int64_t length() const { return length_; }
  int64_t null_count() const { return null_count_; }
  bool IsNull(int64_t i) const {
    return validity_ != nullptr && (((*validity_)[i >> 3] >> (i & 7)) & 1) == 0;
  }
  // Only for a value that is not null and of the matching type.
  bool Bool(int64_t i) const { return (((*data_)[i >> 3] >> (i & 7)) & 1) != 0; }
  int64_t Int64(int64_t i) const { return Raw<int64_t>(i); }  // also timestamps
  double Float64(int64_t i) const { return Raw<double>(i); }
  int32_t Date32(int64_t i) const { return Raw<int32_t>(i); }
  Decimal128 Decimal(int64_t i) const { return Raw<Decimal128>(i); }
  std::string_view Bytes(int64_t i) const {  // utf8 and binary
    int32_t bounds[2];
    __builtin_memcpy(bounds, offsets_->data() + i * sizeof(int32_t), sizeof(bounds));
    return {reinterpret_cast<const char*>(data_->data()) + bounds[0],
            static_cast<size_t>(bounds[1] - bounds[0])};
  }

  int64_t bytes() const;  // what the buffers hold
  // Of utf8 and binary: what rows [begin, end) hold.
  int64_t BytesIn(int64_t begin, int64_t end) const {
    return begin == end ? 0 : OffsetAt(end) - OffsetAt(begin);
  }
  // The values of the given rows, in that order. Shares the buffers where that is all rows.
  Column Take(const std::vector<int64_t>& rows) const;

  // The buffers, for encoders. validity is null where nothing is null; offsets only for utf8 and
  // binary (length + 1 values, the first 0). data is never null in a column that was built. Bits
  // past the length, and the data of null values, are zero.
  const Buffer& validity() const { return validity_; }
  const Buffer& offsets() const { return offsets_; }
  const Buffer& data() const { return data_; }

 private:
  friend class ColumnBuilder;
  template <class T>
  T Raw(int64_t i) const {
    T value;
    __builtin_memcpy(&value, data_->data() + i * sizeof(T), sizeof(T));
    return value;
  }
  int32_t OffsetAt(int64_t i) const {
    int32_t offset = 0;
    __builtin_memcpy(&offset, offsets_->data() + i * sizeof(offset), sizeof(offset));
    return offset;
  }
  void TakeBytes(const Column& from, const std::vector<int64_t>& rows);

  DataType type_;
  int64_t length_ = 0;
  int64_t null_count_ = 0;
  Buffer validity_, offsets_, data_;
};

// Builds one column, value by value. One thread. Append functions only of the matching type; text
// must be valid UTF-8 (the caller's duty: adapters check what they read). A column of utf8 or
// binary holds at most 2^31 - 1 bytes: whoever builds it watches bytes(); beyond is a broken
// invariant.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(DataType type);
  void AppendNull();
  void AppendBool(bool value);
  void AppendInt64(int64_t value);  // also timestamps
  void AppendFloat64(double value);
  void AppendDate32(int32_t value);
  void AppendDecimal(Decimal128 value);
  void AppendBytes(std::string_view value);  // utf8 and binary
  // The i-th value of a column of the same type; rows [begin, begin + count) of one.
  void AppendFrom(const Column& column, int64_t i);
  void AppendRange(const Column& column, int64_t begin, int64_t count);
  // Room for so many rows, and so many bytes of their texts.
  void Reserve(int64_t rows, int64_t text_bytes);

  const DataType& type() const { return column_.type_; }
  int64_t length() const { return column_.length_; }
  int64_t bytes() const;  // what the buffers hold so far
  // The column; the builder is empty again.
  Column Finish();

 private:
  void BeginValidity();
  void Grow(bool valid);
  template <class T>
  void AppendRaw(T value);
  void BeginOffsets();
  void AppendOffset();
  void AppendValidity(const Column& column, int64_t begin, int64_t count);

  Column column_;
  std::vector<uint8_t> validity_, offsets_, data_;
};

// Some rows of a schema; all columns have the same length.
class RecordBatch {
 public:
  RecordBatch(SchemaPtr schema, std::vector<Column> columns, int64_t rows)
      : schema_(std::move(schema)), columns_(std::move(columns)), rows_(rows) {}
  const SchemaPtr& schema() const { return schema_; }
  int64_t rows() const { return rows_; }
  const std::vector<Column>& columns() const { return columns_; }
  const Column& column(size_t i) const { return columns_[i]; }
  int64_t bytes() const;

  // The rows of the given numbers, in that order.
  RecordBatch Take(const std::vector<int64_t>& rows) const;

 private:
  SchemaPtr schema_;
  std::vector<Column> columns_;
  int64_t rows_;
};

// Rows [begin, begin + count) of a batch.
struct RowRange {
  RecordBatch batch;
  int64_t begin = 0;
  int64_t count = 0;
};
// As one batch of this schema; shares the buffers where it is one whole batch.
RecordBatch Join(const SchemaPtr& schema, const std::vector<RowRange>& ranges);

}  // namespace sluice::records
