// Sources, purposes and seeds as files: the documented examples, and every kind of mistake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/documented_testing.h"
#include "gateway/identity/purpose_yaml.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/seed.h"
#include "gateway/identity/source_yaml.h"
#include "gateway/identity/world_testing.h"

namespace sluice::identity {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

absl::Status CheckKind(const v1::Source& source) {
  Mistakes mistakes;
  if (source.kind() != "sqlite") mistakes.Add("kind", "there is no such kind");
  for (const auto& [key, value] : source.settings())
    if (key != "file") mistakes.Add("settings." + key, "is no setting of sqlite");
  if (source.kind() == "sqlite" && !source.settings().contains("file"))
    mistakes.Add("settings.file", "is missing");
  return mistakes.ToStatus();
}

std::string Message(const absl::Status& status) {
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID) << status;
  return std::string(status.message());
}

// A change to the documented example, and the line that tells it.
struct Mistake {
  const char* from;
  const char* to;
  const char* told;  // "LINE: path: …" begins with this
};

TEST(SourceYamlTest, TheDocumentedOneIsRead) {
  const auto parsed = ParseSourceYaml(DocumentedYaml("source"), "ps.yaml", CheckKind);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::Source& source = parsed->source;
  EXPECT_EQ(source.id(), "ps-register");
  EXPECT_EQ(source.owner_agency(), "public-security");
  EXPECT_EQ(source.kind(), "sqlite");
  EXPECT_EQ(source.settings().at("file"), "/srv/registers/persons.db");
  EXPECT_EQ(source.settings_size(), 1);
  EXPECT_EQ(source.limits().connections(), 4);
  EXPECT_EQ(source.limits().statement_ms(), 10'000);
  EXPECT_EQ(source.limits().breaker_failures(), 5);
  EXPECT_EQ(source.limits().breaker_open_ms(), 30'000);
}

TEST(SourceYamlTest, LimitsThatAreLeftOutAreTheDefaults) {
  const auto parsed =
      ParseSourceYaml("source: a\nowner: b\nkind: sqlite\nfile: x\n", "s.yaml", CheckKind);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->source.limits().queue(), kDefaultQueue);
  EXPECT_EQ(parsed->source.limits().breaker_open_ms(), kDefaultBreakerOpenMs);
}

TEST(SourceYamlTest, EveryMistakeIsNamedWithItsPlace) {
  const std::vector<Mistake> mistakes = {
      {"source: ps-register", "source: PS", "ps.yaml:2: source: "},
      {"owner: public-security\n", "", "ps.yaml:2: owner: "},
      {"owner: public-security", "owner: Public", "ps.yaml:3: owner: "},
      {"kind: sqlite", "kind: odbc", "ps.yaml:4: kind: "},
      {"kind: sqlite", "kind: [sqlite]", "ps.yaml:4: kind: "},
      {"file: /srv", "fil: /srv", "ps.yaml:5: fil: "},
      {"file: /srv/registers/persons.db", "file: {a: b}", "ps.yaml:5: file: "},
      {"kind: sqlite", "kind: sqlite\npassword: hunter2", "ps.yaml:5: password: "},
      {"kind: sqlite", "kind: sqlite\ntls: {ca: x}", "ps.yaml:5: tls: "},
      {"connections: 4", "connections: 0", "ps.yaml:6: limits.connections: "},
      {"connections: 4", "conections: 4", "ps.yaml:6: limits.conections: "},
      {"statement: 10s", "statement: 10", "ps.yaml:6: limits.statement: "},
      {"statement: 10s", "statement: 11m", "ps.yaml:6: limits.statement: "},
      {"queue: 64", "queue: many", "ps.yaml:6: limits.queue: "},
      {"open_after: 5", "open_after: -1", "ps.yaml:7: breaker.open_after: "},
      {"try_again: 30s", "closed: 30s", "ps.yaml:7: breaker.closed: "},
      {"kind: sqlite", "kind: sqlite\nkind: sqlite", "ps.yaml:5: kind: "},
  };
  for (const auto& [from, to, told] : mistakes) {
    const auto parsed =
        ParseSourceYaml(Replaced(DocumentedYaml("source"), from, to), "ps.yaml", CheckKind);
    EXPECT_THAT(Message(parsed.status()), HasSubstr(told)) << to;
    EXPECT_THAT(Message(parsed.status()), ::testing::Not(HasSubstr("hunter2")));
  }
}

TEST(SourceYamlTest, WhatTheGatewayRefusesIsPlacedInTheFile) {
  const auto parsed = ParseSourceYaml(DocumentedYaml("source"), "ps.yaml", CheckKind);
  ASSERT_TRUE(parsed.ok());
  Mistakes answer;
  answer.Add("source.owner_agency", "there is no such agency");
  answer.Add("source.limits.breaker_open_ms", "too long");
  answer.Add("source.settings.file", "cannot be read");
  EXPECT_THAT(
      PlaceViolations(answer.ToStatus(), parsed->document, "ps.yaml", "source", SourceYamlNames()),
      ElementsAre("ps.yaml:3: owner: there is no such agency",
                  "ps.yaml:7: breaker.try_again: too long", "ps.yaml:5: file: cannot be read"));
}

TEST(PurposeYamlTest, TheDocumentedListIsRead) {
  const auto purposes = ParsePurposesYaml(DocumentedYaml("purposes"), "purposes.yaml");
  ASSERT_TRUE(purposes.ok()) << purposes.status();
  ASSERT_THAT(*purposes, SizeIs(3));
  EXPECT_EQ((*purposes)[0].title().zh(), "救助资格核对");
  EXPECT_TRUE((*purposes)[2].withdrawn());
}

TEST(PurposeYamlTest, EveryMistakeIsNamedWithItsPlace) {
  const std::vector<Mistake> mistakes = {
      {"code: relief, ", "", "p.yaml:3: purposes[0].code: "},
      {"code: relief", "code: Relief", "p.yaml:3: purposes[0].code: "},
      {"code: census", "code: relief", "p.yaml:4: purposes[1].code: listed twice"},
      {"withdrawn: true", "withdrawn: maybe", "p.yaml:5: purposes[2].withdrawn: "},
      {"withdrawn: true", "withdrawal: true", "p.yaml:5: purposes[2].withdrawal: "},
      {"purposes:", "purpose:", "p.yaml:2: purpose: "},
  };
  for (const auto& [from, to, told] : mistakes) {
    const auto parsed = ParsePurposesYaml(Replaced(DocumentedYaml("purposes"), from, to), "p.yaml");
    EXPECT_THAT(Message(parsed.status()), HasSubstr(told)) << to;
  }
}

TEST(SeedTest, EveryMistakeIsNamedWithItsPlace) {
  const std::vector<Mistake> mistakes = {
      {"id: data-office", "id: Data-Office", "seed.yaml:3: agencies[0].id: "},
      {"id: civil-affairs", "id: data-office", "seed.yaml:4: agencies[1].id: listed twice"},
      {"roles: [authority]", "roles: [king]", "seed.yaml:6: persons[0].roles[0]: "},
      {"roles: [authority]", "roles: [owner]", "seed.yaml:6: persons: one person needs"},
      {"roles: [operator]", "roles: []", "needs the role operator"},
      {"data-office/operator", "data-office", "seed.yaml:7: persons[1].person: "},
      {"data-office/operator", "nobody/operator", "seed.yaml:7: persons[1].person: agency nobody"},
      {"civil-affairs/relief", "police/relief", "seed.yaml:9: systems[0].system: agency police"},
      {"max_running_calls: 64", "max_running_calls: -1",
       "seed.yaml:9: systems[0].max_running_calls: "},
      {"systems:", "system:", "seed.yaml:8: system: "},
      {"code: relief", "cod: relief", "seed.yaml:11: purposes[0].code: "},
  };
  for (const auto& [from, to, told] : mistakes) {
    const auto parsed = ParseSeed(Replaced(DocumentedYaml("seed"), from, to), "seed.yaml");
    EXPECT_THAT(Message(parsed.status()), HasSubstr(told)) << to;
  }
}

TEST(SeedTest, AllMistakesAreToldAtOnce) {
  const auto parsed = ParseSeed("agencies: [{id: A}]\npersons: [{person: b, x: 1}]\n", "s.yaml");
  const std::vector<std::string> lines = absl::StrSplit(Message(parsed.status()), '\n');
  EXPECT_THAT(lines, SizeIs(5));
  EXPECT_THAT(lines, Each(StartsWith("s.yaml:")));
}

TEST(SeedTest, EachEntryIsAChangeOfTheGatewaysOwn) {
  World world;
  const auto seed = ParseSeed(DocumentedYaml("seed"), "seed.yaml");
  ASSERT_TRUE(seed.ok()) << seed.status();
  ASSERT_TRUE(ApplySeed(*world.store, *world.changes, *seed).ok());
  const auto made = world.changes->made();
  ASSERT_THAT(made, SizeIs(7));  // two agencies, two persons, a system, the purposes, the end
  for (const auto& change : made) EXPECT_EQ(change.actor.actor.principal(), "");
  EXPECT_EQ(made.back().outcome.resource_kind, "seed");
  world.Read([](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto directory, LoadDirectory(reader));
    EXPECT_THAT(directory->persons.at("data-office/authority").roles(),
                ElementsAre(v1::ROLE_AUTHORITY));
    EXPECT_EQ(directory->systems.at("civil-affairs/relief").max_running_calls(), 64);
    EXPECT_EQ(directory->purposes.size(), 1u);
    return absl::OkStatus();
  });
}

TEST(SeedTest, IsTakenInOnceWhateverItSaysLater) {
  World world;
  Seed seed = *ParseSeed(DocumentedYaml("seed"), "seed.yaml");
  ASSERT_TRUE(ApplySeed(*world.store, *world.changes, seed).ok());
  const size_t made = world.changes->made().size();
  seed.persons[0].add_roles(v1::ROLE_OPERATOR);
  v1::Person intruder;
  intruder.set_name("data-office/intruder");
  intruder.add_roles(v1::ROLE_AUTHORITY);
  seed.persons.push_back(intruder);
  ASSERT_TRUE(ApplySeed(*world.store, *world.changes, seed).ok());
  EXPECT_THAT(world.changes->made(), SizeIs(made));
}

// Changes that end after a number of them, as a crash would.
class EndingChanges : public audit::FakeChanges {
 public:
  EndingChanges(store::Store& store, int left) : FakeChanges(store), left_(left) {}
  void Submit(audit::ChangeActor actor, Effect effect, Mutation mutation,
              std::function<void(absl::Status)> done) override {
    if (left_-- <= 0) return done(Error(v1::REASON_AUDIT_UNAVAILABLE, "crash"));
    FakeChanges::Submit(std::move(actor), effect, std::move(mutation), std::move(done));
  }

 private:
  int left_;
};

TEST(SeedTest, GoesOnWhereACrashEndedIt) {
  const Seed seed = *ParseSeed(DocumentedYaml("seed"), "seed.yaml");
  for (int before = 0; before < 7; ++before) {
    World world;
    EndingChanges ending(*world.store, before);
    EXPECT_EQ(ReasonOf(ApplySeed(*world.store, ending, seed)), v1::REASON_AUDIT_UNAVAILABLE);
    ASSERT_TRUE(ApplySeed(*world.store, *world.changes, seed).ok());
    EXPECT_EQ(ending.made().size() + world.changes->made().size(), 7u) << before;
  }
}

}  // namespace
}  // namespace sluice::identity
