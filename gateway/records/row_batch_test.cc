#include "gateway/records/row_batch.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "gateway/records/batch_testing.h"
#include "gateway/records/types.h"

namespace sluice::records {
namespace {

using ::testing::HasSubstr;

v1::Value ProtoOf(const Column& column, int64_t row) {
  v1::Value value;
  if (column.IsNull(row)) return value;
  const DataType& type = column.type();
  switch (type.id) {
    case TypeId::kBool:
      value.set_bool_value(column.Bool(row));
      break;
    case TypeId::kInt64:
      value.set_int64_value(column.Int64(row));
      break;
    case TypeId::kFloat64:
      value.set_double_value(column.Float64(row));
      break;
    case TypeId::kDecimal128:
      value.set_decimal_value(FormatDecimal(column.Decimal(row), type.scale));
      break;
    case TypeId::kDate32:
      value.set_date_value(FormatDate(column.Date32(row)));
      break;
    case TypeId::kTimestamp: {
      int64_t seconds = column.Int64(row) / 1'000'000;
      if (column.Int64(row) < seconds * 1'000'000) --seconds;
      value.mutable_timestamp_value()->set_seconds(seconds);
      value.mutable_timestamp_value()->set_nanos(
          static_cast<int32_t>((column.Int64(row) - seconds * 1'000'000) * 1000));
      break;
    }
    case TypeId::kUtf8:
      value.set_string_value(std::string(column.Bytes(row)));
      break;
    case TypeId::kBinary:
      value.set_bytes_value(std::string(column.Bytes(row)));
      break;
  }
  return value;
}

v1::RowBatch ProtoOf(const RecordBatch& batch) {
  v1::RowBatch proto;
  for (const Field& field : batch.schema()->fields()) {
    auto* column = proto.add_columns();
    column->set_name(field.name);
    *column->mutable_type() = ToProto(field.type);
  }
  for (int64_t i = 0; i < batch.rows(); ++i) {
    auto* row = proto.add_rows();
    for (const Column& column : batch.columns()) *row->add_values() = ProtoOf(column, i);
  }
  return proto;
}

std::string Serialise(const v1::RowBatch& proto) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  EXPECT_TRUE(proto.SerializeToCodedStream(&coded));
  coded.Trim();
  return bytes;
}

// A batch of one column, and a row for each value.
v1::RowBatch BatchOf(std::string_view type, const std::vector<v1::Value>& values) {
  v1::RowBatch proto;
  proto.add_columns()->set_name("f");
  *proto.mutable_columns(0)->mutable_type() = ToProto(TypeOf(type));
  for (const v1::Value& value : values) *proto.add_rows()->add_values() = value;
  return proto;
}

// One value of each kind, in the order of their numbers.
std::vector<v1::Value> EachKind() {
  std::vector<v1::Value> values(8);
  values[0].set_bool_value(true);
  values[1].set_int64_value(1);
  values[2].set_double_value(1.0);
  values[3].set_string_value("1");
  values[4].set_bytes_value("1");
  values[5].set_decimal_value("1.00");
  values[6].set_date_value("2026-11-24");
  values[7].mutable_timestamp_value()->set_seconds(1);
  return values;
}

TEST(Types, CrossTheWire) {
  for (const char* text : {"bool", "int64", "float64", "decimal128(38,38)", "decimal128(1,0)",
                           "date32", "timestamp(utc)", "timestamp(local)", "utf8", "binary"}) {
    EXPECT_EQ(ToString(FromProto(ToProto(TypeOf(text))).value()), text);
  }
}

TEST(Types, UnknownOrOutOfBoundsAreRefused) {
  const auto make = [](int type, int precision, int scale) {
    v1::ColumnType proto;
    proto.set_type(static_cast<v1::FieldType>(type));
    proto.set_precision(precision);
    proto.set_scale(scale);
    return FromProto(proto).status().code();
  };
  EXPECT_EQ(make(v1::FIELD_TYPE_UNSPECIFIED, 0, 0), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(77, 0, 0), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(-1, 0, 0), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(v1::FIELD_TYPE_DECIMAL128, 0, 0), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(v1::FIELD_TYPE_DECIMAL128, 39, 0), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(v1::FIELD_TYPE_DECIMAL128, 5, 6), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(v1::FIELD_TYPE_DECIMAL128, 5, -1), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(v1::FIELD_TYPE_DECIMAL128, 256 + 5, 0), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(v1::FIELD_TYPE_INT64, 5, 0), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(make(v1::FIELD_TYPE_DECIMAL128, 5, 5), absl::StatusCode::kOk);
}

TEST(Encode, GivesTheBytesOfProtobufsOwnSerialisation) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 100; ++round) {
    const RecordBatch batch = RandomBatch(random, static_cast<int64_t>(random() % 30));
    const std::string bytes = EncodeRowBatch(batch);
    v1::RowBatch parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes));
    ASSERT_EQ(bytes, Serialise(ProtoOf(batch)));
    ASSERT_EQ(bytes, Serialise(parsed));
  }
}

// Lengths about the places where a length takes one byte more.
TEST(Encode, LongValues) {
  ColumnBuilder builder(TypeOf("utf8"));
  for (size_t size :
       {0, 1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16370, 16383, 16384, 300000}) {
    builder.AppendBytes(std::string(size, 'x'));
  }
  const int64_t rows = builder.length();
  const RecordBatch batch(
      std::make_shared<Schema>(std::vector<Field>{{std::string(200, 'n'), builder.type()}}),
      {builder.Finish()}, rows);
  const std::string bytes = EncodeRowBatch(batch);
  EXPECT_EQ(bytes, Serialise(ProtoOf(batch)));
  EXPECT_EQ(EncodeRowBatch(DecodeRowBatch(bytes).value()), bytes);
}

TEST(Encode, TimesOutsideTheCalendarDoNotBreakIt) {
  ColumnBuilder builder(TypeOf("timestamp(utc)"));
  builder.AppendInt64(std::numeric_limits<int64_t>::min());
  builder.AppendInt64(std::numeric_limits<int64_t>::max());
  const RecordBatch batch(std::make_shared<Schema>(std::vector<Field>{{"t", builder.type()}}),
                          {builder.Finish()}, 2);
  v1::RowBatch parsed;
  ASSERT_TRUE(parsed.ParseFromString(EncodeRowBatch(batch)));
  EXPECT_EQ(parsed.rows(0).values(0).timestamp_value().seconds(), -9223372036855);
  EXPECT_EQ(parsed.rows(0).values(0).timestamp_value().nanos(), 224192000);
  EXPECT_EQ(parsed.rows(1).values(0).timestamp_value().seconds(), 9223372036854);
}

TEST(Decode, GivesBackWhatWasEncoded) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 100; ++round) {
    const RecordBatch batch = RandomBatch(random, static_cast<int64_t>(random() % 30));
    const auto decoded = DecodeRowBatch(EncodeRowBatch(batch));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    ASSERT_EQ(*decoded->schema(), *batch.schema());
    ASSERT_EQ(decoded->rows(), batch.rows());
    for (size_t c = 0; c < batch.columns().size(); ++c) {
      const Column& column = decoded->column(c);
      ASSERT_EQ(column.null_count(), batch.column(c).null_count());
      ASSERT_EQ(*column.data(), *batch.column(c).data());
      if (column.offsets() != nullptr) {
        ASSERT_EQ(*column.offsets(), *batch.column(c).offsets());
      }
      if (column.validity() != nullptr) {
        ASSERT_EQ(*column.validity(), *batch.column(c).validity());
      }
    }
  }
}

TEST(Decode, NoColumnsOrNoRows) {
  EXPECT_EQ(DecodeRowBatch("").value().rows(), 0);
  v1::RowBatch proto;
  proto.add_rows();
  proto.add_rows();
  EXPECT_EQ(DecodeRowBatch(proto.SerializeAsString()).value().rows(), 2);
  EXPECT_EQ(DecodeRowBatch(BatchOf("utf8", {}).SerializeAsString()).value().column(0).length(), 0);
}

TEST(Decode, OnlyTheKindOfTheColumn) {
  const std::pair<const char*, size_t> kKindOf[] = {
      {"bool", 0},   {"int64", 1},          {"float64", 2},
      {"utf8", 3},   {"binary", 4},         {"decimal128(5,2)", 5},
      {"date32", 6}, {"timestamp(utc)", 7}, {"timestamp(local)", 7}};
  const auto values = EachKind();
  for (const auto& [type, kind] : kKindOf) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto decoded = DecodeRowBatch(BatchOf(type, {values[i]}).SerializeAsString());
      EXPECT_EQ(decoded.ok(), i == kind) << type << " from kind " << i;
    }
    EXPECT_TRUE(
        DecodeRowBatch(BatchOf(type, {v1::Value()}).SerializeAsString())->column(0).IsNull(0));
  }
}

TEST(Decode, ErrorsNameThePlaceAndNotTheValue) {
  v1::Value value;
  value.set_string_value("110101199003070000");
  const auto status =
      DecodeRowBatch(BatchOf("int64", {v1::Value(), value}).SerializeAsString()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("row 2, column 1: expected int64"));
  EXPECT_EQ(std::string(status.message()).find("1101"), std::string::npos);
}

TEST(Decode, TextOfAValueMustBeItsOneForm) {
  const auto decodes = [](const char* type, auto set) {
    v1::Value value;
    set(value);
    return DecodeRowBatch(BatchOf(type, {value}).SerializeAsString()).ok();
  };
  for (const char* text : {"1", "1.5", "01.50", "-0.00", "1000.00", "1.500", "", "x"}) {
    EXPECT_FALSE(decodes("decimal128(5,2)", [&](auto& v) { v.set_decimal_value(text); })) << text;
  }
  EXPECT_TRUE(decodes("decimal128(5,2)", [](auto& v) { v.set_decimal_value("-999.99"); }));
  EXPECT_FALSE(decodes("date32", [](auto& v) { v.set_date_value("2026-02-30"); }));
  const auto time = [&](int64_t seconds, int32_t nanos) {
    return decodes("timestamp(utc)", [&](v1::Value& v) {
      v.mutable_timestamp_value()->set_seconds(seconds);
      v.mutable_timestamp_value()->set_nanos(nanos);
    });
  };
  EXPECT_TRUE(time(-62135596800, 0));
  EXPECT_TRUE(time(253402300799, 999999000));
  EXPECT_FALSE(time(-62135596801, 0));
  EXPECT_FALSE(time(253402300800, 0));
  EXPECT_FALSE(time(0, 1));
  EXPECT_FALSE(time(0, -1000));
  EXPECT_FALSE(time(0, 1'000'000'000));
  EXPECT_FALSE(time(std::numeric_limits<int64_t>::min(), 0));
}

std::string Raw(std::initializer_list<int> bytes) {
  std::string raw;
  for (int byte : bytes) raw += static_cast<char>(byte);
  return raw;
}

// The header of a batch with one column "f" of the type, then the bytes of one value.
std::string WithValue(v1::FieldType type, const std::string& value) {
  const std::string head = Raw({0x0A, 7, 0x0A, 1, 'f', 0x12, 2, 0x08, type});
  return head +
         Raw({0x12, static_cast<int>(value.size()) + 2, 0x0A, static_cast<int>(value.size())}) +
         value;
}

TEST(Decode, HandMadeBytes) {
  EXPECT_TRUE(DecodeRowBatch(WithValue(v1::FIELD_TYPE_BOOL, Raw({0x08, 1}))).ok());
  EXPECT_TRUE(DecodeRowBatch(WithValue(v1::FIELD_TYPE_UTF8, Raw({0x22, 2, 0xC3, 0xA9}))).ok());
  const std::pair<v1::FieldType, std::string> kBad[] = {
      {v1::FIELD_TYPE_BOOL, Raw({0x08, 2})},           // neither true nor false
      {v1::FIELD_TYPE_BOOL, Raw({0x08, 1, 0x08, 0})},  // two values
      {v1::FIELD_TYPE_BOOL, Raw({0x08})},              // cut
      {v1::FIELD_TYPE_BOOL, Raw({0x48, 1})},           // a field of a later version
      {v1::FIELD_TYPE_BOOL, Raw({0x0A, 1, 1})},        // another wire type
      {v1::FIELD_TYPE_INT64, Raw({0x10, 0x80})},       // an unending number
      {v1::FIELD_TYPE_INT64, Raw({0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2})},
      {v1::FIELD_TYPE_FLOAT64, Raw({0x19, 0, 0, 0, 0, 0, 0, 0})},  // seven bytes of eight
      {v1::FIELD_TYPE_UTF8, Raw({0x22, 2, 'a'})},                  // longer than there is
      {v1::FIELD_TYPE_UTF8, Raw({0x22, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1})},
      {v1::FIELD_TYPE_UTF8, Raw({0x22, 2, 0xC0, 0x80})},                 // overlong
      {v1::FIELD_TYPE_UTF8, Raw({0x22, 3, 0xED, 0xA0, 0x80})},           // a surrogate
      {v1::FIELD_TYPE_UTF8, Raw({0x23, 0x24})},                          // a group
      {v1::FIELD_TYPE_TIMESTAMP_UTC, Raw({0x42, 4, 0x08, 1, 0x08, 2})},  // seconds twice
      {v1::FIELD_TYPE_TIMESTAMP_UTC, Raw({0x42, 2, 0x18, 1})},           // unknown part
  };
  for (const auto& [type, value] : kBad) {
    EXPECT_FALSE(DecodeRowBatch(WithValue(type, value)).ok()) << ::testing::PrintToString(value);
  }
}

TEST(Decode, TheFrameIsCheckedAsWell) {
  const std::string good = WithValue(v1::FIELD_TYPE_BOOL, Raw({0x08, 1}));
  const std::string column = good.substr(0, 9);
  EXPECT_TRUE(DecodeRowBatch(good).ok());
  EXPECT_FALSE(DecodeRowBatch(good + column).ok()) << "a column after a row";
  EXPECT_FALSE(DecodeRowBatch(column + column).ok()) << "two of one name";
  EXPECT_FALSE(DecodeRowBatch(good + Raw({0x1A, 0})).ok()) << "unknown field";
  EXPECT_FALSE(DecodeRowBatch(good + Raw({0x00})).ok()) << "no field at all";
  EXPECT_FALSE(DecodeRowBatch(good + Raw({0x12, 0})).ok()) << "a row of no values";
  EXPECT_FALSE(DecodeRowBatch(good + Raw({0x12, 4, 0x0A, 0, 0x0A, 0})).ok()) << "of two";
  EXPECT_FALSE(DecodeRowBatch(good + Raw({0x12, 4, 0x0A, 0, 0x10, 0})).ok()) << "of one and more";
  EXPECT_FALSE(DecodeRowBatch(Raw({0x0A, 9, 0x0A, 1, 'f', 0x12, 2, 0x08, 1, 0x18, 0})).ok())
      << "a column with an unknown field";
  EXPECT_FALSE(DecodeRowBatch(Raw({0x0A, 7, 0x0A, 1, 0xFF, 0x12, 2, 0x08, 1})).ok())
      << "a name that is not text";
  EXPECT_FALSE(DecodeRowBatch(Raw({0x0A, 3, 0x0A, 1, 'f'})).ok()) << "a column without type";
  EXPECT_FALSE(DecodeRowBatch(Raw({0x0A, 10, 0x0A, 1, 'f', 0x0A, 1, 'g', 0x12, 2, 0x08, 1})).ok())
      << "a column of two names";
  EXPECT_FALSE(DecodeRowBatch(Raw({0x0A, 9, 0x0A, 1, 'f', 0x12, 4, 0x08, 1, 0x20, 1})).ok())
      << "a type with an unknown field";
}

TEST(Decode, ColumnsAreBounded) {
  v1::RowBatch proto;
  for (int i = 0; i < 4097; ++i) {
    auto* column = proto.add_columns();
    column->set_name(std::to_string(i));
    column->mutable_type()->set_type(v1::FIELD_TYPE_BOOL);
  }
  EXPECT_FALSE(DecodeRowBatch(proto.SerializeAsString()).ok());
  proto.mutable_columns()->RemoveLast();
  EXPECT_TRUE(DecodeRowBatch(proto.SerializeAsString()).ok());
}

// What decodes has one form only, up to how protobuf writes numbers and orders fields: so it must
// encode to something that decodes to the same.
void ExpectSound(const std::string& bytes) {
  const auto batch = DecodeRowBatch(bytes);
  if (!batch.ok()) return;
  const std::string again = EncodeRowBatch(*batch);
  const auto second = DecodeRowBatch(again);
  ASSERT_TRUE(second.ok());
  ASSERT_EQ(EncodeRowBatch(*second), again);
  ASSERT_EQ(second->rows(), batch->rows());
}

TEST(Decode, CutAnywhereIsAnErrorOrFewerRows) {
  std::mt19937_64 random(5);
  const RecordBatch batch = RandomBatch(random, 12);
  const std::string bytes = EncodeRowBatch(batch);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    const auto decoded = DecodeRowBatch(cut);
    if (!decoded.ok()) continue;
    EXPECT_LT(decoded->rows(), batch.rows());
    EXPECT_EQ(EncodeRowBatch(*decoded), cut) << "whole rows, or it would be an error";
  }
}

TEST(Decode, SurvivesHostileBytes) {
  std::mt19937_64 random(6);
  int refused = 0;
  constexpr int kRounds = 20000;
  const std::string good = EncodeRowBatch(RandomBatch(random, 4));
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = good;
    for (uint64_t changes = random() % 4 + 1; changes > 0; --changes) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
          break;
        case 2:
          bytes.erase(at, random() % 4 + 1);
          break;
        default:
          bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 8));
      }
      if (bytes.empty()) bytes = "\x0A";
    }
    refused += !DecodeRowBatch(bytes).ok();
    ExpectSound(bytes);
  }
  EXPECT_GT(refused, kRounds / 2);
}

}  // namespace
}  // namespace sluice::records
