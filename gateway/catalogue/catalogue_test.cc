#include "gateway/catalogue/catalogue.h"

#include "gateway/catalogue/catalogue_testing.h"

namespace sluice::catalogue {
namespace {

using identity::Violations;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

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
  EXPECT_EQ(Get(owner_).state_reason(), "an inquiry");
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

TEST_F(CatalogueTest, OfTwoChangesTheSlowerLoses) {
  v1::Dataset mine = Apply(owner_, Persons())->dataset();
  v1::Dataset theirs = mine;
  theirs.mutable_title()->set_en("Theirs");
  mine.mutable_title()->set_en("Mine");
  ASSERT_TRUE(Apply(owner_, theirs).ok());
  EXPECT_EQ(Refusal(owner_, mine), v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(Get(owner_).title().en(), "Theirs");
}

}  // namespace
}  // namespace sluice::catalogue
