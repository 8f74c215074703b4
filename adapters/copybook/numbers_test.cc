#include "adapters/copybook/numbers.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"
#include "gtest/gtest.h"

namespace sluice::adapters::copybook {
namespace {

const ByteClasses& Classes(bool ascii) {
  static const auto* const ebcdic = new ByteClasses(**files::CodePage::Of("cp037"));
  static const auto* const plain = new ByteClasses(**files::CodePage::Of("us-ascii"));
  return ascii ? *plain : *ebcdic;
}

struct Field {
  Usage usage = Usage::kDisplay;
  int digits = 4;
  int scale = 0;
  bool is_signed = false;
  SignPlace sign = SignPlace::kTrailing;
  bool relaxed = false;
  bool ascii = false;
  bool edited = false;
  bool little = false;
};

NumberForm FormOf(const Field& field, size_t bytes) {
  NumberForm form;
  form.usage = field.usage;
  form.bytes = static_cast<int64_t>(bytes);
  form.digits = field.digits;
  form.scale = field.scale;
  form.is_signed = field.is_signed;
  form.sign = field.sign;
  form.separate =
      field.sign == SignPlace::kLeadingSeparate || field.sign == SignPlace::kTrailingSeparate;
  form.relaxed = field.relaxed;
  form.edited = field.edited;
  form.little = field.little;
  form.classes = &Classes(field.ascii);
  return form;
}

// "12.5", "blank" or "bad". The fast way, where there is one, finds the same.
std::string NumberOf(const Field& field, const std::string& bytes) {
  const NumberForm form = FormOf(field, bytes.size());
  const Number number = ReadNumber(form, bytes);
  if (IsSmall(form)) {
    const SmallNumber small = ReadSmall(form, bytes);
    if (small.found == Found::kNumber) {
      EXPECT_EQ(number.found, Found::kNumber);
      EXPECT_TRUE(small.value == number.value) << HexEncode(bytes);
    } else if (!field.relaxed && field.usage != Usage::kBinary) {
      EXPECT_NE(number.found, Found::kNumber);
    }
  }
  if (number.found == Found::kBlank) return "blank";
  if (number.found == Found::kBad) return "bad";
  std::string text;
  AppendNumber(number.value, number.scale, 0, text);
  return text;
}

std::string Hex(const std::string& hex) { return *HexDecode(hex); }

TEST(NumbersTest, ZonedDigitsInEbcdic) {
  EXPECT_EQ(NumberOf({}, Hex("f1f2f3f4")), "1234");
  EXPECT_EQ(NumberOf({.scale = 2}, Hex("f1f2f3f4")), "12.34");
  EXPECT_EQ(NumberOf({.scale = -3}, Hex("f1f2f3f4")), "1234000");
  const Field is_signed = {.is_signed = true};
  EXPECT_EQ(NumberOf(is_signed, Hex("f1f2f3f4")), "1234");
  EXPECT_EQ(NumberOf(is_signed, Hex("f1f2f3c4")), "1234");
  EXPECT_EQ(NumberOf(is_signed, Hex("f1f2f3d4")), "-1234");
  EXPECT_EQ(NumberOf(is_signed, Hex("f0f0f0d0")), "0") << "there is one zero";
  EXPECT_EQ(NumberOf({}, Hex("f1f2f3c4")), "bad") << "a sign, where the picture has none";
  EXPECT_EQ(NumberOf({.relaxed = true}, Hex("f1f2f3c4")), "1234");
  EXPECT_EQ(NumberOf({.relaxed = true}, Hex("f1f2f3d4")), "bad");
  EXPECT_EQ(NumberOf({.is_signed = true, .sign = SignPlace::kLeading}, Hex("d1f2f3f4")), "-1234");
  EXPECT_EQ(NumberOf({.is_signed = true, .sign = SignPlace::kLeading}, Hex("f1f2f3d4")), "bad");
  EXPECT_EQ(NumberOf({.is_signed = true, .sign = SignPlace::kLeadingSeparate}, Hex("60f2f3f4")),
            "-234");
  EXPECT_EQ(NumberOf({.is_signed = true, .sign = SignPlace::kTrailingSeparate}, Hex("f2f3f44e")),
            "234");
  EXPECT_EQ(NumberOf({.is_signed = true, .sign = SignPlace::kTrailingSeparate}, Hex("f2f3f4f5")),
            "bad");
}

TEST(NumbersTest, ZonedDigitsInAscii) {
  const Field field = {.is_signed = true, .ascii = true};
  EXPECT_EQ(NumberOf(field, "1234"), "1234");
  EXPECT_EQ(NumberOf(field, "123D"), "1234");
  EXPECT_EQ(NumberOf(field, "123{"), "1230");
  EXPECT_EQ(NumberOf(field, "123}"), "-1230");
  EXPECT_EQ(NumberOf(field, "123M"), "-1234");
  EXPECT_EQ(NumberOf(field, "123t"), "-1234") << "as programs on ASCII machines write it";
  EXPECT_EQ(NumberOf(field, "12M4"), "bad");
  EXPECT_EQ(NumberOf({.ascii = true}, "123D"), "bad");
}

TEST(NumbersTest, BlanksAreNoNumber) {
  EXPECT_EQ(NumberOf({}, Hex("40404040")), "blank");
  EXPECT_EQ(NumberOf({}, Hex("00000000")), "blank");
  EXPECT_EQ(NumberOf({.usage = Usage::kPacked}, Hex("000000")), "blank");
  EXPECT_EQ(NumberOf({.usage = Usage::kPacked}, Hex("404040")), "blank");
  EXPECT_EQ(NumberOf({}, Hex("4040f1f2")), "bad");
  EXPECT_EQ(NumberOf({.relaxed = true}, Hex("4040f1f2")), "12");
  EXPECT_EQ(NumberOf({.relaxed = true}, Hex("f1f24040")), "12");
  EXPECT_EQ(NumberOf({.relaxed = true}, Hex("f140f240")), "bad");
  EXPECT_EQ(NumberOf({.is_signed = true, .relaxed = true}, Hex("60f1f240")), "-12");
  EXPECT_EQ(NumberOf({.relaxed = true}, Hex("60f1f240")), "bad");
}

TEST(NumbersTest, PackedDigitsWithEachSign) {
  for (const bool is_signed : {false, true}) {
    const Field field = {.usage = Usage::kPacked, .digits = 5, .is_signed = is_signed};
    EXPECT_EQ(NumberOf(field, Hex("12345c")), "12345");
    EXPECT_EQ(NumberOf(field, Hex("12345f")), "12345");
    EXPECT_EQ(NumberOf(field, Hex("12345d")), is_signed ? "-12345" : "bad");
    for (const char* sign : {"a", "b", "e"})
      EXPECT_EQ(NumberOf(field, Hex(absl::StrCat("12345", sign))), "bad") << sign;
    for (const char* bad : {"123450", "1234a5", "a2345c", "1a345c", "1234ac"})
      EXPECT_EQ(NumberOf(field, Hex(bad)), "bad") << bad;
  }
  const Field relaxed = {.usage = Usage::kPacked, .digits = 1, .is_signed = true, .relaxed = true};
  EXPECT_EQ(NumberOf(relaxed, Hex("7a")), "7");
  EXPECT_EQ(NumberOf(relaxed, Hex("7b")), "-7");
  EXPECT_EQ(NumberOf(relaxed, Hex("7e")), "7");
  EXPECT_EQ(NumberOf({.usage = Usage::kPackedNoSign}, Hex("1234")), "1234");
  EXPECT_EQ(NumberOf({.usage = Usage::kPackedNoSign}, Hex("123c")), "bad");
}

TEST(NumbersTest, AsManyDigitsAsADecimalHas) {
  const std::string nines(38, '9');
  std::string zoned, packed31 = std::string(31, '9') + "d";
  for (int i = 0; i < 38; ++i) zoned += "f9";
  EXPECT_EQ(NumberOf({.digits = 38}, Hex(zoned)), nines);
  EXPECT_EQ(NumberOf({.usage = Usage::kPacked, .digits = 31, .is_signed = true}, Hex(packed31)),
            "-" + nines.substr(7));
  EXPECT_EQ(NumberOf({.usage = Usage::kPacked, .digits = 38}, Hex("0" + nines + "c")), nines);
  EXPECT_EQ(NumberOf({.usage = Usage::kPacked, .digits = 38}, Hex("1" + nines + "c")), "bad");
  EXPECT_EQ(NumberOf({.usage = Usage::kPacked, .digits = 31, .scale = 2},
                     Hex(std::string(31, '9') + "c")),
            std::string(29, '9') + ".99");
}

TEST(NumbersTest, BinaryInBothOrdersUpToItsLimits) {
  const auto binary = [](bool is_signed, bool little = false) {
    return Field{.usage = Usage::kBinary, .is_signed = is_signed, .little = little};
  };
  EXPECT_EQ(NumberOf(binary(true), Hex("ffff")), "-1");
  EXPECT_EQ(NumberOf(binary(false), Hex("ffff")), "65535");
  EXPECT_EQ(NumberOf(binary(true), Hex("8000")), "-32768");
  EXPECT_EQ(NumberOf(binary(true, true), Hex("0180")), "-32767");
  EXPECT_EQ(NumberOf(binary(true), Hex("80")), "-128");
  EXPECT_EQ(NumberOf(binary(true), Hex("80000000")), "-2147483648");
  EXPECT_EQ(NumberOf(binary(true), Hex("8000000000000000")), "-9223372036854775808");
  EXPECT_EQ(NumberOf(binary(false), Hex("ffffffffffffffff")), "18446744073709551615");
  EXPECT_EQ(NumberOf(binary(false, true), Hex("0100000000000000")), "1");
  EXPECT_EQ(NumberOf(binary(true), Hex("ffffffffffffffffffffffffffffffff")), "-1");
  EXPECT_EQ(NumberOf(binary(false), Hex("ffffffffffffffffffffffffffffffff")), "bad");
  EXPECT_EQ(NumberOf(binary(true), Hex("7fffffffffffffffffffffffffffffff")), "bad")
      << "39 digits are no decimal";
  NumberForm limited = FormOf(binary(false), 2);
  limited.limited = true;
  limited.digits = 3;
  EXPECT_EQ(ReadNumber(limited, Hex("03e7")).found, Found::kNumber);
  EXPECT_EQ(ReadNumber(limited, Hex("03e8")).found, Found::kBad);
}

TEST(NumbersTest, PrintedNumbersAreReadBack) {
  const Field field = {.digits = 9, .scale = 2, .is_signed = true, .ascii = true, .edited = true};
  for (const auto& [printed, number] :
       std::initializer_list<std::pair<const char*, const char*>>{{"  1,234.50-", "-1234.50"},
                                                                  {"$$1,234.50 ", "1234.50"},
                                                                  {"**1234.50CR", "-1234.50"},
                                                                  {"**1234.50DB", "-1234.50"},
                                                                  {"1234.50CR  ", "-1234.50"},
                                                                  {"+1234.5", "1234.5"},
                                                                  {"30503932-", "-305039.32"},
                                                                  {"     ", "blank"},
                                                                  {"12-34", "bad"},
                                                                  {"1.2.3", "bad"},
                                                                  {"--1", "bad"},
                                                                  {"12A4", "bad"}})
    EXPECT_EQ(NumberOf(field, printed), number) << printed;
}

TEST(NumbersTest, HexadecimalAndIeeeFloats) {
  NumberForm form;
  form.usage = Usage::kFloat;
  // The examples of IBM's Principles of Operation.
  EXPECT_EQ(ReadFloat(form, Hex("41100000")), 1.0);
  EXPECT_EQ(ReadFloat(form, Hex("c276a000")), -118.625);
  EXPECT_EQ(ReadFloat(form, Hex("00000000")), 0.0);
  form.usage = Usage::kDouble;
  EXPECT_EQ(ReadFloat(form, Hex("4110000000000000")), 1.0);
  EXPECT_EQ(ReadFloat(form, Hex("4080000000000000")), 0.5);
  EXPECT_NEAR(ReadFloat(form, Hex("7fffffffffffffff")), 7.2370055773322621e75, 1e60);
  form.floats = FloatForm::kIeeeBig;
  EXPECT_EQ(ReadFloat(form, Hex("3ff0000000000000")), 1.0);
  EXPECT_TRUE(std::isinf(ReadFloat(form, Hex("7ff0000000000000"))));
  form.floats = FloatForm::kIeeeLittle;
  EXPECT_EQ(ReadFloat(form, Hex("000000000000f0bf")), -1.0);
  form.usage = Usage::kFloat;
  EXPECT_EQ(ReadFloat(form, Hex("0000803f")), 1.0);
}

TEST(NumbersTest, OtherScalesLoseNothing) {
  Decimal128 value = 1'250;
  EXPECT_TRUE(Rescale(value, 2, 1) && value == 125);
  EXPECT_FALSE(Rescale(value, 1, 0));
  EXPECT_TRUE(Rescale(value, 1, 4) && value == 125'000);
  value = records::PowerOfTen(37);
  EXPECT_FALSE(Rescale(value, 0, 30));
  value = 0;
  EXPECT_TRUE(Rescale(value, -99, 99));
  EXPECT_EQ(ToFloat(1, 1), 0.1) << "the nearest";
  EXPECT_EQ(ToFloat(9'007'199'254'740'993, 0), 9007199254740992.0);
  std::string text;
  AppendNumber(7, 0, 5, text);
  AppendNumber(-7, 0, 3, text);
  AppendNumber(-5, 2, 0, text);
  EXPECT_EQ(text, "00007-007-0.05");
}

}  // namespace
}  // namespace sluice::adapters::copybook
