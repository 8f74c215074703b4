#include "gateway/base/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> ErrorsOf(std::string_view text) {
  return YamlDocument::Parse(text, "f.yaml").errors();
}

// yaml-cpp alone reads empty documents there for ever.
TEST(Yaml, ABracketThatClosesNothingIsAMistake) {
  EXPECT_THAT(ErrorsOf("{,2]\nb: *a\n? {x: 1}\n: - "), ElementsAre(HasSubstr("f.yaml:1: no YAML")));
  EXPECT_THAT(ErrorsOf("a: 1\n]\n"), ElementsAre(HasSubstr("no YAML")));
  EXPECT_EQ(YamlDocument::ParseAll("---\n---\n\na: 1\n---\nb: 2\n", "f.yaml").size(), 2u);
}

TEST(Yaml, ReadsEveryKindOfValue) {
  const auto document = YamlDocument::Parse(
      "listen: gw1:8443\nport: 8443\non: true\nwait: 90d\nsize: 8MiB\n"
      "tags: [a, \"b\", 3]\nlimits:\n  queue: 7\n",
      "f.yaml");
  YamlMap map = document.root().AsMap();
  EXPECT_EQ(map.Required("listen").AsString(), "gw1:8443");
  EXPECT_EQ(map.Required("port").AsInt(0, 1, 65535), 8443);
  EXPECT_TRUE(map.Required("on").AsBool(false));
  EXPECT_EQ(map.Required("wait").AsDuration(0, 0, 100 * kDay), 90 * kDay);
  EXPECT_EQ(map.Required("size").AsBytes(0, 0, 1 << 30), 8 << 20);
  EXPECT_THAT(map.Required("tags").AsStrings(), ElementsAre("a", "b", "3"));
  EXPECT_EQ(map.Required("limits").AsMap().Required("queue").AsInt(0, 0, 9), 7);
  EXPECT_EQ(map.Optional("absent").AsInt(42, 0, 99), 42);
  map.RefuseOthers();
  EXPECT_THAT(document.errors(), IsEmpty());
  EXPECT_TRUE(document.status().ok());
  EXPECT_THAT(map.keys(), ElementsAre("listen", "port", "on", "wait", "size", "tags", "limits"));
}

TEST(Yaml, TellsAllMistakesAtOnceWithLineAndPathInTheOrderOfTheFile) {
  const auto document = YamlDocument::Parse(
      "port: 70000\nlimits:\n  queue: many\n  qeue: 3\nflag: yes\nfields:\n  - mask: [x]\n",
      "f.yaml");
  YamlMap map = document.root().AsMap();
  for (const YamlNode& field : map.Required("fields").AsList()) {
    YamlMap inner = field.AsMap();
    inner.Required("mask").AsString();
    inner.Required("name").AsString();
  }
  EXPECT_EQ(map.Required("flag").AsBool(true), true);
  YamlMap limits = map.Required("limits").AsMap();
  EXPECT_EQ(limits.Required("queue").AsInt(5, 0, 9), 5);
  limits.RefuseOthers();
  EXPECT_EQ(map.Required("port").AsInt(1, 1, 65535), 1);
  EXPECT_THAT(document.errors(),
              ElementsAre("f.yaml:1: port: must be a whole number from 1 to 65535, is 70000",
                          "f.yaml:3: limits.queue: must be a whole number from 0 to 9, is many",
                          "f.yaml:4: limits.qeue: unknown key; did you mean queue?",
                          "f.yaml:5: flag: must be true or false, is yes",
                          "f.yaml:7: fields[0].mask: must be text, is a list",
                          "f.yaml:7: fields[0].name: missing"));
  EXPECT_EQ(document.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Yaml, AMistakeIsNotedOnce) {
  const auto document = YamlDocument::Parse("port: x\n", "f.yaml");
  YamlMap map = document.root().AsMap();
  map.Required("port").AsInt(1, 1, 2);
  map.Required("port").AsInt(1, 1, 2);
  EXPECT_EQ(document.errors().size(), 1u);
}

TEST(Yaml, NothingIsRequiredBelowAnAbsentSection) {
  const auto document = YamlDocument::Parse("a: 1\n", "f.yaml");
  YamlMap map = document.root().AsMap();
  YamlMap absent = map.Optional("section").AsMap();
  absent.Required("key").AsString();
  absent.RefuseOthers();
  EXPECT_THAT(document.errors(), IsEmpty());
  map.Required("other").AsMap().Required("key").AsString();
  EXPECT_THAT(document.errors(), ElementsAre("f.yaml:1: other: missing"));
}

TEST(Yaml, FarFromAnyKeyTheKnownOnesAreListed) {
  const auto document = YamlDocument::Parse("zebra: 1\n", "f.yaml");
  YamlMap map = document.root().AsMap();
  map.Optional("listen");
  map.Optional("limits");
  map.RefuseOthers();
  EXPECT_THAT(document.errors(),
              ElementsAre("f.yaml:1: zebra: unknown key; known here: listen, limits"));
}

TEST(Yaml, DuplicateKeysAreMistakesAtAnyDepth) {
  EXPECT_THAT(ErrorsOf("a: 1\nb: 2\na: 3\n"),
              ElementsAre("f.yaml:3: a: stands here twice, first at line 1"));
  EXPECT_THAT(ErrorsOf("x:\n  - y: 1\n  - k: 1\n    \"k\": 2\n"),
              ElementsAre("f.yaml:4: x[1].k: stands here twice, first at line 3"));
}

TEST(Yaml, QuotedTextIsNoNumber) {
  const auto document = YamlDocument::Parse("port: \"8443\"\nname: \"12\"\n", "f.yaml");
  YamlMap map = document.root().AsMap();
  EXPECT_EQ(map.Required("port").AsInt(1, 1, 65535), 1);
  EXPECT_EQ(map.Required("name").AsString(), "12");
  EXPECT_THAT(document.errors(), ElementsAre(HasSubstr("is text in quotes")));
}

TEST(Yaml, EmptyValuesAndEmptyFilesAreMistakes) {
  const auto document = YamlDocument::Parse("a: 1\nb:\n", "f.yaml");
  document.root().AsMap().Required("b").AsString();
  EXPECT_THAT(document.errors(), ElementsAre("f.yaml:2: b: must be text, is empty"));
  EXPECT_THAT(ErrorsOf(""), ElementsAre("f.yaml:1: is empty"));
  EXPECT_THAT(ErrorsOf("# only words\n"), ElementsAre("f.yaml:1: is empty"));
}

TEST(Yaml, RefusesAnchorsAliasesTagsAndOddKeys) {
  EXPECT_THAT(ErrorsOf("a: &x 1\nb: *x\n"),
              ElementsAre(HasSubstr("f.yaml:1: anchors and aliases")));
  EXPECT_THAT(ErrorsOf("a: !!binary aGk=\n"), ElementsAre(HasSubstr("tags")));
  EXPECT_THAT(ErrorsOf("? [a, b]\n: 1\n"), ElementsAre(HasSubstr("a key must be one word")));
  // What stands twice in there has no path that could be told.
  EXPECT_THAT(ErrorsOf("{{a: 1, a: 2}: x}\n"), ElementsAre(HasSubstr("a key must be one word")));
  EXPECT_THAT(ErrorsOf("? [{a: 1, a: 2}]\n: x\n"), ElementsAre(HasSubstr("one word")));
  EXPECT_THAT(ErrorsOf(std::string(200, '[') + std::string(200, ']')),
              ElementsAre(HasSubstr("more than 64 levels")));
}

TEST(Yaml, BillionLaughsEndAtOnce) {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + last + ", *a" + last +
            "]\n";
  }
  EXPECT_THAT(ErrorsOf(bomb), ElementsAre(HasSubstr("anchors and aliases")));
}

TEST(Yaml, AHostileFileCostsNoMoreThanItWeighs) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "k" + std::to_string(i % 150'000) + ": 1\n";
  const auto document = YamlDocument::Parse(text, "f.yaml");
  YamlMap map = document.root().AsMap();
  map.Optional("listen");
  map.RefuseOthers();
  EXPECT_EQ(document.errors().size(), 101u);
  EXPECT_THAT(document.errors().back(), HasSubstr("there may be more"));
}

TEST(Yaml, SyntaxErrorsSayWhere) {
  EXPECT_THAT(ErrorsOf("a: 1\nb: [1, 2\nc: 3\n"), ElementsAre(HasSubstr("no YAML: ")));
  EXPECT_THAT(ErrorsOf("a: 1\nb: \xff\n"),
              ElementsAre("f.yaml:2: not UTF-8 text, or a control character"));
  EXPECT_THAT(ErrorsOf(std::string_view("a: 1\0\n", 6)), ElementsAre(HasSubstr("control")));
}

TEST(Yaml, SeveralDocumentsShareTheirErrors) {
  EXPECT_THAT(ErrorsOf("a: 1\n---\nb: 2\n"), ElementsAre(HasSubstr("a second document")));
  const auto documents = YamlDocument::ParseAll("a: 1\n---\nb: x\n---\n", "f.yaml");
  ASSERT_EQ(documents.size(), 2u);
  documents[1].root().AsMap().Required("b").AsInt(0, 0, 1);
  EXPECT_THAT(documents[0].errors(), ElementsAre(HasSubstr("f.yaml:3: b: must be")));
  EXPECT_EQ(documents[1].root().line(), 3);
  const auto broken = YamlDocument::ParseAll("[", "f.yaml");
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_FALSE(broken[0].status().ok());
}

TEST(Yaml, DurationsAndSizesAreBoundedAndExact) {
  const auto document = YamlDocument::Parse(
      "a: 5\nb: 99999999999999d\nc: -1s\nd: 3 s\ne: 2MB\nf: 0\ng: 500ms\nh: 4096\n", "f.yaml");
  YamlMap map = document.root().AsMap();
  for (const char* key : {"a", "b", "c", "d"})
    EXPECT_EQ(map.Required(key).AsDuration(7, 0, kDay), 7) << key;
  EXPECT_EQ(map.Required("e").AsBytes(7, 0, 1 << 30), 7);
  EXPECT_EQ(map.Required("f").AsDuration(7, 0, kDay), 0);
  EXPECT_EQ(map.Required("g").AsDuration(7, 0, kDay), kSecond / 2);
  EXPECT_EQ(map.Required("h").AsBytes(7, 0, 1 << 30), 4096);
  EXPECT_EQ(document.errors().size(), 5u);
  EXPECT_THAT(document.errors()[0], HasSubstr("from 0 to 1d (such as"));
}

TEST(Yaml, LineOfAPathOrItsNearestParent) {
  const auto document =
      YamlDocument::Parse("a: 1\nfields:\n  - name: x\n  - name: y\n    mask: z\n", "f.yaml");
  EXPECT_EQ(document.LineOf("fields[1].mask"), 5);
  EXPECT_EQ(document.LineOf("fields[1].absent"), 4);
  EXPECT_EQ(document.LineOf("fields[9]"), 2);
  EXPECT_EQ(document.LineOf("nothing"), 1);
  EXPECT_EQ(document.LineOf(""), 1);
}

TEST(Yaml, MutationsNeverCrash) {
  const std::string seed =
      "a: 1\nlist: [x, {y: 'z'}]\nmap:\n  k: |\n    text\n  b: \"q\\n\"\n---\nc: 2\n";
  std::mt19937 random(20261101);
  for (int round = 0; round < 3000; ++round) {
    std::string text = seed;
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = static_cast<char>(random() % 256);
    const auto documents = YamlDocument::ParseAll(text, "f.yaml");
    ASSERT_FALSE(documents.empty());
    YamlMap map = documents[0].root().AsMap();
    map.Optional("list").AsList();
    map.RefuseOthers();
    for (const std::string& error : documents[0].errors()) ASSERT_THAT(error, HasSubstr("f.yaml:"));
  }
}

}  // namespace
}  // namespace sluice
