#include <array>
#include <charconv>
#include <cmath>

#include "absl/status/status.h"
#include "gateway/base/check.h"
#include "gateway/records/types.h"
#include "gateway/records/value_text.h"

namespace sluice::records {
namespace {

using Magnitude = unsigned __int128;

constexpr int kMaxDigits = 38;

constexpr std::array<Decimal128, kMaxDigits + 1> kPowers = [] {
  std::array<Decimal128, kMaxDigits + 1> powers{};
  Decimal128 power = 1;
  for (int i = 0; i <= kMaxDigits; ++i) {
    powers[i] = power;
    if (i < kMaxDigits) power *= 10;
  }
  return powers;
}();

Magnitude MagnitudeOf(Decimal128 value) {
  // In unsigned arithmetic, as the smallest value has no positive counterpart.
  return value < 0 ? -static_cast<Magnitude>(value) : static_cast<Magnitude>(value);
}

absl::Status Malformed() {
  return absl::InvalidArgumentError("expected a decimal number such as -12.50");
}

}  // namespace

Decimal128 PowerOfTen(int n) {
  SLUICE_CHECK(n >= 0 && n <= kMaxDigits);
  return kPowers[n];
}

bool FitsPrecision(Decimal128 unscaled, int precision) {
  return MagnitudeOf(unscaled) < static_cast<Magnitude>(PowerOfTen(precision));
}

void AppendDecimal(Decimal128 unscaled, int scale, std::string& out) {
  SLUICE_CHECK(scale >= 0 && scale <= kMaxDigits);
  // 39 digits at most, a point, and a zero before it.
  char text[48];
  char* const end = text + sizeof(text);
  char* begin = end;
  Magnitude rest = MagnitudeOf(unscaled);
  for (int written = 0; rest != 0 || written <= scale; ++written) {
    if (written == scale && scale > 0) *--begin = '.';
    // Most amounts fit 64 bits, where division is one instruction.
    if (rest <= UINT64_MAX) {
      const auto small = static_cast<uint64_t>(rest);
      *--begin = static_cast<char>('0' + small % 10);
      rest = small / 10;
    } else {
      *--begin = static_cast<char>('0' + static_cast<int>(rest % 10));
      rest /= 10;
    }
  }
  if (unscaled < 0) *--begin = '-';
  out.append(begin, end);
}

std::string FormatDecimal(Decimal128 unscaled, int scale) {
  std::string out;
  AppendDecimal(unscaled, scale, out);
  return out;
}

absl::StatusOr<Decimal128> ParseDecimal(std::string_view text, int precision, int scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && fraction.empty())) return Malformed();

  SLUICE_CHECK(precision >= 1);
  // A value below this may take one more digit. Beyond, only the form is still looked at, so that
  // leading zeros cost nothing and nothing overflows.
  const Decimal128 limit = PowerOfTen(precision - 1);
  Decimal128 value = 0;
  bool fits = true;
  const auto add = [&](int digit) {
    fits = fits && value < limit;
    if (fits) value = value * 10 + digit;
  };
  for (const std::string_view part : {whole, fraction}) {
    for (char c : part) {
      if (c < '0' || c > '9') return Malformed();
      add(c - '0');
    }
  }
  if (fraction.size() > static_cast<size_t>(scale)) {
    return absl::InvalidArgumentError("more digits after the point than the scale holds");
  }
  for (size_t i = fraction.size(); i < static_cast<size_t>(scale); ++i) add(0);
  if (!fits) return absl::InvalidArgumentError("more digits than the precision holds");
  return negative ? -value : value;
}

void AppendInt64(int64_t value, std::string& out) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

void AppendFloat64(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    char text[40];
    out.append(text, std::to_chars(text, text + sizeof(text), value).ptr);
  }
}

}  // namespace sluice::records
