#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "gateway/records/batch_testing.h"
#include "gateway/records/row_batch.h"
#include "gateway/records/types.h"

namespace sluice::records {
namespace {

absl::StatusOr<Scalar> From(std::string_view type, const std::function<void(v1::Value&)>& set) {
  v1::Value value;
  set(value);
  return ScalarFromProto(value, TypeOf(type));
}
auto Text(std::string text) {
  return [text](v1::Value& value) { value.set_string_value(text); };
}
auto Whole(int64_t number) {
  return [number](v1::Value& value) { value.set_int64_value(number); };
}

constexpr const char* kTypes[] = {"bool",   "int64",          "float64",          "decimal128(5,2)",
                                  "date32", "timestamp(utc)", "timestamp(local)", "utf8",
                                  "binary"};

TEST(ScalarFromProto, NothingSetIsNull) {
  for (const char* type : kTypes) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(From(type, [](v1::Value&) {}).value()));
  }
}

TEST(ScalarFromProto, AKindOfALaterVersionIsNotNull) {
  v1::Value value;
  ASSERT_TRUE(value.ParseFromString(std::string("\x48\x01", 2)));  // field 9
  for (const char* type : kTypes) EXPECT_FALSE(ScalarFromProto(value, TypeOf(type)).ok());
}

TEST(ScalarFromProto, OwnKinds) {
  EXPECT_EQ(From("bool", [](auto& v) { v.set_bool_value(false); }).value(), Scalar(false));
  EXPECT_EQ(From("int64", Whole(-5)).value(), Scalar(int64_t{-5}));
  EXPECT_EQ(From("float64", [](auto& v) { v.set_double_value(0.5); }).value(), Scalar(0.5));
  EXPECT_EQ(From("decimal128(5,2)", [](auto& v) { v.set_decimal_value("1.5"); }).value(),
            Scalar(Decimal128{150}));
  EXPECT_EQ(From("date32", [](auto& v) { v.set_date_value("1970-01-02"); }).value(),
            Scalar(int32_t{1}));
  EXPECT_EQ(From("utf8", Text("中")).value(), Scalar(std::string("中")));
  EXPECT_EQ(From("binary", [](auto& v) { v.set_bytes_value("\xFF"); }).value(),
            Scalar(std::string("\xFF")));
  for (const char* type : {"timestamp(utc)", "timestamp(local)"}) {
    const auto value = From(type, [](v1::Value& v) {
      v.mutable_timestamp_value()->set_seconds(-1);
      v.mutable_timestamp_value()->set_nanos(999'999'000);
    });
    EXPECT_EQ(value.value(), Scalar(int64_t{-1}));
  }
}

TEST(ScalarFromProto, TextForWhatTextCanSay) {
  EXPECT_EQ(From("date32", Text("1969-12-31")).value(), Scalar(int32_t{-1}));
  EXPECT_EQ(From("timestamp(utc)", Text("1970-01-01T08:00:00+08:00")).value(), Scalar(int64_t{0}));
  EXPECT_EQ(From("timestamp(local)", Text("1970-01-01T00:00:01")).value(),
            Scalar(int64_t{1'000'000}));
  EXPECT_EQ(From("decimal128(5,2)", Text("-12.34")).value(), Scalar(Decimal128{-1234}));
  EXPECT_FALSE(From("timestamp(local)", Text("1970-01-01T00:00:01Z")).ok());
  EXPECT_FALSE(From("decimal128(5,2)", Text("1.234")).ok());
  EXPECT_FALSE(From("date32", Text("1969-12-32")).ok());
}

TEST(ScalarFromProto, TextIsTakenInTheFormThatTheTypeIsWrittenIn) {
  EXPECT_EQ(From("bool", Text("true")).value(), Scalar(true));
  EXPECT_EQ(From("int64", Text("-17")).value(), Scalar(int64_t{-17}));
  EXPECT_EQ(From("float64", Text("2.5")).value(), Scalar(2.5));
  for (const char* text : {"1", "True", "yes", ""}) EXPECT_FALSE(From("bool", Text(text)).ok());
  for (const char* text : {"01", "+1", "-0", " 1", "1.0", "1e3", "9223372036854775808", ""})
    EXPECT_FALSE(From("int64", Text(text)).ok()) << text;
  for (const char* text : {"nan", "inf", "1e999", " 1", "1,5", ""})
    EXPECT_FALSE(From("float64", Text(text)).ok()) << text;
  EXPECT_FALSE(From("binary", Text("1")).ok());
}

TEST(ScalarFromProto, WholeNumbersForDecimalsAndFloats) {
  EXPECT_EQ(From("decimal128(5,2)", Whole(-999)).value(), Scalar(Decimal128{-99900}));
  EXPECT_FALSE(From("decimal128(5,2)", Whole(1000)).ok());
  EXPECT_FALSE(From("decimal128(2,2)", Whole(1)).ok());
  EXPECT_EQ(From("decimal128(2,2)", Whole(0)).value(), Scalar(Decimal128{0}));
  EXPECT_TRUE(From("decimal128(38,19)", Whole(std::numeric_limits<int64_t>::min())).ok());
  EXPECT_FALSE(From("decimal128(38,20)", Whole(std::numeric_limits<int64_t>::min())).ok());
  EXPECT_EQ(From("float64", Whole(3)).value(), Scalar(3.0));
}

// Rounded, it would be equal to a number that was not asked for.
TEST(ScalarFromProto, WholeNumbersThatAFloatCannotHoldAreRefused) {
  EXPECT_TRUE(From("float64", Whole(int64_t{1} << 53)).ok());
  EXPECT_FALSE(From("float64", Whole((int64_t{1} << 53) + 1)).ok());
  EXPECT_TRUE(From("float64", Whole(std::numeric_limits<int64_t>::min())).ok());
  EXPECT_FALSE(From("float64", Whole(std::numeric_limits<int64_t>::max())).ok());
}

TEST(ScalarFromProto, TimesFinerOrFurtherThanTheCalendarAreRefused) {
  const auto ok = [](int64_t seconds, int32_t nanos) {
    return From("timestamp(utc)",
                [&](v1::Value& v) {
                  v.mutable_timestamp_value()->set_seconds(seconds);
                  v.mutable_timestamp_value()->set_nanos(nanos);
                })
        .ok();
  };
  EXPECT_TRUE(ok(0, 1000));
  EXPECT_FALSE(ok(0, 1));
  EXPECT_FALSE(ok(0, -1000));
  EXPECT_FALSE(ok(253402300800, 0));
  EXPECT_FALSE(ok(std::numeric_limits<int64_t>::max(), 0));
}

TEST(ScalarFromProto, ErrorsSayWhatWasExpectedNeverTheValue) {
  const std::string kSecret = "11010119900307000X";
  for (const char* type : kTypes) {
    if (TypeOf(type).id == TypeId::kUtf8) continue;
    const auto status = From(type, Text(kSecret)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << type;
    EXPECT_FALSE(status.message().empty());
    EXPECT_EQ(std::string(status.message()).find("1101"), std::string::npos) << status;
  }
  EXPECT_EQ(From("utf8", Whole(5)).status().message(), "expected a value of type utf8");
  EXPECT_FALSE(From("utf8", Text("\xED\xA0\x80")).ok());
}

}  // namespace
}  // namespace sluice::records
