// RowBatch straight from columns to the wire format of protobuf
// (https://protobuf.dev/programming-guides/encoding): fields in the order of their numbers, no
// field that is at its default outside a oneof. These are the bytes that protobuf's own
// serialisation gives, which is what makes the digest of a payload reproducible.
#include <google/protobuf/io/coded_stream.h>

#include "gateway/records/row_batch.h"
#include "gateway/records/value_text.h"
#include "gateway/records/wire_values.h"

namespace sluice::records {
namespace {

using google::protobuf::io::CodedOutputStream;

// The key of a field whose number is under 16: one byte.
enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2 };
constexpr char Key(int number, WireType type) { return static_cast<char>(number << 3 | type); }

constexpr char kValueKey = Key(v1::Row::kValuesFieldNumber, kLengthDelimited);
constexpr char kRowKey = Key(v1::RowBatch::kRowsFieldNumber, kLengthDelimited);
constexpr char kColumnKey = Key(v1::RowBatch::kColumnsFieldNumber, kLengthDelimited);
constexpr char kBoolKey = Key(v1::Value::kBoolValueFieldNumber, kVarint);
constexpr char kInt64Key = Key(v1::Value::kInt64ValueFieldNumber, kVarint);
constexpr char kDoubleKey = Key(v1::Value::kDoubleValueFieldNumber, kFixed64);
constexpr char kStringKey = Key(v1::Value::kStringValueFieldNumber, kLengthDelimited);
constexpr char kBytesKey = Key(v1::Value::kBytesValueFieldNumber, kLengthDelimited);
constexpr char kDecimalKey = Key(v1::Value::kDecimalValueFieldNumber, kLengthDelimited);
constexpr char kDateKey = Key(v1::Value::kDateValueFieldNumber, kLengthDelimited);
constexpr char kTimestampKey = Key(v1::Value::kTimestampValueFieldNumber, kLengthDelimited);
constexpr char kSecondsKey = Key(google::protobuf::Timestamp::kSecondsFieldNumber, kVarint);
constexpr char kNanosKey = Key(google::protobuf::Timestamp::kNanosFieldNumber, kVarint);

void AppendVarint(uint64_t value, std::string& out) {
  uint8_t bytes[10];
  const uint8_t* const end = CodedOutputStream::WriteVarint64ToArray(value, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

size_t VarintSize(uint64_t value) { return CodedOutputStream::VarintSize64(value); }

// A message of one row at a time, in a buffer that is used again: its length stands before it.
class RowWriter {
 public:
  const std::string& bytes() const { return row_; }
  void Clear() { row_.clear(); }
  void Append(const Column& column, int64_t i) {
    row_ += kValueKey;
    if (column.IsNull(i)) {
      row_ += '\0';
      return;
    }
    switch (column.type().id) {
      case TypeId::kBool:
        return AppendBool(column.Bool(i));
      case TypeId::kInt64:
        return AppendInt64(column.Int64(i));
      case TypeId::kFloat64:
        return AppendDouble(column.Float64(i));
      case TypeId::kDecimal128:
        text_.clear();
        AppendDecimal(column.Decimal(i), column.type().scale, text_);
        return AppendBytes(kDecimalKey, text_);
      case TypeId::kDate32:
        text_.clear();
        AppendDate(column.Date32(i), text_);
        return AppendBytes(kDateKey, text_);
      case TypeId::kTimestamp:
        return AppendTime(WireTimeOf(column.Int64(i)));
      case TypeId::kUtf8:
        return AppendBytes(kStringKey, column.Bytes(i));
      case TypeId::kBinary:
        return AppendBytes(kBytesKey, column.Bytes(i));
    }
  }

 private:
  void AppendBool(bool value) {
    row_ += char{2};
    row_ += kBoolKey;
    row_ += static_cast<char>(value);
  }
  void AppendInt64(int64_t value) {
    const auto wire = static_cast<uint64_t>(value);
    row_ += static_cast<char>(1 + VarintSize(wire));
    row_ += kInt64Key;
    AppendVarint(wire, row_);
  }
  void AppendDouble(double value) {
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    uint8_t bytes[8];
    CodedOutputStream::WriteLittleEndian64ToArray(bits, bytes);
    row_ += char{9};
    row_ += kDoubleKey;
    row_.append(reinterpret_cast<const char*>(bytes), sizeof(bytes));
  }
  void AppendBytes(char key, std::string_view bytes) {
    AppendVarint(1 + VarintSize(bytes.size()) + bytes.size(), row_);
    row_ += key;
    AppendVarint(bytes.size(), row_);
    row_ += bytes;
  }
  void AppendTime(const WireTime& time) {
    const auto seconds = static_cast<uint64_t>(time.seconds);
    const auto nanos = static_cast<uint64_t>(time.nanos);
    const size_t size = (seconds != 0 ? 1 + VarintSize(seconds) : 0) +  //
                        (nanos != 0 ? 1 + VarintSize(nanos) : 0);
    // At most 17 bytes, so that each length takes one.
    row_ += static_cast<char>(2 + size);
    row_ += kTimestampKey;
    row_ += static_cast<char>(size);
    if (seconds != 0) {
      row_ += kSecondsKey;
      AppendVarint(seconds, row_);
    }
    if (nanos != 0) {
      row_ += kNanosKey;
      AppendVarint(nanos, row_);
    }
  }

  std::string row_;
  std::string text_;
};

void AppendMessage(char key, std::string_view message, std::string& out) {
  out += key;
  AppendVarint(message.size(), out);
  out += message;
}

}  // namespace

std::string EncodeRowBatch(const RecordBatch& batch) {
  std::string out;
  // Text and bytes stand as they are; the rest is keys and lengths.
  out.reserve(static_cast<size_t>(batch.bytes()) + static_cast<size_t>(batch.rows()) * 4);
  for (const Field& field : batch.schema()->fields()) {
    v1::Column column;
    column.set_name(field.name);
    *column.mutable_type() = ToProto(field.type);
    AppendMessage(kColumnKey, column.SerializeAsString(), out);
  }
  RowWriter row;
  for (int64_t i = 0; i < batch.rows(); ++i) {
    row.Clear();
    for (const Column& column : batch.columns()) row.Append(column, i);
    AppendMessage(kRowKey, row.bytes(), out);
  }
  return out;
}

}  // namespace sluice::records
