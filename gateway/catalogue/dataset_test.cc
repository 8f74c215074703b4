#include "gateway/catalogue/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/catalogue/names.h"

namespace sluice::catalogue {
namespace {

using ::testing::ElementsAre;

v1::DatasetField* AddField(v1::Dataset& dataset, std::string_view name, v1::FieldType type) {
  v1::DatasetField* field = dataset.add_fields();
  field->set_name(std::string(name));
  field->mutable_type()->set_type(type);
  field->set_field_class(v1::FIELD_CLASS_L2_INTERNAL);
  return field;
}

v1::Dataset Persons() {
  v1::Dataset dataset;
  dataset.set_name("public-security/persons");
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  dataset.add_purposes("relief");
  dataset.set_source("ps-oracle");
  dataset.set_table("PS.RESIDENT");
  dataset.add_key("id_number");
  v1::DatasetField* id = AddField(dataset, "id_number", v1::FIELD_TYPE_UTF8);
  id->set_subject("CN-RID");
  id->set_not_null(true);
  *id->mutable_least_mask() = *ParseMask("partial(3..4)");
  AddField(dataset, "born", v1::FIELD_TYPE_DATE32);
  return dataset;
}

// The paths of all violations.
std::vector<std::string> Mistakes(const v1::Dataset& dataset) {
  const auto compiled = Compile(dataset);
  if (compiled.ok()) return {};
  EXPECT_EQ(ReasonOf(compiled.status()), v1::REASON_DEFINITION_INVALID);
  std::vector<std::string> paths;
  const auto request = BadRequestOf(compiled.status());
  if (!request) return {"no violation"};
  for (const auto& violation : request->field_violations()) {
    EXPECT_NE(violation.description(), "");
    paths.push_back(violation.field());
  }
  return paths;
}

TEST(Dataset, CompilesToSchemaAndIndices) {
  const auto dataset = Compile(Persons());
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ((*dataset)->owner_agency, "public-security");
  ASSERT_EQ((*dataset)->schema->size(), 2u);
  EXPECT_EQ((*dataset)->schema->field(1).type.id, records::TypeId::kDate32);
  EXPECT_FALSE((*dataset)->schema->field(0).nullable);
  EXPECT_TRUE((*dataset)->schema->field(1).nullable);
  EXPECT_THAT((*dataset)->key, ElementsAre(0));
  EXPECT_THAT((*dataset)->subject_fields, ElementsAre(0));
  EXPECT_EQ((*dataset)->IndexOf("born"), 1);
  EXPECT_EQ((*dataset)->IndexOf("Born"), std::nullopt);
}

TEST(Dataset, EachMistakeIsNamedByItsPath) {
  const struct {
    std::string_view path;
    std::function<void(v1::Dataset&)> spoil;
  } rows[] = {
      {"name", [](v1::Dataset& d) { d.set_name("persons"); }},
      {"name", [](v1::Dataset& d) { d.set_name("a/b/c"); }},
      {"name", [](v1::Dataset& d) { d.set_name("Public/persons"); }},
      {"title", [](v1::Dataset& d) { d.mutable_title()->set_zh(std::string(5000, 'x')); }},
      {"sharing", [](v1::Dataset& d) { d.clear_sharing(); }},
      {"sharing", [](v1::Dataset& d) { d.set_sharing(static_cast<v1::SharingAttribute>(9)); }},
      {"withheld_by", [](v1::Dataset& d) { d.mutable_withheld_by()->set_law("x"); }},
      {"update_cycle", [](v1::Dataset& d) { d.set_update_cycle(static_cast<v1::UpdateCycle>(9)); }},
      {"on_bad_value", [](v1::Dataset& d) { d.set_on_bad_value(static_cast<v1::OnBadValue>(9)); }},
      {"purposes", [](v1::Dataset& d) { d.clear_purposes(); }},
      {"purposes[1]", [](v1::Dataset& d) { d.add_purposes("relief"); }},
      {"purposes[1]", [](v1::Dataset& d) { d.add_purposes("tax evasion"); }},
      {"source", [](v1::Dataset& d) { d.clear_source(); }},
      {"table", [](v1::Dataset& d) { d.set_table("a\nb"); }},
      {"key[1]", [](v1::Dataset& d) { d.add_key("id_number"); }},
      {"key[1]", [](v1::Dataset& d) { d.add_key("address"); }},
      {"key[1]",
       [](v1::Dataset& d) {
         AddField(d, "score", v1::FIELD_TYPE_FLOAT64);
         d.add_key("score");
       }},
      {"fields[1].name", [](v1::Dataset& d) { d.mutable_fields(1)->set_name("id_number"); }},
      {"fields[1].name", [](v1::Dataset& d) { d.mutable_fields(1)->set_name("null"); }},
      {"fields[1].name", [](v1::Dataset& d) { d.mutable_fields(1)->set_name("1st"); }},
      {"fields[1].column",
       [](v1::Dataset& d) { d.mutable_fields(1)->set_column(std::string("a\0b", 3)); }},
      {"fields[1].type", [](v1::Dataset& d) { d.mutable_fields(1)->clear_type(); }},
      {"fields[1].type",
       [](v1::Dataset& d) {
         d.mutable_fields(1)->mutable_type()->set_type(v1::FIELD_TYPE_DECIMAL128);
       }},
      {"fields[1].field_class", [](v1::Dataset& d) { d.mutable_fields(1)->clear_field_class(); }},
      {"fields[1].subject", [](v1::Dataset& d) { d.mutable_fields(1)->set_subject("CN-RID"); }},
      {"fields[0].subject", [](v1::Dataset& d) { d.mutable_fields(0)->set_subject("SHOE-SIZE"); }},
      {"fields[1].least_mask",
       [](v1::Dataset& d) {
         *d.mutable_fields(1)->mutable_least_mask() = *ParseMask("prefix(2)");
       }},
      {"time_zone", [](v1::Dataset& d) { d.set_time_zone("Asia/Shanghai"); }},
      {"time_zone", [](v1::Dataset& d) { AddField(d, "seen", v1::FIELD_TYPE_TIMESTAMP_LOCAL); }},
  };
  for (const auto& row : rows) {
    v1::Dataset dataset = Persons();
    row.spoil(dataset);
    EXPECT_THAT(Mistakes(dataset), ElementsAre(std::string(row.path)));
  }
}

TEST(Dataset, AllMistakesAreToldAtOnce) {
  v1::Dataset dataset = Persons();
  dataset.set_name("x");
  dataset.clear_source();
  dataset.mutable_fields(0)->set_subject("SHOE-SIZE");
  dataset.add_key("nothing");
  EXPECT_THAT(Mistakes(dataset), ElementsAre("name", "source", "fields[0].subject", "key[1]"));
}

TEST(Dataset, WithheldNeedsItsLawAndNoSource) {
  v1::Dataset dataset = Persons();
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_WITHHELD);
  dataset.clear_source();
  dataset.clear_purposes();
  EXPECT_THAT(Mistakes(dataset), ElementsAre("withheld_by.law", "withheld_by.article"));
  dataset.mutable_withheld_by()->set_law("保守国家秘密法");
  dataset.mutable_withheld_by()->set_article("第十三条");
  EXPECT_THAT(Mistakes(dataset), ElementsAre());
}

TEST(Dataset, NoFieldsAndTooManyAreMistakes) {
  v1::Dataset dataset = Persons();
  dataset.clear_fields();
  dataset.clear_key();
  EXPECT_THAT(Mistakes(dataset), ElementsAre("fields"));
  for (int i = 0; i < 257; ++i) {
    AddField(dataset, "f" + std::to_string(i), v1::FIELD_TYPE_INT64);
  }
  EXPECT_THAT(Mistakes(dataset), ElementsAre("fields"));
  dataset.mutable_fields()->RemoveLast();
  EXPECT_THAT(Mistakes(dataset), ElementsAre());
}

TEST(Names, Codes) {
  EXPECT_TRUE(IsCode("civil-affairs"));
  EXPECT_TRUE(IsCode(std::string(63, 'a')));
  for (const std::string_view text : {"", "-a", "a-", "A", "a_b", "a b", "a/b", "é"}) {
    EXPECT_FALSE(IsCode(text)) << text;
  }
  EXPECT_FALSE(IsCode(std::string(64, 'a')));
  EXPECT_FALSE(IsZoneName("../../etc/passwd"));
  EXPECT_TRUE(IsZoneName("America/Argentina/Buenos_Aires"));
}

}  // namespace
}  // namespace sluice::catalogue
