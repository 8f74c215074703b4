#include "gateway/sharing/grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/identity/registration.h"
#include "gateway/sharing/grants_testing.h"

namespace sluice::sharing {
namespace {

using identity::Caller;
using identity::Violations;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Effect = audit::Changes::Effect;

class GrantsTest : public ::testing::Test {
 protected:
  v1::Reason Refusal(const Caller& caller, const v1::Grant& grant) {
    const v1::Reason reason = ReasonOf(world_.Apply(caller, grant).status());
    // A dry run tells the same.
    EXPECT_EQ(ReasonOf(world_.Apply(caller, grant, true).status()), reason);
    return reason;
  }
  std::vector<std::string> Mistakes(const v1::Grant& grant) {
    const absl::Status status = world_.Apply(world_.owner, grant).status();
    if (status.ok()) return {};
    EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID) << status;
    return Violations(status);
  }
  std::vector<v1::Grant> List(const Caller& caller) {
    const auto response = world_.grants.ListGrants(caller, {});
    EXPECT_TRUE(response.ok()) << response.status();
    return {response->grants().begin(), response->grants().end()};
  }

  GrantsWorld world_;
};

TEST_F(GrantsTest, AnOwnerMakesAGrantAndItsRevisionsCountUp) {
  const auto first = world_.Apply(world_.owner, world_.Wanted());
  ASSERT_TRUE(first.ok()) << first.status();
  v1::Grant grant = first->grant();
  EXPECT_THAT(grant.id(), SizeIs(6));
  EXPECT_EQ(grant.id().find_first_not_of("23456789abcdefghjkmnpqrstuvwxyz"), std::string::npos);
  EXPECT_EQ(grant.revision(), 1);
  EXPECT_EQ(grant.state(), v1::GRANT_STATE_IN_FORCE);
  EXPECT_EQ(grant.changed_by(), "agency/police/person/owner");
  EXPECT_THAT(first->differences(), Contains("fields.id.mask: none -> partial(3..4)"));
  auto made = world_.changes->last();
  EXPECT_EQ(made.effect, Effect::kAfterRecord);
  EXPECT_EQ(made.outcome.action, "create");
  EXPECT_EQ(made.outcome.resource_name, grant.id());
  EXPECT_EQ(made.outcome.owner_agency, "police");
  EXPECT_EQ(made.outcome.before_json, "");

  for (int revision = 2; revision <= 4; ++revision) {
    world_.clock.Advance(kMinute);
    grant.set_max_page_rows(revision);
    const std::string etag = grant.etag();
    const auto next = world_.Apply(world_.owner, grant);
    ASSERT_TRUE(next.ok()) << next.status();
    grant = next->grant();
    EXPECT_EQ(grant.revision(), revision);
    EXPECT_NE(grant.etag(), etag);
    EXPECT_THAT(next->differences(), SizeIs(1));
    EXPECT_EQ(world_.changes->last().outcome.action, "update");
    EXPECT_EQ(world_.changes->last().outcome.resource_revision, revision);
  }
  // Every revision can be read.
  for (int revision = 2; revision <= 4; ++revision) {
    EXPECT_EQ(world_.Get(world_.owner, grant.id(), revision)->grant().max_page_rows(), revision);
  }
  EXPECT_EQ(world_.Get(world_.owner, grant.id())->grant().revision(), 4);
  EXPECT_EQ(ReasonOf(world_.Get(world_.owner, grant.id(), 5).status()), v1::REASON_NOT_FOUND);
  EXPECT_EQ(ReasonOf(world_.Get(world_.owner, grant.id(), -1).status()),
            v1::REASON_REQUEST_INVALID);
}

TEST_F(GrantsTest, WhatTheGatewaySetsIsNotTheCallersToSay) {
  v1::Grant grant = world_.Wanted();
  grant.set_revision(77);
  grant.set_state(v1::GRANT_STATE_REVOKED);
  grant.set_state_reason("none");
  grant.set_etag("0123456789abcdef");
  grant.set_changed_by("agency/ministry/person/x");
  grant.mutable_changed()->set_seconds(1);
  const v1::Grant made = world_.MustApply(grant);
  EXPECT_EQ(made.revision(), 1);
  EXPECT_EQ(made.state(), v1::GRANT_STATE_IN_FORCE);
  EXPECT_EQ(made.state_reason(), "");
  EXPECT_EQ(made.changed_by(), "agency/police/person/owner");
  EXPECT_GT(made.changed().seconds(), 1);
  // Nor an id of one's own choice.
  grant.set_id("zzz999");
  grant.clear_etag();
  EXPECT_EQ(Refusal(world_.owner, grant), v1::REASON_NOT_FOUND);
}

TEST_F(GrantsTest, NoneIsMadeOnAnEntryThatIsNotPublished) {
  v1::Dataset dataset = GrantsWorld::Persons();
  for (const auto publication : {v1::PUBLICATION_AWAITED, v1::PUBLICATION_RETURNED}) {
    dataset.set_revision(dataset.revision() + 1);
    dataset.set_publication(publication);
    world_.PutDataset(dataset);
    EXPECT_EQ(ReasonOf(world_.Apply(world_.owner, world_.Wanted()).status()),
              v1::REASON_NOT_PUBLISHED);
    EXPECT_EQ(ReasonOf(world_.Apply(world_.owner, world_.Wanted(), true).status()),
              v1::REASON_NOT_PUBLISHED);
  }
  dataset.set_revision(dataset.revision() + 1);
  dataset.set_publication(v1::PUBLICATION_PUBLISHED);
  world_.PutDataset(dataset);
  EXPECT_TRUE(world_.Apply(world_.owner, world_.Wanted()).ok());
}

TEST_F(GrantsTest, AppliedAgainItIsUnchanged) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  world_.clock.Advance(kHour);
  const auto again = world_.Apply(world_.owner, made);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->differences(), IsEmpty());
  EXPECT_EQ(again->grant().SerializeAsString(), made.SerializeAsString());
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
}

TEST_F(GrantsTest, ADryRunTellsAndChangesNothing) {
  const auto dry = world_.Apply(world_.owner, world_.Wanted(), true);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_EQ(dry->grant().id(), "");
  EXPECT_EQ(dry->grant().revision(), 1);
  EXPECT_THAT(dry->differences(), Contains("consumer_agency: none -> welfare"));
  EXPECT_THAT(world_.changes->made(), IsEmpty());
  EXPECT_THAT(List(world_.owner), IsEmpty());

  v1::Grant made = world_.MustApply(world_.Wanted());
  v1::Grant changed = made;
  changed.add_purposes("census");
  const auto next = world_.Apply(world_.owner, changed, true);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->grant().revision(), 2);
  EXPECT_THAT(next->differences(), ElementsAre("purposes: [relief] -> [relief, census]"));
  EXPECT_EQ(world_.Get(world_.owner, made.id())->grant().SerializeAsString(),
            made.SerializeAsString());
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
}

TEST_F(GrantsTest, OnlyPersonsOfTheOwnersAgencyWithTheRoleOwnerMakeGrants) {
  for (const Caller* caller : {&world_.clerk, &world_.consumer_system, &world_.owner_system,
                               &world_.auditor, &world_.authority, &world_.operator_person}) {
    EXPECT_EQ(Refusal(*caller, world_.Wanted()), v1::REASON_ROLE_REQUIRED)
        << caller->principal.path;
  }
  // Owners of other agencies, the consumer's above all.
  EXPECT_EQ(Refusal(world_.other_owner, world_.Wanted()), v1::REASON_NOT_OWNER);
  EXPECT_EQ(Refusal(world_.consumer_clerk, world_.Wanted()), v1::REASON_NOT_OWNER);
  // A system that says it has the role.
  Caller system = world_.owner_system;
  system.principal.roles = {v1::ROLE_OWNER};
  EXPECT_EQ(Refusal(system, world_.Wanted()), v1::REASON_ROLE_REQUIRED);
  EXPECT_THAT(world_.changes->made(), IsEmpty());
}

TEST_F(GrantsTest, AnothersGrantIsNotFoundAndTheConsumersNotItsOwn) {
  v1::Grant made = world_.MustApply(world_.Wanted());
  made.set_max_page_rows(1000);
  EXPECT_EQ(Refusal(world_.other_owner, made), v1::REASON_NOT_FOUND);
  EXPECT_EQ(Refusal(world_.consumer_clerk, made), v1::REASON_NOT_OWNER);
  // Under the name of a dataset of one's own it is the same.
  v1::Grant taken = made;
  taken.set_dataset("tax-office/returns");
  EXPECT_EQ(Refusal(world_.other_owner, taken), v1::REASON_NOT_FOUND);
  taken.set_dataset("welfare/families");
  EXPECT_EQ(Refusal(world_.consumer_clerk, taken), v1::REASON_NOT_OWNER);
  EXPECT_EQ(ReasonOf(world_.Revoke(world_.other_owner, made.id()).status()), v1::REASON_NOT_FOUND);
  EXPECT_EQ(ReasonOf(world_.Revoke(world_.consumer_clerk, made.id()).status()),
            v1::REASON_NOT_OWNER);
  for (const Caller* caller : {&world_.clerk, &world_.owner_system, &world_.authority,
                               &world_.operator_person, &world_.consumer_system}) {
    EXPECT_EQ(ReasonOf(world_.Revoke(*caller, made.id()).status()), v1::REASON_ROLE_REQUIRED);
  }
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
}

TEST_F(GrantsTest, ARoleTakenAwayMeanwhileIsMissed) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  world_.Write([](store::Transaction& transaction) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(auto person, identity::FindPerson(transaction, "police/owner"));
    person->clear_roles();
    return identity::PutPerson(transaction, *person);
  });
  EXPECT_EQ(Refusal(world_.owner, world_.Wanted()), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(ReasonOf(world_.Revoke(world_.owner, made.id()).status()), v1::REASON_ROLE_REQUIRED);
}

TEST_F(GrantsTest, OfTwoChangesTheSlowerLoses) {
  v1::Grant mine = world_.MustApply(world_.Wanted());
  v1::Grant theirs = mine;
  theirs.clear_systems();
  world_.MustApply(theirs);
  mine.set_max_page_rows(5);
  EXPECT_EQ(Refusal(world_.owner, mine), v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(world_.Get(world_.owner, mine.id())->grant().max_page_rows(), 0);
  EXPECT_EQ(ReasonOf(world_.Revoke(world_.owner, mine.id(), mine.etag()).status()),
            v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(world_.Get(world_.owner, mine.id())->grant().state(), v1::GRANT_STATE_IN_FORCE);
}

TEST_F(GrantsTest, AGrantKeepsItsDatasetAndConsumer) {
  v1::Dataset other = GrantsWorld::Persons();
  other.set_name("police/vehicles");
  world_.PutDataset(other);
  v1::Grant made = world_.MustApply(world_.Wanted());
  made.set_dataset("police/vehicles");
  made.set_consumer_agency("tax-office");
  EXPECT_THAT(Mistakes(made),
              ElementsAre(StartsWith("grant.dataset: "), StartsWith("grant.consumer_agency: ")));
}

TEST_F(GrantsTest, EachMistakeIsNamedByItsPath) {
  const struct {
    std::string told;
    std::function<void(v1::Grant&)> spoil;
  } rows[] = {
      {"grant.consumer_agency: there is no", [](auto& g) { g.set_consumer_agency("nobody"); }},
      {"grant.systems[1]: there is no system welfare/other",
       [](auto& g) { g.add_systems("other"); }},
      {"grant.systems[1]: ", [](auto& g) { g.add_systems("relief"); }},
      {"grant.systems[1]: ", [](auto& g) { g.add_systems("../relief"); }},
      {"grant.purposes[1]: ", [](auto& g) { g.add_purposes("fun"); }},
      {"grant.purposes[1]: \"old\" was withdrawn", [](auto& g) { g.add_purposes("old"); }},
      {"grant.fields[0].mask: ", [](auto& g) { g.mutable_fields(0)->clear_mask(); }},
      {"grant.fields[0].mask: the dataset demands at least partial(3..4)",
       [](auto& g) { g.mutable_fields(0)->mutable_mask()->set_last(5); }},
      {"grant.fields[2].name: ", [](auto& g) { g.add_fields()->set_name("phone"); }},
      {"grant.row_filter:1: ", [](auto& g) { g.set_row_filter("phone = 1"); }},
      {"grant.max_page_rows: ", [](auto& g) { g.set_max_page_rows(1'000'001); }},
      {"grant.quota.rows_total: ",
       [](auto& g) { g.mutable_quota()->set_rows_total(std::numeric_limits<int64_t>::max()); }},
      {"grant.quota.rows_per_day: ", [](auto& g) { g.mutable_quota()->set_rows_per_day(-1); }},
      {"grant.quota.day_offset_minutes: ",
       [](auto& g) { g.mutable_quota()->set_day_offset_minutes(-721); }},
      {"grant.expires: ", [](auto& g) { g.clear_expires(); }},
      {"grant.modes: ", [](auto& g) { g.clear_modes(); }},
      {"grant.basis.law: ", [](auto& g) { g.mutable_basis()->clear_law(); }},
  };
  for (const auto& row : rows) {
    v1::Grant grant = world_.Wanted();
    row.spoil(grant);
    EXPECT_THAT(Mistakes(grant), Contains(StartsWith(row.told))) << row.told;
  }
  EXPECT_THAT(world_.changes->made(), IsEmpty());
}

TEST_F(GrantsTest, EachMistakeIsToldOnce) {
  v1::Grant grant = world_.Wanted();
  grant.add_systems("relief");
  grant.set_max_page_rows(-1);
  grant.mutable_quota()->set_rows_total(-1);
  std::multiset<std::string> paths;
  for (const std::string& line : Mistakes(grant)) paths.insert(line.substr(0, line.find(": ")));
  for (const char* path : {"grant.max_page_rows", "grant.quota.rows_total", "grant.systems[1]"})
    EXPECT_EQ(paths.count(path), 1u) << path;
}

TEST_F(GrantsTest, AnEndMustBeAheadAndWithinTheCalendar) {
  v1::Grant grant = world_.Wanted();
  grant.mutable_expires()->set_seconds(world_.clock.Now() / kSecond);
  EXPECT_THAT(Mistakes(grant), ElementsAre("grant.expires: is past"));
  grant.mutable_expires()->set_seconds(world_.clock.Now() / kSecond + 1);
  EXPECT_THAT(Mistakes(grant), IsEmpty());
  for (const int64_t seconds :
       {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(),
        int64_t{253402300800}, int64_t{9223372036855}}) {
    for (const bool dry_run : {false, true}) {
      grant = world_.Wanted();
      grant.mutable_expires()->set_seconds(seconds);
      EXPECT_EQ(ReasonOf(world_.Apply(world_.owner, grant, dry_run).status()),
                v1::REASON_DEFINITION_INVALID);
      grant = world_.Wanted();
      grant.mutable_not_before()->set_seconds(seconds);
      grant.mutable_not_before()->set_nanos(std::numeric_limits<int32_t>::min());
      EXPECT_EQ(ReasonOf(world_.Apply(world_.owner, grant, dry_run).status()),
                v1::REASON_DEFINITION_INVALID);
    }
  }
}

TEST_F(GrantsTest, AnExpiredGrantIsProlongedByItsNextRevision) {
  v1::Grant made = world_.MustApply(world_.Wanted());
  world_.clock.Advance(31 * kDay);
  EXPECT_THAT(world_.Apply(world_.owner, made)->differences(), IsEmpty());
  made.set_max_page_rows(3);
  EXPECT_THAT(Mistakes(made), ElementsAre("grant.expires: is past"));
  made.mutable_expires()->set_seconds((world_.clock.Now() + kDay) / kSecond);
  EXPECT_EQ(world_.MustApply(made).revision(), 2);
}

TEST_F(GrantsTest, ADatasetThatThereIsNot) {
  v1::Grant grant = world_.Wanted();
  grant.set_dataset("police/vehicles");
  EXPECT_EQ(Refusal(world_.owner, grant), v1::REASON_DATASET_UNKNOWN);
  grant.set_dataset("police");
  EXPECT_EQ(Refusal(world_.owner, grant), v1::REASON_DATASET_UNKNOWN);
  grant.clear_dataset();
  EXPECT_EQ(Refusal(world_.owner, grant), v1::REASON_DATASET_UNKNOWN);
  // Whether another agency has it is not told.
  grant.set_dataset("tax-office/returns");
  EXPECT_EQ(Refusal(world_.owner, grant), v1::REASON_NOT_OWNER);
}

TEST_F(GrantsTest, WhoSeesAGrant) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  for (const Caller* caller : {&world_.owner, &world_.clerk, &world_.consumer_clerk,
                               &world_.consumer_system, &world_.auditor, &world_.authority}) {
    EXPECT_TRUE(world_.Get(*caller, made.id()).ok()) << caller->principal.path;
    EXPECT_THAT(List(*caller), SizeIs(1)) << caller->principal.path;
  }
  for (const Caller* caller :
       {&world_.owner_system, &world_.other_owner, &world_.other_system, &world_.operator_person}) {
    const absl::Status status = world_.Get(*caller, made.id()).status();
    EXPECT_EQ(ReasonOf(status), v1::REASON_NOT_FOUND) << caller->principal.path;
    const absl::Status none = world_.Get(*caller, "zzz999").status();
    EXPECT_EQ(status.message(), none.message());
    EXPECT_THAT(List(*caller), IsEmpty()) << caller->principal.path;
    v1::ListGrantsRequest request;
    request.set_dataset("police/persons");
    request.set_consumer_agency("welfare");
    EXPECT_EQ(world_.grants.ListGrants(*caller, request)->grants_size(), 0);
  }
}

TEST_F(GrantsTest, TheQuotaLeftIsToldOfTheNewestRevisionAlone) {
  v1::Grant grant = world_.Wanted();
  v1::Grant made = world_.MustApply(grant);
  EXPECT_FALSE(world_.Get(world_.owner, made.id())->has_quota_left());
  made.mutable_quota()->set_rows_total(100);
  made = world_.MustApply(made);
  EXPECT_EQ(world_.Get(world_.owner, made.id())->quota_left().rows_total(), 41);
  EXPECT_EQ(world_.Get(world_.owner, made.id(), 2)->quota_left().rows_total(), 41);
  EXPECT_FALSE(world_.Get(world_.owner, made.id(), 1)->has_quota_left());
}

TEST_F(GrantsTest, ListsComeInPagesOfWhatTheCallerMaySee) {
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) made.insert(world_.MustApply(world_.Wanted()).id());
  v1::Grant other = world_.Wanted();
  other.set_consumer_agency("tax-office");
  other.clear_systems();
  const std::string theirs = world_.MustApply(other).id();
  v1::ListGrantsRequest request;
  request.set_page_size(2);
  std::vector<std::string> seen;
  do {
    const auto page = world_.grants.ListGrants(world_.consumer_system, request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->grants_size(), 2);
    for (const auto& grant : page->grants()) seen.push_back(grant.id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(std::vector<std::string>(made.begin(), made.end()), seen);
  // Another's id as a token shows nothing of that one.
  request.set_page_token(theirs);
  const auto behind = world_.grants.ListGrants(world_.consumer_system, request);
  for (const auto& grant : behind->grants()) EXPECT_NE(grant.id(), theirs);
  for (const char* token : {"x", "' OR 1", "ABCDEF", "abc2345"}) {
    request.set_page_token(token);
    EXPECT_EQ(ReasonOf(world_.grants.ListGrants(world_.owner, request).status()),
              v1::REASON_PAGE_TOKEN_INVALID);
  }
  request.clear_page_token();
  for (const int size : {-1, 1001}) {
    request.set_page_size(size);
    EXPECT_EQ(ReasonOf(world_.grants.ListGrants(world_.owner, request).status()),
              v1::REASON_REQUEST_INVALID);
  }
}

}  // namespace
}  // namespace sluice::sharing
