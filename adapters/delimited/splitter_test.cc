#include "adapters/delimited/splitter.h"

#include <random>
#include <string>

#include "adapters/files/files_testing.h"
#include "gtest/gtest.h"

namespace sluice::adapters::delimited {
namespace {

using Rows = std::vector<std::vector<std::string>>;

struct Outcome {
  Rows rows;  // raw fields
  std::string mistake;
  int64_t line = 0;  // of the mistake, or behind the last row
  size_t field = 0;
  bool operator==(const Outcome&) const = default;
};

// All rows of the text, which comes in pieces of that many bytes.
Outcome SplitAll(const std::string& text, const Dialect& dialect, size_t piece = 1 << 20) {
  Outcome outcome;
  outcome.line = 1;
  Splitter splitter(dialect);
  size_t begin = 0;
  for (;;) {
    splitter.Begin();
    size_t there = std::min(begin + piece, text.size());
    Splitter::Result result = Splitter::Result::kMore;
    for (;; there = std::min(there + piece, text.size())) {
      const std::string_view bytes = std::string_view(text).substr(begin, there - begin);
      result = splitter.Split(bytes, there == text.size());
      if (result != Splitter::Result::kMore) break;
    }
    if (result == Splitter::Result::kEnd) return outcome;
    if (result == Splitter::Result::kBad) {
      outcome.mistake = splitter.mistake();
      outcome.field = splitter.mistake_field();
      return outcome;
    }
    auto& row = outcome.rows.emplace_back();
    for (const FieldSpan& field : splitter.fields())
      row.push_back(text.substr(begin + field.begin, field.end - field.begin));
    outcome.line += splitter.line_ends();
    begin += splitter.size();
  }
}

Rows Split(const std::string& text, const Dialect& dialect = {}) {
  const Outcome outcome = SplitAll(text, dialect);
  EXPECT_EQ(outcome.mistake, "") << text;
  return outcome.rows;
}

std::string MistakeIn(const std::string& text, const Dialect& dialect = {}) {
  return SplitAll(text, dialect).mistake;
}

TEST(SplitterTest, CutsRowsAndFields) {
  EXPECT_EQ(Split("a,b\r\n1,\r\n,\r\n"), (Rows{{"a", "b"}, {"1", ""}, {"", ""}}));
  EXPECT_EQ(Split("a\nb\n"), (Rows{{"a"}, {"b"}}));
  EXPECT_EQ(Split(""), Rows{});
  EXPECT_EQ(Split("\n"), (Rows{{""}}));
}

TEST(SplitterTest, QuotesKeepSeparatorsLineEndsAndThemselves) {
  EXPECT_EQ(Split("\"a,b\",\"c\r\nd\",\"e\"\"f\"\n"), (Rows{{"a,b", "c\r\nd", "e\"\"f"}}));
  EXPECT_EQ(Split("\"\",\"\"\"\"\n"), (Rows{{"", "\"\""}}));
}

TEST(SplitterTest, StrictDefaultsRefuseWhatIsAmbiguous) {
  EXPECT_EQ(MistakeIn("a,5\" pipe\n"), "holds a quote but does not begin with one");
  EXPECT_EQ(MistakeIn("\"a\"b\n"), "holds text behind its closing quote");
  EXPECT_EQ(MistakeIn("\"a\" ,b\n"), "holds text behind its closing quote");
  EXPECT_EQ(MistakeIn("a,\"b\n"), "is quoted and never closed");
  EXPECT_EQ(MistakeIn("a,b"), "ends without a line end, as if the file were cut short");
  EXPECT_EQ(MistakeIn("a,"), "ends without a line end, as if the file were cut short");
  EXPECT_EQ(MistakeIn("a\rb\n"), "holds a line end of another kind outside of quotes");
  EXPECT_EQ(MistakeIn(std::string("a\0b\n", 4)), "holds a NUL outside of quotes");
}

TEST(SplitterTest, AMistakeNamesTheFieldAndTheLineOfItsRow) {
  const Outcome outcome = SplitAll("a,b\n\"x\ny\",2\n3,x\"\n", {});
  EXPECT_EQ(outcome.line, 4);
  EXPECT_EQ(outcome.field, 1u);
}

TEST(SplitterTest, LineEndsAreTheDialects) {
  Dialect dialect;
  dialect.line_ends = LineEnds::kCr;
  EXPECT_EQ(Split("a\rb\r", dialect), (Rows{{"a"}, {"b"}}));
  EXPECT_NE(MistakeIn("a\nb\r", dialect), "");
  dialect.line_ends = LineEnds::kAny;
  EXPECT_EQ(Split("a\rb\nc\r\nd\r", dialect), (Rows{{"a"}, {"b"}, {"c"}, {"d"}}));
  dialect.line_ends = LineEnds::kLf;
  EXPECT_NE(MistakeIn("a\r\n", dialect), "");
  dialect.line_ends = LineEnds::kCrLf;
  EXPECT_NE(MistakeIn("a\n", dialect), "");
  EXPECT_EQ(Split("a\r\n", dialect), (Rows{{"a"}}));
}

TEST(SplitterTest, WhatTheDialectAllowsIsTaken) {
  Dialect dialect;
  dialect.needs_last_line_end = false;
  EXPECT_EQ(Split("a,b\n1,", dialect), (Rows{{"a", "b"}, {"1", ""}}));
  EXPECT_EQ(Split("a,\"b\"", dialect), (Rows{{"a", "b"}}));
  EXPECT_EQ(MistakeIn("a,\"b", dialect), "is quoted and never closed");
  dialect.stray_quotes = true;
  EXPECT_EQ(Split("5\" pipe,\"x\"", dialect), (Rows{{"5\" pipe", "x"}}));
  dialect.quoted_line_ends = false;
  EXPECT_EQ(MistakeIn("\"a\nb\"", dialect), "is quoted and not closed at the line's end");
  dialect.quote.reset();
  EXPECT_EQ(Split("\"a\",b\"", dialect), (Rows{{"\"a\"", "b\""}}));
}

TEST(SplitterTest, BackslashesTakeTheNextCharacterAsItIs) {
  Dialect dialect;
  dialect.backslash = true;
  EXPECT_EQ(Split("a\\,b,\"c\\\"d\"\n", dialect), (Rows{{"a\\,b", "c\\\"d"}}));
  EXPECT_EQ(Split("\"\\\\\"\n", dialect), (Rows{{"\\\\"}}));
  EXPECT_EQ(Split("a\\\nb\n", dialect), (Rows{{"a\\\nb"}}));
  EXPECT_EQ(MistakeIn("a\\", dialect), "ends in a backslash, and so does the file");
}

TEST(SplitterTest, SecondBytesOfCharactersSeparateNothing) {
  for (const Encoding encoding : {Encoding::kGbk, Encoding::kGb18030}) {
    Dialect dialect;
    dialect.encoding = encoding;
    dialect.separator = '|';
    dialect.backslash = true;
    // Second bytes 7C and 5C.
    const std::string text = "\x81\x7C|\x81\x5C|x\n";
    EXPECT_EQ(Split(text, dialect), (Rows{{"\x81\x7C", "\x81\x5C", "x"}}));
  }
}

TEST(SplitterTest, ALeadByteWithoutASecondSwallowsNoSeparator) {
  Dialect dialect;
  dialect.encoding = Encoding::kGb18030;
  EXPECT_EQ(Split("\x81,b\n", dialect), (Rows{{"\x81", "b"}}));
  EXPECT_EQ(Split("\x81\x30,b\n", dialect), (Rows{{"\x81\x30", "b"}}));
  EXPECT_EQ(Split("\x81\x30\x81\x30,b\n", dialect), (Rows{{"\x81\x30\x81\x30", "b"}}));
}

TEST(SplitterTest, Utf16IsCutInUnits) {
  Dialect dialect;
  dialect.encoding = Encoding::kUtf16Le;
  // U+2C0A holds the bytes of a line feed and a comma.
  const std::string text = Encoded("a\u2C0A,\"b,\"\"c\"\r\n", Encoding::kUtf16Le);
  const Rows rows = Split(text, dialect);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0][0], Encoded("a\u2C0A", Encoding::kUtf16Le));
  EXPECT_EQ(rows[0][1], Encoded("b,\"\"c", Encoding::kUtf16Le));
}

TEST(SplitterTest, ARowOfMoreFieldsThanAnyTableIsCutShort) {
  const Outcome outcome = SplitAll(std::string(1'000'000, ',') + "\n", {}, 4'096);
  ASSERT_FALSE(outcome.rows.empty());
  EXPECT_EQ(outcome.rows[0].size(), kMostColumns + 1);
}

// However the bytes come in pieces, the rows are the same. Seeded, so that a failure comes again.
TEST(SplitterTest, MutatedTextIsCutTheSameInPiecesOfAnySize) {
  std::mt19937 random(20'261'126);
  const std::string alphabet("ab\",;\\\r\n\0\x81\x30\xFE\xFF ", 13);
  for (int i = 0; i < 4'000; ++i) {
    Dialect dialect;
    dialect.encoding = static_cast<Encoding>(random() % 7);
    dialect.backslash = random() % 2 == 0;
    dialect.stray_quotes = random() % 2 == 0;
    dialect.line_ends = static_cast<LineEnds>(random() % 5);
    dialect.needs_last_line_end = random() % 2 == 0;
    dialect.quoted_line_ends = random() % 4 != 0;
    std::string text;
    for (size_t n = random() % 60; text.size() < n;) text += alphabet[random() % alphabet.size()];
    const Outcome whole = SplitAll(text, dialect);
    size_t bytes = 0;
    for (const auto& row : whole.rows)
      for (const std::string& field : row) bytes += field.size();
    ASSERT_LE(bytes, text.size());
    for (const size_t piece : {1, 2, 3, 7})
      ASSERT_EQ(SplitAll(text, dialect, piece), whole) << i << " in pieces of " << piece;
  }
}

}  // namespace
}  // namespace sluice::adapters::delimited
