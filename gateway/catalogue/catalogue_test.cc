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

// Says what the test set, and keeps what it is asked to revoke.
class FakeGrants : public GrantsOnDatasets {
 public:
  absl::StatusOr<std::vector<v1::TouchedGrant>> TouchedBy(store::Reader&, const DatasetPtr&,
                                                          const DatasetPtr&) override {
    return touched;
  }
  absl::StatusOr<std::vector<audit::ChangeOutcome>> Revoke(store::Transaction&, const Caller&,
                                                           const std::vector<std::string>& ids,
                                                           const std::string& reason) override {
    std::vector<audit::ChangeOutcome> outcomes;
    for (const std::string& id : ids) {
      revoked.push_back(id + ": " + reason);
      outcomes.emplace_back().resource_name = id;
    }
    return outcomes;
  }
  void Touch(const std::string& id, const std::string& effect, bool broken, bool ends) {
    v1::TouchedGrant& grant = touched.emplace_back();
    grant.set_grant(id);
    grant.add_effects(effect);
    grant.set_broken(broken);
    grant.set_ends(ends);
  }
  std::vector<v1::TouchedGrant> touched;
  std::vector<std::string> revoked;
};

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
            grants_, [this](const std::string&) { return drift_; }) {
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
                                                 bool dry_run = false, bool break_grants = false) {
    v1::ApplyDatasetRequest request;
    *request.mutable_dataset() = dataset;
    request.set_dry_run(dry_run);
    request.set_break_grants(break_grants);
    return Answer<v1::ApplyDatasetResponse>(
        [&](auto done) { catalogue_.ApplyDataset(caller, request, done); });
  }
  v1::Reason Refusal(const Caller& caller, const v1::Dataset& dataset) {
    return ReasonOf(Apply(caller, dataset).status());
  }
  absl::StatusOr<v1::SetDatasetStateResponse> SetState(const Caller& caller, v1::DatasetState state,
                                                       const std::string& reason = "an inquiry",
                                                       bool break_grants = false,
                                                       const std::string& etag = "") {
    v1::SetDatasetStateRequest request;
    request.set_name("police/persons");
    request.set_state(state);
    request.set_reason(reason);
    request.set_break_grants(break_grants);
    request.set_etag(etag);
    return Answer<v1::SetDatasetStateResponse>(
        [&](auto done) { catalogue_.SetDatasetState(caller, request, done); });
  }
  std::vector<std::string> List(const Caller& caller, const std::string& search = "",
                                bool retired = false) {
    v1::ListDatasetsRequest request;
    request.set_search(search);
    request.set_include_retired(retired);
    const auto response = catalogue_.ListDatasets(caller, request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> names;
    for (const auto& dataset : response->datasets()) names.push_back(dataset.name());
    return names;
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
  FakeGrants grants_;
  std::vector<std::string> drift_;
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
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  grants_.Touch("7q4m2k", "fields.income: gone", true, true);
  grants_.Touch("abc234", "fields.born.type: date32 -> utf8", true, false);
  grants_.Touch("xyz789", "fields.born.class: L3 -> L4", false, false);
  v1::Dataset changed = Persons();
  changed.mutable_fields()->RemoveLast();
  const absl::Status refused = Apply(owner_, changed).status();
  EXPECT_EQ(ReasonOf(refused), v1::REASON_STILL_IN_USE);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("7q4m2k, abc234."));
  EXPECT_THAT(Violations(refused), ElementsAre("grants.7q4m2k: fields.income: gone",
                                               "grants.abc234: fields.born.type: date32 -> utf8"));
  // A dry run tells all that are touched.
  const auto dry = Apply(owner_, changed, true);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_THAT(dry->touched(), SizeIs(3));
  EXPECT_THAT(grants_.revoked, IsEmpty());
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
}

TEST_F(CatalogueTest, WhereTheOwnerSaysSoGrantsBreakInTheSameChange) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  grants_.Touch("7q4m2k", "fields.income: gone", true, true);
  grants_.Touch("abc234", "fields.born.type: date32 -> utf8", true, false);
  v1::Dataset changed = Persons();
  changed.mutable_fields()->RemoveLast();
  const auto broke = Apply(owner_, changed, false, true);
  ASSERT_TRUE(broke.ok()) << broke.status();
  EXPECT_EQ(broke->dataset().revision(), 2);
  EXPECT_THAT(grants_.revoked, ElementsAre("7q4m2k: cannot stand on revision 2 of police/persons"));
  ASSERT_THAT(world_.changes->last().outcome.also, SizeIs(1));
  EXPECT_EQ(world_.changes->last().outcome.also[0].resource_name, "7q4m2k");
}

TEST_F(CatalogueTest, SuspendingActsAtOnceAndADescriptionDoesNotResume) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  const auto suspended = SetState(owner_, v1::DATASET_STATE_SUSPENDED);
  ASSERT_TRUE(suspended.ok()) << suspended.status();
  EXPECT_EQ(suspended->dataset().revision(), 2);
  EXPECT_EQ(suspended->dataset().state_reason(), "an inquiry");
  EXPECT_EQ(world_.changes->last().effect, audit::Changes::Effect::kAtCommit);
  EXPECT_EQ(world_.changes->last().outcome.action, "suspend");
  ASSERT_TRUE(SetState(owner_, v1::DATASET_STATE_SUSPENDED).ok());
  EXPECT_THAT(world_.changes->made(), SizeIs(2));  // nothing to record

  v1::Dataset changed = Persons();
  changed.mutable_title()->set_en("Residents");
  ASSERT_TRUE(Apply(owner_, changed).ok());
  EXPECT_EQ(Get(owner_).state(), v1::DATASET_STATE_SUSPENDED);
  ASSERT_TRUE(SetState(owner_, v1::DATASET_STATE_OFFERED).ok());
  EXPECT_EQ(world_.changes->last().effect, audit::Changes::Effect::kAfterRecord);
  EXPECT_EQ(Get(owner_).state(), v1::DATASET_STATE_OFFERED);
  EXPECT_EQ(Get(owner_).state_reason(), "");
}

TEST_F(CatalogueTest, ARetiredDatasetStaysSoAndLeavesTheList) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  grants_.Touch("7q4m2k", "the dataset is retired", true, true);
  EXPECT_EQ(ReasonOf(SetState(owner_, v1::DATASET_STATE_RETIRED).status()),
            v1::REASON_STILL_IN_USE);
  const auto retired = SetState(owner_, v1::DATASET_STATE_RETIRED, "superseded", true);
  ASSERT_TRUE(retired.ok()) << retired.status();
  EXPECT_THAT(retired->touched(), SizeIs(1));
  EXPECT_THAT(grants_.revoked, ElementsAre("7q4m2k: police/persons is retired"));
  EXPECT_EQ(ReasonOf(SetState(owner_, v1::DATASET_STATE_OFFERED).status()),
            v1::REASON_DATASET_RETIRED);
  EXPECT_EQ(Refusal(owner_, Persons()), v1::REASON_DATASET_RETIRED);
  EXPECT_THAT(List(system_), IsEmpty());
  EXPECT_THAT(List(system_, "", true), ElementsAre("police/persons"));
}

TEST_F(CatalogueTest, WhoMaySetItsState) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  const auto suspended = v1::DATASET_STATE_SUSPENDED;
  EXPECT_EQ(ReasonOf(SetState(clerk_, suspended).status()), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(ReasonOf(SetState(other_owner_, suspended).status()), v1::REASON_NOT_OWNER);
  EXPECT_EQ(ReasonOf(SetState(owner_, suspended, " ").status()), v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(ReasonOf(SetState(owner_, suspended, "r", true).status()), v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(ReasonOf(SetState(owner_, v1::DATASET_STATE_UNSPECIFIED).status()),
            v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(ReasonOf(SetState(owner_, suspended, "r", false, "0123456789abcdef").status()),
            v1::REASON_ETAG_MISMATCH);
}

TEST_F(CatalogueTest, WhoIsNotInItsAudienceDoesNotKnowOfIt) {
  v1::Dataset dataset = Persons();
  dataset.add_audience("nowhere");
  EXPECT_THAT(Violations(Apply(owner_, dataset).status()),
              ElementsAre("dataset.audience[0]: there is no such agency"));
  dataset.set_audience(0, "ministry");
  ASSERT_TRUE(Apply(owner_, dataset).ok());
  v1::GetDatasetRequest request;
  request.set_name("police/persons");
  v1::GetDatasetRequest absent;
  absent.set_name("police/personz");
  EXPECT_EQ(ReasonOf(catalogue_.GetDataset(system_, request).status()), v1::REASON_DATASET_UNKNOWN);
  EXPECT_EQ(catalogue_.GetDataset(system_, request).status().message(),
            catalogue_.GetDataset(system_, absent).status().message());
  EXPECT_THAT(List(system_), IsEmpty());
  EXPECT_EQ(ReasonOf(SetState(other_owner_, v1::DATASET_STATE_SUSPENDED).status()),
            v1::REASON_DATASET_UNKNOWN);
  EXPECT_THAT(List(owner_), ElementsAre("police/persons"));
  EXPECT_THAT(List(operator_), ElementsAre("police/persons"));
  dataset.add_audience("welfare");
  ASSERT_TRUE(Apply(owner_, dataset).ok());
  EXPECT_THAT(List(system_), ElementsAre("police/persons"));
  // For whom else it is meant is not told.
  EXPECT_THAT(Get(system_).audience(), IsEmpty());
}

TEST_F(CatalogueTest, ASearchFindsWordsInBothLanguagesAndInFields) {
  v1::Dataset dataset = Persons();
  dataset.mutable_title()->set_en("Residents of the city");
  dataset.mutable_title()->set_zh("居民");
  dataset.mutable_fields(1)->mutable_title()->set_zh("出生日期");
  ASSERT_TRUE(Apply(owner_, dataset).ok());
  for (const char* words : {"residents", "RESIDENTS city", "居民", "出生", "income", "police"})
    EXPECT_THAT(List(system_, words), ElementsAre("police/persons")) << words;
  for (const char* words : {"residents tax", "邮编", "resident "})
    EXPECT_EQ(List(system_, words).size(), words == std::string("resident ") ? 1u : 0u) << words;
}

TEST_F(CatalogueTest, ItsHistoryAndDriftAreTheOwnersToSee) {
  ASSERT_TRUE(Apply(owner_, Persons()).ok());
  v1::Dataset changed = Persons();
  changed.mutable_fields(1)->set_field_class(v1::FIELD_CLASS_L4_HIGHLY_SENSITIVE);
  ASSERT_TRUE(Apply(owner_, changed).ok());
  drift_ = {"dataset.fields[2].column: table resident has no column income"};
  v1::GetDatasetRequest request;
  request.set_name("police/persons");
  const auto told = catalogue_.GetDataset(owner_, request);
  ASSERT_TRUE(told.ok());
  ASSERT_EQ(told->history_size(), 2);
  EXPECT_THAT(told->history(1).differences(), ElementsAre(HasSubstr("fields.born.field_class: ")));
  EXPECT_THAT(told->drift(), ElementsAre(drift_[0]));
  const auto foreign = catalogue_.GetDataset(system_, request);
  EXPECT_THAT(foreign->history(), IsEmpty());
  EXPECT_THAT(foreign->drift(), IsEmpty());
  // An older revision can be read.
  request.set_revision(1);
  EXPECT_EQ(catalogue_.GetDataset(owner_, request)->dataset().fields(1).field_class(),
            v1::FIELD_CLASS_L3_PERSONAL);
  request.set_revision(7);
  EXPECT_EQ(ReasonOf(catalogue_.GetDataset(owner_, request).status()), v1::REASON_NOT_FOUND);
  request.set_revision(-1);
  EXPECT_EQ(ReasonOf(catalogue_.GetDataset(owner_, request).status()), v1::REASON_REQUEST_INVALID);
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
