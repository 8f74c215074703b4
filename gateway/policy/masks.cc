// What masks do to columns: one loop a kind.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "gateway/base/check.h"
#include "gateway/base/crypto.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/apply.h"
#include "gateway/records/utf8.h"
#include "gateway/records/value_text.h"

namespace sluice::policy {
namespace {

using records::Column;
using records::ColumnBuilder;
using records::DataType;
using records::Decimal128;
using records::TypeId;

// Masks each value that is not null; `mask(row, builder)` appends one.
template <class Mask>
Column ForEach(const Column& column, const DataType& type, Mask mask) {
  ColumnBuilder builder(type);
  builder.Reserve(column.length(), column.data() == nullptr ? 0 : column.data()->size());
  for (int64_t i = 0; i < column.length(); ++i) {
    if (column.IsNull(i)) {
      builder.AppendNull();
    } else {
      mask(i, builder);
    }
  }
  return builder.Finish();
}

Column Nulls(const Column& column) {
  ColumnBuilder builder(column.type());
  for (int64_t i = 0; i < column.length(); ++i) builder.AppendNull();
  return builder.Finish();
}

// A star a hidden character. A value with no more characters than are shown becomes as many stars
// as would be shown: short values, and the empty one, look all the same. So does one that is not
// UTF-8, which no adapter should have let through: where its characters begin and end is anybody's
// guess.
Column Partial(const v1::Mask& mask, const Column& column) {
  const auto first = static_cast<size_t>(mask.first());
  const auto last = static_cast<size_t>(mask.last());
  std::string text;
  return ForEach(column, {.id = TypeId::kUtf8}, [&](int64_t i, ColumnBuilder& builder) {
    const std::string_view value = column.Bytes(i);
    const bool ascii = records::IsAscii(value);
    const size_t length = ascii ? value.size() : records::CodePointCount(value);
    if (length <= first + last || (!ascii && !records::ValidUtf8(value))) {
      text.assign(first + last, '*');
    } else if (ascii) {
      text.assign(value);
      std::fill(text.begin() + first, text.end() - last, '*');
    } else {
      text.assign(records::FirstCodePoints(value, first));
      text.append(length - first - last, '*');
      text.append(records::LastCodePoints(value, last));
    }
    builder.AppendBytes(text);
  });
}

Column Prefix(const v1::Mask& mask, const Column& column) {
  const auto length = static_cast<size_t>(mask.length());
  return ForEach(column, column.type(), [&](int64_t i, ColumnBuilder& builder) {
    const std::string_view value = column.Bytes(i);
    builder.AppendBytes(records::ValidUtf8(value) ? records::FirstCodePoints(value, length)
                                                  : std::string_view());
  });
}

// The first day of the year or month of a day.
std::optional<int32_t> CutDay(int32_t days, v1::DateUnit unit) {
  records::CivilDate date = records::CivilFromDays(days);
  date.day = 1;
  if (unit == v1::DATE_UNIT_YEAR) date.month = 1;
  return records::DaysFromCivil(date);
}

int64_t DayOf(int64_t micros) { return micros / kDay - (micros % kDay < 0 ? 1 : 0); }

// Adapters give years 1 to 9999; whatever else came would have no first day, and is null.
Column Date(const v1::Mask& mask, const Column& column) {
  const v1::DateUnit unit = mask.unit();
  if (column.type().id == TypeId::kDate32) {
    return ForEach(column, column.type(), [&](int64_t i, ColumnBuilder& builder) {
      const auto day = CutDay(column.Date32(i), unit);
      day ? builder.AppendDate32(*day) : builder.AppendNull();
    });
  }
  return ForEach(column, column.type(), [&](int64_t i, ColumnBuilder& builder) {
    const int64_t days = DayOf(column.Int64(i));
    const bool known = days >= records::kMinDate32 && days <= records::kMaxDate32;
    const auto day = known ? CutDay(static_cast<int32_t>(days), unit) : std::nullopt;
    day ? builder.AppendInt64(*day * kDay) : builder.AppendNull();
  });
}

Decimal128 WidthOf(const v1::Mask& mask, int scale) {
  const auto width = catalogue::BucketWidth(mask, scale);
  SLUICE_CHECK(width.ok());  // MaskFits saw to it when the grant was compiled
  return *width;
}

// Rounded down, towards minus infinity. The lowest bucket begins at the least value of the type, so
// that its border is a value too; the subtraction stays within bounds where the product would not.
Decimal128 RoundDown(Decimal128 value, Decimal128 width, Decimal128 least) {
  Decimal128 above = value % width;
  if (above < 0) above += width;
  return value < 0 && above > value - least ? least : value - above;
}

Column Bucket(const v1::Mask& mask, const Column& column) {
  if (column.type().id == TypeId::kInt64) {
    const Decimal128 width = WidthOf(mask, 0);
    constexpr Decimal128 kLeast = std::numeric_limits<int64_t>::min();
    return ForEach(column, column.type(), [&](int64_t i, ColumnBuilder& builder) {
      builder.AppendInt64(static_cast<int64_t>(RoundDown(column.Int64(i), width, kLeast)));
    });
  }
  if (column.type().id == TypeId::kDecimal128) {
    const Decimal128 width = WidthOf(mask, column.type().scale);
    const Decimal128 least = 1 - records::PowerOfTen(column.type().precision);
    return ForEach(column, column.type(), [&](int64_t i, ColumnBuilder& builder) {
      builder.AppendDecimal(RoundDown(column.Decimal(i), width, least));
    });
  }
  // Not finite, or out of range once divided: null. Such a value is in no bucket.
  double width = 0;
  std::from_chars(mask.width().data(), mask.width().data() + mask.width().size(), width);
  return ForEach(column, column.type(), [&](int64_t i, ColumnBuilder& builder) {
    const double floor = std::floor(column.Float64(i) / width) * width;
    // Adding zero makes -0.0 plain: the sign would tell that from zero.
    std::isfinite(floor) ? builder.AppendFloat64(floor + 0.0) : builder.AppendNull();
  });
}

// The value as text, the same for equal values.
void AppendCanonical(const Column& column, int64_t i, std::string& out) {
  switch (column.type().id) {
    case TypeId::kBool:
      out += column.Bool(i) ? "true" : "false";
      return;
    case TypeId::kInt64:
      return records::AppendInt64(column.Int64(i), out);
    case TypeId::kFloat64:
      return records::AppendFloat64(column.Float64(i) + 0.0, out);
    case TypeId::kDecimal128:
      return records::AppendDecimal(column.Decimal(i), column.type().scale, out);
    case TypeId::kDate32:
      return records::AppendDate(column.Date32(i), out);
    case TypeId::kTimestamp:
      return records::AppendTimestamp(column.Int64(i), column.type().utc, out);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      out += column.Bytes(i);
      return;
  }
}

Column Pseudonym(const Column& column, const catalogue::Dataset& dataset, int field,
                 std::string_view consumer_agency, const audit::Pseudonyms& pseudonyms) {
  const v1::DatasetField& definition = dataset.field(field);
  const std::string& id_type = definition.subject();
  const std::string scope =
      id_type.empty() ? dataset.definition.name() + "/" + definition.name() : id_type;
  std::string value;
  return ForEach(column, {.id = TypeId::kUtf8}, [&](int64_t i, ColumnBuilder& builder) {
    value.clear();
    AppendCanonical(column, i, value);
    if (!id_type.empty()) value = audit::Canonical(id_type, value).text;
    builder.AppendBytes(HexEncode(pseudonyms.ForMask(consumer_agency, scope, value)));
  });
}

bool SameMask(const v1::Mask& a, const v1::Mask& b) {
  return a.first() == b.first() && a.last() == b.last() && a.length() == b.length() &&
         a.unit() == b.unit() && a.width() == b.width();
}

}  // namespace

Column ApplyMask(const v1::Mask& mask, const Column& column, const catalogue::Dataset& dataset,
                 int field, std::string_view consumer_agency, const audit::Pseudonyms& pseudonyms) {
  const auto by_rule = [](const v1::Mask& rule, const Column& values) {
    switch (rule.kind()) {
      case v1::MASK_KIND_PARTIAL:
        return Partial(rule, values);
      case v1::MASK_KIND_DATE:
        return Date(rule, values);
      case v1::MASK_KIND_PREFIX:
        return Prefix(rule, values);
      case v1::MASK_KIND_BUCKET:
        return Bucket(rule, values);
      default:
        // A kind that this gateway does not know shows nothing.
        return Nulls(values);
    }
  };
  if (catalogue::IsNone(mask)) return column;
  if (mask.kind() == v1::MASK_KIND_PSEUDONYM) {
    return Pseudonym(column, dataset, field, consumer_agency, pseudonyms);
  }
  const v1::Mask& floor = dataset.field(field).least_mask();
  if (floor.kind() == mask.kind() && !SameMask(mask, floor)) {
    return by_rule(mask, by_rule(floor, column));
  }
  return by_rule(mask, column);
}

}  // namespace sluice::policy
