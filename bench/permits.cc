#include "bench/permits.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"

namespace sluice::bench {
namespace {

using records::Column;
using records::ColumnBuilder;
using records::DataType;
using records::RecordBatch;
using records::TypeId;

constexpr int64_t kFirstDay = 16'436;  // 2015-01-01
constexpr int64_t kDays = 4000;

constexpr std::array<const char*, 8> kKinds = {"hotel",  "restaurant", "pharmacy", "workshop",
                                               "school", "warehouse",  "car park", "laboratory"};
constexpr std::array<const char*, 6> kNames = {"Riverside", "Northern", "Golden Bridge",
                                               "Old Town",  "Harbour",  "Seven Hills"};
constexpr std::array<const char*, 5> kForms = {"Trading Company", "Cooperative", "Services Limited",
                                               "Holding", "Partnership"};
constexpr std::array<const char*, 4> kStreets = {"Sample Street", "Example Avenue", "Test Lane",
                                                 "Synthetic Square"};

// Spreads row numbers, so that neighbours differ.
uint64_t Mixed(uint64_t row, uint64_t salt) {
  uint64_t x = (row + 1) * 0x9e3779b97f4a7c15U + salt * 0xbf58476d1ce4e5b9U;
  x ^= x >> 29;
  x *= 0x94d049bb133111ebU;
  return x ^ (x >> 32);
}

template <size_t n>
const char* Pick(const std::array<const char*, n>& words, uint64_t x) {
  return words[x % n];
}

class Builders {
 public:
  Builders() {
    for (const records::Field& field : Permits::Schema()->fields())
      builders_.emplace_back(field.type);
  }

  void Append(int64_t row) {
    const auto mixed = [row](uint64_t salt) { return Mixed(static_cast<uint64_t>(row), salt); };
    const auto day = static_cast<int32_t>(kFirstDay + mixed(1) % kDays);
    Next().AppendInt64(row + 1);
    Next().AppendBytes(absl::StrCat(Pick(kNames, mixed(2)), " ", Pick(kKinds, mixed(3)), " ",
                                    Pick(kForms, mixed(4))));
    Next().AppendBytes(absl::StrCat(mixed(5) % 900 + 1, " ", Pick(kStreets, mixed(6)), ", block ",
                                    mixed(7) % 60, ", floor ", mixed(8) % 30, ", unit ",
                                    mixed(9) % 400));
    Next().AppendBytes(absl::StrCat("D-", absl::Dec(mixed(10) % 16, absl::kZeroPad2)));
    Next().AppendBytes(Pick(kKinds, mixed(3)));
    Next().AppendDate32(day);
    OrNull(mixed(11) % 8 == 0, [&](ColumnBuilder& to) { to.AppendDate32(day + 1826); });
    Next().AppendDecimal(records::Decimal128{mixed(12) % 10'000'000});
    OrNull(mixed(13) % 5 == 0, [&](ColumnBuilder& to) {
      to.AppendDecimal(records::Decimal128{mixed(14) % 1'000'000'000'000});
    });
    OrNull(mixed(15) % 16 == 0, [&](ColumnBuilder& to) {
      // Whole seconds.
      to.AppendInt64((day * int64_t{86'400} + static_cast<int64_t>(mixed(16) % 40'000'000)) *
                     1'000'000);
    });
    OrNull(mixed(17) % 3 != 0, [&](ColumnBuilder& to) {
      to.AppendBytes(absl::StrCat("synthetic: inspected without findings, file ", mixed(18) % 100));
    });
    next_ = 0;
  }

  RecordBatch Finish(int64_t rows) {
    std::vector<Column> columns;
    for (ColumnBuilder& builder : builders_) columns.push_back(builder.Finish());
    return RecordBatch(Permits::Schema(), std::move(columns), rows);
  }

 private:
  ColumnBuilder& Next() { return builders_[next_++]; }
  template <class Append>
  void OrNull(bool null, const Append& append) {
    ColumnBuilder& to = Next();
    if (null) {
      to.AppendNull();
    } else {
      append(to);
    }
  }

  std::vector<ColumnBuilder> builders_;
  size_t next_ = 0;
};

}  // namespace

const records::SchemaPtr& Permits::Schema() {
  static const auto& schema = *new auto(std::make_shared<const records::Schema>(
      std::vector<records::Field>{{"permit_no", {TypeId::kInt64}, false},
                                  {"holder", {TypeId::kUtf8}},
                                  {"premises", {TypeId::kUtf8}},
                                  {"district", {TypeId::kUtf8}},
                                  {"kind", {TypeId::kUtf8}},
                                  {"issued", {TypeId::kDate32}},
                                  {"expires", {TypeId::kDate32}},
                                  {"fee", {TypeId::kDecimal128, 12, 2}},
                                  {"capital", {TypeId::kDecimal128, 18, 2}},
                                  {"inspected", {TypeId::kTimestamp, 0, 0, true}},
                                  {"remark", {TypeId::kUtf8}}}));
  return schema;
}

Permits::Permits(int64_t batches) {
  Builders builders;
  for (int64_t number = 0; number < batches; ++number) {
    for (int64_t i = 0; i < kBatchRows; ++i) builders.Append(number * kBatchRows + i);
    batches_.push_back(builders.Finish(kBatchRows));
  }
}

RecordBatch Permits::Batch(int64_t number) const {
  const auto held = static_cast<int64_t>(batches_.size());
  const RecordBatch& like = batches_[number % held];
  if (number < held) return like;
  ColumnBuilder keys(DataType{TypeId::kInt64});
  for (int64_t i = 0; i < kBatchRows; ++i) keys.AppendInt64(number * kBatchRows + i + 1);
  std::vector<Column> columns = like.columns();
  columns[0] = keys.Finish();
  return RecordBatch(Schema(), std::move(columns), kBatchRows);
}

}  // namespace sluice::bench
