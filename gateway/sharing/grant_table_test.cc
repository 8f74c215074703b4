#include "gateway/sharing/grant_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/decide.h"
#include "gateway/sharing/grants_testing.h"
#include "gateway/sharing/touched.h"

namespace sluice::sharing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class GrantTableTest : public ::testing::Test {
 protected:
  // What a call by the consumer's system is answered, on the state that is stored now.
  v1::Reason Refusal(absl::Status* status = nullptr) {
    auto snapshot = std::make_shared<policy::Snapshot>();
    auto directory = std::make_shared<identity::Directory>();
    directory->purposes["relief"].set_code("relief");
    snapshot->directory = std::move(directory);
    world_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(snapshot->datasets, catalogue::LoadDatasets(reader));
      SLUICE_ASSIGN_OR_RETURN(snapshot->grants, LoadGrants(reader, snapshot->datasets));
      return absl::OkStatus();
    });
    for (const auto& [id, grant] : snapshot->grants)
      snapshot->by_consumer["welfare\npolice/persons"].push_back(grant);
    v1::QueryRequest request;
    request.set_dataset("police/persons");
    request.set_purpose("relief");
    const policy::Decision decision =
        policy::Decide(world_.consumer_system.principal, request, snapshot, world_.clock.Now(), {});
    if (!decision.denial) return v1::REASON_UNSPECIFIED;
    if (status != nullptr) *status = decision.denial->status;
    return ReasonOf(decision.denial->status);
  }
  // The grants that such a revision touches.
  std::vector<v1::TouchedGrant> TouchedBy(const v1::Dataset& dataset) {
    std::vector<v1::TouchedGrant> touched;
    const auto before = catalogue::Compile(GrantsWorld::Persons());
    const auto after = catalogue::Compile(dataset);
    EXPECT_TRUE(after.ok()) << after.status();
    world_.Read([&](store::Reader& reader) -> absl::Status {
      GrantsTouched grants(world_.clock);
      SLUICE_ASSIGN_OR_RETURN(touched, grants.TouchedBy(reader, *before, *after));
      return absl::OkStatus();
    });
    return touched;
  }
  // The next revision of the persons, without the field that the grant shows.
  static v1::Dataset WithoutCounty() {
    v1::Dataset dataset = GrantsWorld::Persons();
    dataset.set_revision(2);
    dataset.mutable_fields()->DeleteSubrange(3, 1);
    return dataset;
  }

  GrantsWorld world_;
};

TEST_F(GrantTableTest, TheNewestRevisionDecides) {
  v1::Grant made = world_.MustApply(world_.Wanted());
  EXPECT_EQ(Refusal(), v1::REASON_UNSPECIFIED);
  made.set_case_reference_required(true);
  world_.MustApply(made);
  EXPECT_EQ(Refusal(), v1::REASON_CASE_REFERENCE_REQUIRED);
  ASSERT_TRUE(world_.Revoke(world_.owner, made.id()).ok());
  EXPECT_EQ(Refusal(), v1::REASON_GRANT_REVOKED);
}

TEST_F(GrantTableTest, AGrantThatFellFromItsDatasetAllowsNothingAndSaysWhy) {
  world_.MustApply(world_.Wanted());
  const Micros end = world_.clock.Now() + 30 * kDay;
  world_.clock.Advance(31 * kDay);
  world_.PutDataset(WithoutCounty());
  absl::Status status;
  EXPECT_EQ(Refusal(&status), v1::REASON_GRANT_EXPIRED);
  EXPECT_THAT(std::string(status.message()), HasSubstr(FormatUtc(end / kSecond * kSecond)));
  // Nor where the clock goes back.
  world_.clock.Jump(-31 * kDay);
  EXPECT_EQ(Refusal(), v1::REASON_GRANT_REVOKED);
}

TEST_F(GrantTableTest, ARevokedGrantThatFellIsRevoked) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  ASSERT_TRUE(world_.Revoke(world_.owner, made.id()).ok());
  world_.PutDataset(WithoutCounty());
  EXPECT_EQ(Refusal(), v1::REASON_GRANT_REVOKED);
}

TEST_F(GrantTableTest, TheCatalogueHearsWhichGrantsWouldFall) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  EXPECT_THAT(TouchedBy(GrantsWorld::Persons()), IsEmpty());
  const auto touched = TouchedBy(WithoutCounty());
  ASSERT_THAT(touched, SizeIs(1));
  EXPECT_EQ(touched[0].grant(), made.id());
  EXPECT_EQ(touched[0].consumer_agency(), "welfare");
  EXPECT_TRUE(touched[0].broken());
  EXPECT_TRUE(touched[0].ends());
  EXPECT_THAT(touched[0].effects(), ElementsAre("fields[1].name: the dataset has no such field"));

  v1::Dataset stricter = GrantsWorld::Persons();
  *stricter.mutable_fields(0)->mutable_least_mask() = *catalogue::ParseMask("null");
  EXPECT_TRUE(TouchedBy(stricter).at(0).ends());
  v1::Dataset purposes = GrantsWorld::Persons();
  purposes.mutable_purposes()->DeleteSubrange(0, 1);
  EXPECT_TRUE(TouchedBy(purposes).at(0).ends());

  // Those that are over stand in nobody's way.
  ASSERT_TRUE(world_.Revoke(world_.owner, made.id()).ok());
  EXPECT_THAT(TouchedBy(WithoutCounty()), IsEmpty());
  world_.MustApply(world_.Wanted());
  world_.clock.Advance(31 * kDay);
  EXPECT_THAT(TouchedBy(WithoutCounty()), IsEmpty());
}

TEST_F(GrantTableTest, AGrantedFieldThatIsRetypedOrLoweredBreaksItAndOthersDoNot) {
  world_.MustApply(world_.Wanted());  // id and county
  v1::Dataset retyped = GrantsWorld::Persons();
  retyped.mutable_fields(3)->mutable_type()->set_type(v1::FIELD_TYPE_INT64);
  auto touched = TouchedBy(retyped);
  ASSERT_THAT(touched, SizeIs(1));
  EXPECT_TRUE(touched[0].broken());
  EXPECT_FALSE(touched[0].ends());
  EXPECT_THAT(touched[0].effects(), ElementsAre("fields.county.type: utf8 -> int64"));

  v1::Dataset lowered = GrantsWorld::Persons();
  lowered.mutable_fields(3)->set_field_class(v1::FIELD_CLASS_L1_OPEN);
  EXPECT_TRUE(TouchedBy(lowered).at(0).broken());
  EXPECT_THAT(TouchedBy(lowered).at(0).effects(), ElementsAre("fields.county.class: L2 -> L1"));

  v1::Dataset raised = GrantsWorld::Persons();
  raised.mutable_fields(3)->set_field_class(v1::FIELD_CLASS_L3_PERSONAL);
  touched = TouchedBy(raised);
  ASSERT_THAT(touched, SizeIs(1));
  EXPECT_FALSE(touched[0].broken());

  v1::Dataset others = GrantsWorld::Persons();
  others.mutable_fields(2)->mutable_type()->set_type(v1::FIELD_TYPE_UTF8);
  EXPECT_THAT(TouchedBy(others), IsEmpty());
}

TEST_F(GrantTableTest, AGrantThatHasNotBegunIsInForceAndSoIsOneThatIsSuspended) {
  v1::Grant grant = world_.Wanted();
  grant.mutable_not_before()->set_seconds((world_.clock.Now() + kDay) / kSecond);
  grant = world_.MustApply(grant);
  EXPECT_EQ(Refusal(), v1::REASON_GRANT_NOT_YET_VALID);
  EXPECT_THAT(TouchedBy(WithoutCounty()), SizeIs(1));
  ASSERT_TRUE(world_.SetState(world_.owner, grant.id(), v1::GRANT_STATE_SUSPENDED).ok());
  EXPECT_THAT(TouchedBy(WithoutCounty()), SizeIs(1));
}

TEST_F(GrantTableTest, ASuspendedGrantAllowsNothingUntilItIsResumed) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  ASSERT_TRUE(world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_SUSPENDED).ok());
  EXPECT_EQ(Refusal(), v1::REASON_GRANT_SUSPENDED);
  ASSERT_TRUE(world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_IN_FORCE).ok());
  EXPECT_EQ(Refusal(), v1::REASON_UNSPECIFIED);
}

TEST_F(GrantTableTest, NothingOfASuspendedOrRetiredDatasetIsAllowed) {
  world_.MustApply(world_.Wanted());
  v1::Dataset dataset = GrantsWorld::Persons();
  dataset.set_revision(2);
  dataset.set_state(v1::DATASET_STATE_SUSPENDED);
  world_.PutDataset(dataset);
  EXPECT_EQ(Refusal(), v1::REASON_DATASET_SUSPENDED);
  dataset.set_revision(3);
  dataset.set_state(v1::DATASET_STATE_RETIRED);
  world_.PutDataset(dataset);
  EXPECT_EQ(Refusal(), v1::REASON_DATASET_RETIRED);
}

TEST_F(GrantTableTest, ADatasetForOthersIsAsIfItWereNot) {
  world_.MustApply(world_.Wanted());
  v1::Dataset dataset = GrantsWorld::Persons();
  dataset.set_revision(2);
  dataset.add_audience("tax-office");
  world_.PutDataset(dataset);
  absl::Status hidden;
  EXPECT_EQ(Refusal(&hidden), v1::REASON_DATASET_UNKNOWN);
  EXPECT_THAT(hidden.ToString(), Not(HasSubstr("persons")));
  dataset.set_revision(3);
  dataset.add_audience("welfare");
  world_.PutDataset(dataset);
  EXPECT_EQ(Refusal(), v1::REASON_UNSPECIFIED);
}

}  // namespace
}  // namespace sluice::sharing
