#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "gateway/base/check.h"
#include "gateway/records/types.h"

namespace sluice::records {
namespace {

constexpr size_t kMaxOffset = std::numeric_limits<int32_t>::max();

bool HasOffsets(TypeId id) { return id == TypeId::kUtf8 || id == TypeId::kBinary; }

// Bytes of one value; 0 for those of another layout.
size_t FixedWidthOf(TypeId id) {
  switch (id) {
    case TypeId::kInt64:
    case TypeId::kFloat64:
    case TypeId::kTimestamp:
      return 8;
    case TypeId::kDecimal128:
      return 16;
    case TypeId::kDate32:
      return 4;
    case TypeId::kBool:
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return 0;
  }
  return 0;
}

void AppendBit(std::vector<uint8_t>& bits, int64_t position, bool value) {
  if ((position & 7) == 0) bits.push_back(0);
  if (value) bits.back() = static_cast<uint8_t>(bits.back() | 1 << (position & 7));
}

void AppendBytesOf(std::vector<uint8_t>& buffer, const void* bytes, size_t size) {
  const auto* begin = static_cast<const uint8_t*>(bytes);
  buffer.insert(buffer.end(), begin, begin + size);
}

bool TestBit(const std::vector<uint8_t>& bits, int64_t i) {
  return ((bits[i >> 3] >> (i & 7)) & 1) != 0;
}

// Appends bits [begin, begin + count) behind `position` others, eight at a time. Returns how many
// of them are set.
int64_t AppendBits(std::vector<uint8_t>& bits, int64_t position, const std::vector<uint8_t>& from,
                   int64_t begin, int64_t count) {
  int64_t set = 0, i = 0;
  const auto append_one = [&] {
    const bool value = TestBit(from, begin + i);
    AppendBit(bits, position + i, value);
    set += value ? 1 : 0;
    ++i;
  };
  while (i < count && (position + i) % 8 != 0) append_one();
  const int64_t shift = (begin + i) % 8;
  for (; i + 8 <= count; i += 8) {
    const int64_t byte = (begin + i) / 8;
    unsigned eight = from[byte] >> shift;
    if (shift != 0) eight |= static_cast<unsigned>(from[byte + 1]) << (8 - shift);
    bits.push_back(static_cast<uint8_t>(eight));
    set += std::popcount(static_cast<uint8_t>(eight));
  }
  while (i < count) append_one();
  return set;
}

Buffer MakeBuffer(std::vector<uint8_t> bytes) {
  return std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
}

Buffer TakeBits(const std::vector<uint8_t>& bits, const std::vector<int64_t>& rows) {
  std::vector<uint8_t> taken((rows.size() + 7) / 8);
  for (size_t i = 0; i < rows.size(); ++i) {
    taken[i >> 3] = static_cast<uint8_t>(taken[i >> 3] | TestBit(bits, rows[i]) << (i & 7));
  }
  return MakeBuffer(std::move(taken));
}

template <size_t kWidth>
Buffer TakeFixed(const std::vector<uint8_t>& values, const std::vector<int64_t>& rows) {
  std::vector<uint8_t> taken(rows.size() * kWidth);
  uint8_t* to = taken.data();
  for (int64_t row : rows) {
    std::memcpy(to, values.data() + static_cast<size_t>(row) * kWidth, kWidth);
    to += kWidth;
  }
  return MakeBuffer(std::move(taken));
}

bool IsAllRows(const std::vector<int64_t>& rows, int64_t length) {
  if (static_cast<int64_t>(rows.size()) != length) return false;
  for (int64_t i = 0; i < length; ++i) {
    if (rows[i] != i) return false;
  }
  return true;
}

int64_t SizeOf(const Buffer& buffer) {
  return buffer == nullptr ? 0 : static_cast<int64_t>(buffer->size());
}

}  // namespace

int64_t WidthOf(const DataType& type) {
  if (HasOffsets(type.id)) return sizeof(int32_t);
  return std::max<int64_t>(1, static_cast<int64_t>(FixedWidthOf(type.id)));
}

int64_t Column::bytes() const { return SizeOf(validity_) + SizeOf(offsets_) + SizeOf(data_); }

Column Column::Take(const std::vector<int64_t>& rows) const {
  if (IsAllRows(rows, length_)) return *this;
  for (int64_t row : rows) SLUICE_CHECK(row >= 0 && row < length_);
  Column taken;
  taken.type_ = type_;
  taken.length_ = static_cast<int64_t>(rows.size());
  if (validity_ != nullptr) {
    taken.null_count_ =
        std::count_if(rows.begin(), rows.end(), [this](int64_t row) { return IsNull(row); });
    if (taken.null_count_ > 0) taken.validity_ = TakeBits(*validity_, rows);
  }
  switch (FixedWidthOf(type_.id)) {
    case 4:
      taken.data_ = TakeFixed<4>(*data_, rows);
      break;
    case 8:
      taken.data_ = TakeFixed<8>(*data_, rows);
      break;
    case 16:
      taken.data_ = TakeFixed<16>(*data_, rows);
      break;
    default:
      if (HasOffsets(type_.id)) {
        taken.TakeBytes(*this, rows);
      } else {
        taken.data_ = TakeBits(*data_, rows);
      }
  }
  return taken;
}

// Values of rows that follow each other are copied together.
void Column::TakeBytes(const Column& from, const std::vector<int64_t>& rows) {
  std::vector<uint8_t> offsets((rows.size() + 1) * sizeof(int32_t));
  size_t total = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    total += static_cast<size_t>(from.BytesIn(rows[i], rows[i] + 1));
    const auto end = static_cast<int32_t>(total);
    std::memcpy(offsets.data() + (i + 1) * sizeof(end), &end, sizeof(end));
  }
  SLUICE_CHECK(total <= kMaxOffset);
  std::vector<uint8_t> data;
  data.reserve(total);
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    AppendBytesOf(data, from.data_->data() + from.OffsetAt(rows[begin]),
                  static_cast<size_t>(from.BytesIn(rows[begin], rows[end - 1] + 1)));
    begin = end;
  }
  offsets_ = MakeBuffer(std::move(offsets));
  data_ = MakeBuffer(std::move(data));
}

ColumnBuilder::ColumnBuilder(DataType type) { column_.type_ = type; }

// Before the first null: until here there was no bitmap, as all were valid.
void ColumnBuilder::BeginValidity() {
  validity_.assign(static_cast<size_t>(column_.length_ + 7) / 8, 0xFF);
  if (column_.length_ % 8 != 0)
    validity_.back() = static_cast<uint8_t>((1 << (column_.length_ % 8)) - 1);
}

// The last value's validity; its data has been appended.
void ColumnBuilder::Grow(bool valid) {
  int64_t& nulls = column_.null_count_;
  if (!valid && nulls++ == 0) BeginValidity();
  if (nulls > 0) AppendBit(validity_, column_.length_, valid);
  ++column_.length_;
}

template <class T>
void ColumnBuilder::AppendRaw(T value) {
  AppendBytesOf(data_, &value, sizeof(value));
  Grow(true);
}

// Where the next value begins. Before the first one, 0: not when the builder is made, since many
// are made, or emptied, for no value.
void ColumnBuilder::BeginOffsets() {
  if (!offsets_.empty()) return;
  // Answers of one row are common: theirs and a few more without growing.
  offsets_.reserve(8 * sizeof(int32_t));
  offsets_.resize(sizeof(int32_t));
}

void ColumnBuilder::AppendOffset() {
  SLUICE_CHECK(data_.size() <= kMaxOffset);
  const auto end = static_cast<int32_t>(data_.size());
  AppendBytesOf(offsets_, &end, sizeof(end));
}

void ColumnBuilder::AppendNull() {
  if (HasOffsets(type().id)) {
    BeginOffsets();
    AppendOffset();
  } else if (type().id == TypeId::kBool) {
    AppendBit(data_, length(), false);
  } else {
    data_.resize(data_.size() + FixedWidthOf(type().id));
  }
  Grow(false);
}

void ColumnBuilder::AppendBool(bool value) {
  SLUICE_CHECK(type().id == TypeId::kBool);
  AppendBit(data_, length(), value);
  Grow(true);
}

void ColumnBuilder::AppendInt64(int64_t value) {
  SLUICE_CHECK(type().id == TypeId::kInt64 || type().id == TypeId::kTimestamp);
  AppendRaw(value);
}

void ColumnBuilder::AppendFloat64(double value) {
  SLUICE_CHECK(type().id == TypeId::kFloat64);
  AppendRaw(value);
}

void ColumnBuilder::AppendDate32(int32_t value) {
  SLUICE_CHECK(type().id == TypeId::kDate32);
  AppendRaw(value);
}

void ColumnBuilder::AppendDecimal(Decimal128 value) {
  SLUICE_CHECK(type().id == TypeId::kDecimal128);
  AppendRaw(value);
}

void ColumnBuilder::AppendBytes(std::string_view value) {
  SLUICE_CHECK(HasOffsets(type().id));
  BeginOffsets();
  AppendBytesOf(data_, value.data(), value.size());
  AppendOffset();
  Grow(true);
}

void ColumnBuilder::AppendFrom(const Column& column, int64_t i) {
  SLUICE_CHECK(column.type() == type() && i >= 0 && i < column.length());
  if (column.IsNull(i)) return AppendNull();
  switch (type().id) {
    case TypeId::kBool:
      return AppendBool(column.Bool(i));
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return AppendInt64(column.Int64(i));
    case TypeId::kFloat64:
      return AppendFloat64(column.Float64(i));
    case TypeId::kDecimal128:
      return AppendDecimal(column.Decimal(i));
    case TypeId::kDate32:
      return AppendDate32(column.Date32(i));
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return AppendBytes(column.Bytes(i));
  }
}

void ColumnBuilder::Reserve(int64_t rows, int64_t text_bytes) {
  const auto count = static_cast<size_t>(rows);
  if (HasOffsets(type().id)) {
    offsets_.reserve((count + 1) * sizeof(int32_t));
    data_.reserve(static_cast<size_t>(text_bytes));
  } else {
    data_.reserve(type().id == TypeId::kBool ? (count + 7) / 8 : count * FixedWidthOf(type().id));
  }
}

void ColumnBuilder::AppendRange(const Column& column, int64_t begin, int64_t count) {
  SLUICE_CHECK(column.type() == type() && begin >= 0 && count >= 0 &&
               begin + count <= column.length());
  if (count == 0) return;
  const std::vector<uint8_t>& data = *column.data();
  const auto width = static_cast<int64_t>(FixedWidthOf(type().id));
  if (width > 0) {
    AppendBytesOf(data_, data.data() + begin * width, static_cast<size_t>(count * width));
  } else if (type().id == TypeId::kBool) {
    AppendBits(data_, length(), data, begin, count);
  } else {
    BeginOffsets();
    const int32_t first = column.OffsetAt(begin);
    const auto shift = static_cast<int64_t>(data_.size()) - first;
    AppendBytesOf(data_, data.data() + first,
                  static_cast<size_t>(column.BytesIn(begin, begin + count)));
    SLUICE_CHECK(data_.size() <= kMaxOffset);
    const size_t before = offsets_.size();
    offsets_.resize(before + static_cast<size_t>(count) * sizeof(int32_t));
    for (int64_t i = 0; i < count; ++i) {
      const auto end = static_cast<int32_t>(column.OffsetAt(begin + i + 1) + shift);
      std::memcpy(offsets_.data() + before + static_cast<size_t>(i) * sizeof(end), &end,
                  sizeof(end));
    }
  }
  AppendValidity(column, begin, count);
}

// The bits of the rows whose data was appended.
void ColumnBuilder::AppendValidity(const Column& column, int64_t begin, int64_t count) {
  if (column.null_count() == 0) {
    if (column_.null_count_ > 0) {
      for (int64_t i = 0; i < count; ++i) AppendBit(validity_, length() + i, true);
    }
  } else {
    if (column_.null_count_ == 0) BeginValidity();
    column_.null_count_ +=
        count - AppendBits(validity_, length(), *column.validity(), begin, count);
    if (column_.null_count_ == 0) validity_.clear();
  }
  column_.length_ += count;
}

int64_t ColumnBuilder::bytes() const {
  const size_t first = HasOffsets(type().id) && offsets_.empty() ? sizeof(int32_t) : 0;
  return static_cast<int64_t>(validity_.size() + first + offsets_.size() + data_.size());
}

Column ColumnBuilder::Finish() {
  Column built = column_;
  if (built.null_count_ > 0) built.validity_ = MakeBuffer(std::move(validity_));
  if (HasOffsets(type().id)) {
    BeginOffsets();
    built.offsets_ = MakeBuffer(std::move(offsets_));
  }
  built.data_ = MakeBuffer(std::move(data_));
  *this = ColumnBuilder(built.type_);
  return built;
}

int64_t RecordBatch::bytes() const {
  int64_t total = 0;
  for (const Column& column : columns_) total += column.bytes();
  return total;
}

RecordBatch Join(const SchemaPtr& schema, const std::vector<RowRange>& ranges) {
  if (ranges.size() == 1 && ranges[0].begin == 0 && ranges[0].count == ranges[0].batch.rows())
    return ranges[0].batch;
  int64_t rows = 0;
  for (const RowRange& range : ranges) rows += range.count;
  std::vector<Column> columns;
  columns.reserve(schema->size());
  for (size_t c = 0; c < schema->size(); ++c) {
    ColumnBuilder builder(schema->field(c).type);
    int64_t text_bytes = 0;
    if (HasOffsets(builder.type().id)) {
      for (const RowRange& range : ranges)
        text_bytes += range.batch.column(c).BytesIn(range.begin, range.begin + range.count);
    }
    builder.Reserve(rows, text_bytes);
    for (const RowRange& range : ranges)
      builder.AppendRange(range.batch.column(c), range.begin, range.count);
    columns.push_back(builder.Finish());
  }
  return RecordBatch(schema, std::move(columns), rows);
}

RecordBatch RecordBatch::Take(const std::vector<int64_t>& rows) const {
  std::vector<Column> taken;
  taken.reserve(columns_.size());
  for (const Column& column : columns_) taken.push_back(column.Take(rows));
  return RecordBatch(schema_, std::move(taken), static_cast<int64_t>(rows.size()));
}

}  // namespace sluice::records
