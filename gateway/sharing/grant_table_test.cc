#include "gateway/sharing/grant_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/decide.h"
#include "gateway/sharing/grants_testing.h"

namespace sluice::sharing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
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
  std::vector<catalogue::BrokenGrant> BrokenBy(const v1::Dataset& dataset) {
    std::vector<catalogue::BrokenGrant> broken;
    const auto compiled = catalogue::Compile(dataset);
    EXPECT_TRUE(compiled.ok()) << compiled.status();
    world_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(broken, GrantsBrokenBy(reader, *compiled, world_.clock.Now()));
      return absl::OkStatus();
    });
    return broken;
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
  EXPECT_THAT(BrokenBy(GrantsWorld::Persons()), IsEmpty());
  const auto broken = BrokenBy(WithoutCounty());
  ASSERT_THAT(broken, SizeIs(1));
  EXPECT_EQ(broken[0].id, made.id());

  v1::Dataset stricter = GrantsWorld::Persons();
  *stricter.mutable_fields(0)->mutable_least_mask() = *catalogue::ParseMask("null");
  EXPECT_THAT(BrokenBy(stricter), SizeIs(1));
  v1::Dataset purposes = GrantsWorld::Persons();
  purposes.mutable_purposes()->DeleteSubrange(0, 1);
  EXPECT_THAT(BrokenBy(purposes), SizeIs(1));

  // Those that are over stand in nobody's way.
  ASSERT_TRUE(world_.Revoke(world_.owner, made.id()).ok());
  EXPECT_THAT(BrokenBy(WithoutCounty()), IsEmpty());
  world_.MustApply(world_.Wanted());
  world_.clock.Advance(31 * kDay);
  EXPECT_THAT(BrokenBy(WithoutCounty()), IsEmpty());
}

TEST_F(GrantTableTest, AGrantThatHasNotBegunIsInForce) {
  v1::Grant grant = world_.Wanted();
  grant.mutable_not_before()->set_seconds((world_.clock.Now() + kDay) / kSecond);
  world_.MustApply(grant);
  EXPECT_EQ(Refusal(), v1::REASON_GRANT_NOT_YET_VALID);
  EXPECT_THAT(BrokenBy(WithoutCounty()), SizeIs(1));
}

}  // namespace
}  // namespace sluice::sharing
