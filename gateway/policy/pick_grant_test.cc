#include "gateway/policy/pick_grant.h"

#include <gtest/gtest.h>

#include "gateway/policy/policy_testing.h"

namespace sluice::policy {
namespace {

size_t UsableIn(const PolicyWorld& world, v1::Mode mode = v1::MODE_READ) {
  return UsableGrants(world.caller, mode, *world.snapshot,
                      *world.snapshot->datasets.at("police/persons"), world.now)
      .size();
}

v1::Grant ReadGrant(std::string_view id) {
  v1::Grant grant = GrantDefinition(id);
  grant.add_modes(v1::MODE_READ);
  return grant;
}

TEST(UsableGrants, AreThoseInForceForThisSystemAndMode) {
  PolicyWorld world;
  EXPECT_EQ(UsableIn(world), 0u);
  world.Add(GrantDefinition("query2"));
  EXPECT_EQ(UsableIn(world), 0u);
  EXPECT_EQ(UsableIn(world, v1::MODE_QUERY), 1u);
  world.Add(ReadGrant("read22"));
  EXPECT_EQ(UsableIn(world), 1u);

  v1::Grant another = ReadGrant("other2");
  another.add_systems("another");
  world.Add(another);
  v1::Grant suspended = ReadGrant("suspd2");
  suspended.set_state(v1::GRANT_STATE_SUSPENDED);
  world.Add(suspended);
  EXPECT_EQ(UsableIn(world), 1u);
  world.now = world.snapshot->grants.at("read22")->ends;
  EXPECT_EQ(UsableIn(world), 0u);
}

TEST(UsableGrants, ThereAreNoneForPersonsOrOfADatasetThatAllowsNoCall) {
  PolicyWorld world;
  world.Add(ReadGrant("read22"));
  ASSERT_EQ(UsableIn(world), 1u);
  world.caller.kind = identity::PrincipalKind::kPerson;
  EXPECT_EQ(UsableIn(world), 0u);
  world.caller.kind = identity::PrincipalKind::kSystem;
  for (const v1::DatasetState state : {v1::DATASET_STATE_SUSPENDED, v1::DATASET_STATE_RETIRED}) {
    v1::Dataset dataset = PersonsDefinition();
    dataset.set_state(state);
    world.snapshot->datasets["police/persons"] = MustCompile(dataset);
    EXPECT_EQ(UsableIn(world), 0u);
  }
  v1::Dataset dataset = PersonsDefinition();
  dataset.add_audience("health");
  world.snapshot->datasets["police/persons"] = MustCompile(dataset);
  EXPECT_EQ(UsableIn(world), 0u);
}

}  // namespace
}  // namespace sluice::policy
