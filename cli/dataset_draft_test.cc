// A draft is read by the parser that reads what owners apply; what it leaves open is named.
#include "cli/dataset_draft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "gateway/catalogue/dataset_yaml.h"
#include "gateway/records/row_batch.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

v1::DescribeSourceResponse Source() {
  v1::DescribeSourceResponse source;
  source.set_source("ps-register");
  source.set_kind("postgres");
  source.set_owner_agency("public-security");
  return source;
}

void AddColumn(v1::TableDescription& table, const std::string& name, const std::string& type,
               bool not_null = false, const std::string& source_type = "VARCHAR") {
  v1::ColumnDescription& column = *table.add_columns();
  column.set_name(name);
  column.set_not_null(not_null);
  column.set_source_type(source_type);
  const auto parsed = records::ParseDataType(type);
  ASSERT_TRUE(parsed.ok());
  *column.mutable_type() = records::ToProto(*parsed);
}

TEST(DatasetDraftTest, AppliesOnceTheOwnerHasDecided) {
  v1::TableDescription table;
  table.set_table("T_RESIDENT");
  AddColumn(table, "ID_NO", "utf8", true);
  AddColumn(table, "姓名", "utf8");
  AddColumn(table, "id no", "decimal128(12,2)");
  AddColumn(table, "2nd", "timestamp(local)");
  table.add_unique_keys()->add_columns("ID_NO");
  const std::string draft = DraftDataset(Source(), table);
  const auto open = catalogue::ParseDatasetYaml(draft, "draft.yaml");
  ASSERT_FALSE(open.ok());
  EXPECT_THAT(std::string(open.status().message()), HasSubstr("purposes"));
  const auto read = catalogue::ParseDatasetYaml(
      absl::StrReplaceAll(draft, {{"purposes: []", "purposes: [relief]"},
                                  {"# time_zone: Asia", "time_zone: Asia"}}),
      "draft.yaml");
  ASSERT_TRUE(read.ok()) << read.status() << draft;
  const v1::Dataset& dataset = read->dataset;
  EXPECT_EQ(dataset.name(), "public-security/t-resident");
  EXPECT_THAT(dataset.key(), ElementsAre("id_no"));
  ASSERT_EQ(dataset.fields_size(), 4);
  EXPECT_EQ(dataset.fields(0).column(), "ID_NO");
  EXPECT_TRUE(dataset.fields(0).not_null());
  EXPECT_EQ(dataset.fields(1).name(), "field_2");
  EXPECT_EQ(dataset.fields(1).column(), "姓名");
  EXPECT_EQ(dataset.fields(2).name(), "id_no_2");
  EXPECT_EQ(dataset.fields(3).name(), "f_2nd");
  for (const auto& field : dataset.fields())
    EXPECT_EQ(field.field_class(), v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE)
        << "the strictest until it is decided";
}

TEST(DatasetDraftTest, WhatALookProposesStandsThereAsComments) {
  v1::TableDescription table;
  table.set_table("t");
  AddColumn(table, "id", "utf8");
  const std::string without = DraftDataset(Source(), table);
  table.add_proposals("field id: int64 (all 12 values looked at)");
  table.add_proposals("separator: semicolon\nkey: [id]");
  const std::string draft = DraftDataset(Source(), table);
  EXPECT_THAT(draft, HasSubstr("\n#   field id: int64 (all 12 values looked at)\n#   separator: "));
  EXPECT_THAT(draft, Not(HasSubstr("\nkey: [id]")));
  EXPECT_THAT(draft, HasSubstr(without.substr(without.find("dataset: "))));
}

TEST(DatasetDraftTest, NamesOfTheSourceAreTextAndNothingElse) {
  v1::TableDescription table;
  table.set_table("a\"]}, sharing: unconditional #");
  AddColumn(table, "b\", class: L1}, {name: x", "utf8", false, "odd\ntype: \x1b[2J");
  const std::string draft = DraftDataset(Source(), table);
  EXPECT_THAT(draft, HasSubstr("states no unique key"));
  EXPECT_THAT(draft, Not(HasSubstr("\x1b")));
  const auto read = catalogue::ParseDatasetYaml(
      absl::StrReplaceAll(draft, {{"purposes: []", "purposes: [relief]"}}), "draft.yaml");
  ASSERT_TRUE(read.ok()) << read.status() << draft;
  EXPECT_EQ(read->dataset.table(), table.table());
  EXPECT_EQ(read->dataset.sharing(), v1::SHARING_ATTRIBUTE_CONDITIONAL);
  ASSERT_EQ(read->dataset.fields_size(), 1);
  EXPECT_EQ(read->dataset.fields(0).column(), table.columns(0).name());
}

}  // namespace
}  // namespace sluice::cli
