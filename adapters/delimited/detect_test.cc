// What is proposed for files as they come, and what is left alone.
#include "adapters/delimited/detect.h"

#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::delimited {
namespace {

using files::Encoded;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

// "setting: value" of each.
std::vector<std::string> Found(const std::string& sample, const DelimitedSettings& current = {},
                               bool whole = true) {
  std::vector<std::string> found;
  for (const Proposal& proposal : Detect(sample, whole, current))
    found.push_back(absl::StrCat(proposal.setting, ": ", proposal.value));
  return found;
}

TEST(DetectTest, WhatFitsAsItIsNeedsNothing) {
  EXPECT_THAT(Found("name,place\nAnna,Uppsala\nLi,Hangzhou\n"), IsEmpty());
  EXPECT_THAT(Found("名称,地点\n张三,杭州\n"), IsEmpty());
  EXPECT_THAT(Found(""), IsEmpty());
}

TEST(DetectTest, EncodingsAreToldApart) {
  std::string text = "编号,姓名,住址\n";
  for (int i = 0; i < 50; ++i)
    text +=
        "甲,张三丰,浙江省杭州市西湖区文三路四百七十八号\n乙,李四光,"
        "北京市海淀区中关村大街二十七号\n";
  EXPECT_THAT(Found(Encoded(text, files::Encoding::kGb18030)), Contains("encoding: gb18030"));
  EXPECT_THAT(Found(Encoded(text, files::Encoding::kUtf16Le)), Contains("encoding: utf-16le"));
  const std::string western = "nom;ville\nRené;Orléans\nZoë;Besançon\nFrançois;Nîmes\n";
  EXPECT_THAT(Found(Encoded(western, files::Encoding::kLatin1)),
              IsSupersetOf({"encoding: latin-1", "separator: semicolon"}));
  EXPECT_THAT(Found("\xEF\xBB\xBFname,place\nAnna,Uppsala\n"), IsEmpty());
  EXPECT_THAT(Found("\xFF\xFE" + Encoded("n,p\na,b\n", files::Encoding::kUtf16Le)),
              ElementsAre("encoding: utf-16le"));
  // A cut through a character is the sample's end and nothing else.
  EXPECT_THAT(Found("名称,地点\n张三,杭\xE5", {}, false), IsEmpty());
}

TEST(DetectTest, SeparatorsQuotesAndLineEnds) {
  EXPECT_THAT(Found("a;b;c\nx;y, z;w\nx;\"y;z\";w\n"), ElementsAre("separator: semicolon"));
  EXPECT_THAT(Found("a\tb\nx\ty\n"), ElementsAre("separator: tab"));
  EXPECT_THAT(Found("a|b\nx|y\n"), ElementsAre("separator: bar"));
  EXPECT_THAT(Found("a,b\nx,'y,z'\nx,'q'\n"), ElementsAre("quote: single"));
  EXPECT_THAT(Found("a,b\nx,\"say \\\"y\\\", z\"\nx,y\n"), ElementsAre("escape: backslash"));
  EXPECT_THAT(Found("a,b\nx,5\" pipe\nx,y\n"), ElementsAre("stray_quotes: keep"));
  EXPECT_THAT(Found("a,b\rx,y\r"), ElementsAre("line_ends: cr"));
  EXPECT_THAT(Found("a,b\nx,y"), ElementsAre("last_line_end: optional"));
  EXPECT_THAT(Found("a,b\n\nx,y\n"), ElementsAre("blank_lines: skip"));
  EXPECT_THAT(Found("a,b,\nx,y,\nz,w,\n"), Contains("trailing_separator: drop"));
  EXPECT_THAT(Found("Report of the office\n\na,b\nx,y\nz,w\n"), Contains("skip_lines: 2"));
}

TEST(DetectTest, HeadersAndTypes) {
  EXPECT_THAT(Found("id,fee,born,seen,ok\n1,2.50,1990-01-02,2026-01-02T10:00:00Z,true\n"
                    "2,13.00,1991-03-04,2026-01-03T10:00:00Z,false\n"),
              ElementsAre("field id: int64", "field fee: decimal128(6,2)", "field born: date32",
                          "field seen: timestamp(utc)", "field ok: bool"));
  EXPECT_THAT(Found("id;fee;born\n1;2,50;31.12.1990\n2;-3,00;01.02.1991\n"),
              ElementsAre("separator: semicolon", "field id: int64", "field fee: decimal128(5,2)",
                          "decimal_point.fee: comma", "field born: date32",
                          "date_format.born: dd.MM.yyyy"));
  EXPECT_THAT(Found("1,20260130\n2,20260131\n"),
              IsSupersetOf({"header: no", "field column1: int64", "field column2: date32",
                            "date_format.column2: yyyyMMdd"}));
  EXPECT_THAT(Found("code,account,card\n007,1,440304199001011234\n010,2,440304199001011235\n"),
              ElementsAre("field account: int64"));
  EXPECT_THAT(Found("n\n1\nNULL\n3\n"), ElementsAre("field n: int64", "null_words: NULL"));
  EXPECT_THAT(Found("day,n\n01/02/2020,1\n03/04/2021,2\n"),
              Contains("date_format.day: dd/MM/yyyy"));
}

TEST(DetectTest, NoReasonHasAValueOfTheFile) {
  for (const std::string& sentence :
       Sentences(Detect("id,name\n4711,Secretive\n4712,Person\n", true, {}))) {
    EXPECT_THAT(sentence, Not(testing::HasSubstr("471")));
    EXPECT_THAT(sentence, Not(testing::HasSubstr("Secretive")));
  }
}

TEST(DetectTest, AnyBytesGiveAnAnswer) {
  std::string noise;
  uint32_t x = 1;
  for (int i = 0; i < 20'000; ++i)
    noise += static_cast<char>((x = x * 1'664'525 + 1'013'904'223) >> 24);
  Found(noise);
  Found(noise, {}, false);
  Found(std::string(10'000, '"'));
  Found(std::string(10'000, '\0'));
  Found(std::string(5'000, ',') + "\n");
}

}  // namespace
}  // namespace sluice::adapters::delimited
