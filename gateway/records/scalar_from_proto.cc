#include <charconv>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/row_batch.h"
#include "gateway/records/utf8.h"
#include "gateway/records/wire_values.h"

namespace sluice::records {
namespace {

absl::Status Expected(const DataType& type) {
  return absl::InvalidArgumentError(absl::StrCat("expected a value of type ", ToString(type)));
}

// Text as people and scripts without types write it; in exactly one way, so that one value has one
// text.
absl::StatusOr<Scalar> BoolFromText(const std::string& text) {
  if (text == "true" || text == "false") return Scalar(text == "true");
  return absl::InvalidArgumentError("expected true or false");
}

absl::StatusOr<Scalar> Int64FromText(const std::string& text) {
  int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  const size_t first = text.starts_with('-') ? 1 : 0;
  const bool padded = text.size() > first + 1 && text[first] == '0';
  if (error != std::errc() || end != text.data() + text.size() || padded || text == "-0") {
    return absl::InvalidArgumentError("expected a whole number that int64 holds, in plain digits");
  }
  return Scalar(whole);
}

absl::StatusOr<Scalar> FloatFromText(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return absl::InvalidArgumentError("expected a finite number");
  }
  return Scalar(number);
}

absl::StatusOr<Scalar> ToFloat(const v1::Value& value, const DataType& type) {
  if (value.has_double_value()) return Scalar(value.double_value());
  if (value.has_string_value()) return FloatFromText(value.string_value());
  if (!value.has_int64_value()) return Expected(type);
  const int64_t whole = value.int64_value();
  const auto number = static_cast<double>(whole);
  // Rounded, it would be equal to another number than the one asked for. 2^63 has no counterpart.
  if (number >= 9223372036854775808.0 || static_cast<int64_t>(number) != whole) {
    return absl::InvalidArgumentError("expected a whole number that float64 holds exactly");
  }
  return Scalar(number);
}

absl::StatusOr<Scalar> ToDecimal(const v1::Value& value, const DataType& type) {
  if (value.has_int64_value()) {
    const Decimal128 whole = value.int64_value();
    if (!FitsPrecision(whole, type.precision - type.scale)) {
      return absl::InvalidArgumentError("more digits than the precision holds");
    }
    return Scalar(whole * PowerOfTen(type.scale));
  }
  if (!value.has_decimal_value() && !value.has_string_value()) return Expected(type);
  SLUICE_ASSIGN_OR_RETURN(
      const Decimal128 unscaled,
      ParseDecimal(value.has_decimal_value() ? value.decimal_value() : value.string_value(),
                   type.precision, type.scale));
  return Scalar(unscaled);
}

absl::StatusOr<Scalar> ToDate(const v1::Value& value, const DataType& type) {
  if (!value.has_date_value() && !value.has_string_value()) return Expected(type);
  SLUICE_ASSIGN_OR_RETURN(
      const int32_t days,
      ParseDate(value.has_date_value() ? value.date_value() : value.string_value()));
  return Scalar(days);
}

absl::StatusOr<Scalar> ToTimestamp(const v1::Value& value, const DataType& type) {
  if (value.has_string_value()) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t micros, ParseTimestamp(value.string_value(), type.utc));
    return Scalar(micros);
  }
  if (!value.has_timestamp_value()) return Expected(type);
  const auto micros = MicrosOf(
      {.seconds = value.timestamp_value().seconds(), .nanos = value.timestamp_value().nanos()});
  if (!micros) {
    return absl::InvalidArgumentError("expected a time in years 1 to 9999, in whole microseconds");
  }
  return Scalar(*micros);
}

absl::StatusOr<Scalar> ToText(const v1::Value& value, const DataType& type) {
  if (!value.has_string_value()) return Expected(type);
  if (!ValidUtf8(value.string_value())) {
    return absl::InvalidArgumentError("expected text in UTF-8");
  }
  return Scalar(value.string_value());
}

}  // namespace

absl::StatusOr<Scalar> ScalarFromProto(const v1::Value& value, const DataType& type) {
  if (value.kind_case() == v1::Value::KIND_NOT_SET) {
    // A kind of a later version must not be taken for null.
    if (!value.GetReflection()->GetUnknownFields(value).empty()) return Expected(type);
    return Scalar();
  }
  switch (type.id) {
    case TypeId::kBool:
      if (value.has_string_value()) return BoolFromText(value.string_value());
      if (!value.has_bool_value()) return Expected(type);
      return Scalar(value.bool_value());
    case TypeId::kInt64:
      if (value.has_string_value()) return Int64FromText(value.string_value());
      if (!value.has_int64_value()) return Expected(type);
      return Scalar(static_cast<int64_t>(value.int64_value()));
    case TypeId::kFloat64:
      return ToFloat(value, type);
    case TypeId::kDecimal128:
      return ToDecimal(value, type);
    case TypeId::kDate32:
      return ToDate(value, type);
    case TypeId::kTimestamp:
      return ToTimestamp(value, type);
    case TypeId::kUtf8:
      return ToText(value, type);
    case TypeId::kBinary:
      if (!value.has_bytes_value()) return Expected(type);
      return Scalar(value.bytes_value());
  }
  return Expected(type);
}

}  // namespace sluice::records
