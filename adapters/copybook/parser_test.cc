#include "adapters/copybook/parser.h"

#include "absl/strings/str_cat.h"
#include "adapters/copybook/copybook_file.h"
#include "adapters/copybook/picture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::copybook {
namespace {

using testing::HasSubstr;

std::shared_ptr<const Shape> ShapeOf(const std::string& text, bool variable = true,
                                     ReferenceFormat format = ReferenceFormat::kFree) {
  ShapeOptions options;
  options.page = *files::CodePage::Of("cp037");
  options.variable = variable;
  const auto copybook = ReadCopybooks({text}, format, options);
  EXPECT_TRUE(copybook.ok()) << copybook.status() << "\n" << text;
  return copybook.ok() ? (*copybook)->shape : nullptr;
}

std::string MistakeIn(const std::string& text, ReferenceFormat format = ReferenceFormat::kFree) {
  ShapeOptions options;
  options.page = *files::CodePage::Of("cp037");
  const auto copybook = ReadCopybooks({text}, format, options);
  return copybook.ok() ? "" : std::string(copybook.status().message());
}

TEST(PictureTest, SaysSizeDigitsAndScale) {
  struct Case {
    const char* picture;
    Picture::Kind kind;
    int64_t size;
    int digits, scale;
    bool is_signed;
  };
  using K = Picture::Kind;
  for (const Case& one : std::initializer_list<Case>{{"X", K::kText, 1, 0, 0, false},
                                                     {"X(10)", K::kText, 10, 0, 0, false},
                                                     {"A(3)X(2)", K::kText, 5, 0, 0, false},
                                                     {"XX9", K::kText, 3, 0, 0, false},
                                                     {"N(4)", K::kNational, 4, 0, 0, false},
                                                     {"G(4)", K::kDbcs, 4, 0, 0, false},
                                                     {"9", K::kNumber, 1, 1, 0, false},
                                                     {"s9(7)v99", K::kNumber, 9, 9, 2, true},
                                                     {"99V9(3)", K::kNumber, 5, 5, 3, false},
                                                     {"SV9(7)", K::kNumber, 7, 7, 7, true},
                                                     {"PPP9(5)", K::kNumber, 5, 5, 8, false},
                                                     {"SPP99999", K::kNumber, 5, 5, 7, true},
                                                     {"9(5)PPP", K::kNumber, 5, 5, -3, false},
                                                     {"S9(3).99", K::kNumber, 6, 5, 2, true},
                                                     {"9(38)", K::kNumber, 38, 38, 0, false},
                                                     {"9(8).9(2)", K::kEdited, 11, 10, 2, false},
                                                     {"Z,ZZ9.99-", K::kEdited, 9, 6, 2, true},
                                                     {"Z(6)VZZ-", K::kEdited, 9, 8, 2, true},
                                                     {"$$$,$$9.99CR", K::kEdited, 12, 7, 2, true},
                                                     {"+9(8)", K::kEdited, 9, 8, 0, true}}) {
    const auto picture = ParsePicture(one.picture);
    ASSERT_TRUE(picture.ok()) << one.picture << picture.status();
    EXPECT_EQ(picture->kind, one.kind) << one.picture;
    EXPECT_EQ(picture->size, one.size) << one.picture;
    EXPECT_EQ(picture->digits, one.digits) << one.picture;
    EXPECT_EQ(picture->scale, one.scale) << one.picture;
    EXPECT_EQ(picture->is_signed, one.is_signed) << one.picture;
  }
  for (const char* wrong : {"", "S", "V", "P", "SX", "9(", "9()", "9(0)", "9(-1)", "9(39)", "9V9V9",
                            "P9P", "Q", "SS9", "9S", "X(999999999)", "9(99999999999999999999)"})
    EXPECT_FALSE(ParsePicture(wrong).ok()) << wrong;
}

TEST(PictureTest, TypesHoldEveryNumber) {
  EXPECT_EQ(records::ToString(*NumberType(18, 0)), "int64");
  EXPECT_EQ(records::ToString(*NumberType(19, 0)), "decimal128(19,0)");
  EXPECT_EQ(records::ToString(*NumberType(9, 2)), "decimal128(9,2)");
  EXPECT_EQ(records::ToString(*NumberType(5, 8)), "decimal128(8,8)");
  EXPECT_EQ(records::ToString(*NumberType(5, -3)), "int64");
  EXPECT_EQ(records::ToString(*NumberType(38, 0)), "decimal128(38,0)");
}

TEST(ScannerTest, FixedFormatIsColumnsEightToSeventyTwo) {
  const auto shape = ShapeOf(
      "000100* a comment 01 X PIC X.\n"
      "000200/ another\r\n"
      "000300 01  R.                                                           COPY0001\r\n"
      "000400D    05  DEBUG-ONLY PIC X.\n"
      "      *    05  NOT-THIS PIC X.\n"
      "           05  A      PIC\n"
      "\t\t\t         S9(3)\n"
      "               VALUE 'it''s a very long literal that goes on over the end of\n"
      "      -    'the line'.\n"
      "      01  SECOND.\n"
      "           05  LONG-NA\n"
      "      -        ME PIC X(2). *> the end\n"
      "           EJECT\n",
      true, ReferenceFormat::kFixed);
  ASSERT_EQ(shape->leaves().size(), 2u);
  EXPECT_EQ(shape->leaves()[0].item->name, "A");
  EXPECT_EQ(shape->leaves()[1].item->name, "LONG-NAME");
  EXPECT_EQ(shape->most(), 3) << "a second record lies over the first";
}

TEST(ParserTest, EveryClauseIsTakenOrDocumentation) {
  const auto shape = ShapeOf(
      "01 R EXTERNAL.\n"
      " 05 A PICTURE IS X(4) JUSTIFIED RIGHT VALUE IS SPACES.\n"
      "  88 IS-ONE VALUE 'ONE' 'TWO', 'THREE'.\n"
      "  88 IN-RANGE VALUES ARE 1 THRU 5 9.\n"
      " 05 B USAGE IS COMP-3 PIC S9(5)V99 BLANK WHEN ZERO.\n"
      " 05 PIC X.\n"
      " 05 FILLER PIC X(2) VALUE LOW-VALUES.\n"
      " 05 T OCCURS 3 TIMES ASCENDING KEY IS K1 K2 INDEXED BY I J.\n"
      "  10 K1 PIC 9(2) COMP VALUE 1.\n"
      "  10 K2 PIC 9.\n"
      " 05 G COMP.\n"
      "  10 H PIC 9(9).\n"
      "  10 I2 PIC 9(10) COMP-3.\n"
      " 05 S SIGN IS LEADING SEPARATE CHARACTER.\n"
      "  10 S1 PIC S99.\n"
      "  10 S2 PIC 99.\n"
      "  10 S3 PIC S99 SIGN TRAILING.\n"
      "77 LONELY PIC X.\n");
  std::string sizes;
  for (const Leaf& leaf : shape->leaves())
    absl::StrAppend(&sizes, leaf.item->name, ":", leaf.size, leaf.tables.empty() ? "" : "t", " ");
  EXPECT_EQ(sizes, "A:4 B:4 FILLER:1 FILLER:2 K1:2t K2:1t H:4 I2:6 S1:3 S2:2 S3:2 LONELY:1 ");
  EXPECT_EQ(shape->most(), 4 + 4 + 1 + 2 + 3 * 3 + 10 + 7);
  EXPECT_EQ(shape->leaves()[1].item->Type(), "PIC S9(5)V99 COMP-3");
  EXPECT_EQ(shape->leaves()[8].item->Type(), "PIC S99 SIGN LEADING SEPARATE");
}

TEST(ParserTest, BinarySizesFollowTheirDigits) {
  const std::pair<int, int> sizes[] = {{1, 2}, {4, 2}, {5, 4}, {9, 4}, {10, 8}, {18, 8}, {37, 16}};
  for (const auto& [digits, bytes] : sizes)
    EXPECT_EQ(ShapeOf(absl::StrCat("01 A PIC S9(", digits, ") BINARY."))->most(), bytes) << digits;
}

TEST(ParserTest, WhatRedefinesBeginsWhereTheOtherDoes) {
  const auto shape = ShapeOf(
      "01 R.\n 05 A PIC X(5).\n 05 B REDEFINES A PIC X(8).\n 05 C REDEFINES A.\n"
      "  10 C1 PIC X.\n  10 C2 REDEFINES C1 PIC 9.\n 05 D PIC X(2).\n 05 E REDEFINES D PIC X.\n");
  EXPECT_EQ(shape->most(), 10);
  EXPECT_EQ(shape->least(), 9) << "the last may be the shorter one";
}

TEST(ParserTest, TablesThatDependOnACountAreAsLongAsItSays) {
  const std::string text =
      "01 R.\n 05 N PIC 9.\n 05 T OCCURS 1 TO 4 DEPENDING ON N OF R.\n  10 A PIC X(3).\n"
      " 05 Z PIC X.\n";
  EXPECT_EQ(ShapeOf(text)->least(), 2);
  EXPECT_EQ(ShapeOf(text)->most(), 14);
  EXPECT_TRUE(ShapeOf(text)->moves());
  EXPECT_EQ(ShapeOf(text, false)->least(), 14);
  EXPECT_FALSE(ShapeOf(text, false)->moves());
}

TEST(ParserTest, MistakesNameTheLineAndWhatToDo) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"", "copybook_format"},
      {"05 A PIC X\n05 B PIC X.", "line 2: '05' is no clause"},
      {"01 A PIC X.\nB PIC X.", "line 2: an item begins with its level number"},
      {"01 A PIC X", "line 1: a period is missing"},
      {"01 A.", "line 1: 'A' has neither a PIC nor items"},
      {"01 A PIC X.\n 05 B PIC X.", "line 2: lies in 'A' (line 1), which has a PIC"},
      {"01 A PIC 9(39).", "over 38 digits"},
      {"01 A PIC X COMP-3.", "does not go with its usage"},
      {"01 A PIC 9 COMP-1.", "COMP-1 and COMP-2 have no PIC"},
      {"01 A PIC S9 COMP-6.", "COMP-6 has no sign"},
      {"01 A PIC 9 SYNC.", "SYNC is not read: leave it out"},
      {"01 A PIC 9 USAGE POINTER.", "POINTER is not read"},
      {"01 A PIC 9 USAGE ODD.", "USAGE ODD is not known"},
      {"01 A PIC X.\n66 B RENAMES A.", "line 2: level 66 (RENAMES) is not read"},
      {"01 A.\nCOPY OTHER.", "line 2: COPY is not read: put the text"},
      {"50 A PIC X.", "a level is a number from 01 to 49"},
      {"01 A.\n 05 B PIC X.\n 05 C REDEFINES D PIC X.", "line 3: REDEFINES D names no item"},
      {"01 A.\n 05 B PIC X OCCURS 0 TIMES.", "line 2: OCCURS needs a number above 0"},
      {"01 A.\n 05 B PIC X OCCURS 1 TO 3.", "line 2: OCCURS … TO needs DEPENDING ON"},
      {"01 A.\n 05 B PIC X OCCURS 1 TO 3 DEPENDING ON N.\n 05 N PIC 9.", "names no item before"},
      {"01 A.\n 05 N PIC 9V9.\n 05 B PIC X OCCURS 3 DEPENDING ON N.", "names no whole number"},
      {"01 A PIC X VALUE 'abc.", "line 1: a literal is never closed"},
      {"01 A.\n 05 B OCCURS 10000.\n  10 C OCCURS 10000.\n   15 D PIC X.", "elements in a record"},
      {"01 A PIC X(99999999) OCCURS 1000.", "over 1 GiB"},
      {"01 A PIC 9 BLANK ZEBRA.", "BLANK needs WHEN ZERO"},
      {"01 A PIC", "PIC is followed by nothing"},
      {"01 \xC3 PIC X.", "not UTF-8"},
  };
  for (const auto& [text, words] : mistakes) EXPECT_THAT(MistakeIn(text), HasSubstr(words)) << text;
  EXPECT_THAT(MistakeIn("01 R.\n   05 NAME PIC X.\n", ReferenceFormat::kFixed),
              HasSubstr("copybook_format"));
  std::string deep;
  for (int level = 1; level < 50; ++level) absl::StrAppend(&deep, level, " G", level, ".\n");
  EXPECT_THAT(MistakeIn(deep), HasSubstr("'G49' has neither"));
}

TEST(ParserTest, NamesThatAreSharedAreToldApartByTheirGroups) {
  const auto shape =
      ShapeOf("01 R.\n 05 A.\n  10 X PIC X.\n 05 B.\n  10 X PIC X.\n  10 Y PIC X.\n");
  EXPECT_EQ(*shape->FindLeaf("a.x"), 0);
  EXPECT_EQ(*shape->FindLeaf("R.B.X"), 1);
  EXPECT_EQ(*shape->FindLeaf("Y"), 2);
  EXPECT_FALSE(shape->FindLeaf("X").ok());
  EXPECT_FALSE(shape->FindLeaf("A.Y").ok());
  EXPECT_FALSE(shape->FindLeaf("").ok());
}

}  // namespace
}  // namespace sluice::adapters::copybook
