// Masks, as loops over columns.
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/apply.h"
#include "gateway/records/types.h"
#include "gateway/records/utf8.h"
#include "gateway/records/value_text.h"

namespace sluice::policy {
namespace {

using records::Column;
using records::ColumnBuilder;
using records::TypeId;

// The characters shown, a star for each that is hidden. Where nothing would be hidden, all is.
std::string Partial(std::string_view text, size_t first, size_t last) {
  const size_t count = records::CodePointCount(text);
  if (count <= first + last) return std::string(count, '*');
  std::string shown(records::FirstCodePoints(text, first));
  shown.append(count - first - last, '*');
  return shown.append(records::LastCodePoints(text, last));
}

int32_t CutDate(int32_t days, v1::DateUnit unit) {
  records::CivilDate date = records::CivilFromDays(days);
  date.day = 1;
  if (unit == v1::DATE_UNIT_YEAR) date.month = 1;
  return records::DaysFromCivil(date).value_or(days);
}

constexpr int64_t kDayMicros = int64_t{86'400} * 1'000'000;

template <class T>
T FloorDivide(T a, T b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// The multiple at or below; the value itself's type may not hold it near its least, then it is null.
void AppendBucket(const Column& column, int64_t row, records::Decimal128 width,
                  ColumnBuilder& out) {
  switch (column.type().id) {
    case TypeId::kInt64: {
      const records::Decimal128 value = column.Int64(row);
      const records::Decimal128 floor = FloorDivide(value, width) * width;
      if (floor < std::numeric_limits<int64_t>::min()) return out.AppendNull();
      return out.AppendInt64(static_cast<int64_t>(floor));
    }
    case TypeId::kDecimal128: {
      const records::Decimal128 floor = FloorDivide(column.Decimal(row), width) * width;
      if (!records::FitsPrecision(floor, column.type().precision)) return out.AppendNull();
      return out.AppendDecimal(floor);
    }
    default:
      return out.AppendNull();
  }
}

void AppendFloatBucket(double value, double width, ColumnBuilder& out) {
  const double floor = std::floor(value / width) * width;
  if (!std::isfinite(value) || !std::isfinite(floor)) return out.AppendNull();
  out.AppendFloat64(floor);
}

// The value as text, the same for the same value.
std::string TextOf(const Column& column, int64_t row) {
  std::string text;
  switch (column.type().id) {
    case TypeId::kBool:
      return column.Bool(row) ? "true" : "false";
    case TypeId::kInt64:
      return absl::StrCat(column.Int64(row));
    case TypeId::kFloat64:
      return absl::StrCat(column.Float64(row));
    case TypeId::kDecimal128:
      return records::FormatDecimal(column.Decimal(row), column.type().scale);
    case TypeId::kDate32:
      return records::FormatDate(column.Date32(row));
    case TypeId::kTimestamp:
      return records::FormatTimestamp(column.Int64(row), column.type().utc);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return std::string(column.Bytes(row));
  }
  return text;
}

// Masks one column value by value: `append` gets each row that is not null.
template <class Append>
Column Each(const Column& column, records::DataType type, Append append) {
  ColumnBuilder out(type);
  for (int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) {
      out.AppendNull();
    } else {
      append(row, out);
    }
  }
  return out.Finish();
}

Column CutTimes(const v1::Mask& mask, const Column& column) {
  return Each(column, column.type(), [&](int64_t row, ColumnBuilder& out) {
    if (column.type().id == TypeId::kDate32) {
      out.AppendDate32(CutDate(column.Date32(row), mask.unit()));
    } else {
      const auto days = static_cast<int32_t>(FloorDivide(column.Int64(row), kDayMicros));
      out.AppendInt64(CutDate(days, mask.unit()) * kDayMicros);
    }
  });
}

Column Bucket(const v1::Mask& mask, const Column& column) {
  if (column.type().id == TypeId::kFloat64) {
    const double width = std::stod(mask.width());
    return Each(column, column.type(), [&](int64_t row, ColumnBuilder& out) {
      AppendFloatBucket(column.Float64(row), width, out);
    });
  }
  const int scale = column.type().id == TypeId::kDecimal128 ? column.type().scale : 0;
  const auto width = catalogue::BucketWidth(mask, scale);
  return Each(column, column.type(), [&](int64_t row, ColumnBuilder& out) {
    if (!width.ok()) return out.AppendNull();  // such a grant does not compile
    AppendBucket(column, row, *width, out);
  });
}

// By the data subject where the field names one, so that one consumer's datasets can be joined on it;
// by the field elsewhere.
Column Pseudonymise(const Column& column, const records::DataType& type,
                    const catalogue::Dataset& dataset, int field,
                    std::string_view consumer_agency, const audit::Pseudonyms& pseudonyms) {
  const v1::DatasetField& definition = dataset.field(field);
  const bool subject = !definition.subject().empty();
  const std::string scope =
      subject ? absl::StrCat("subject/", definition.subject())
              : absl::StrCat("field/", dataset.definition.name(), "/", definition.name());
  return Each(column, type, [&](int64_t row, ColumnBuilder& out) {
    std::string text = TextOf(column, row);
    if (subject) text = audit::Canonical(definition.subject(), text).text;
    out.AppendBytes(
        absl::BytesToHexString(pseudonyms.ForMask(consumer_agency, scope, text)));
  });
}

}  // namespace

Column ApplyMask(const v1::Mask& mask, const Column& column, const catalogue::Dataset& dataset,
                 int field, std::string_view consumer_agency,
                 const audit::Pseudonyms& pseudonyms) {
  const records::DataType type = catalogue::MaskedType(mask, column.type());
  switch (mask.kind()) {
    case v1::MASK_KIND_UNSPECIFIED:
    case v1::MASK_KIND_NONE:
      return column;
    case v1::MASK_KIND_PARTIAL:
      return Each(column, type, [&](int64_t row, ColumnBuilder& out) {
        out.AppendBytes(Partial(column.Bytes(row), mask.first(), mask.last()));
      });
    case v1::MASK_KIND_PREFIX:
      return Each(column, type, [&](int64_t row, ColumnBuilder& out) {
        out.AppendBytes(records::FirstCodePoints(column.Bytes(row), mask.length()));
      });
    case v1::MASK_KIND_PSEUDONYM:
      return Pseudonymise(column, type, dataset, field, consumer_agency, pseudonyms);
    case v1::MASK_KIND_DATE:
      return CutTimes(mask, column);
    case v1::MASK_KIND_BUCKET:
      return Bucket(mask, column);
    default:
      break;  // NULL, and whatever is not known here: nothing is shown
  }
  ColumnBuilder out(type);
  for (int64_t row = 0; row < column.length(); ++row) out.AppendNull();
  return out.Finish();
}

}  // namespace sluice::policy
