#include "adapters/files/values.h"

#include <cmath>

#include "gtest/gtest.h"

namespace sluice::adapters::files {
namespace {

using records::DataType;
using records::Decimal128;
using records::TypeId;

constexpr DataType kMoney{TypeId::kDecimal128, 10, 2};
constexpr DataType kUtc{TypeId::kTimestamp, 0, 0, true};
constexpr DataType kLocal{TypeId::kTimestamp, 0, 0, false};

bool Fits(std::string_view text, const DataType& type, const ValueRule& rule = {}) {
  std::string scratch;
  return ParseValue(text, type, rule, scratch).has_value();
}
template <class T>
T Parsed(std::string_view text, const DataType& type, const ValueRule& rule = {}) {
  std::string scratch;
  const auto value = ParseValue(text, type, rule, scratch);
  EXPECT_TRUE(value.has_value()) << text;
  return value ? std::get<T>(*value) : T();
}

TEST(ValuesTest, WholeNumbersAreCanonical) {
  EXPECT_EQ(Parsed<int64_t>("-9223372036854775808", {TypeId::kInt64}), INT64_MIN);
  EXPECT_EQ(Parsed<int64_t>("0", {TypeId::kInt64}), 0);
  for (const char* text : {"", "-", "007", "-0", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1,000",
                           "9223372036854775808"})
    EXPECT_FALSE(Fits(text, {TypeId::kInt64})) << text;
}

TEST(ValuesTest, FloatsAreWrittenOut) {
  EXPECT_EQ(Parsed<double>("-1.5e-3", {TypeId::kFloat64}), -1.5e-3);
  EXPECT_TRUE(std::isnan(Parsed<double>("NaN", {TypeId::kFloat64})));
  EXPECT_EQ(Parsed<double>("-Infinity", {TypeId::kFloat64}), -HUGE_VAL);
  for (const char* text : {"", ".5", "5.", "1.e5", "inf", "nan", "0x1p3", "1e999", "+1", "1 "})
    EXPECT_FALSE(Fits(text, {TypeId::kFloat64})) << text;
}

TEST(ValuesTest, DecimalsMayHaveAComma) {
  EXPECT_EQ(Parsed<Decimal128>("-12.50", kMoney), -1'250);
  EXPECT_FALSE(Fits("12,50", kMoney));
  ValueRule comma;
  comma.decimal_point = ',';
  EXPECT_EQ(Parsed<Decimal128>("12,50", kMoney, comma), 1'250);
  EXPECT_EQ(Parsed<double>("2,5", {TypeId::kFloat64}, comma), 2.5);
  for (const char* text : {"12.50", "1.234,50", "1,2,3"}) EXPECT_FALSE(Fits(text, kMoney, comma));
}

TEST(ValuesTest, BoolsAreTheTwoWordsAndNoOthers) {
  EXPECT_TRUE(Parsed<bool>("true", {TypeId::kBool}));
  ValueRule rule;
  rule.true_word = "是";
  rule.false_word = "否";
  EXPECT_FALSE(Parsed<bool>("否", {TypeId::kBool}, rule));
  for (const char* text : {"true", "1", "Y", ""}) EXPECT_FALSE(Fits(text, {TypeId::kBool}, rule));
}

TEST(ValuesTest, BinaryIsHexOrBase64) {
  EXPECT_EQ(Parsed<std::string_view>("", {TypeId::kBinary}), "");
  std::string scratch;
  EXPECT_EQ(std::get<std::string_view>(*ParseValue("00fF", {TypeId::kBinary}, {}, scratch)),
            std::string_view("\0\xff", 2));
  ValueRule base64;
  base64.base64 = true;
  EXPECT_EQ(std::get<std::string_view>(*ParseValue("AP8=", {TypeId::kBinary}, base64, scratch)),
            std::string_view("\0\xff", 2));
  EXPECT_FALSE(Fits("0", {TypeId::kBinary}));
  EXPECT_FALSE(Fits("AP8", {TypeId::kBinary}, base64));
}

std::optional<int32_t> Days(std::string_view text, std::string_view pattern) {
  return TimePattern::ForDate(pattern)->Days(text);
}

TEST(ValuesTest, DatesAsTheirPatternSays) {
  const int32_t day = *records::DaysFromCivil({2024, 2, 29});
  EXPECT_EQ(Parsed<int32_t>("2024-02-29", {TypeId::kDate32}), day);
  EXPECT_EQ(Days("20240229", "yyyyMMdd"), day);
  EXPECT_EQ(Days("29.2.2024", "d.M.yyyy"), day);
  EXPECT_EQ(Days("29/02/2024", "dd/MM/yyyy"), day);
  EXPECT_EQ(Days("2024年02月29日", "yyyy年MM月dd日"), day);
  for (const char* text :
       {"20230229", "2024022", "202402290", "2024-02-29", "00000101", " 20240229"})
    EXPECT_FALSE(Days(text, "yyyyMMdd")) << text;
  EXPECT_FALSE(Days("9/2/24", "d/M/yyyy"));
}

TEST(ValuesTest, TimestampsAsTheirPatternSays) {
  const int64_t moment = *records::ParseTimestamp("2026-11-24T02:03:04.5Z", true);
  const auto micros = [](std::string_view text, std::string_view pattern, bool utc) {
    return TimePattern::ForTimestamp(pattern)->Micros(text, utc);
  };
  EXPECT_EQ(Parsed<int64_t>("2026-11-24T10:03:04.5+08:00", kUtc), moment);
  EXPECT_EQ(micros("24/11/2026 2:03:04.500", "dd/MM/yyyy H:mm:ss.SSS", false), moment);
  EXPECT_EQ(micros("20261124T100304.5+08:00", "yyyyMMddTHHmmss.SX", true), moment);
  EXPECT_FALSE(micros("20261124T100304.5+08:00", "yyyyMMddTHHmmss.SX", false));
  EXPECT_FALSE(micros("20261124 24:00", "yyyyMMdd HH:mm", false));
  EXPECT_FALSE(micros("99991231T235959-00:01", "yyyyMMddTHHmmssX", true)) << "past the last year";
  EXPECT_FALSE(Fits("2026-11-24T02:03:04Z", kLocal));
}

TEST(ValuesTest, PatternsThatNameNoTimeAreRefused) {
  for (const char* pattern :
       {"", "yyyy-MM", "yyyy-MM-dd HH", "yy-MM-dd", "yyyy-MM-dd-dd", "yyyy-MM-ddZ"})
    EXPECT_FALSE(TimePattern::ForDate(pattern).ok()) << pattern;
  for (const char* pattern :
       {"yyyy-MM-dd", "HH:mm", "yyyyMMdd HH:mm:ss:ss", "yyyyMMdd HH:mm SSSSSSS"})
    EXPECT_FALSE(TimePattern::ForTimestamp(pattern).ok()) << pattern;
}

}  // namespace
}  // namespace sluice::adapters::files
