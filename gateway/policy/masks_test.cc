#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/policy/apply.h"
#include "gateway/policy/policy_testing.h"
#include "gateway/records/utf8.h"

namespace sluice::policy {
namespace {

using records::Column;
using records::Decimal128;
using records::Scalar;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::monostate kNull;

// A dataset of one field.
catalogue::DatasetPtr OneField(std::string_view type, std::string_view least_mask = "none",
                               std::string_view subject = "", std::string_view name = "value") {
  v1::Dataset dataset;
  dataset.set_name("police/things");
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  dataset.add_purposes("relief");
  dataset.set_source("register");
  v1::DatasetField& field = *dataset.add_fields();
  field.set_name(std::string(name));
  field.set_field_class(v1::FIELD_CLASS_L3_PERSONAL);
  field.set_subject(std::string(subject));
  const auto parsed = records::ParseDataType(type);
  v1::ColumnType& proto = *field.mutable_type();
  switch (parsed->id) {
    case records::TypeId::kBool:
      proto.set_type(v1::FIELD_TYPE_BOOL);
      break;
    case records::TypeId::kInt64:
      proto.set_type(v1::FIELD_TYPE_INT64);
      break;
    case records::TypeId::kFloat64:
      proto.set_type(v1::FIELD_TYPE_FLOAT64);
      break;
    case records::TypeId::kDecimal128:
      proto.set_type(v1::FIELD_TYPE_DECIMAL128);
      proto.set_precision(parsed->precision);
      proto.set_scale(parsed->scale);
      break;
    case records::TypeId::kDate32:
      proto.set_type(v1::FIELD_TYPE_DATE32);
      break;
    case records::TypeId::kTimestamp:
      proto.set_type(parsed->utc ? v1::FIELD_TYPE_TIMESTAMP_UTC : v1::FIELD_TYPE_TIMESTAMP_LOCAL);
      if (!parsed->utc) dataset.set_time_zone("Asia/Shanghai");
      break;
    case records::TypeId::kUtf8:
      proto.set_type(v1::FIELD_TYPE_UTF8);
      break;
    case records::TypeId::kBinary:
      proto.set_type(v1::FIELD_TYPE_BINARY);
      break;
  }
  *field.mutable_least_mask() = MaskOf(least_mask);
  return MustCompile(dataset);
}

const audit::Pseudonyms& Keys() {
  static const auto* const keys = new audit::Pseudonyms(std::string(32, 'k'));
  return *keys;
}

std::vector<Scalar> Masked(std::string_view mask, std::string_view type,
                           const std::vector<Scalar>& values, std::string_view floor = "none",
                           std::string_view consumer = "welfare") {
  const auto dataset = OneField(type, floor);
  const Column masked = ApplyMask(MaskOf(mask), ColumnOf(dataset->schema->field(0).type, values),
                                  *dataset, 0, consumer, Keys());
  EXPECT_EQ(masked.length(), static_cast<int64_t>(values.size()));
  std::vector<Scalar> result;
  for (int64_t i = 0; i < masked.length(); ++i) result.push_back(ScalarAt(masked, i));
  return result;
}

std::string MaskedText(std::string_view mask, std::string_view value,
                       std::string_view floor = "none") {
  const auto masked = Masked(mask, "utf8", {std::string(value)}, floor);
  return std::get<std::string>(masked[0]);
}

int32_t Day(std::string_view text) { return *records::ParseDate(text); }
int64_t Moment(std::string_view text) { return *records::ParseTimestamp(text, true); }

TEST(Masks, NullStaysNullUnderEveryMask) {
  const struct {
    const char* mask;
    const char* type;
  } rows[] = {
      {"none", "utf8"},          {"null", "utf8"},          {"partial(3..4)", "utf8"},
      {"partial(0..0)", "utf8"}, {"pseudonym", "utf8"},     {"pseudonym", "int64"},
      {"prefix(2)", "utf8"},     {"date(year)", "date32"},  {"date(month)", "timestamp(utc)"},
      {"bucket(10)", "int64"},   {"bucket(10)", "float64"}, {"bucket(0.5)", "decimal128(5,2)"},
      {"pseudonym", "binary"},   {"null", "bool"}};
  for (const auto& row : rows)
    EXPECT_THAT(Masked(row.mask, row.type, {kNull, kNull}), ElementsAre(Scalar(), Scalar()))
        << row.mask;
}

TEST(Masks, OfNoRowsIsNoRows) {
  for (const char* mask : {"none", "null", "partial(3..4)", "pseudonym", "prefix(1)"})
    EXPECT_THAT(Masked(mask, "utf8", {}), IsEmpty());
}

TEST(Masks, NullHidesWhetherThereIsAValue) {
  EXPECT_THAT(Masked("null", "utf8", {std::string("x"), kNull, std::string()}),
              ElementsAre(Scalar(), Scalar(), Scalar()));
  EXPECT_THAT(Masked("null", "bool", {true, kNull, false}),
              ElementsAre(Scalar(), Scalar(), Scalar()));
  // Nor do the bytes behind the nulls hold anything.
  const auto dataset = OneField("int64");
  const Column column = ColumnOf(dataset->schema->field(0).type, {int64_t{77}, int64_t{78}});
  const Column masked = ApplyMask(MaskOf("null"), column, *dataset, 0, "welfare", Keys());
  for (const uint8_t byte : *masked.data()) EXPECT_EQ(byte, 0);
}

TEST(Masks, PartialShowsBothEndsAndAStarForEachCharacterBetween) {
  const struct {
    const char* mask;
    const char* value;
    const char* masked;
  } rows[] = {
      {"partial(3..4)", "110101199003074514", "110***********4514"},
      {"partial(3..4)", "12345678", "123*5678"},
      {"partial(3..4)", "1234567", "*******"},  // shown whole otherwise
      {"partial(3..4)", "1", "*******"},
      {"partial(3..4)", "", "*******"},
      {"partial(1..0)", "李小龙", "李**"},
      {"partial(1..0)", "李", "*"},
      {"partial(0..1)", "李小龙", "**龙"},
      {"partial(1..1)", "李龙", "**"},
      {"partial(0..0)", "李小龙", "***"},
      {"partial(0..0)", "", ""},
      {"partial(1..1)", "\xf0\xa0\xae\xb7\xf0\x9f\x98\x80\xf0\xa0\xae\xb7",
       "\xf0\xa0\xae\xb7*\xf0\xa0\xae\xb7"},
      // Code points, not what is seen as one: the accent that follows e is a character of its own.
      {"partial(1..0)", "e\u0301a", "e**"},
      {"partial(0..1)", "ae\u0301", "**\u0301"},
      {"partial(1..0)", "\u200d\u200dx", "\u200d**"},
      {"partial(100..0)", "short", nullptr},
  };
  for (const auto& row : rows) {
    const std::string expected = row.masked == nullptr ? std::string(100, '*') : row.masked;
    EXPECT_EQ(MaskedText(row.mask, row.value), expected) << row.mask << " of " << row.value;
  }
}

TEST(Masks, AllShortValuesLookTheSameUnderPartial) {
  std::set<std::string> seen;
  for (const char* value : {"", "a", "中", "ab", "\U00020bb7\U00020bb7\U00020bb7"})
    seen.insert(MaskedText("partial(2..1)", value));
  EXPECT_THAT(seen, ElementsAre("***"));
}

// Over texts of all kinds: what is shown are the first and last characters, and as many stars.
TEST(Masks, PartialAndPrefixShowNoMoreThanTheySay) {
  std::mt19937_64 random(3);
  static constexpr std::string_view kCharacters[] = {
      "a", "é", "中", "😀", "\u0301", "\U0010ffff", "\ufffd", "\u200b", "*", "\ud7ff", "\ue000"};
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> value;
    for (uint64_t n = random() % 12; n > 0; --n)
      value.emplace_back(kCharacters[random() % std::size(kCharacters)]);
    const size_t first = random() % 5, last = random() % 5, length = 1 + random() % 5;
    std::string text, partial, prefix;
    for (size_t i = 0; i < value.size(); ++i) {
      text += value[i];
      partial += i < first || i >= value.size() - last ? value[i] : "*";
      if (i < length) prefix += value[i];
    }
    if (value.size() <= first + last) partial = std::string(first + last, '*');
    ASSERT_EQ(MaskedText(absl::StrCat("partial(", first, "..", last, ")"), text), partial);
    ASSERT_EQ(MaskedText(absl::StrCat("prefix(", length, ")"), text), prefix);
  }
}

TEST(Masks, PrefixCutsAtCharacters) {
  EXPECT_EQ(MaskedText("prefix(6)", "110101199003074514"), "110101");
  EXPECT_EQ(MaskedText("prefix(6)", "11"), "11");
  EXPECT_EQ(MaskedText("prefix(1)", ""), "");
  EXPECT_EQ(MaskedText("prefix(1)", "李小龙"), "李");
  EXPECT_EQ(MaskedText("prefix(1)", "e\u0301"), "e");
  EXPECT_EQ(MaskedText("prefix(1)", "😀😀"), "😀");
}

// Adapters let no such text through. Should one: no crash, and nothing of it is shown.
TEST(Masks, TextThatIsNotUtf8IsNotShown) {
  for (const std::string& value :
       {std::string("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), std::string(20, '\xff'),
        std::string("ab\x80\x81\x82\x83\x84\x85\x86"), std::string("abcdefgh\xe4\xb8"),
        std::string("\xed\xa0\x80\xed\xb0\x80xyzxyz"), std::string("secret\xc0\x80secret")}) {
    for (const char* mask : {"partial(1..1)", "partial(3..4)", "partial(0..0)"}) {
      const std::string masked = MaskedText(mask, value);
      EXPECT_EQ(masked.find_first_not_of('*'), std::string::npos) << mask;
    }
    EXPECT_EQ(MaskedText("prefix(2)", value), "");
    EXPECT_TRUE(records::ValidUtf8(MaskedText("pseudonym", value)));
  }
}

TEST(Masks, DatesAreCutToYearOrMonthBeforeTheEpochToo) {
  const struct {
    const char* day;
    const char* month;
    const char* year;
  } rows[] = {
      {"1990-03-07", "1990-03-01", "1990-01-01"}, {"1970-01-01", "1970-01-01", "1970-01-01"},
      {"1969-12-31", "1969-12-01", "1969-01-01"}, {"1900-02-28", "1900-02-01", "1900-01-01"},
      {"2000-02-29", "2000-02-01", "2000-01-01"}, {"0001-01-01", "0001-01-01", "0001-01-01"},
      {"0001-12-31", "0001-12-01", "0001-01-01"}, {"9999-12-31", "9999-12-01", "9999-01-01"}};
  for (const auto& row : rows) {
    EXPECT_THAT(Masked("date(month)", "date32", {Day(row.day)}),
                ElementsAre(Scalar(Day(row.month))));
    EXPECT_THAT(Masked("date(year)", "date32", {Day(row.day)}), ElementsAre(Scalar(Day(row.year))));
    const std::string day = row.day;
    for (const char* time : {"T00:00:00Z", "T00:00:00.000001Z", "T23:59:59.999999Z"}) {
      EXPECT_THAT(Masked("date(month)", "timestamp(utc)", {Moment(day + time)}),
                  ElementsAre(Scalar(Moment(std::string(row.month) + "T00:00:00Z"))))
          << day << time;
      EXPECT_THAT(Masked("date(year)", "timestamp(local)", {Moment(day + time)}),
                  ElementsAre(Scalar(Moment(std::string(row.year) + "T00:00:00Z"))));
    }
  }
}

TEST(Masks, DatesOutOfTheCalendarShowNothing) {
  using Days = std::numeric_limits<int32_t>;
  using Times = std::numeric_limits<int64_t>;
  EXPECT_THAT(Masked("date(year)", "date32",
                     {Days::min(), Days::max(), records::kMinDate32 - 1, records::kMaxDate32 + 1}),
              ElementsAre(Scalar(), Scalar(), Scalar(), Scalar()));
  EXPECT_THAT(
      Masked("date(month)", "timestamp(utc)",
             {Times::min(), Times::max(), records::kMinTimestamp - 1, records::kMaxTimestamp + 1}),
      ElementsAre(Scalar(), Scalar(), Scalar(), Scalar()));
}

TEST(Masks, BucketsRoundTowardsMinusInfinity) {
  using Whole = std::numeric_limits<int64_t>;
  const auto whole = [](int64_t value) { return Scalar(value); };
  EXPECT_THAT(Masked("bucket(1000)", "int64",
                     {whole(1999), whole(1000), whole(999), whole(0), whole(-1), whole(-1000),
                      whole(-1001)}),
              ElementsAre(whole(1000), whole(1000), whole(0), whole(0), whole(-1000), whole(-1000),
                          whole(-2000)));
  EXPECT_THAT(
      Masked("bucket(10)", "int64", {Whole::max(), Whole::min(), Whole::min() + 9}),
      ElementsAre(whole(Whole::max() - 7), whole(Whole::min()), whole(-9223372036854775800)));
  EXPECT_THAT(
      Masked("bucket(1000000000000000000)", "int64", {Whole::min(), whole(-1), Whole::max()}),
      ElementsAre(whole(Whole::min()), whole(-1000000000000000000), whole(9000000000000000000)));
  const auto decimal = [](Decimal128 value) { return Scalar(value); };
  EXPECT_THAT(Masked("bucket(0.5)", "decimal128(4,2)",
                     {decimal(149), decimal(-1), decimal(-50), decimal(-9999), decimal(9999)}),
              ElementsAre(decimal(100), decimal(-50), decimal(-50), decimal(-9999), decimal(9950)));
  const Decimal128 most = records::PowerOfTen(38) - 1;
  EXPECT_THAT(Masked("bucket(3)", "decimal128(38,0)", {decimal(most), decimal(-most)}),
              ElementsAre(decimal(most), decimal(-most)));
}

TEST(Masks, BucketsOfFloatingPointShowNoSignOfZeroAndNothingThatIsNotFinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto masked =
      Masked("bucket(10)", "float64", {12.5, -0.5, -0.0, 0.0, std::nan(""), infinity, -infinity});
  EXPECT_EQ(masked[0], Scalar(10.0));
  EXPECT_EQ(masked[1], Scalar(-10.0));
  for (int i : {2, 3}) EXPECT_FALSE(std::signbit(std::get<double>(masked[i])));
  for (int i : {4, 5, 6}) EXPECT_EQ(masked[i], Scalar());
  // A quotient out of range.
  EXPECT_THAT(Masked("bucket(0.00001)", "float64", {1e308}), ElementsAre(Scalar()));
}

// Values of one bucket cannot be told apart: each bucket's values all give its border.
TEST(Masks, ValuesOfOneBucketLookTheSame) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    const auto width = static_cast<int64_t>(1 + random() % 5000);
    const auto border = (static_cast<int64_t>(random() % 2'000'000) - 1'000'000) * width;
    const auto value = border + static_cast<int64_t>(random() % static_cast<uint64_t>(width));
    ASSERT_THAT(Masked(absl::StrCat("bucket(", width, ")"), "int64", {value}),
                ElementsAre(Scalar(border)));
  }
}

TEST(Masks, PseudonymsDependOnConsumerFieldAndValueAndShowNeither) {
  const auto one = [](std::string_view consumer, std::string_view name, std::string_view value) {
    const auto dataset = OneField("utf8", "none", "", name);
    const Column masked = ApplyMask(MaskOf("pseudonym"),
                                    ColumnOf(dataset->schema->field(0).type, {std::string(value)}),
                                    *dataset, 0, consumer, Keys());
    return std::string(masked.Bytes(0));
  };
  const std::string usual = one("welfare", "phone", "13800000000");
  EXPECT_EQ(usual, one("welfare", "phone", "13800000000"));
  EXPECT_EQ(usual.size(), 32u);
  EXPECT_EQ(usual.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(usual, one("tax-office", "phone", "13800000000"));
  EXPECT_NE(usual, one("welfare", "mobile", "13800000000"));
  EXPECT_NE(usual, one("welfare", "phone", "13800000001"));
  EXPECT_NE(usual, one("welfare", "phone", "13800000000 "));
  EXPECT_EQ(one("welfare", "phone", "").size(), 32u);
  // Another gateway's key gives others.
  const auto dataset = OneField("utf8");
  const audit::Pseudonyms other(std::string(32, 'o'));
  const Column column = ColumnOf(dataset->schema->field(0).type, {std::string("x")});
  EXPECT_NE(ApplyMask(MaskOf("pseudonym"), column, *dataset, 0, "welfare", other).Bytes(0),
            ApplyMask(MaskOf("pseudonym"), column, *dataset, 0, "welfare", Keys()).Bytes(0));
}

TEST(Masks, PseudonymsOfSubjectsJoinOverDatasetsByTheirCanonicalForm) {
  const auto of = [](std::string_view name, std::string_view value) {
    const auto dataset = OneField("utf8", "none", "CN-RID", name);
    const Column column = ColumnOf(dataset->schema->field(0).type, {std::string(value)});
    return std::string(
        ApplyMask(MaskOf("pseudonym"), column, *dataset, 0, "welfare", Keys()).Bytes(0));
  };
  EXPECT_EQ(of("id", "11010519491231002X"), of("holder", " 11010519491231002x"));
  EXPECT_NE(of("id", "11010519491231002X"), of("id", "110105194912310038"));
}

TEST(Masks, PseudonymsOfNumbersAndTimesAreTheSameForEqualValues) {
  const auto zeros = Masked("pseudonym", "float64", {0.0, -0.0, 1.0});
  EXPECT_EQ(zeros[0], zeros[1]);
  EXPECT_NE(zeros[0], zeros[2]);
  for (const auto& [type, a, b] :
       {std::tuple("int64", Scalar(int64_t{1}), Scalar(int64_t{-1})),
        std::tuple("date32", Scalar(int32_t{-1}), Scalar(int32_t{1})),
        std::tuple("timestamp(utc)", Scalar(int64_t{-1}), Scalar(int64_t{1})),
        std::tuple("decimal128(5,2)", Scalar(Decimal128{100}), Scalar(Decimal128{10})),
        std::tuple("binary", Scalar(std::string("\xff\x00", 2)), Scalar(std::string("\xff")))}) {
    const auto masked = Masked("pseudonym", type, {a, b, a});
    EXPECT_EQ(masked[0], masked[2]) << type;
    EXPECT_NE(masked[0], masked[1]) << type;
  }
}

TEST(Masks, AFloorOfTheSameKindIsAppliedFirst) {
  // partial(3..4) hides six characters whole; partial(1..1) alone would show two of them.
  EXPECT_EQ(MaskedText("partial(1..1)", "abcdef", "partial(3..4)"), "*******");
  EXPECT_EQ(MaskedText("partial(1..1)", "abcdefgh", "partial(3..4)"), "a******h");
  EXPECT_EQ(MaskedText("prefix(2)", "abcdef", "prefix(4)"), "ab");
  EXPECT_THAT(Masked("bucket(2000)", "int64", {int64_t{-1}, int64_t{2999}}, "bucket(1000)"),
              ElementsAre(Scalar(int64_t{-2000}), Scalar(int64_t{2000})));
  EXPECT_THAT(Masked("date(year)", "date32", {Day("1969-12-31")}, "date(month)"),
              ElementsAre(Scalar(Day("1969-01-01"))));
}

// For every floor and every grant's mask that is allowed over it: what looks the same under the
// floor looks the same under the mask.
TEST(Masks, NoMaskTellsApartWhatItsFloorDoesNot) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    const int first = static_cast<int>(random() % 4), last = static_cast<int>(random() % 4);
    const std::string floor = absl::StrCat("partial(", first, "..", last, ")");
    const std::string mask =
        absl::StrCat("partial(", random() % (first + 1), "..", random() % (last + 1), ")");
    std::string a, b;
    for (uint64_t n = random() % 8; n > 0; --n) a += static_cast<char>('a' + random() % 2);
    for (uint64_t n = random() % 8; n > 0; --n) b += static_cast<char>('a' + random() % 2);
    if (MaskedText(floor, a) != MaskedText(floor, b)) continue;
    ASSERT_EQ(MaskedText(mask, a, floor), MaskedText(mask, b, floor)) << floor << mask << a << b;
  }
}

TEST(Masks, AKindThatThisGatewayDoesNotKnowShowsNothing) {
  v1::Mask mask;
  mask.set_kind(static_cast<v1::MaskKind>(99));
  const auto dataset = OneField("utf8");
  const Column column = ColumnOf(dataset->schema->field(0).type, {std::string("x")});
  EXPECT_TRUE(ApplyMask(mask, column, *dataset, 0, "welfare", Keys()).IsNull(0));
}

}  // namespace
}  // namespace sluice::policy
