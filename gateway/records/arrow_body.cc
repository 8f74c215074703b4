#include "gateway/records/arrow_body.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/records/utf8.h"

namespace sluice::records {
namespace {

static_assert(std::endian::native == std::endian::little, "buffers are little-endian");

// n + 1 offsets of 32 bits, and every product of rows and widths, have to fit.
constexpr int64_t kMostRowsOfAll = std::numeric_limits<int32_t>::max() - 1;

absl::Status BadBody(std::string_view what) { return absl::InvalidArgumentError(View(what)); }

bool HasOffsetBuffer(TypeId id) { return id == TypeId::kUtf8 || id == TypeId::kBinary; }

// Bits of one value in the last buffer; 0 where it is as long as the offsets say.
int64_t BitsOf(TypeId id) {
  switch (id) {
    case TypeId::kBool:
      return 1;
    case TypeId::kDate32:
      return 32;
    case TypeId::kInt64:
    case TypeId::kFloat64:
    case TypeId::kTimestamp:
      return 64;
    case TypeId::kDecimal128:
      return 128;
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return 0;
  }
  return 0;
}

bool BitAt(const std::vector<uint8_t>& bits, int64_t i) {
  return ((bits[static_cast<size_t>(i >> 3)] >> (i & 7)) & 1) != 0;
}

// The first `count` bits, and zeros up to the byte's end.
std::vector<uint8_t> TakeFirstBits(std::string_view bytes, int64_t count) {
  std::vector<uint8_t> bits(bytes.begin(), bytes.begin() + (count + 7) / 8);
  if (count % 8 != 0) bits.back() = static_cast<uint8_t>(bits.back() & ((1 << (count % 8)) - 1));
  return bits;
}

int64_t CountOnes(const std::vector<uint8_t>& bits) {
  int64_t ones = 0;
  for (const uint8_t byte : bits) ones += std::popcount(byte);
  return ones;
}

// Structs of a vector whose address may be any.
template <class Struct>
Struct StructAt(const flatbuffers::Vector<const Struct*>& vector, size_t i) {
  Struct value;
  std::memcpy(static_cast<void*>(&value), vector.Data() + i * sizeof(Struct), sizeof(Struct));
  return value;
}

template <class Struct>
size_t CountOf(const flatbuffers::Vector<const Struct*>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

Buffer Shared(std::vector<uint8_t> bytes) {
  return std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
}

// One batch, column by column; each takes the nodes and buffers that are its own.
class BodyReader {
 public:
  BodyReader(const arrow::RecordBatch& header, std::string_view body, const SchemaPtr& schema,
             const ArrowLimits& limits)
      : header_(header), body_(body), schema_(schema), limits_(limits) {}

  absl::StatusOr<RecordBatch> Read() {
    if (header_.compression() != nullptr) return BadBody("its body is compressed");
    if (header_.variadic_buffer_counts() != nullptr && header_.variadic_buffer_counts()->size() > 0)
      return BadBody("it has buffers of views, which are not supported");
    if (header_.length() < 0 || header_.length() > std::min(limits_.rows, kMostRowsOfAll))
      return BadBody("its number of rows is too large");
    size_t buffers = 0;
    for (const Field& field : schema_->fields()) buffers += HasOffsetBuffer(field.type.id) ? 3 : 2;
    if (CountOf(header_.nodes()) != schema_->size() || CountOf(header_.buffers()) != buffers)
      return BadBody("its number of columns or of buffers is not the schema's");
    std::vector<Column> columns;
    columns.reserve(schema_->size());
    for (size_t i = 0; i < schema_->size(); ++i) {
      auto column = ReadColumn(i);
      if (!column.ok())
        return BadBody(absl::StrCat("column ", i + 1, " (", schema_->field(i).name,
                                    "): ", std::string(column.status().message())));
      columns.push_back(*std::move(column));
    }
    return RecordBatch(schema_, std::move(columns), header_.length());
  }

 private:
  absl::StatusOr<Column> ReadColumn(size_t i) {
    const Field& field = schema_->field(i);
    const auto node = StructAt(*header_.nodes(), i);
    const int64_t rows = header_.length();
    if (node.length() != rows) return BadBody("its length is not the batch's");
    if (node.null_count() < 0 || node.null_count() > rows)
      return BadBody(absl::StrCat("it says ", node.null_count(), " nulls of ", rows, " rows"));
    if (node.null_count() > 0 && !field.nullable) return BadBody("it has nulls and must not");
    Column::Buffers buffers;
    std::vector<uint8_t> valid;
    SLUICE_RETURN_IF_ERROR(ReadValidity(rows, node.null_count(), valid));
    if (HasOffsetBuffer(field.type.id)) {
      SLUICE_RETURN_IF_ERROR(ReadTexts(field.type, rows, valid, buffers));
    } else {
      SLUICE_RETURN_IF_ERROR(ReadValues(field.type, rows, valid, buffers));
    }
    if (!valid.empty()) buffers.validity = Shared(std::move(valid));
    return Column(field.type, rows, node.null_count(), std::move(buffers));
  }

  // The next buffer: within the body, at a multiple of 8, behind the one before.
  absl::StatusOr<std::string_view> NextBuffer() {
    const auto place = StructAt(*header_.buffers(), next_++);
    const auto all = static_cast<int64_t>(body_.size());
    if (place.length() == 0) return std::string_view();
    if (place.offset() < 0 || place.length() < 0 || place.offset() > all ||
        place.length() > all - place.offset())
      return BadBody("a buffer lies outside of the body");
    if (place.offset() % 8 != 0) return BadBody("a buffer begins at no multiple of 8");
    if (place.offset() < end_) return BadBody("a buffer lies over another one");
    end_ = place.offset() + place.length();
    return body_.substr(static_cast<size_t>(place.offset()), static_cast<size_t>(place.length()));
  }

  // Empty where nothing is null.
  absl::Status ReadValidity(int64_t rows, int64_t nulls, std::vector<uint8_t>& valid) {
    SLUICE_ASSIGN_OR_RETURN(const std::string_view bytes, NextBuffer());
    if (bytes.empty() && nulls == 0) return absl::OkStatus();
    if (static_cast<int64_t>(bytes.size()) < (rows + 7) / 8)
      return BadBody("its validity is too short");
    valid = TakeFirstBits(bytes, rows);
    if (rows - CountOnes(valid) != nulls)
      return BadBody("its number of nulls is not its validity's");
    if (nulls == 0) valid.clear();
    return absl::OkStatus();
  }

  absl::Status ReadValues(const DataType& type, int64_t rows, const std::vector<uint8_t>& valid,
                          Column::Buffers& buffers) {
    SLUICE_ASSIGN_OR_RETURN(const std::string_view bytes, NextBuffer());
    const int64_t bits = BitsOf(type.id);
    const int64_t needed = (rows * bits + 7) / 8;
    if (static_cast<int64_t>(bytes.size()) < needed) return BadBody("its values are too short");
    std::vector<uint8_t> values = type.id == TypeId::kBool
                                      ? TakeFirstBits(bytes, rows)
                                      : std::vector<uint8_t>(bytes.begin(), bytes.begin() + needed);
    for (int64_t i = 0; !valid.empty() && i < rows; ++i) {
      if (BitAt(valid, i)) continue;
      // What stands there is nobody's value.
      if (bits == 1)
        values[static_cast<size_t>(i >> 3)] &= static_cast<uint8_t>(~(1 << (i & 7)));
      else
        std::fill_n(values.begin() + i * bits / 8, bits / 8, uint8_t{0});
    }
    if (type.id == TypeId::kDecimal128 && limits_.check_precision)
      SLUICE_RETURN_IF_ERROR(CheckPrecision(type, values));
    buffers.data = Shared(std::move(values));
    return absl::OkStatus();
  }

  static absl::Status CheckPrecision(const DataType& type, const std::vector<uint8_t>& values) {
    for (size_t at = 0; at < values.size(); at += sizeof(Decimal128)) {
      Decimal128 value;
      std::memcpy(&value, values.data() + at, sizeof(value));
      if (!FitsPrecision(value, type.precision))
        return BadBody(absl::StrCat("row ", at / sizeof(value) + 1, " has more digits than ",
                                    int{type.precision}));
    }
    return absl::OkStatus();
  }

  absl::Status ReadTexts(const DataType& type, int64_t rows, const std::vector<uint8_t>& valid,
                         Column::Buffers& buffers) {
    SLUICE_ASSIGN_OR_RETURN(const std::string_view bounds, NextBuffer());
    SLUICE_ASSIGN_OR_RETURN(const std::string_view data, NextBuffer());
    const bool none = rows == 0 && bounds.empty();
    if (!none && static_cast<int64_t>(bounds.size()) < 4 * (rows + 1))
      return BadBody("its offsets are too short");
    const auto offset = [bounds](int64_t i) {
      int32_t value;
      std::memcpy(&value, bounds.data() + 4 * i, sizeof(value));
      return value;
    };
    ColumnBuilder column(type);
    for (int64_t i = 0; i < rows; ++i) {
      const int32_t begin = offset(i), end = offset(i + 1);
      if (begin < 0 || end < begin || static_cast<size_t>(end) > data.size())
        return BadBody(absl::StrCat("row ", i + 1, " lies outside of the values"));
      if (!valid.empty() && !BitAt(valid, i)) {
        column.AppendNull();
        continue;
      }
      const std::string_view value =
          data.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
      if (type.id == TypeId::kUtf8 && !ValidUtf8(value))
        return BadBody(absl::StrCat("row ", i + 1, " is not UTF-8"));
      column.AppendBytes(value);
    }
    if (rows == 0 && !none && (offset(0) < 0 || static_cast<size_t>(offset(0)) > data.size()))
      return BadBody("its offsets lie outside of the values");
    const Column built = column.Finish();
    buffers.offsets = built.offsets();
    buffers.data = built.data();
    return absl::OkStatus();
  }

  const arrow::RecordBatch& header_;
  const std::string_view body_;
  const SchemaPtr& schema_;
  const ArrowLimits& limits_;
  size_t next_ = 0;
  int64_t end_ = 0;  // of the buffer before
};

}  // namespace

absl::StatusOr<RecordBatch> ReadArrowBody(const arrow::RecordBatch& header, std::string_view body,
                                          const SchemaPtr& schema, const ArrowLimits& limits) {
  return BodyReader(header, body, schema, limits).Read();
}

}  // namespace sluice::records
