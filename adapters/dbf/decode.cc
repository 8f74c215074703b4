#include "adapters/dbf/decode.h"

#include <bit>
#include <cstring>

#include "absl/strings/ascii.h"
#include "adapters/files/plain_number.h"
#include "gateway/records/value_text.h"

namespace sluice::adapters::dbf {
namespace {

using files::Value;
using files::ValueRule;
using records::DataType;
using records::Decimal128;
using records::TypeId;

using Result = std::optional<Value>;

std::string_view Trimmed(std::string_view bytes) {
  while (!bytes.empty() && (bytes.back() == ' ' || bytes.back() == '\0')) bytes.remove_suffix(1);
  while (bytes.starts_with(' ')) bytes.remove_prefix(1);
  return bytes;
}

template <class T>
T Native(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

uint64_t Lifted(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

// A value that has a text is of any type that the text is of.
Result Written(const DataType& type, Workspace& work) {
  return files::ParseValue(work.written, type, ValueRule(), work.scratch);
}

Result DecodedText(std::string_view bytes, const DataType& type, const ValueRule& rule,
                   Workspace& work) {
  const auto text = work.text.Decode(bytes, work.decoded);
  if (!text) {
    work.why = work.text.why();
    return std::nullopt;
  }
  if (text->empty() && (work.blank_is_null || type.id != TypeId::kUtf8)) return Value();
  return files::ParseValue(*text, type, rule, work.scratch);
}

Result Text(std::string_view bytes, const DataType& type, const ValueRule& rule, Workspace& work) {
  while (!bytes.empty() && (bytes.back() == ' ' || bytes.back() == '\0')) bytes.remove_suffix(1);
  return DecodedText(bytes, type, rule, work);
}

Result Number(std::string_view bytes, const DataType& type, const ValueRule& rule,
              Workspace& work) {
  const std::string_view text = Trimmed(bytes);
  if (text.empty()) return Value();
  if (type.id == TypeId::kUtf8) {
    if (text.find_first_not_of("0123456789+-.eE") == text.npos &&
        files::WritePlainNumber(text, work.written))
      return Value(text);
    work.why = "no number";
    return std::nullopt;
  }
  if (text.find_first_not_of('*') == text.npos) {
    work.why = "a number that was too long for its column: stars";
    return std::nullopt;
  }
  if (rule.decimal_point == ',' && text.find(',') != text.npos && text.find('.') == text.npos) {
    work.decoded = text;
    work.decoded[work.decoded.find(',')] = '.';
    if (!files::WritePlainNumber(work.decoded, work.written)) return std::nullopt;
  } else if (!files::WritePlainNumber(text, work.written)) {
    return std::nullopt;
  }
  if (type.id == TypeId::kInt64) files::DropZeros(work.written, 0);
  if (type.id == TypeId::kDecimal128) files::DropZeros(work.written, type.scale);
  return Written(type, work);
}

Result Date(std::string_view bytes, const DataType& type, const ValueRule&, Workspace& work) {
  if (bytes.find_first_not_of(std::string_view(" 0\0", 3)) == bytes.npos) return Value();
  for (const char c : bytes)
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
  work.written.assign(bytes.substr(0, 4)).append("-").append(bytes.substr(4, 2));
  work.written.append("-").append(bytes.substr(6, 2));
  const auto days = records::ParseDate(work.written);
  if (!days.ok()) return std::nullopt;
  if (type.id == TypeId::kDate32) return *days;
  return Written(type, work);
}

Result Logical(std::string_view bytes, const DataType& type, const ValueRule&, Workspace& work) {
  switch (bytes[0]) {
    case 'T':
    case 't':
    case 'Y':
    case 'y':
      work.written = "true";
      break;
    case 'F':
    case 'f':
    case 'N':
    case 'n':
      work.written = "false";
      break;
    case '?':
    case ' ':
    case '\0':
      return Value();
    default:
      return std::nullopt;
  }
  if (type.id == TypeId::kBool) return work.written == "true";
  return Written(type, work);
}

Result Whole(int64_t value, const DataType& type, Workspace& work) {
  if (type.id == TypeId::kInt64) return value;
  work.written.clear();
  records::AppendInt64(value, work.written);
  return Written(type, work);
}

Result Int32(std::string_view bytes, const DataType& type, const ValueRule&, Workspace& work) {
  return Whole(Native<int32_t>(bytes), type, work);
}

Result Int32Lifted(std::string_view bytes, const DataType& type, const ValueRule&,
                   Workspace& work) {
  const auto bits = static_cast<uint32_t>(Lifted(bytes));
  if (bits == 0) return Value();
  return Whole(static_cast<int32_t>(bits ^ 0x80000000u), type, work);
}

Result Currency(std::string_view bytes, const DataType& type, const ValueRule&, Workspace& work) {
  const auto value = Native<int64_t>(bytes);
  if (type.id == TypeId::kDecimal128 && type.scale == 4 &&
      records::FitsPrecision(value, type.precision))
    return Decimal128{value};
  work.written.clear();
  records::AppendDecimal(value, 4, work.written);
  if (type.id == TypeId::kInt64) files::DropZeros(work.written, 0);
  if (type.id == TypeId::kDecimal128) files::DropZeros(work.written, type.scale);
  return Written(type, work);
}

Result DateTime(std::string_view bytes, const DataType& type, const ValueRule&, Workspace& work) {
  constexpr int64_t kJulianOf1970 = 2'440'588;
  constexpr int64_t kDayMillis = 86'400'000;
  if (bytes.find_first_not_of(' ') == bytes.npos) return Value();
  const int64_t day = Native<int32_t>(bytes), millis = Native<int32_t>(bytes.substr(4));
  if (day == 0) return Value();
  const int64_t days = day - kJulianOf1970;
  if (days < records::kMinDate32 || days > records::kMaxDate32 || millis < 0 ||
      millis >= kDayMillis)
    return std::nullopt;
  const int64_t micros = (days * kDayMillis + millis) * 1'000;
  if (type.id == TypeId::kTimestamp) return micros;
  if (type.id == TypeId::kDate32 && millis == 0) return static_cast<int32_t>(days);
  if (type.id != TypeId::kUtf8) return std::nullopt;
  work.written.clear();
  records::AppendTimestamp(micros, false, work.written);
  return Written(type, work);
}

Result Floating(double value, const DataType& type, Workspace& work) {
  if (type.id == TypeId::kFloat64) return value;
  std::string shortest;
  records::AppendFloat64(value, shortest);
  if (type.id == TypeId::kUtf8) {
    work.written = std::move(shortest);
  } else if (!files::WritePlainNumber(shortest, work.written)) {
    return std::nullopt;
  }
  if (type.id == TypeId::kInt64) files::DropZeros(work.written, 0);
  return Written(type, work);
}

Result Double(std::string_view bytes, const DataType& type, const ValueRule&, Workspace& work) {
  return Floating(Native<double>(bytes), type, work);
}

// Numbers are kept so that their bytes sort: a positive one has the sign's bit turned, a negative
// one all bits.
Result DoubleLifted(std::string_view bytes, const DataType& type, const ValueRule&,
                    Workspace& work) {
  const uint64_t bits = Lifted(bytes);
  if (bits == 0) return Value();
  const uint64_t sign = uint64_t{1} << 63;
  return Floating(std::bit_cast<double>((bits & sign) != 0 ? bits ^ sign : ~bits), type, work);
}

Result Bytes(std::string_view bytes, const DataType& type, const ValueRule&, Workspace&) {
  if (type.id != TypeId::kBinary) return std::nullopt;
  return Value(bytes);
}

}  // namespace

Decode DecodeFor(FieldKind kind, const DataType& type) {
  switch (kind) {
    case FieldKind::kText:
      return &Text;
    case FieldKind::kVarchar:
    case FieldKind::kMemoText:
      return type.id == TypeId::kBinary ? &Bytes : &DecodedText;
    case FieldKind::kNumber:
      return &Number;
    case FieldKind::kDate:
      return &Date;
    case FieldKind::kLogical:
      return &Logical;
    case FieldKind::kInt32:
      return &Int32;
    case FieldKind::kInt32Lifted:
      return &Int32Lifted;
    case FieldKind::kCurrency:
      return &Currency;
    case FieldKind::kDateTime:
      return &DateTime;
    case FieldKind::kDouble:
      return &Double;
    case FieldKind::kDoubleLifted:
      return &DoubleLifted;
    case FieldKind::kMemoBytes:
    case FieldKind::kVarbinary:
    case FieldKind::kBytes:
      return &Bytes;
  }
  return &Bytes;
}

}  // namespace sluice::adapters::dbf
