#include "gateway/records/row_batch.h"

#include "absl/status/status.h"
#include "gateway/records/wire_values.h"

namespace sluice::records {
namespace {

constexpr int64_t kMicrosASecond = 1'000'000;

v1::FieldType FieldTypeOf(const DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return v1::FIELD_TYPE_BOOL;
    case TypeId::kInt64:
      return v1::FIELD_TYPE_INT64;
    case TypeId::kFloat64:
      return v1::FIELD_TYPE_FLOAT64;
    case TypeId::kDecimal128:
      return v1::FIELD_TYPE_DECIMAL128;
    case TypeId::kDate32:
      return v1::FIELD_TYPE_DATE32;
    case TypeId::kTimestamp:
      return type.utc ? v1::FIELD_TYPE_TIMESTAMP_UTC : v1::FIELD_TYPE_TIMESTAMP_LOCAL;
    case TypeId::kUtf8:
      return v1::FIELD_TYPE_UTF8;
    case TypeId::kBinary:
      return v1::FIELD_TYPE_BINARY;
  }
  return v1::FIELD_TYPE_UNSPECIFIED;
}

std::optional<DataType> PlainTypeOf(v1::FieldType type) {
  switch (type) {
    case v1::FIELD_TYPE_BOOL:
      return DataType{.id = TypeId::kBool};
    case v1::FIELD_TYPE_INT64:
      return DataType{.id = TypeId::kInt64};
    case v1::FIELD_TYPE_FLOAT64:
      return DataType{.id = TypeId::kFloat64};
    case v1::FIELD_TYPE_DECIMAL128:
      return DataType{.id = TypeId::kDecimal128};
    case v1::FIELD_TYPE_DATE32:
      return DataType{.id = TypeId::kDate32};
    case v1::FIELD_TYPE_TIMESTAMP_UTC:
      return DataType{.id = TypeId::kTimestamp, .utc = true};
    case v1::FIELD_TYPE_TIMESTAMP_LOCAL:
      return DataType{.id = TypeId::kTimestamp, .utc = false};
    case v1::FIELD_TYPE_UTF8:
      return DataType{.id = TypeId::kUtf8};
    case v1::FIELD_TYPE_BINARY:
      return DataType{.id = TypeId::kBinary};
    default:
      // Unspecified, and numbers of a later version.
      return std::nullopt;
  }
}

}  // namespace

v1::ColumnType ToProto(const DataType& type) {
  v1::ColumnType proto;
  proto.set_type(FieldTypeOf(type));
  if (type.id == TypeId::kDecimal128) {
    proto.set_precision(type.precision);
    proto.set_scale(type.scale);
  }
  return proto;
}

absl::StatusOr<DataType> FromProto(const v1::ColumnType& type) {
  auto plain = PlainTypeOf(type.type());
  if (!plain) return absl::InvalidArgumentError("unknown type of field");
  if (plain->id == TypeId::kDecimal128) {
    if (type.precision() < 1 || type.precision() > 38 || type.scale() < 0 ||
        type.scale() > type.precision()) {
      return absl::InvalidArgumentError(
          "a decimal's precision is 1 to 38, and its scale 0 to the precision");
    }
    plain->precision = static_cast<uint8_t>(type.precision());
    plain->scale = static_cast<uint8_t>(type.scale());
  } else if (type.precision() != 0 || type.scale() != 0) {
    return absl::InvalidArgumentError("only decimals have a precision and a scale");
  }
  return *plain;
}

WireTime WireTimeOf(int64_t micros) {
  WireTime time{.seconds = micros / kMicrosASecond,
                .nanos = static_cast<int32_t>(micros % kMicrosASecond * 1000)};
  if (time.nanos < 0) {
    --time.seconds;
    time.nanos += 1'000'000'000;
  }
  return time;
}

std::optional<int64_t> MicrosOf(const WireTime& time) {
  // Both bounds are whole seconds, or the last microsecond of one.
  if (time.seconds < kMinTimestamp / kMicrosASecond ||
      time.seconds > kMaxTimestamp / kMicrosASecond) {
    return std::nullopt;
  }
  if (time.nanos < 0 || time.nanos > 999'999'999 || time.nanos % 1000 != 0) return std::nullopt;
  return time.seconds * kMicrosASecond + time.nanos / 1000;
}

}  // namespace sluice::records
