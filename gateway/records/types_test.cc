#include "gateway/records/types.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "absl/time/civil_time.h"
#include "gateway/records/batch_testing.h"

namespace sluice::records {
namespace {

constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();

TEST(DataTypes, AreWrittenAsTheyAreRead) {
  for (std::string_view text :
       {"bool", "int64", "float64", "decimal128(12,2)", "decimal128(38,38)", "decimal128(1,0)",
        "date32", "timestamp(utc)", "timestamp(local)", "utf8", "binary"}) {
    const auto type = ParseDataType(text);
    ASSERT_TRUE(type.ok()) << text;
    EXPECT_EQ(ToString(*type), text);
  }
  EXPECT_EQ(ToString(TypeOf("decimal128(12, 2)")), "decimal128(12,2)");
  EXPECT_NE(TypeOf("timestamp(utc)"), TypeOf("timestamp(local)"));
  EXPECT_TRUE(TypeOf("timestamp(utc)").utc);
}

TEST(DataTypes, OthersAreRefused) {
  for (std::string_view text :
       {"", "Bool", "int32", "decimal128", "decimal128()", "decimal128(0,0)", "decimal128(39,2)",
        "decimal128(5,6)", "decimal128(5,-1)", "decimal128(+5,1)", "decimal128(5)",
        "decimal128(5,2,1)", "decimal128(500,2)", "timestamp", "timestamp(cet)", "utf8 "}) {
    EXPECT_EQ(ParseDataType(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(Decimals, HaveExactlyTheDigitsOfTheirScale) {
  EXPECT_EQ(FormatDecimal(-1250, 2), "-12.50");
  EXPECT_EQ(FormatDecimal(0, 0), "0");
  EXPECT_EQ(FormatDecimal(0, 3), "0.000");
  EXPECT_EQ(FormatDecimal(-5, 3), "-0.005");
  EXPECT_EQ(FormatDecimal(7, 0), "7");
  EXPECT_EQ(FormatDecimal(PowerOfTen(38) - 1, 0), std::string(38, '9'));
  EXPECT_EQ(FormatDecimal(1 - PowerOfTen(38), 38), "-0." + std::string(38, '9'));
  // Two to the power of 64 and what is beside it: where the division changes its width.
  const auto edge = static_cast<Decimal128>(std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(FormatDecimal(edge, 4), "1844674407370955.1615");
  EXPECT_EQ(FormatDecimal(edge + 1, 4), "1844674407370955.1616");
  const auto smallest = static_cast<Decimal128>(static_cast<unsigned __int128>(1) << 127);
  EXPECT_EQ(FormatDecimal(smallest, 0), "-170141183460469231731687303715884105728");
  EXPECT_EQ(FormatDecimal(smallest, 38), "-1.70141183460469231731687303715884105728");
}

TEST(Decimals, ReadExactly) {
  struct Case {
    std::string_view text;
    int precision, scale;
    Decimal128 value;
  };
  const Case cases[] = {
      {"12.5", 12, 2, 1250},
      {"-12.50", 12, 2, -1250},
      {"0", 1, 0, 0},
      {"-0.00", 5, 2, 0},
      {"0000000000000000000000000000000000000000000012", 2, 0, 12},
      {"0.1", 38, 38, PowerOfTen(37)},
      {"99999999999999999999999999999999999999", 38, 0, PowerOfTen(38) - 1},
      {"-99999999999999999999999999999999999999", 38, 0, 1 - PowerOfTen(38)},
      // A double would make 9007199254740992 of it.
      {"9007199254740993", 16, 0, 9007199254740993},
      {"0.07", 3, 2, 7},
  };
  for (const Case& c : cases) {
    const auto value = ParseDecimal(c.text, c.precision, c.scale);
    ASSERT_TRUE(value.ok()) << c.text << value.status();
    EXPECT_TRUE(*value == c.value) << c.text;
  }
}

TEST(Decimals, WhatDoesNotFitIsRefusedWithoutBeingRepeated) {
  struct Case {
    std::string_view text;
    int precision, scale;
  };
  const Case cases[] = {
      {"", 5, 2},
      {"-", 5, 2},
      {".5", 5, 2},
      {"5.", 5, 2},
      {".", 5, 2},
      {"+5", 5, 2},
      {"1e2", 5, 2},
      {" 5", 5, 2},
      {"5 ", 5, 2},
      {"--5", 5, 2},
      {"1.2.3", 5, 2},
      {"1,5", 5, 2},
      {"0x10", 5, 2},
      {"NaN", 5, 2},
      {"1.234", 5, 2},
      {"1.230", 5, 2},
      {"1000", 5, 2},
      {"1000.00", 5, 2},
      {"10", 1, 0},
      {"1", 2, 2},
      {"12-34", 38, 0},
      {"1.-2", 38, 2},
      {"100000000000000000000000000000000000000", 38, 0},
      {"340282366920938463463374607431768211456", 38, 0},
      {"1.0000000000000000000000000000000000000", 37, 37},
      {"99999999999999999999999999999999999999999999999999999999999999", 38, 0},
  };
  for (const Case& c : cases) {
    const auto value = ParseDecimal(c.text, c.precision, c.scale);
    EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument) << c.text;
  }
  const auto status = ParseDecimal("110101199003070000x", 38, 0).status();
  EXPECT_EQ(status.message().find("110101"), absl::string_view::npos);
}

TEST(Decimals, AnyComesBackFromItsText) {
  std::mt19937_64 random(20261124);
  for (int i = 0; i < 20000; ++i) {
    const int precision = static_cast<int>(random() % 38) + 1;
    const int scale = static_cast<int>(random() % static_cast<uint64_t>(precision + 1));
    const auto bits = static_cast<unsigned __int128>(random()) << 64 | random();
    const Decimal128 value = static_cast<Decimal128>(bits) % PowerOfTen(precision);
    const std::string text = FormatDecimal(value, scale);
    const auto read = ParseDecimal(text, precision, scale);
    ASSERT_TRUE(read.ok() && *read == value) << text;
    ASSERT_TRUE(FitsPrecision(value, precision));
  }
  EXPECT_FALSE(FitsPrecision(PowerOfTen(5), 5));
  EXPECT_FALSE(FitsPrecision(-PowerOfTen(5), 5));
  EXPECT_TRUE(FitsPrecision(1 - PowerOfTen(5), 5));
}

TEST(Dates, AreProlepticGregorian) {
  const std::pair<std::string_view, int32_t> cases[] = {
      {"1970-01-01", 0},       {"1969-12-31", -1},         {"2026-11-24", 20781},
      {"2000-02-29", 11016},   {"1600-02-29", -135081},    {"1582-10-15", -141427},
      {"1582-10-14", -141428}, {"0001-01-01", kMinDate32}, {"9999-12-31", kMaxDate32},
  };
  for (const auto& [text, days] : cases) {
    EXPECT_EQ(FormatDate(days), text);
    EXPECT_EQ(ParseDate(text).value(), days);
  }
}

TEST(Dates, EveryDayAgreesWithAnotherCalendar) {
  absl::CivilDay day(1, 1, 1);
  for (int32_t days = kMinDate32; days <= kMaxDate32; days += 13, day += 13) {
    const CivilDate civil = CivilFromDays(days);
    ASSERT_EQ(absl::CivilDay(civil.year, civil.month, civil.day), day);
    ASSERT_EQ(DaysFromCivil(civil), days);
  }
}

TEST(Dates, WhatIsNoDayIsRefused) {
  for (std::string_view text :
       {"",           "2026",       "2026-11",     "2026-11-24 ", " 2026-11-24",
        "2026-13-01", "2026-00-01", "2026-11-00",  "2026-11-31",  "2025-02-29",
        "1900-02-29", "0000-01-01", "10000-01-01", "-001-01-01",  "+2026-11-24",
        "2026-1-24",  "2026/11/24", "20261124",    "2026-11-2a",  "2026-11-24T00:00:00"}) {
    EXPECT_FALSE(ParseDate(text).ok()) << text;
  }
  EXPECT_FALSE(DaysFromCivil({0, 1, 1}).has_value());
  EXPECT_FALSE(DaysFromCivil({2025, 2, 29}).has_value());
  EXPECT_FALSE(DaysFromCivil({2025, 1, 257}).has_value());
}

TEST(Dates, OutsideTheCalendarAreWrittenYetNotRead) {
  EXPECT_EQ(FormatDate(kMaxDate32 + 1), "+10000-01-01");
  EXPECT_EQ(FormatDate(kMinDate32 - 1), "+0000-12-31");
  EXPECT_EQ(FormatDate(kMinDate32 - 367), "-0001-12-31");
  for (int32_t days : {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max(),
                       kMaxDate32 + 1, kMinDate32 - 1}) {
    EXPECT_FALSE(ParseDate(FormatDate(days)).ok());
  }
}

TEST(Timestamps, KeepMicroseconds) {
  struct Case {
    std::string_view text;
    int64_t micros;
  };
  const Case cases[] = {
      {"1970-01-01T00:00:00", 0},
      {"1970-01-01T00:00:00.000001", 1},
      {"1969-12-31T23:59:59.999999", -1},
      {"1969-12-31T00:00:00", -86'400'000'000},
      {"2026-11-24T02:00:00.5", 1'795'485'600'500'000},
      {"2026-11-24T02:03:04.05", 1'795'485'784'050'000},
      {"0001-01-01T00:00:00", kMinTimestamp},
      {"9999-12-31T23:59:59.999999", kMaxTimestamp},
  };
  for (const Case& c : cases) {
    const std::string utc = std::string(c.text) + "Z";
    EXPECT_EQ(FormatTimestamp(c.micros, false), c.text);
    EXPECT_EQ(FormatTimestamp(c.micros, true), utc);
    EXPECT_EQ(ParseTimestamp(c.text, false).value(), c.micros);
    EXPECT_EQ(ParseTimestamp(utc, true).value(), c.micros);
  }
}

TEST(Timestamps, ReadOffsetsAndSpaces) {
  const int64_t expected = ParseTimestamp("2026-11-24T02:00:00Z", true).value();
  for (std::string_view text :
       {"2026-11-24T10:00:00+08:00", "2026-11-23T20:30:00-05:30", "2026-11-24 02:00:00Z",
        "2026-11-24T02:00:00.000000Z", "2026-11-24T02:00:00-00:00"}) {
    EXPECT_EQ(ParseTimestamp(text, true).value(), expected) << text;
  }
  EXPECT_EQ(ParseTimestamp("2026-11-24 02:00:00", false).value(), expected);
}

TEST(Timestamps, ZonesAreNeverGuessed) {
  EXPECT_FALSE(ParseTimestamp("2026-11-24T02:00:00", true).ok());
  EXPECT_FALSE(ParseTimestamp("2026-11-24T02:00:00Z", false).ok());
  EXPECT_FALSE(ParseTimestamp("2026-11-24T02:00:00+00:00", false).ok());
}

TEST(Timestamps, WhatIsNoTimeIsRefused) {
  for (std::string_view text :
       {"", "2026-11-24", "2026-11-24T", "2026-11-24T02:00", "2026-11-24T24:00:00",
        "2026-11-24T02:60:00", "2026-12-31T23:59:60", "2026-11-24T02:00:00.",
        "2026-11-24T02:00:00.1234567", "2026-11-24t02:00:00", "2026-11-24T2:00:00",
        "2026-11-24T02:00:00,5", "2026-02-30T02:00:00", "2026-11-24T02:00:00 ",
        "2026-11-24T02:00:-1"}) {
    EXPECT_FALSE(ParseTimestamp(text, false).ok()) << text;
    EXPECT_FALSE(ParseTimestamp(std::string(text) + "Z", true).ok()) << text;
  }
  for (std::string_view zone : {"z", "+08", "+0800", "+24:00", "+08:60", "ZZ", "Z+08:00", "+"}) {
    EXPECT_FALSE(ParseTimestamp("2026-11-24T02:00:00" + std::string(zone), true).ok()) << zone;
  }
  // The offset leads out of the calendar.
  EXPECT_FALSE(ParseTimestamp("0001-01-01T00:00:00+00:01", true).ok());
  EXPECT_FALSE(ParseTimestamp("9999-12-31T23:59:59-00:01", true).ok());
}

TEST(Timestamps, ExtremesAreWritten) {
  EXPECT_EQ(FormatTimestamp(kMin64, true), "-290308-12-21T19:59:05.224192Z");
  EXPECT_EQ(FormatTimestamp(kMax64, true), "+294247-01-10T04:00:54.775807Z");
}

TEST(Schemas, FindFieldsByName) {
  const Schema schema({{"id", TypeOf("int64"), false}, {"name", TypeOf("utf8")}});
  EXPECT_EQ(schema.IndexOf("name"), 1u);
  EXPECT_FALSE(schema.IndexOf("Name").has_value());
}

}  // namespace
}  // namespace sluice::records
