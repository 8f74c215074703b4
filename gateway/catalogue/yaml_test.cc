// Datasets as files: the documented example, and every kind of mistake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/catalogue/dataset_yaml.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/identity/documented_testing.h"

namespace sluice::catalogue {
namespace {

using identity::DocumentedYaml;
using identity::Replaced;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(DatasetYamlTest, TheDocumentedOneIsReadAndSound) {
  const auto parsed = ParseDatasetYaml(DocumentedYaml("dataset"), "persons.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::Dataset& dataset = parsed->dataset;
  EXPECT_TRUE(Compile(dataset).ok());
  EXPECT_EQ(dataset.name(), "public-security/persons");
  EXPECT_EQ(dataset.title().zh(), "居民(合成)");
  EXPECT_EQ(dataset.sharing(), v1::SHARING_ATTRIBUTE_CONDITIONAL);
  EXPECT_THAT(dataset.purposes(), ElementsAre("relief", "census"));
  EXPECT_EQ(dataset.update_cycle(), v1::UPDATE_CYCLE_DAILY);
  EXPECT_EQ(dataset.source(), "ps-register");
  EXPECT_EQ(dataset.table(), "resident");
  EXPECT_THAT(dataset.key(), ElementsAre("id_number"));
  EXPECT_EQ(dataset.on_bad_value(), v1::ON_BAD_VALUE_STOP);
  EXPECT_EQ(dataset.time_zone(), "Asia/Shanghai");
  ASSERT_EQ(dataset.fields_size(), 4);
  const v1::DatasetField& id = dataset.fields(0);
  EXPECT_EQ(id.column(), "ID_NO");
  EXPECT_EQ(id.field_class(), v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE);
  EXPECT_EQ(id.subject(), "CN-RID");
  EXPECT_EQ(FormatMask(id.least_mask()), "partial(3..4)");
  EXPECT_TRUE(id.not_null());
  EXPECT_EQ(dataset.fields(1).title().zh(), "出生日期");
  EXPECT_EQ(dataset.fields(2).type().scale(), 2);
  EXPECT_EQ(dataset.fields(3).type().type(), v1::FIELD_TYPE_TIMESTAMP_LOCAL);
  const v1::EntryMetadata& entry = dataset.metadata();
  EXPECT_EQ(entry.code(), "307990/000001");
  EXPECT_EQ(entry.provider_code(), "11990000MB0X00000X");
  EXPECT_THAT(entry.category(), ElementsAre("Population", "Registers"));
  EXPECT_EQ(entry.data_format(), "database table");
  EXPECT_THAT(entry.methods(), ElementsAre(v1::SHARING_METHOD_INTERFACE, v1::SHARING_METHOD_FILE));
  EXPECT_EQ(entry.sharing_scope().zh(), "民政、统计部门");
  EXPECT_EQ(entry.use_conditions().zh(), "仅用于核对救助对象");
  EXPECT_EQ(entry.open(), v1::OPEN_ATTRIBUTE_CLOSED);
  EXPECT_THAT(entry.related(), ElementsAre("307990/000002"));
  EXPECT_EQ(entry.review().secrecy_review(), "BM-2026-7");
  EXPECT_EQ(entry.review().impact_assessment(), "PIA-2026-3");
  EXPECT_EQ(entry.review().approved_by(), "局长");
  EXPECT_EQ(entry.review().approved_on(), "2026-11-24");
  EXPECT_EQ(entry.change_note(), "The income is in yuan.");
}

TEST(DatasetYamlTest, MistakesOfTheCatalogueBlockArePlacedInTheFile) {
  const std::string head =
      "dataset: a/b\nsharing: unconditional\nupdate_cycle: daily\n"
      "purposes: [relief]\nsource: s\nfrom: {table: t}\n"
      "fields: [{name: x, type: utf8, class: L1}]\n";
  const auto told = [&head](const std::string& block) {
    return std::string(ParseDatasetYaml(head + block, "d.yaml").status().message());
  };
  EXPECT_THAT(told("catalogue: {categories: [a]}\n"),
              HasSubstr("d.yaml:8: catalogue.categories: "));
  EXPECT_THAT(told("catalogue: {methods: [post]}\n"),
              HasSubstr("d.yaml:8: catalogue.methods[0]: one of interface, bulk, file"));
  EXPECT_THAT(told("catalogue:\n  category: [a, b, c, d, e]\n"),
              HasSubstr("d.yaml:9: catalogue.category: expected at most 4"));
  EXPECT_THAT(told("catalogue:\n  review:\n    approved_on: yesterday\n"),
              HasSubstr("d.yaml:10: catalogue.review.approved_on: expected a day"));
}

TEST(DatasetYamlTest, AWithheldOneNeedsNoSource) {
  const auto parsed = ParseDatasetYaml(
      "dataset: a/b\nsharing: withheld\nupdate_cycle: irregular\n"
      "withheld_by: {law: L, article: A}\nfields: [{name: x, type: utf8, class: L4}]\n",
      "d.yaml");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
}

TEST(DatasetYamlTest, EveryMistakeIsNamedWithItsPlace) {
  struct Mistake {
    const char* from;
    const char* to;
    const char* told;
  };
  const std::vector<Mistake> mistakes = {
      {"dataset: public-security/persons\n", "", "d.yaml:2: dataset: "},
      {"public-security/persons", "persons", "d.yaml:2: dataset: "},
      {"{en: \"Residents", "{fr: \"Residents", "d.yaml:3: title.fr: "},
      {"sharing: conditional", "sharing: always", "d.yaml:5: sharing: "},
      {"sharing: conditional", "sharing: withheld", "d.yaml:"},
      {"purposes: [relief", "purposes: [Relief", "d.yaml:6: purposes[0]: "},
      {"[relief, census]", "[relief, relief]", "d.yaml:6: purposes[1]: "},
      {"[relief, census]", "relief", "d.yaml:6: purposes: "},
      {"update_cycle: daily", "update_cycle: hourly", "d.yaml:7: update_cycle: "},
      {"source: ps-register", "source: PS", "d.yaml:8: source: "},
      {"{table: resident}", "{query: resident.sql}", "d.yaml:9: from.query: "},
      {"{table: resident}", "resident", "d.yaml:9: from: "},
      {"key: [id_number]", "key: [id_nummer]", "d.yaml:10: key[0]: "},
      {"on_bad_value: stop", "on_bad_value: skip", "d.yaml:11: on_bad_value: "},
      {"time_zone: Asia/Shanghai", "time_zone: \"Asia Shanghai\"", "d.yaml:12: time_zone: "},
      {"time_zone: Asia/Shanghai\n", "", "time_zone: "},
      {"name: id_number,", "name: Id-Number,", "d.yaml:14: fields[0].name: "},
      {"name: birth_date", "name: id_number", "d.yaml:15: fields[1].name: "},
      {"type: date32", "type: date", "d.yaml:15: fields[1].type: "},
      {"type: date32, ", "", "d.yaml:15: fields[1].type: "},
      {"class: L4", "class: 4", "d.yaml:14: fields[0].class: "},
      {"class: L4, ", "", "d.yaml:14: fields[0].class: "},
      {"subject: CN-RID", "subject: CN-XX", "d.yaml:14: fields[0].subject: "},
      {"\"partial(3..4)\"", "\"partial(3-4)\"", "d.yaml:14: fields[0].least_mask: "},
      {"\"date(year)\"", "\"partial(1..1)\"", "d.yaml:15: fields[1].least_mask"},
      {"not_null: true", "not_null: yes please", "d.yaml:14: fields[0].not_null: "},
      {"column: BORN", "colum: BORN", "d.yaml:15: fields[1].colum: "},
      {"decimal128(12,2)", "decimal128(99,2)", "d.yaml:16: fields[2].type: "},
      {"source: ps-register", "source: ps-register\ntls: {ca: x}", "d.yaml:9: tls: "},
      {"source: ps-register", "source: ps-register\nsource: x", "d.yaml:9: source: "},
      {"class: L3, en:", "class: L3, lookup: exact, en:", "d.yaml:16: fields[2].lookup: "},
  };
  for (const auto& [from, to, told] : mistakes) {
    const auto parsed = ParseDatasetYaml(Replaced(DocumentedYaml("dataset"), from, to), "d.yaml");
    EXPECT_EQ(ReasonOf(parsed.status()), v1::REASON_DEFINITION_INVALID) << to;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(told)) << from << " -> " << to;
  }
}

TEST(DatasetYamlTest, AllMistakesAreToldAtOnce) {
  const auto parsed = ParseDatasetYaml(
      "dataset: a/b\nsharing: x\nupdate_cycle: y\nsource: s\nfrom: {table: t}\n"
      "fields:\n  - {name: a, type: q, class: L9}\n  - {nam: b}\n",
      "d.yaml");
  const std::vector<std::string> lines =
      absl::StrSplit(std::string(parsed.status().message()), '\n');
  EXPECT_THAT(lines, SizeIs(8)) << parsed.status();
}

TEST(DatasetYamlTest, WhatTheGatewayRefusesIsPlacedInTheFile) {
  const auto parsed = ParseDatasetYaml(DocumentedYaml("dataset"), "d.yaml");
  ASSERT_TRUE(parsed.ok());
  absl::Status answer = Error(v1::REASON_SCHEMA_DRIFT, "no");
  AddFieldViolation(answer, "dataset.fields[1].type", "is text");
  AddFieldViolation(answer, "dataset.fields[2].column", "is not there");
  AddFieldViolation(answer, "dataset.fields[1].field_class", "is low");
  AddFieldViolation(answer, "dataset.table", "is not there");
  AddFieldViolation(answer, "dataset.purposes[1]", "is not on the list");
  EXPECT_THAT(
      identity::PlaceViolations(answer, parsed->document, "d.yaml", "dataset", DatasetYamlNames()),
      ElementsAre("d.yaml:15: fields[1].type: is text", "d.yaml:16: fields[2].column: is not there",
                  "d.yaml:15: fields[1].class: is low", "d.yaml:9: from.table: is not there",
                  "d.yaml:6: purposes[1]: is not on the list"));
}

}  // namespace
}  // namespace sluice::catalogue
