#include "gateway/catalogue/mask_spec.h"

#include <gtest/gtest.h>

namespace sluice::catalogue {
namespace {

using records::DataType;
using records::ParseDataType;

v1::Mask M(std::string_view text) {
  const auto mask = ParseMask(text);
  EXPECT_TRUE(mask.ok()) << text << ": " << mask.status();
  return mask.ok() ? *mask : v1::Mask();
}

DataType T(std::string_view text) { return *ParseDataType(text); }

TEST(MaskSpec, TextAndBack) {
  for (const std::string_view text :
       {"none", "null", "pseudonym", "partial(3..4)", "partial(0..0)", "partial(100..0)",
        "date(year)", "date(month)", "prefix(6)", "bucket(1000)", "bucket(0.25)",
        "bucket(99999999999999999999999999999999999999)"}) {
    EXPECT_EQ(FormatMask(M(text)), text);
  }
  EXPECT_EQ(FormatMask(v1::Mask()), "none");
}

TEST(MaskSpec, WhatIsNoMaskIsRefusedWithWhatIsExpected) {
  for (const std::string_view text : {"",
                                      "NONE",
                                      "none()",
                                      "partial",
                                      "partial()",
                                      "partial(3)",
                                      "partial(3..)",
                                      "partial(3.4)",
                                      "partial(-1..4)",
                                      "partial(3..101)",
                                      "partial(03..4)",
                                      "partial(3..4",
                                      "partial(3..4) ",
                                      "date()",
                                      "date(day)",
                                      "prefix(0)",
                                      "prefix(x)",
                                      "prefix(99999999999)",
                                      "bucket(0)",
                                      "bucket(0.00)",
                                      "bucket(-5)",
                                      "bucket(1e3)",
                                      "bucket(.5)",
                                      "bucket(5.)",
                                      "bucket(007)",
                                      "bucket(999999999999999999999999999999999999999)",
                                      "bucket()",
                                      "hash",
                                      "hash(1)",
                                      "bucket(0.000000000000000000000000000000000000001)"}) {
    const auto mask = ParseMask(text);
    ASSERT_FALSE(mask.ok()) << text;
    EXPECT_EQ(mask.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(mask.status().message().substr(0, 9), "expected ") << mask.status();
  }
}

TEST(MaskSpec, EachMaskStandsOnItsTypesOnly) {
  const std::string_view types[] = {
      "bool", "int64", "float64", "decimal128(5,2)", "date32", "timestamp(utc)", "timestamp(local)",
      "utf8", "binary"};
  const struct {
    std::string_view mask;
    std::string_view fits;  // one character a type
  } rows[] = {
      {"none", "yyyyyyyyy"},          {"null", "yyyyyyyyy"},        {"pseudonym", "nyyyyyyyy"},
      {"partial(1..0)", "nnnnnnnyn"}, {"prefix(2)", "nnnnnnnyn"},   {"date(year)", "nnnnyyynn"},
      {"bucket(100)", "nyyynnnnn"},   {"bucket(0.5)", "nnyynnnnn"}, {"bucket(0.125)", "nnynnnnnn"},
      {"bucket(1001)", "nyynnnnnn"},
  };
  for (const auto& row : rows) {
    for (size_t i = 0; i < std::size(types); ++i) {
      EXPECT_EQ(MaskFits(M(row.mask), T(types[i])).ok(), row.fits[i] == 'y')
          << row.mask << " on " << types[i];
    }
  }
}

TEST(MaskSpec, AMaskThatCameFromNoTextIsCheckedByItself) {
  v1::Mask mask;
  mask.set_kind(v1::MASK_KIND_PARTIAL);
  mask.set_first(-1);
  EXPECT_FALSE(MaskFits(mask, T("utf8")).ok());
  mask.set_first(1);
  EXPECT_TRUE(MaskFits(mask, T("utf8")).ok());
  mask.set_width("10");  // of another kind: was a bucket meant?
  EXPECT_FALSE(MaskFits(mask, T("utf8")).ok());
  mask = v1::Mask();
  EXPECT_TRUE(MaskFits(mask, T("utf8")).ok());
  mask.set_length(3);  // a prefix without its kind would show all
  EXPECT_FALSE(MaskFits(mask, T("utf8")).ok());
  mask = v1::Mask();
  mask.set_kind(v1::MASK_KIND_DATE);
  EXPECT_FALSE(MaskFits(mask, T("date32")).ok());
  mask.set_kind(static_cast<v1::MaskKind>(99));
  EXPECT_FALSE(MaskFits(mask, T("utf8")).ok());
}

TEST(MaskSpec, TypeOfTheMaskedColumn) {
  EXPECT_EQ(MaskedType(M("pseudonym"), T("int64")), T("utf8"));
  EXPECT_EQ(MaskedType(M("partial(1..1)"), T("utf8")), T("utf8"));
  EXPECT_EQ(MaskedType(M("date(year)"), T("timestamp(local)")), T("timestamp(local)"));
  EXPECT_EQ(MaskedType(M("bucket(5)"), T("decimal128(5,2)")), T("decimal128(5,2)"));
  EXPECT_EQ(MaskedType(M("null"), T("date32")), T("date32"));
}

TEST(MaskSpec, Strictness) {
  const struct {
    std::string_view mask, floor;
    bool strict;
  } rows[] = {
      {"none", "none", true},
      {"none", "partial(1..1)", false},
      {"null", "null", true},
      {"pseudonym", "null", false},
      {"null", "pseudonym", true},
      {"pseudonym", "pseudonym", true},
      {"pseudonym", "partial(0..0)", true},
      {"partial(0..0)", "pseudonym", false},
      {"partial(3..4)", "partial(3..4)", true},
      {"partial(2..4)", "partial(3..4)", true},
      {"partial(4..3)", "partial(3..4)", false},
      {"prefix(2)", "partial(3..4)", false},
      {"partial(2..0)", "prefix(6)", false},  // shows the length, which a prefix does not
      {"prefix(6)", "prefix(6)", true},
      {"prefix(7)", "prefix(6)", false},
      {"date(year)", "date(month)", true},
      {"date(month)", "date(year)", false},
      {"date(month)", "date(month)", true},
      {"bucket(2000)", "bucket(1000)", true},
      {"bucket(1500)", "bucket(1000)", false},
      {"bucket(500)", "bucket(1000)", false},
      {"bucket(1)", "bucket(0.25)", true},
      {"bucket(0.3)", "bucket(0.25)", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(AtLeastAsStrict(M(row.mask), M(row.floor)), row.strict)
        << row.mask << " over " << row.floor;
  }
  EXPECT_TRUE(AtLeastAsStrict(v1::Mask(), v1::Mask()));
  EXPECT_FALSE(AtLeastAsStrict(v1::Mask(), M("null")));
}

}  // namespace
}  // namespace sluice::catalogue
