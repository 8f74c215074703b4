#include "gateway/catalogue/mask_spec.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::catalogue {
namespace {

using records::Decimal128;
using records::TypeId;

absl::Status Expected(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", absl::string_view(what.data(), what.size())));
}

absl::Status UnknownMask() {
  return Expected(
      "none, null, partial(FIRST..LAST), pseudonym, date(year|month), prefix(N) or bucket(WIDTH)");
}

// A whole number without sign and without zeros before it.
std::optional<int32_t> SmallNumber(std::string_view text) {
  if (text.empty() || text.size() > 4 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 ||
      number > kMaxMaskCharacters) {
    return std::nullopt;
  }
  return number;
}

int ScaleOf(std::string_view number) {
  const size_t point = number.find('.');
  return point == std::string_view::npos ? 0 : static_cast<int>(number.size() - point - 1);
}

absl::StatusOr<Decimal128> ParseWidth(std::string_view text, int scale) {
  const bool leading_zero = text.size() > 1 && text[0] == '0' && text[1] != '.';
  // The length comes first: the scale of a longer text would be out of bounds.
  if (text.empty() || text.size() > 39 || leading_zero || ScaleOf(text) > 38) {
    return Expected("a positive decimal number as the width, such as 1000 or 0.5");
  }
  if (ScaleOf(text) > scale) {
    return Expected(absl::StrCat("a width with at most ", scale, " digits after the point"));
  }
  const auto width = records::ParseDecimal(text, 38, scale);
  if (!width.ok() || *width <= 0) {
    return Expected("a positive decimal number as the width, such as 1000 or 0.5");
  }
  return *width;
}

absl::StatusOr<v1::Mask> ParsePartial(std::string_view argument) {
  const size_t dots = argument.find("..");
  if (dots != std::string_view::npos) {
    const auto first = SmallNumber(argument.substr(0, dots));
    const auto last = SmallNumber(argument.substr(dots + 2));
    if (first && last) {
      v1::Mask mask;
      mask.set_kind(v1::MASK_KIND_PARTIAL);
      mask.set_first(*first);
      mask.set_last(*last);
      return mask;
    }
  }
  return Expected(absl::StrCat("partial(FIRST..LAST), characters shown at either end, 0 to ",
                               kMaxMaskCharacters));
}

absl::StatusOr<v1::Mask> ParseDateMask(std::string_view argument) {
  v1::Mask mask;
  mask.set_kind(v1::MASK_KIND_DATE);
  if (argument == "year") {
    mask.set_unit(v1::DATE_UNIT_YEAR);
  } else if (argument == "month") {
    mask.set_unit(v1::DATE_UNIT_MONTH);
  } else {
    return Expected("date(year) or date(month)");
  }
  return mask;
}

absl::StatusOr<v1::Mask> ParsePrefix(std::string_view argument) {
  const auto length = SmallNumber(argument);
  if (!length || *length == 0) {
    return Expected(absl::StrCat("prefix(N), N from 1 to ", kMaxMaskCharacters));
  }
  v1::Mask mask;
  mask.set_kind(v1::MASK_KIND_PREFIX);
  mask.set_length(*length);
  return mask;
}

absl::StatusOr<v1::Mask> ParseBucket(std::string_view argument) {
  SLUICE_RETURN_IF_ERROR(ParseWidth(argument, ScaleOf(argument)).status());
  v1::Mask mask;
  mask.set_kind(v1::MASK_KIND_BUCKET);
  mask.set_width(std::string(argument));
  return mask;
}

v1::Mask OfKind(v1::MaskKind kind) {
  v1::Mask mask;
  mask.set_kind(kind);
  return mask;
}

// Whether the mask is what its own text says: nothing out of bounds, nothing left over.
absl::Status CheckByItself(const v1::Mask& mask) {
  v1::Mask named = mask;
  if (named.kind() == v1::MASK_KIND_UNSPECIFIED) named.set_kind(v1::MASK_KIND_NONE);
  SLUICE_ASSIGN_OR_RETURN(const v1::Mask read, ParseMask(FormatMask(named)));
  if (read.SerializeAsString() != named.SerializeAsString()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the mask ", FormatMask(named), " has parameters of another kind"));
  }
  return absl::OkStatus();
}

bool IsMultiple(const v1::Mask& mask, const v1::Mask& floor) {
  const int scale = std::max(ScaleOf(mask.width()), ScaleOf(floor.width()));
  const auto width = BucketWidth(mask, scale);
  const auto unit = BucketWidth(floor, scale);
  return width.ok() && unit.ok() && *width % *unit == 0;
}

}  // namespace

bool IsNone(const v1::Mask& mask) {
  return mask.kind() == v1::MASK_KIND_UNSPECIFIED || mask.kind() == v1::MASK_KIND_NONE;
}

absl::StatusOr<v1::Mask> ParseMask(std::string_view text) {
  if (text == "none") return OfKind(v1::MASK_KIND_NONE);
  if (text == "null") return OfKind(v1::MASK_KIND_NULL);
  if (text == "pseudonym") return OfKind(v1::MASK_KIND_PSEUDONYM);
  const size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return UnknownMask();
  const std::string_view name = text.substr(0, open);
  const std::string_view argument = text.substr(open + 1, text.size() - open - 2);
  if (name == "partial") return ParsePartial(argument);
  if (name == "date") return ParseDateMask(argument);
  if (name == "prefix") return ParsePrefix(argument);
  if (name == "bucket") return ParseBucket(argument);
  return UnknownMask();
}

std::string FormatMask(const v1::Mask& mask) {
  switch (mask.kind()) {
    case v1::MASK_KIND_UNSPECIFIED:
    case v1::MASK_KIND_NONE:
      return "none";
    case v1::MASK_KIND_NULL:
      return "null";
    case v1::MASK_KIND_PARTIAL:
      return absl::StrCat("partial(", mask.first(), "..", mask.last(), ")");
    case v1::MASK_KIND_PSEUDONYM:
      return "pseudonym";
    case v1::MASK_KIND_DATE:
      return mask.unit() == v1::DATE_UNIT_YEAR    ? "date(year)"
             : mask.unit() == v1::DATE_UNIT_MONTH ? "date(month)"
                                                  : "date(unknown)";
    case v1::MASK_KIND_PREFIX:
      return absl::StrCat("prefix(", mask.length(), ")");
    case v1::MASK_KIND_BUCKET:
      return absl::StrCat("bucket(", mask.width(), ")");
    default:
      return "unknown";
  }
}

absl::StatusOr<Decimal128> BucketWidth(const v1::Mask& mask, int scale) {
  return ParseWidth(mask.width(), scale);
}

absl::Status MaskFits(const v1::Mask& mask, const records::DataType& type) {
  SLUICE_RETURN_IF_ERROR(CheckByItself(mask));
  bool fits = true;
  switch (mask.kind()) {
    case v1::MASK_KIND_PARTIAL:
    case v1::MASK_KIND_PREFIX:
      fits = type.id == TypeId::kUtf8;
      break;
    case v1::MASK_KIND_DATE:
      fits = type.id == TypeId::kDate32 || type.id == TypeId::kTimestamp;
      break;
    case v1::MASK_KIND_PSEUDONYM:
      fits = type.id != TypeId::kBool;
      break;
    case v1::MASK_KIND_BUCKET:
      fits = type.id == TypeId::kInt64 || type.id == TypeId::kFloat64 ||
             type.id == TypeId::kDecimal128;
      break;
    default:
      break;
  }
  if (!fits) {
    return absl::InvalidArgumentError(
        absl::StrCat("the mask ", FormatMask(mask), " cannot stand on ", ToString(type)));
  }
  if (mask.kind() != v1::MASK_KIND_BUCKET || type.id == TypeId::kFloat64) return absl::OkStatus();
  const int scale = type.id == TypeId::kDecimal128 ? type.scale : 0;
  const int precision = type.id == TypeId::kDecimal128 ? type.precision : 18;
  SLUICE_ASSIGN_OR_RETURN(const Decimal128 width, BucketWidth(mask, scale));
  // One more than the type holds would leave two buckets; further ones say nothing at all.
  if (width > records::PowerOfTen(precision)) {
    return absl::InvalidArgumentError(absl::StrCat("the width of ", FormatMask(mask),
                                                   " is more than ", ToString(type), " holds"));
  }
  return absl::OkStatus();
}

records::DataType MaskedType(const v1::Mask& mask, const records::DataType& type) {
  if (mask.kind() == v1::MASK_KIND_PARTIAL || mask.kind() == v1::MASK_KIND_PSEUDONYM) {
    return {.id = TypeId::kUtf8};
  }
  return type;
}

bool AtLeastAsStrict(const v1::Mask& mask, const v1::Mask& floor) {
  if (IsNone(floor) || mask.kind() == v1::MASK_KIND_NULL) return true;
  if (floor.kind() == v1::MASK_KIND_NULL || IsNone(mask)) return false;
  if (mask.kind() == v1::MASK_KIND_PSEUDONYM) return true;
  if (mask.kind() != floor.kind()) return false;
  switch (mask.kind()) {
    case v1::MASK_KIND_PARTIAL:
      return mask.first() <= floor.first() && mask.last() <= floor.last();
    case v1::MASK_KIND_PREFIX:
      return mask.length() <= floor.length();
    case v1::MASK_KIND_DATE:
      return mask.unit() == floor.unit() || mask.unit() == v1::DATE_UNIT_YEAR;
    case v1::MASK_KIND_BUCKET:
      return IsMultiple(mask, floor);
    default:
      return false;
  }
}

}  // namespace sluice::catalogue
