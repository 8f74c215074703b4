#include "gateway/records/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sluice::records {
namespace {

TEST(Utf8, AcceptsEveryPlane) {
  using namespace std::string_view_literals;
  for (std::string_view text :
       {""sv, "a"sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv,
        "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv, "\xf0\x90\x80\x80"sv,
        "\xf4\x8f\xbf\xbf"sv, "一二三四五六七八九十"sv, "plain text of more than eight bytes"sv}) {
    EXPECT_TRUE(ValidUtf8(text)) << text;
  }
}

TEST(Utf8, RefusesWhatIsMalformedAnywhere) {
  using namespace std::string_view_literals;
  for (std::string_view bad : {"\x80"sv,
                               "\xbf"sv,
                               "\xc0\x80"sv,
                               "\xc1\xbf"sv,
                               "\xc2"sv,
                               "\xc2\x41"sv,
                               "\xc2\xc2"sv,
                               "\xe0\x9f\xbf"sv,
                               "\xe0\x80\x80"sv,
                               "\xed\xa0\x80"sv,
                               "\xed\xbf\xbf"sv,
                               "\xe4\xb8"sv,
                               "\xe4\xb8\x41"sv,
                               "\xf0\x8f\xbf\xbf"sv,
                               "\xf4\x90\x80\x80"sv,
                               "\xf5\x80\x80\x80"sv,
                               "\xf0\x9f\x98"sv,
                               "\xf8\x88\x80\x80\x80"sv,
                               "\xfe"sv,
                               "\xff"sv}) {
    for (size_t before = 0; before < 10; ++before) {
      const std::string head(before, 'a');
      EXPECT_FALSE(ValidUtf8(head + std::string(bad)));
      EXPECT_FALSE(ValidUtf8(head + std::string(bad) + "abcdefghij"));
    }
  }
}

TEST(Utf8, EveryCodePointAndNoOtherOfItsLength) {
  // All three-byte sequences: valid are those of U+0800 to U+FFFF without the surrogates.
  int valid = 0;
  for (int a = 0xE0; a <= 0xEF; ++a) {
    for (int b = 0; b < 256; ++b) {
      for (int c = 0; c < 256; ++c) {
        const char text[] = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        valid += ValidUtf8({text, 3});
      }
    }
  }
  EXPECT_EQ(valid, 0x10000 - 0x800 - 0x800);
}

TEST(Utf8, AsciiIsWhatHasNoHighBitAnywhere) {
  for (size_t size = 0; size < 20; ++size) {
    std::string text(size, '~');
    EXPECT_TRUE(IsAscii(text));
    for (char& c : text) {
      c = '\x80';
      EXPECT_FALSE(IsAscii(text)) << size;
      c = '\x7f';
    }
  }
}

TEST(CodePoints, AreCountedAndCut) {
  const std::string_view text = "aé中😀z";
  EXPECT_EQ(CodePointCount(text), 5u);
  EXPECT_EQ(CodePointCount(""), 0u);
  EXPECT_EQ(FirstCodePoints(text, 0), "");
  EXPECT_EQ(FirstCodePoints(text, 3), "aé中");
  EXPECT_EQ(FirstCodePoints(text, 5), text);
  EXPECT_EQ(FirstCodePoints(text, 99), text);
  EXPECT_EQ(LastCodePoints(text, 0), "");
  EXPECT_EQ(LastCodePoints(text, 2), "😀z");
  EXPECT_EQ(LastCodePoints(text, 5), text);
  EXPECT_EQ(LastCodePoints(text, 99), text);
  EXPECT_EQ(LastCodePoints("", 3), "");
}

TEST(CodePoints, FirstAndLastMakeTheWhole) {
  const std::string_view pieces[] = {"a", "é", "中", "😀"};
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    const size_t count = random() % 12;
    for (size_t i = 0; i < count; ++i) text += pieces[random() % 4];
    ASSERT_EQ(CodePointCount(text), count);
    const size_t n = random() % (count + 1);
    ASSERT_EQ(std::string(FirstCodePoints(text, n)) + std::string(LastCodePoints(text, count - n)),
              text);
  }
}

TEST(Utf8, BlankIsWhatNobodySees) {
  for (const std::string_view text :
       {"", " ", "\t\r\n", "\u3000", "\u00a0 \u200b", "\ufeff\u2060", "\u2003\u2028\u0085"}) {
    EXPECT_TRUE(IsBlank(text));
  }
  for (const std::string_view text : {"x", " x ", "\u3000中", ".", "\u00a1", "\xe3\x80", "\xff"}) {
    EXPECT_FALSE(IsBlank(text));
  }
}

}  // namespace
}  // namespace sluice::records
