#include "gateway/catalogue/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/dataset_yaml.h"
#include "gateway/catalogue/schema_drift.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/world_testing.h"

namespace sluice::catalogue {
namespace {

using identity::Answer;
using identity::Caller;
using identity::Violations;
using records::DataType;
using records::TypeId;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kPersons[] = R"yaml(
dataset: police/persons
sharing: conditional
purposes: [relief]
update_cycle: daily
source: ps
from: {table: resident}
key: [id]
fields:
  - {name: id, column: ID_NO, type: utf8, class: L4}
  - {name: born, type: date32, class: L3}
  - {name: income, type: "decimal128(12,2)", class: L3}
)yaml";

class CatalogueTest : public ::testing::Test {
 protected:
  CatalogueTest()
      : catalogue_(
            *world_.store, *world_.changes, world_.clock,
            [this](const v1::Source& source, const std::string& table) {
              described_.push_back(source.id() + "." + table);
              if (while_describing_) while_describing_();
              return description_;
            },
            [this](store::Reader&, const DatasetPtr&) { return broken_; }) {
    for (const char* id : {"ministry", "police", "welfare"}) world_.AddAgency(id);
    owner_ = world_.AddPerson("police", "owner", {v1::ROLE_OWNER});
    clerk_ = world_.AddPerson("police", "clerk", {});
    other_owner_ = world_.AddPerson("welfare", "owner", {v1::ROLE_OWNER});
    operator_ = world_.AddPerson("ministry", "op", {v1::ROLE_OPERATOR});
    system_ = world_.AddSystem("welfare", "relief");
    world_.AddPurpose("relief");
    world_.AddPurpose("tax", true);
    world_.AddSource("ps", "police");
    world_.AddSource("ws", "welfare");
    adapters::TableDescription table;
    table.table = "resident";
    table.columns = {{"ID_NO", {TypeId::kUtf8}, false, "TEXT"},
                     {"BORN", {TypeId::kUtf8}, true, "TEXT"},
                     {"income", {TypeId::kInt64}, true, "INTEGER"}};
    table.unique_keys = {{"id_no"}};
    description_ = table;
  }

  static v1::Dataset Persons() {
    const auto parsed = ParseDatasetYaml(kPersons, "persons.yaml");
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return parsed->dataset;
  }
  absl::StatusOr<v1::ApplyDatasetResponse> Apply(const Caller& caller, const v1::Dataset& dataset,
                                                 bool dry_run = false) {
    v1::ApplyDatasetRequest request;
    *request.mutable_dataset() = dataset;
    request.set_dry_run(dry_run);
    return Answer<v1::ApplyDatasetResponse>(
        [&](auto done) { catalogue_.ApplyDataset(caller, request, done); });
  }
  v1::Reason Refusal(const Caller& caller, const v1::Dataset& dataset) {
    return ReasonOf(Apply(caller, dataset).status());
  }
  v1::Dataset Get(const Caller& caller) {
    v1::GetDatasetRequest request;
    request.set_name("police/persons");
    const auto response = catalogue_.GetDataset(caller, request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->dataset() : v1::Dataset();
  }

  identity::World world_{{CatalogueMigrations()}};
  absl::StatusOr<adapters::TableDescription> description_;
  std::vector<BrokenGrant> broken_;
  std::vector<std::string> described_;
  std::function<void()> while_describing_;
  Catalogue catalogue_;
  Caller owner_, clerk_, other_owner_, operator_, system_;
};

TEST_F(CatalogueTest, AnOwnerMakesADatasetAndItsRevisions) {
  const auto first = Apply(owner_, Persons());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->dataset().revision(), 1);
  EXPECT_EQ(first->dataset().changed_by(), "agency/police/person/owner");
  EXPECT_THAT(first->differences(), Contains("fields.income.type: none -> decimal128(12,2)"));
  EXPECT_THAT(described_, ElementsAre("ps.resident"));
  const auto made = world_.changes->last();
  EXPECT_EQ(made.effect, audit::Changes::Effect::kAfterRecord);
  EXPECT_EQ(made.outcome.resource_kind, "dataset");
  EXPECT_EQ(made.outcome.dataset, "police/persons");
  EXPECT_EQ(made.outcome.owner_agency, "police");
  EXPECT_EQ(made.outcome.resource_revision, 1);
  EXPECT_EQ(made.outcome.before_json, "");

  v1::Dataset changed = Persons();
  *changed.mutable_fields(2)->mutable_type() = v1::ColumnType();
  changed.mutable_fields(2)->mutable_type()->set_type(v1::FIELD_TYPE_INT64);
  world_.clock.Advance(kHour);
  const auto second = Apply(owner_, changed);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->dataset().revision(), 2);
  EXPECT_THAT(second->differences(), ElementsAre("fields.income.type: decimal128(12,2) -> int64"));
  EXPECT_NE(second->dataset().etag(), first->dataset().etag());
  EXPECT_THAT(world_.changes->last().outcome.before_json, HasSubstr("DECIMAL128"));
  world_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto datasets, LoadDatasets(reader));
    EXPECT_THAT(datasets, SizeIs(1));
    EXPECT_EQ(datasets.at("police/persons")->definition.revision(), 2);
    return absl::OkStatus();
  });
}

TEST_F(CatalogueTest, AppliedAgainItIsUnchanged) {
  const auto first = Apply(owner_, Persons());
  ASSERT_TRUE(first.ok());
  world_.clock.Advance(kDay);
  const auto again = Apply(owner_, Persons());
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(again->differences(), IsEmpty());
  EXPECT_EQ(again->dataset().revision(), 1);
  EXPECT_EQ(again->dataset().etag(), first->dataset().etag());
  // As it was read back, with all that the gateway set.
  EXPECT_TRUE(Apply(owner_, Get(owner_)).ok());
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
}

TEST_F(CatalogueTest, ADryRunTellsTheDifferencesAndChangesNothing) {
  const auto dry = Apply(owner_, Persons(), true);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_THAT(dry->differences(), Contains("source: none -> ps"));
  EXPECT_THAT(world_.changes->made(), IsEmpty());
  v1::GetDatasetRequest request;
  request.set_name("police/persons");
  EXPECT_EQ(ReasonOf(catalogue_.GetDataset(owner_, request).status()), v1::REASON_DATASET_UNKNOWN);
}

TEST_F(CatalogueTest, OnlyAnOwnerOfItsOwnAgencyAppliesIt) {
  EXPECT_EQ(Refusal(clerk_, Persons()), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(Refusal(operator_, Persons()), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(Refusal(system_, Persons()), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(Refusal(other_owner_, Persons()), v1::REASON_NOT_OWNER);
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  EXPECT_EQ(Refusal(other_owner_, Persons()), v1::REASON_NOT_OWNER);
  EXPECT_EQ(ReasonOf(Apply(other_owner_, Persons(), true).status()), v1::REASON_NOT_OWNER);
}

TEST_F(CatalogueTest, AnothersSourceAndNoneLookTheSame) {
  v1::Dataset dataset = Persons();
  dataset.set_source("ws");
  const absl::Status others = Apply(owner_, dataset).status();
  dataset.set_source("no");
  const absl::Status none = Apply(owner_, dataset).status();
  EXPECT_EQ(ReasonOf(others), v1::REASON_SOURCE_NOT_OWNED);
  EXPECT_EQ(ReasonOf(none), v1::REASON_SOURCE_NOT_OWNED);
  EXPECT_THAT(described_, IsEmpty());  // nobody's source is touched
  // Nor by way of a dataset of one's own name on it.
  dataset.set_name("welfare/persons");
  dataset.set_source("ps");
  EXPECT_EQ(Refusal(other_owner_, dataset), v1::REASON_SOURCE_NOT_OWNED);
}

TEST_F(CatalogueTest, PurposesMustBeOnTheAuthoritysList) {
  v1::Dataset dataset = Persons();
  dataset.add_purposes("tax");
  dataset.add_purposes("fun");
  const absl::Status status = Apply(owner_, dataset).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  EXPECT_THAT(Violations(status), ElementsAre("dataset.purposes[1]: \"tax\" was withdrawn",
                                              HasSubstr("dataset.purposes[2]: \"fun\" is not on")));
}

TEST_F(CatalogueTest, MistakesInTheDefinitionAreNamedByTheirPath) {
  v1::Dataset dataset = Persons();
  dataset.mutable_fields(1)->set_name("ID");
  EXPECT_THAT(Violations(Apply(owner_, dataset).status()),
              ElementsAre(StartsWith("dataset.fields[1].name: ")));
}

TEST_F(CatalogueTest, ADescriptionThatDoesNotFitTheTableIsRefused) {
  v1::Dataset dataset = Persons();
  dataset.mutable_fields(1)->set_column("BIRTHDAY");
  dataset.mutable_fields(2)->mutable_type()->set_type(v1::FIELD_TYPE_BINARY);
  dataset.mutable_fields(2)->mutable_type()->clear_precision();
  dataset.mutable_fields(2)->mutable_type()->clear_scale();
  dataset.set_key(0, "born");
  const absl::Status status = Apply(owner_, dataset).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT);
  EXPECT_THAT(Violations(status),
              ElementsAre(HasSubstr("dataset.fields[1].column: table resident has no column"),
                          HasSubstr("dataset.fields[2].type: column income is INTEGER"),
                          StartsWith("dataset.key: ")));
  description_ = absl::NotFoundError("no such table");
  EXPECT_EQ(Refusal(owner_, Persons()), v1::REASON_SCHEMA_DRIFT);
  description_ = Error(v1::REASON_SOURCE_UNAVAILABLE, "down");
  EXPECT_EQ(Refusal(owner_, Persons()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_THAT(world_.changes->made(), IsEmpty());
}

TEST_F(CatalogueTest, AKeyMayBeWiderThanTheSourcesAndAViewStatesNone) {
  v1::Dataset dataset = Persons();
  dataset.add_key("born");
  EXPECT_TRUE(Apply(owner_, dataset, true).ok());
  dataset.clear_key();
  dataset.add_key("born");
  EXPECT_EQ(ReasonOf(Apply(owner_, dataset, true).status()), v1::REASON_SCHEMA_DRIFT);
  description_->unique_keys.clear();
  EXPECT_TRUE(Apply(owner_, dataset, true).ok());
}

TEST_F(CatalogueTest, ASourceChangedWhileItWasDescribedIsAskedAgain) {
  while_describing_ = [this] {
    world_.Write([](store::Transaction& transaction) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(auto source, identity::FindSource(transaction, "ps"));
      (*source->mutable_settings())["file"] = "/srv/elsewhere.db";
      return identity::PutSource(transaction, *source);
    });
  };
  EXPECT_EQ(Refusal(owner_, Persons()), v1::REASON_ETAG_MISMATCH);
  while_describing_ = nullptr;
  EXPECT_TRUE(Apply(owner_, Persons()).ok());
}

TEST_F(CatalogueTest, ARevisionThatBreaksGrantsIsRefusedByTheirNames) {
  broken_ = {{"7q4m2k", "field income is gone"}, {"abc234", "the mask is weaker"}};
  ASSERT_TRUE(Apply(owner_, Persons()).ok());  // the first has no grants
  v1::Dataset changed = Persons();
  changed.mutable_fields()->RemoveLast();
  const absl::Status status = Apply(owner_, changed).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_STILL_IN_USE);
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("grants"), "7q4m2k, abc234");
  EXPECT_THAT(Violations(status), ElementsAre("grants.7q4m2k: field income is gone",
                                              "grants.abc234: the mask is weaker"));
  broken_.clear();
  EXPECT_TRUE(Apply(owner_, changed).ok());
}

TEST_F(CatalogueTest, OfTwoChangesTheSlowerLoses) {
  v1::Dataset mine = Apply(owner_, Persons())->dataset();
  v1::Dataset theirs = mine;
  theirs.mutable_title()->set_en("Theirs");
  mine.mutable_title()->set_en("Mine");
  ASSERT_TRUE(Apply(owner_, theirs).ok());
  EXPECT_EQ(Refusal(owner_, mine), v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(Get(owner_).title().en(), "Theirs");
}

TEST_F(CatalogueTest, WhereItComesFromIsTheOwnersAndTheOperatorsToSee) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  for (const Caller* caller : {&owner_, &clerk_, &operator_}) {
    const v1::Dataset seen = Get(*caller);
    EXPECT_EQ(seen.source(), "ps");
    EXPECT_EQ(seen.table(), "resident");
    EXPECT_EQ(seen.fields(0).column(), "ID_NO");
  }
  for (const Caller* caller : {&other_owner_, &system_}) {
    const v1::Dataset seen = Get(*caller);
    EXPECT_EQ(seen.fields_size(), 3);
    EXPECT_EQ(seen.source() + seen.table() + seen.fields(0).column(), "");
    const auto list = catalogue_.ListDatasets(*caller, {});
    ASSERT_TRUE(list.ok());
    EXPECT_EQ(list->datasets(0).table(), "");
  }
}

TEST_F(CatalogueTest, ListsComeInPages) {
  for (const char* name : {"police/a", "police/b", "police/c"}) {
    v1::Dataset dataset = Persons();
    dataset.set_name(name);
    ASSERT_TRUE(Apply(owner_, dataset).ok());
  }
  std::vector<std::string> names;
  v1::ListDatasetsRequest request;
  request.set_page_size(2);
  do {
    const auto page = catalogue_.ListDatasets(system_, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& dataset : page->datasets()) names.push_back(dataset.name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names, ElementsAre("police/a", "police/b", "police/c"));
  request.set_page_token("zz");
  EXPECT_EQ(ReasonOf(catalogue_.ListDatasets(system_, request).status()),
            v1::REASON_PAGE_TOKEN_INVALID);
  request.clear_page_token();
  request.set_page_size(1001);
  EXPECT_EQ(ReasonOf(catalogue_.ListDatasets(system_, request).status()),
            v1::REASON_REQUEST_INVALID);
  request.set_page_size(0);
  request.set_agency("welfare");
  EXPECT_EQ(catalogue_.ListDatasets(system_, request)->datasets_size(), 0);
}

TEST(SchemaDriftTest, WhatCannotGoWellIsRefused) {
  const DataType text{TypeId::kUtf8}, whole{TypeId::kInt64}, real{TypeId::kFloat64},
      bytes{TypeId::kBinary}, day{TypeId::kDate32}, decimal{TypeId::kDecimal128, 12, 2},
      utc{TypeId::kTimestamp, 0, 0, true}, local{TypeId::kTimestamp}, truth{TypeId::kBool};
  for (const auto& to : {text, whole, real, day, decimal, utc, local, truth})
    EXPECT_TRUE(ReadableAs(text, to)) << records::ToString(to);
  for (const auto& to : {whole, real, decimal, utc, truth}) EXPECT_TRUE(ReadableAs(whole, to));
  for (const auto& to : {text, bytes, day, local}) EXPECT_FALSE(ReadableAs(whole, to));
  EXPECT_FALSE(ReadableAs(text, bytes));
  EXPECT_FALSE(ReadableAs(bytes, text));
  EXPECT_TRUE(ReadableAs(day, text));
  EXPECT_FALSE(ReadableAs(real, day));
}

}  // namespace
}  // namespace sluice::catalogue
