// Strict, as what is read here may come from anybody: no unknown field is passed over, since a
// value that is not understood must not become a null, and no text stands for two values.
#include <limits>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/row_batch.h"
#include "gateway/records/utf8.h"
#include "gateway/records/wire_reader.h"
#include "gateway/records/wire_values.h"

namespace sluice::records {
namespace {

// Keys of fields: number and wire type (0 varint, 1 eight bytes, 2 length and bytes).
constexpr uint64_t VarintKey(int number) { return static_cast<uint64_t>(number) << 3; }
constexpr uint64_t Fixed64Key(int number) { return static_cast<uint64_t>(number) << 3 | 1; }
constexpr uint64_t BytesKey(int number) { return static_cast<uint64_t>(number) << 3 | 2; }

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("malformed batch of rows: ", absl::string_view(what.data(), what.size())));
}

std::optional<int64_t> ReadTime(std::string_view message) {
  WireReader reader(message);
  WireTime time;
  // Each field at most once, in either order.
  bool has_seconds = false, has_nanos = false;
  while (!reader.AtEnd()) {
    const auto key = reader.Varint();
    const auto value = reader.Varint();
    if (!key || !value) return std::nullopt;
    if (*key == VarintKey(google::protobuf::Timestamp::kSecondsFieldNumber) && !has_seconds) {
      has_seconds = true;
      time.seconds = static_cast<int64_t>(*value);
    } else if (*key == VarintKey(google::protobuf::Timestamp::kNanosFieldNumber) && !has_nanos) {
      has_nanos = true;
      if (*value > 999'999'999) return std::nullopt;
      time.nanos = static_cast<int32_t>(*value);
    } else {
      return std::nullopt;
    }
  }
  return MicrosOf(time);
}

bool ReadDecimal(std::string_view text, ColumnBuilder& out) {
  const DataType& type = out.type();
  const auto value = ParseDecimal(text, type.precision, type.scale);
  if (!value.ok() || FormatDecimal(*value, type.scale) != text) return false;
  out.AppendDecimal(*value);
  return true;
}

bool ReadDate(std::string_view text, ColumnBuilder& out) {
  const auto days = ParseDate(text);
  if (days.ok()) out.AppendDate32(*days);
  return days.ok();
}

bool ReadBool(uint64_t value, ColumnBuilder& out) {
  if (value <= 1) out.AppendBool(value == 1);
  return value <= 1;
}

bool ReadVarintValue(uint64_t key, uint64_t value, ColumnBuilder& out) {
  switch (out.type().id) {
    case TypeId::kBool:
      return key == VarintKey(v1::Value::kBoolValueFieldNumber) && ReadBool(value, out);
    case TypeId::kInt64:
      if (key != VarintKey(v1::Value::kInt64ValueFieldNumber)) return false;
      out.AppendInt64(static_cast<int64_t>(value));
      return true;
    default:
      return false;
  }
}

bool ReadFixedValue(uint64_t key, uint64_t bits, ColumnBuilder& out) {
  if (out.type().id != TypeId::kFloat64) return false;
  if (key != Fixed64Key(v1::Value::kDoubleValueFieldNumber)) return false;
  double value;
  __builtin_memcpy(&value, &bits, sizeof(value));
  out.AppendFloat64(value);
  return true;
}

bool ReadBytesValue(uint64_t key, std::string_view bytes, ColumnBuilder& out) {
  switch (out.type().id) {
    case TypeId::kDecimal128:
      return key == BytesKey(v1::Value::kDecimalValueFieldNumber) && ReadDecimal(bytes, out);
    case TypeId::kDate32:
      return key == BytesKey(v1::Value::kDateValueFieldNumber) && ReadDate(bytes, out);
    case TypeId::kTimestamp: {
      if (key != BytesKey(v1::Value::kTimestampValueFieldNumber)) return false;
      const auto micros = ReadTime(bytes);
      if (micros) out.AppendInt64(*micros);
      return micros.has_value();
    }
    case TypeId::kUtf8:
      if (key != BytesKey(v1::Value::kStringValueFieldNumber) || !ValidUtf8(bytes)) return false;
      out.AppendBytes(bytes);
      return true;
    case TypeId::kBinary:
      if (key != BytesKey(v1::Value::kBytesValueFieldNumber)) return false;
      out.AppendBytes(bytes);
      return true;
    default:
      return false;
  }
}

// False where it is not exactly one value of the column's type, or none.
bool ReadValue(std::string_view message, ColumnBuilder& out) {
  if (message.empty()) {
    out.AppendNull();
    return true;
  }
  WireReader reader(message);
  const auto key = reader.Varint();
  if (!key) return false;
  switch (*key & 7) {
    case 0: {
      const auto value = reader.Varint();
      return value && reader.AtEnd() && ReadVarintValue(*key, *value, out);
    }
    case 1: {
      const auto bits = reader.Fixed64();
      return bits && reader.AtEnd() && ReadFixedValue(*key, *bits, out);
    }
    case 2: {
      const auto bytes = reader.Bytes();
      return bytes && reader.AtEnd() && ReadBytesValue(*key, *bytes, out);
    }
    default:
      return false;
  }
}

absl::StatusOr<DataType> ReadType(std::string_view message) {
  v1::ColumnType type;
  if (!type.ParseFromArray(message.data(), static_cast<int>(message.size())) ||
      !type.GetReflection()->GetUnknownFields(type).empty()) {
    return Malformed("a column's type that cannot be read");
  }
  return FromProto(type);
}

// By hand, as protobuf's own reader writes to standard error of a name that is not UTF-8: whoever
// sends such names would fill the log.
absl::StatusOr<Field> ReadColumn(std::string_view message) {
  WireReader reader(message);
  std::optional<std::string_view> name, type;
  while (!reader.AtEnd()) {
    const auto key = reader.Varint();
    const auto bytes = key ? reader.Bytes() : std::nullopt;
    const bool is_name = bytes && *key == BytesKey(v1::Column::kNameFieldNumber);
    const bool is_type = bytes && *key == BytesKey(v1::Column::kTypeFieldNumber);
    std::optional<std::string_view>& part = is_name ? name : type;
    if (!(is_name || is_type) || part) return Malformed("a column that cannot be read");
    part = bytes;
  }
  if (!ValidUtf8(name.value_or(""))) return Malformed("a column's name that is not UTF-8");
  SLUICE_ASSIGN_OR_RETURN(const DataType data_type, ReadType(type.value_or("")));
  return Field{.name = std::string(name.value_or("")), .type = data_type, .nullable = true};
}

class Decoder {
 public:
  absl::Status AddColumn(std::string_view message) {
    if (rows_ > 0) return Malformed("a column after a row");
    if (fields_.size() == kMaxColumns) return Malformed("too many columns");
    SLUICE_ASSIGN_OR_RETURN(Field field, ReadColumn(message));
    if (!names_.insert(field.name).second) return Malformed("two columns of one name");
    builders_.emplace_back(field.type);
    fields_.push_back(std::move(field));
    return absl::OkStatus();
  }

  absl::Status AddRow(std::string_view message) {
    WireReader reader(message);
    ++rows_;
    for (size_t i = 0; i < builders_.size(); ++i) {
      const auto key = reader.Varint();
      const auto value = key ? reader.Bytes() : std::nullopt;
      if (!value || *key != BytesKey(v1::Row::kValuesFieldNumber)) {
        return Malformed(absl::StrCat("row ", rows_, " is not of ", builders_.size(), " values"));
      }
      if (!ReadValue(*value, builders_[i])) {
        return Malformed(absl::StrCat("row ", rows_, ", column ", i + 1, ": expected ",
                                      ToString(builders_[i].type()), " or null"));
      }
    }
    if (!reader.AtEnd()) return Malformed(absl::StrCat("row ", rows_, " has more than its values"));
    return absl::OkStatus();
  }

  RecordBatch Finish() {
    std::vector<Column> columns;
    columns.reserve(builders_.size());
    for (ColumnBuilder& builder : builders_) columns.push_back(builder.Finish());
    return RecordBatch(std::make_shared<const Schema>(std::move(fields_)), std::move(columns),
                       rows_);
  }

 private:
  std::vector<Field> fields_;
  std::vector<ColumnBuilder> builders_;
  absl::flat_hash_set<std::string> names_;
  int64_t rows_ = 0;
};

}  // namespace

absl::StatusOr<RecordBatch> DecodeRowBatch(std::string_view bytes) {
  // What keeps every length below within 31 bits.
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return Malformed("too long");
  }
  Decoder decoder;
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    const auto key = reader.Varint();
    const auto message = key ? reader.Bytes() : std::nullopt;
    if (!message) return Malformed("it ends within a field");
    if (*key == BytesKey(v1::RowBatch::kColumnsFieldNumber)) {
      SLUICE_RETURN_IF_ERROR(decoder.AddColumn(*message));
    } else if (*key == BytesKey(v1::RowBatch::kRowsFieldNumber)) {
      SLUICE_RETURN_IF_ERROR(decoder.AddRow(*message));
    } else {
      return Malformed("a field that is neither column nor row");
    }
  }
  return decoder.Finish();
}

}  // namespace sluice::records
