#include "gateway/policy/filter_syntax.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::policy {
namespace {

using records::Op;
using ::testing::HasSubstr;

std::string PositionIn(std::string_view text) {
  const auto parsed = ParseFilter(text);
  if (parsed.ok()) return "none";
  EXPECT_EQ(ReasonOf(parsed.status()), v1::REASON_FILTER_INVALID) << text;
  const auto info = ErrorInfoOf(parsed.status());
  if (!info || !info->metadata().contains("position")) return "no position";
  const std::string position = info->metadata().at("position");
  EXPECT_EQ(BadRequestOf(parsed.status())->field_violations(0).field(), "filter:" + position);
  return position;
}

std::string SignOf(Op op) {
  switch (op) {
    case Op::kEqual:
      return " = ";
    case Op::kNotEqual:
      return " != ";
    case Op::kLess:
      return " < ";
    case Op::kLessOrEqual:
      return " <= ";
    case Op::kGreater:
      return " > ";
    default:
      return " >= ";
  }
}

std::string Printed(const FilterOperand& operand) {
  if (operand.kind == FilterOperand::Kind::kParameter) return "$" + operand.text;
  if (operand.kind != FilterOperand::Kind::kText) return operand.text;
  std::string text = "\"";
  for (const char c : operand.text) {
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text + "\"";
}

// A tree as filter text, each group in parentheses.
std::string Printed(const FilterNode& node) {
  const std::string field(node.field);
  switch (node.op) {
    case Op::kTrue:
      return "";
    case Op::kNot:
      return "NOT (" + Printed(node.children[0]) + ")";
    case Op::kAnd:
    case Op::kOr: {
      std::string text;
      for (const FilterNode& child : node.children) {
        if (!text.empty()) text += node.op == Op::kAnd ? " AND " : " OR ";
        text += "(" + Printed(child) + ")";
      }
      return text;
    }
    case Op::kIsNull:
      return field + " = null";
    case Op::kStartsWith:
      return "starts_with(" + field + ", " + Printed(node.operand) + ")";
    default:
      return field + SignOf(node.op) + Printed(node.operand);
  }
}

bool Same(const FilterNode& a, const FilterNode& b) {
  if (a.op != b.op || a.field != b.field || a.operand.text != b.operand.text ||
      a.operand.kind != b.operand.kind || a.children.size() != b.children.size()) {
    return false;
  }
  for (size_t i = 0; i < a.children.size(); ++i)
    if (!Same(a.children[i], b.children[i])) return false;
  return true;
}

TEST(FilterSyntax, WhatCanBeWritten) {
  const struct {
    const char* text;
    const char* printed;
  } rows[] = {
      {"", ""},
      {" \t\r\n ", ""},
      {"a=1", "a = 1"},
      {"a = -1.5e3", "a = -1.5e3"},
      {"a != 'it\\'s'", "a != \"it's\""},
      {"a = \"say \\\"x\\\" \\\\\"", "a = \"say \\\"x\\\" \\\\\""},
      {"a >= 2026-11-24T02:00:00+08:00", "a >= 2026-11-24T02:00:00+08:00"},
      {"a = null", "a = null"},
      {"a != null", "NOT (a = null)"},
      {"a = true", "a = true"},
      {"a = $b1_", "a = $b1_"},
      {"starts_with ( a , $p )", "starts_with(a, $p)"},
      {"NOT a < 1", "NOT (a < 1)"},
      {"NOT NOT a < 1", "NOT (NOT (a < 1))"},
      {"NOT a < 1 AND b > 2", "(NOT (a < 1)) AND (b > 2)"},
      {"a < 1 AND b <= 2 AND c = 3", "(a < 1) AND (b <= 2) AND (c = 3)"},
      {"a = 1 OR (b = 2 AND c = 3)", "(a = 1) OR ((b = 2) AND (c = 3))"},
      {"((a = \"中文\"))", "a = \"中文\""},
      {"a = \"AND OR NOT ) $x\"", "a = \"AND OR NOT ) $x\""},
  };
  for (const auto& row : rows) {
    const auto parsed = ParseFilter(row.text);
    ASSERT_TRUE(parsed.ok()) << row.text << parsed.status();
    EXPECT_EQ(Printed(*parsed), row.printed);
  }
}

TEST(FilterSyntax, MistakesAreToldWithTheirPositionInCodePoints) {
  const struct {
    const char* text;
    const char* position;
  } rows[] = {
      {"a", "2"},
      {"a =", "4"},
      {"= 1", "1"},
      {"a = 1 AND", "10"},
      {"a = 1 b = 2", "7"},
      {"a = 1 AND b = 2 OR c = 3", "17"},
      {"a = 1 OR b = 2 AND c = 3", "16"},
      {"a = 1 AND b = 2 AND c = 3 OR d = 4", "27"},
      {"(a = 1 AND b = 2 OR c = 3)", "18"},
      {"(a = 1", "1"},
      {"a = 1)", "6"},
      {"()", "2"},
      {"a = \"x", "5"},
      {"a = \"x\\", "5"},
      {"a = \"x\\n\"", "7"},
      {"a = “x”", "5"},
      {"a = \"中文\" b", "10"},
      {"\"中\" = a", "1"},
      {"a = \"😀é\" and b = 1", "10"},
      {"a == 1", "3"},
      {"a <> 1", "3"},
      {"a : 1", "3"},
      {"a = 1 && b = 2", "7"},
      {"a < null", "3"},
      {"a = NULL", "5"},
      {"a = True", "5"},
      {"a = $", "5"},
      {"a = $1", "5"},
      {"a = b", "5"},
      {"a IN (1, 2)", "3"},
      {"a = 1, 2", "6"},
      {"null = 1", "1"},
      {"not a = 1", "1"},
      {"AND a = 1", "1"},
      {"lower(a) = 1", "1"},
      {"starts_with(a)", "14"},
      {"starts_with(a, null)", "16"},
      {"starts_with(1, \"x\")", "13"},
      {"starts_with = 1", "1"},
      {"ａ = 1", "1"},
      {"a = １", "5"},
      {"a\u00a0= 1", "2"},
      {"a = 1; DROP TABLE x", "6"},
      {"a = 1 -- x", "7"},
      {"a = \"\x01\"", "6"},
      {"a = \"\x1b[2J\"", "6"},
      {"a = \"\u0085\"", "6"},
      {"a = \"中\x7f\"", "7"},
  };
  for (const auto& row : rows) EXPECT_EQ(PositionIn(row.text), row.position) << row.text;
}

TEST(FilterSyntax, WhatIsNotUtf8IsRefused) {
  for (const std::string_view text : {"a = \"\xff\"", "a = \"\xc0\x80\"", "a = \"\xed\xa0\x80\"",
                                      "\x80", "a = \"\xf4\x90\x80\x80\"", "a = \"\xe4\xb8\""}) {
    EXPECT_EQ(ReasonOf(ParseFilter(text).status()), v1::REASON_FILTER_INVALID);
  }
  EXPECT_EQ(ReasonOf(ParseFilter(std::string_view("a = \"\0\"", 7)).status()),
            v1::REASON_FILTER_INVALID);
}

TEST(FilterSyntax, TheWholeIsBounded) {
  const auto text_of = [](size_t bytes) {
    return absl::StrCat("a = \"", std::string(bytes - 6, 'x'), "\"");
  };
  EXPECT_TRUE(ParseFilter(text_of(kMaxFilterBytes)).ok());
  EXPECT_EQ(ReasonOf(ParseFilter(text_of(kMaxFilterBytes + 1)).status()),
            v1::REASON_FILTER_INVALID);
  // A megabyte of anything is looked at no further.
  EXPECT_FALSE(ParseFilter(std::string(1 << 20, '(')).ok());

  const auto nested = [](std::string_view open, size_t depth, std::string_view close) {
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += open;
    text += "a = 1";
    for (size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_TRUE(ParseFilter(nested("(", kMaxFilterDepth, ")")).ok());
  EXPECT_FALSE(ParseFilter(nested("(", kMaxFilterDepth + 1, ")")).ok());
  EXPECT_TRUE(ParseFilter(nested("NOT ", kMaxFilterDepth, "")).ok());
  EXPECT_FALSE(ParseFilter(nested("NOT ", kMaxFilterDepth + 1, "")).ok());
  EXPECT_FALSE(ParseFilter(nested("NOT (", kMaxFilterDepth / 2 + 1, ")")).ok());
  EXPECT_FALSE(ParseFilter(nested("(", 2000, ")")).ok());
  EXPECT_FALSE(ParseFilter(nested("NOT ", 1000, "")).ok());

  std::string many = "a=1";
  for (int i = 1; i < kMaxFilterComparisons; ++i) many += " OR a=1";
  EXPECT_TRUE(ParseFilter(many).ok());
  const auto one_more = ParseFilter(many + " OR a=1");
  EXPECT_THAT(std::string(one_more.status().message()), HasSubstr("more than 256 comparisons"));
}

TEST(FilterSyntax, NamesOfParameters) {
  for (const std::string& name :
       {std::string("a"), std::string("_"), std::string("A1_b"), std::string(63, 'x')}) {
    EXPECT_TRUE(IsParameterName(name)) << name;
  }
  for (const std::string& name : {std::string(), std::string("1a"), std::string("a-b"),
                                  std::string("é"), std::string(64, 'x')}) {
    EXPECT_FALSE(IsParameterName(name)) << name;
  }
  EXPECT_FALSE(ParseFilter("a = $" + std::string(64, 'x')).ok());
}

// Texts made of pieces of the grammar, then spoilt: none crashes, each error has its place, and
// what is read is read the same again from its printed form.
TEST(FilterSyntax, MutatedTextsAreReadOrRefusedAndPrintedTextsReadTheSame) {
  std::mt19937_64 random(20261124);
  static constexpr std::string_view kPieces[] = {
      "a",   "born",         "=",          "!=",     "<",    ">=",   "(",       ")",          "AND",
      "OR",  "NOT",          "$p",         "null",   "true", "-1.5", "'x'",     "\"中\\\"\"", ",",
      " ",   "starts_with(", "2026-11-24", "\\",     "\"",   "'",    "😀",       "\xff",       "\t",
      "and", "a = 1",        "b = $q",     "\u0085", "“",    "9e9",  "a = null"};
  constexpr size_t kCount = std::size(kPieces);
  size_t read = 0;
  for (size_t round = 0; round < 60'000; round += kSweepStep) {
    std::string text;
    for (uint64_t n = random() % 12; n > 0; --n) {
      text += kPieces[random() % kCount];
      if (random() % 2 == 0) text += ' ';
    }
    if (round % 3 == 0) {
      // Sound to begin with.
      text = "(a = 1 AND NOT starts_with(b, \"x\\\\\")) OR c != null OR d >= $p";
      for (uint64_t n = random() % 4; n > 0; --n) {
        const size_t at = random() % text.size();
        switch (random() % 4) {
          case 0:
            text.erase(at, 1 + random() % 3);
            break;
          case 1:
            text.insert(at, kPieces[random() % kCount]);
            break;
          case 2:
            text[at] = static_cast<char>(random());
            break;
          default:
            text += text.substr(at);
        }
        if (text.empty()) break;
      }
    }
    const auto parsed = ParseFilter(text);
    if (!parsed.ok()) {
      ASSERT_EQ(ReasonOf(parsed.status()), v1::REASON_FILTER_INVALID);
      continue;
    }
    ++read;
    const std::string printed = Printed(*parsed);
    const auto again = ParseFilter(printed);
    ASSERT_TRUE(again.ok()) << text << "\n" << printed << again.status();
    ASSERT_TRUE(Same(*parsed, *again)) << text << "\n" << printed;
    ASSERT_EQ(Printed(*again), printed);
  }
  EXPECT_GT(read, 5000 / kSweepStep);
}

}  // namespace
}  // namespace sluice::policy
