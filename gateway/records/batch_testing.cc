#include "gateway/records/batch_testing.h"

#include <iterator>
#include <limits>

namespace sluice::records {
namespace {

using Limits = std::numeric_limits<double>;

template <class T, size_t kSize>
T OneOf(std::mt19937_64& random, const T (&values)[kSize]) {
  return values[random() % kSize];
}

int64_t RandomInt64(std::mt19937_64& random) {
  constexpr int64_t kValues[] = {0,
                                 1,
                                 -1,
                                 42,
                                 300,
                                 int64_t{1} << 53,
                                 std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<int64_t>::max()};
  return random() % 8 == 0 ? static_cast<int64_t>(random()) : OneOf(random, kValues);
}

double RandomFloat64(std::mt19937_64& random) {
  constexpr double kValues[] = {0.0,
                                -0.0,
                                1.5,
                                -2.25,
                                0.1,
                                1e300,
                                Limits::quiet_NaN(),
                                Limits::infinity(),
                                -Limits::infinity(),
                                Limits::denorm_min()};
  return OneOf(random, kValues);
}

Decimal128 RandomDecimal(std::mt19937_64& random, int precision) {
  const Decimal128 limit = PowerOfTen(precision);
  const Decimal128 values[] = {0, 1, -1, 12345, -100000, limit - 1, 1 - limit};
  if (random() % 4 != 0) return OneOf(random, values);
  const auto bits = static_cast<unsigned __int128>(random()) << 64 | random();
  return static_cast<Decimal128>(bits) % limit;
}

std::string RandomText(std::mt19937_64& random) {
  static constexpr std::string_view kPieces[] = {"a",  "b", "é",  "中",   "😀",    "\"", ",", "\r\n",
                                                 "\\", "=", "\t", "\x01", "\x7f", "ab", " ", "李"};
  std::string text;
  for (uint64_t count = random() % 5; count > 0; --count) text += OneOf(random, kPieces);
  return text;
}

std::string RandomBytes(std::mt19937_64& random) {
  std::string bytes(random() % 4, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

int32_t RandomDate(std::mt19937_64& random) {
  constexpr int32_t kValues[] = {0, -1, 20781, kMinDate32, kMaxDate32};
  return OneOf(random, kValues);
}

int64_t RandomTime(std::mt19937_64& random) {
  constexpr int64_t kValues[] = {
      0, 1, -1, 1'000'000, -1'000'000, 1'795'485'600'500'000, kMinTimestamp, kMaxTimestamp};
  return OneOf(random, kValues);
}

}  // namespace

void AppendRandom(std::mt19937_64& random, ColumnBuilder& out) {
  switch (out.type().id) {
    case TypeId::kBool:
      return out.AppendBool(random() % 2 == 0);
    case TypeId::kInt64:
      return out.AppendInt64(RandomInt64(random));
    case TypeId::kFloat64:
      return out.AppendFloat64(RandomFloat64(random));
    case TypeId::kDecimal128:
      return out.AppendDecimal(RandomDecimal(random, out.type().precision));
    case TypeId::kDate32:
      return out.AppendDate32(RandomDate(random));
    case TypeId::kTimestamp:
      return out.AppendInt64(RandomTime(random));
    case TypeId::kUtf8:
      return out.AppendBytes(RandomText(random));
    case TypeId::kBinary:
      return out.AppendBytes(RandomBytes(random));
  }
}

RecordBatch RandomBatch(std::mt19937_64& random, int64_t rows) {
  std::vector<Field> fields;
  std::vector<Column> columns;
  for (const char* name : {"bool", "int64", "float64", "decimal128(38,5)", "decimal128(9,0)",
                           "date32", "timestamp(utc)", "timestamp(local)", "utf8", "binary"}) {
    fields.push_back({name, ParseDataType(name).value()});
    ColumnBuilder builder(fields.back().type);
    for (int64_t i = 0; i < rows; ++i) {
      if (random() % 4 == 0) {
        builder.AppendNull();
      } else {
        AppendRandom(random, builder);
      }
    }
    columns.push_back(builder.Finish());
  }
  return RecordBatch(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows);
}

}  // namespace sluice::records
