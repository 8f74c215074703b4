#include "gateway/policy/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/policy/policy_testing.h"

namespace sluice::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> NamesOf(const records::Schema& schema) {
  std::vector<std::string> names;
  for (const records::Field& field : schema.fields()) names.push_back(field.name);
  return names;
}

std::vector<std::string> ScannedBy(const Plan& plan) {
  std::vector<std::string> names;
  for (const int field : plan.scan_fields) names.push_back(plan.dataset->field(field).name());
  return names;
}

std::string KeyOf(const absl::Status& status, const std::string& key) {
  const auto info = ErrorInfoOf(status);
  if (!info || !info->metadata().contains(key)) return "";
  return info->metadata().at(key);
}

struct Denied {
  v1::Reason reason;
  const char* what;
  std::function<void(PolicyWorld&, v1::Grant&, v1::QueryRequest&)> spoil;
};

TEST(Decide, EachReasonForDenial) {
  const Denied rows[] = {
      {v1::REASON_CERTIFICATE_KIND_NOT_ALLOWED, "a person",
       [](auto& world, auto&, auto&) { world.caller.kind = identity::PrincipalKind::kPerson; }},
      {v1::REASON_REQUEST_INVALID, "a purpose of another form",
       [](auto&, auto&, auto& request) { request.set_purpose("Relief!"); }},
      {v1::REASON_REQUEST_INVALID, "no dataset",
       [](auto&, auto&, auto& request) { request.clear_dataset(); }},
      {v1::REASON_DATASET_UNKNOWN, "another dataset",
       [](auto&, auto&, auto& request) { request.set_dataset("police/person"); }},
      {v1::REASON_PURPOSE_UNKNOWN, "a purpose of nobody's",
       [](auto&, auto&, auto& request) { request.set_purpose("fun"); }},
      {v1::REASON_PURPOSE_UNKNOWN, "a purpose that was withdrawn",
       [](auto&, auto& grant, auto& request) {
         grant.add_purposes("census");
         request.set_purpose("old");
       }},
      {v1::REASON_PURPOSE_NOT_GRANTED, "a purpose that the dataset has, the grant not",
       [](auto&, auto&, auto& request) { request.set_purpose("census"); }},
      {v1::REASON_NO_GRANT, "another agency",
       [](auto& world, auto&, auto&) { world.caller.agency = "tax-office"; }},
      {v1::REASON_NO_GRANT, "an agency whose name holds the other's",
       [](auto& world, auto&, auto&) { world.caller.agency = "welfare\npolice"; }},
      {v1::REASON_GRANT_UNKNOWN, "a grant that there is not",
       [](auto&, auto&, auto& request) { request.set_grant("zzz999"); }},
      {v1::REASON_SYSTEM_NOT_GRANTED, "another system",
       [](auto&, auto& grant, auto&) { grant.add_systems("archive"); }},
      {v1::REASON_SYSTEM_NOT_GRANTED, "a system whose name begins alike",
       [](auto& world, auto& grant, auto&) {
         grant.add_systems("relief-system");
         world.caller.name = "relief-system-2";
       }},
      {v1::REASON_NETWORK_NOT_GRANTED, "from nowhere that its networks hold",
       [](auto&, auto& grant, auto&) { grant.mutable_conditions()->add_networks("10.2.0.0/16"); }},
      {v1::REASON_OUTSIDE_HOURS, "on another day of the week",
       [](auto&, auto& grant, auto&) {
         // The world's time is a Monday.
         grant.mutable_conditions()->add_hours("Tue-Sun");
         grant.mutable_conditions()->set_time_zone("+00:00");
       }},
      {v1::REASON_GRANT_EXPIRED, "the moment of its end",
       [](auto& world, auto& grant, auto&) {
         grant.mutable_expires()->set_seconds(world.now / kSecond);
       }},
      {v1::REASON_GRANT_NOT_YET_VALID, "a microsecond before its beginning",
       [](auto& world, auto& grant, auto&) {
         grant.mutable_not_before()->set_seconds(world.now / kSecond);
         grant.mutable_not_before()->set_nanos(1000);
       }},
      {v1::REASON_GRANT_REVOKED, "revoked",
       [](auto&, auto& grant, auto&) { grant.set_state(v1::GRANT_STATE_REVOKED); }},
      {v1::REASON_GRANT_REVOKED, "of no state",
       [](auto&, auto& grant, auto&) { grant.clear_state(); }},
      {v1::REASON_CASE_REFERENCE_REQUIRED, "no case",
       [](auto&, auto& grant, auto&) { grant.set_case_reference_required(true); }},
      {v1::REASON_CASE_REFERENCE_REQUIRED, "a case of spaces",
       [](auto&, auto& grant, auto& request) {
         grant.set_case_reference_required(true);
         request.set_case_reference("  ");
       }},
      {v1::REASON_CASE_REFERENCE_REQUIRED, "a case of wide spaces",
       [](auto&, auto& grant, auto& request) {
         grant.set_case_reference_required(true);
         request.set_case_reference("\u3000\u00a0\u200b");
       }},
      {v1::REASON_END_USER_REQUIRED, "no end user",
       [](auto&, auto& grant, auto& request) {
         grant.set_case_reference_required(true);
         grant.set_end_user_required(true);
         request.set_case_reference("case-1");
       }},
      {v1::REASON_FIELD_UNKNOWN, "a field that there is not",
       [](auto&, auto&, auto& request) { request.add_fields("phone"); }},
      {v1::REASON_FIELD_UNKNOWN, "one that there is not beside one not granted",
       [](auto&, auto&, auto& request) {
         request.add_fields("secret");
         request.add_fields("ID");
       }},
      {v1::REASON_FIELD_NOT_GRANTED, "a field not granted",
       [](auto&, auto&, auto& request) { request.add_fields("secret"); }},
      {v1::REASON_FIELD_UNKNOWN, "a filter on no field",
       [](auto&, auto&, auto& request) { request.set_filter("phone = 1"); }},
      {v1::REASON_FIELD_NOT_GRANTED, "a filter on a field not granted",
       [](auto&, auto&, auto& request) { request.set_filter("secret = null"); }},
      {v1::REASON_FILTER_NOT_ALLOWED, "a filter on a masked field",
       [](auto&, auto& grant, auto& request) {
         MaskField(grant, "income", "bucket(1000)");
         request.set_filter("income = null");
       }},
      {v1::REASON_FILTER_INVALID, "a filter that cannot be read",
       [](auto&, auto&, auto& request) { request.set_filter("points ="); }},
      {v1::REASON_FILTER_LITERAL_NOT_ALLOWED, "a personal value in the text",
       [](auto&, auto&, auto& request) { request.set_filter("name = \"Li\""); }},
      {v1::REASON_PARAMETER_INVALID, "a parameter without value",
       [](auto&, auto&, auto& request) { request.set_filter("name = $n"); }},
      {v1::REASON_PAGE_SIZE_TOO_LARGE, "a page over the grant's",
       [](auto&, auto& grant, auto& request) {
         grant.set_max_page_rows(10);
         request.set_page_size(11);
       }},
      {v1::REASON_PAGE_SIZE_TOO_LARGE, "a page over the gateway's, whatever the grant says",
       [](auto&, auto& grant, auto& request) {
         grant.set_max_page_rows(5000);
         request.set_page_size(1001);
       }},
  };
  for (const Denied& row : rows) {
    PolicyWorld world;
    v1::Grant grant = GrantDefinition();
    v1::QueryRequest request = world.Request();
    row.spoil(world, grant, request);
    world.Add(grant);
    const Decision decision = world.Ask(request);
    ASSERT_TRUE(decision.denial) << row.what;
    EXPECT_FALSE(decision.plan) << row.what;
    EXPECT_EQ(ReasonName(ReasonOf(decision.denial->status)), ReasonName(row.reason)) << row.what;
    EXPECT_FALSE(decision.denial->status.message().empty()) << row.what;
  }
}

TEST(Decide, AGrantWithoutTheModeAllowsNoQuery) {
  PolicyWorld world;
  world.Add(GrantDefinition());
  // Compile refuses one, so that it can only come of a grant that fell from its dataset.
  auto fallen = std::make_shared<Grant>(*world.snapshot->grants.at("abc234"));
  fallen->definition.clear_modes();
  world.snapshot->by_consumer.begin()->second = {fallen};
  EXPECT_EQ(world.Refusal(world.Request()), v1::REASON_MODE_NOT_GRANTED);
}

TEST(Decide, AWithheldDatasetAllowsNothingAndNamesTheLaw) {
  PolicyWorld world;
  world.Add(GrantDefinition());  // older than the law
  v1::Dataset withheld = PersonsDefinition();
  withheld.set_sharing(v1::SHARING_ATTRIBUTE_WITHHELD);
  withheld.mutable_withheld_by()->set_law("Secrets Act");
  withheld.mutable_withheld_by()->set_article("13");
  world.snapshot->datasets["police/persons"] = MustCompile(withheld);
  const absl::Status status = world.Ask(world.Request()).denial->status;
  EXPECT_EQ(ReasonOf(status), v1::REASON_NO_GRANT);
  EXPECT_EQ(KeyOf(status, "withheld_by"), "Secrets Act 13");
}

TEST(Decide, AGrantOnAnotherRevisionOfItsDatasetAllowsNothing) {
  PolicyWorld world;
  world.Add(GrantDefinition());
  v1::Dataset newer = PersonsDefinition();
  newer.set_revision(4);
  newer.mutable_fields()->SwapElements(0, 9);  // id and secret change places
  world.snapshot->datasets["police/persons"] = MustCompile(newer);
  const Decision decision = world.Ask(world.Request());
  ASSERT_TRUE(decision.denial);
  EXPECT_TRUE(absl::IsInternal(decision.denial->status));
}

TEST(Decide, TheEndIsOutsideAndTheBeginningInside) {
  PolicyWorld world;
  v1::Grant grant = GrantDefinition();
  grant.mutable_not_before()->set_seconds(kTestNow / kSecond);
  grant.mutable_expires()->set_seconds(kTestNow / kSecond + 1);
  world.Add(grant);
  EXPECT_EQ(world.Refusal(world.Request()), v1::REASON_UNSPECIFIED);
  world.now = kTestNow + kSecond - 1;
  EXPECT_EQ(world.Refusal(world.Request()), v1::REASON_UNSPECIFIED);
  world.now = kTestNow + kSecond;
  EXPECT_EQ(world.Refusal(world.Request()), v1::REASON_GRANT_EXPIRED);
  world.now = kTestNow - 1;
  EXPECT_EQ(world.Refusal(world.Request()), v1::REASON_GRANT_NOT_YET_VALID);
}

TEST(Decide, OfSeveralThatAllowTheCallerNamesOne) {
  PolicyWorld world;
  world.Add(GrantDefinition("abc234"));
  v1::Grant other = GrantDefinition("def567");
  LeaveOut(other, "income");
  world.Add(other);
  v1::QueryRequest request = world.Request();
  const absl::Status status = world.Ask(request).denial->status;
  EXPECT_EQ(ReasonOf(status), v1::REASON_GRANT_AMBIGUOUS);
  EXPECT_THAT(KeyOf(status, "held"), HasSubstr("abc234  relief  until 2026-"));
  EXPECT_THAT(KeyOf(status, "held"), HasSubstr("\ndef567  relief"));
  request.set_grant("def567");
  const Decision decision = world.Ask(request);
  ASSERT_TRUE(decision.plan);
  EXPECT_EQ(decision.plan->grant->definition.id(), "def567");
  EXPECT_THAT(decision.plan->left_out, ElementsAre("income", "secret"));
  // A grant that does not allow the call stands in nobody's way.
  other.set_id("ghj789");
  other.set_state(v1::GRANT_STATE_REVOKED);
  world.snapshot->by_consumer.clear();
  world.Add(other);
  world.Add(GrantDefinition());
  EXPECT_EQ(world.Refusal(world.Request()), v1::REASON_UNSPECIFIED);
}

TEST(Decide, NobodyElsesGrantIsFoundOrTold) {
  PolicyWorld world;
  v1::Grant other = GrantDefinition("def567");
  other.set_consumer_agency("tax-office");
  world.Add(other);
  v1::QueryRequest request = world.Request();
  const std::string none = TextOf(world.Ask(request).denial->status);
  EXPECT_THAT(none, Not(HasSubstr("def567")));
  request.set_grant("def567");
  const std::string theirs = TextOf(world.Ask(request).denial->status);
  request.set_grant("zzz999");
  EXPECT_EQ(theirs, TextOf(world.Ask(request).denial->status));
  EXPECT_EQ(world.Ask(request).denial->grant, nullptr);
}

TEST(Decide, TheNearestMissNamesTheReasonAndTheGrant) {
  PolicyWorld world;
  v1::Grant expired = GrantDefinition("abc234");
  expired.mutable_expires()->set_seconds(kTestNow / kSecond - 60);
  world.Add(expired);
  v1::Grant elsewhere = GrantDefinition("def567");
  elsewhere.add_systems("archive");
  world.Add(elsewhere);
  const Decision decision = world.Ask(world.Request());
  EXPECT_EQ(ReasonOf(decision.denial->status), v1::REASON_GRANT_EXPIRED);
  EXPECT_EQ(KeyOf(decision.denial->status, "grant"), "abc234");
  EXPECT_EQ(decision.denial->grant->definition.id(), "abc234");
  EXPECT_EQ(KeyOf(decision.denial->status, "held"), "");  // none that it may use now
}

TEST(Decide, AnUnknownNameIsNotRepeated) {
  PolicyWorld world;
  world.Add(GrantDefinition());
  v1::QueryRequest request = world.Request();
  request.set_dataset("police/p110101199003074514");
  EXPECT_THAT(TextOf(world.Ask(request).denial->status), Not(HasSubstr("110101")));
  request = world.Request();
  request.set_purpose("p110101199003074514");
  EXPECT_THAT(TextOf(world.Ask(request).denial->status), Not(HasSubstr("110101")));
  request = world.Request();
  request.add_fields("p110101199003074514");
  EXPECT_THAT(TextOf(world.Ask(request).denial->status), Not(HasSubstr("110101")));
  request = world.Request("p110101199003074514 = 1");
  EXPECT_THAT(TextOf(world.Ask(request).denial->status), Not(HasSubstr("110101")));
}

TEST(Decide, ANameThatIsNearlyAKnownOneIsToldThatOne) {
  PolicyWorld world;
  world.Add(GrantDefinition());
  const auto nearest = [&world](const v1::QueryRequest& request) {
    return KeyOf(world.Ask(request).denial->status, "nearest");
  };
  v1::QueryRequest request = world.Request();
  request.set_dataset("police/person");
  EXPECT_EQ(nearest(request), "police/persons");
  // One that the agency may not know of is told nobody, and is itself as one that there is not.
  v1::Dataset hidden = PersonsDefinition();
  hidden.set_name("police/prisons");
  hidden.add_audience("justice");
  world.snapshot->datasets.emplace("police/prisons", MustCompile(hidden));
  request.set_dataset("police/prisons");
  EXPECT_EQ(nearest(request), "police/persons");

  request = world.Request();
  request.set_purpose("reliefs");
  EXPECT_EQ(nearest(request), "relief");
  request = world.Request();
  for (const char* name : {"county", "nmae", "boorn"}) request.add_fields(name);
  EXPECT_EQ(nearest(request), "name");
  EXPECT_EQ(nearest(world.Request("cuonty = 'x'")), "county");
}

TEST(Decide, EveryFieldThatCannotBeHadIsNamedAtOnce) {
  PolicyWorld world;
  v1::Grant grant = GrantDefinition();
  LeaveOut(grant, "income");
  world.Add(grant);
  v1::QueryRequest request = world.Request();
  for (const char* name : {"id", "income", "secret"}) request.add_fields(name);
  const absl::Status status = world.Ask(request).denial->status;
  EXPECT_EQ(KeyOf(status, "field"), "income");
  const auto mistakes = BadRequestOf(status);
  ASSERT_EQ(mistakes->field_violations_size(), 2);
  EXPECT_EQ(mistakes->field_violations(0).field(), "fields[1]");
  EXPECT_EQ(mistakes->field_violations(1).field(), "fields[2]");
}

TEST(Decide, FieldsComeInTheOrderAskedFor) {
  PolicyWorld world;
  v1::Grant grant = GrantDefinition();
  MaskField(grant, "born", "date(year)");
  MaskField(grant, "id", "partial(3..4)");
  world.Add(grant);
  v1::QueryRequest request = world.Request();
  request.add_fields("born");
  request.add_fields("id");
  const Decision decision = world.Ask(request);
  ASSERT_TRUE(decision.plan);
  EXPECT_THAT(NamesOf(*decision.plan->output_schema), ElementsAre("born", "id"));
  EXPECT_THAT(decision.plan->left_out, ElementsAre("name", "income", "county", "points", "score",
                                                   "seen", "active", "secret", "photo", "visited"));
  EXPECT_THAT(ScannedBy(*decision.plan), ElementsAre("id", "born", "points"));
  EXPECT_EQ(decision.plan->source->id(), "register");
}

TEST(Decide, WhatTheRowFilterNeedsIsScannedButNotShown) {
  PolicyWorld world;
  v1::Grant grant = GrantDefinition();
  LeaveOut(grant, "county");
  grant.set_row_filter("county = \"Dongcheng\" AND secret != null");
  world.Add(grant);
  v1::QueryRequest request = world.Request();
  request.add_fields("name");
  const Decision decision = world.Ask(request);
  ASSERT_TRUE(decision.plan);
  EXPECT_THAT(NamesOf(*decision.plan->output_schema), ElementsAre("name"));
  EXPECT_THAT(ScannedBy(*decision.plan), ElementsAre("id", "name", "county", "points", "secret"));
  const std::string answer = world.Answer(request, {PersonRow(1), PersonRow(2)});
  EXPECT_THAT(answer, HasSubstr("Name2"));
  EXPECT_THAT(answer, Not(HasSubstr("Name1")));
  EXPECT_THAT(answer, Not(HasSubstr("Dongcheng")));
  EXPECT_THAT(answer, Not(HasSubstr("secret")));
}

TEST(Decide, RowsAreOrderedOnlyWhereTheWholeKeyIsShown) {
  const struct {
    const char* key;
    const char* masked;
    bool ordered;
  } rows[] = {{"points", "", true},       {"points", "points", false}, {"points,id", "", true},
              {"points,id", "id", false}, {"secret", "", false},       {"", "", false}};
  for (const auto& row : rows) {
    v1::Dataset definition = PersonsDefinition();
    definition.clear_key();
    std::string key = row.key;
    if (key == "points,id") {
      definition.add_key("points");
      definition.add_key("id");
    } else if (!key.empty()) {
      definition.add_key(key);
    }
    PolicyWorld world(definition);
    v1::Grant grant = GrantDefinition();
    const std::string masked = row.masked;
    if (masked == "points") MaskField(grant, "points", "bucket(10)");
    if (masked == "id") MaskField(grant, "id", "partial(3..4)");
    world.Add(grant);
    EXPECT_EQ(world.Ask(world.Request()).plan->ordered, row.ordered) << key << " " << masked;
  }
}

TEST(Decide, PagesAreTheSmallestOfWhatIsAllowedAndAskedFor) {
  const struct {
    int granted, gateway, asked, rows;
  } table[] = {{0, 1000, 0, 1000},
               {10, 1000, 0, 10},
               {5000, 1000, 0, 1000},
               {10, 1000, 3, 3},
               {0, 1000, 1000, 1000}};
  for (const auto& row : table) {
    PolicyWorld world;
    v1::Grant grant = GrantDefinition();
    grant.set_max_page_rows(row.granted);
    world.Add(grant);
    world.limits.max_page_rows = row.gateway;
    v1::QueryRequest request = world.Request();
    request.set_page_size(row.asked);
    EXPECT_EQ(world.Ask(request).plan->page_rows, row.rows);
  }
}

TEST(Decide, ADenialTellsTheLogWhoWasAskedAbout) {
  PolicyWorld world;
  v1::Grant grant = GrantDefinition();
  MaskField(grant, "id", "null");
  world.Add(grant);
  v1::QueryRequest request = world.Request("id = $who AND points > 3");
  PolicyWorld::Bind(request, "who", {TextValue("a"), TextValue("b")});
  const Denial denial = *world.Ask(request).denial;
  EXPECT_EQ(ReasonOf(denial.status), v1::REASON_FILTER_NOT_ALLOWED);
  ASSERT_EQ(denial.asked.size(), 2u);
  EXPECT_EQ(denial.asked[1].raw, "b");
  EXPECT_TRUE(denial.names_subjects);
  request.set_filter("id = $who OR points > 3");
  EXPECT_FALSE(world.Ask(request).denial->names_subjects);
  request.set_filter("NOT (id = $who)");
  EXPECT_FALSE(world.Ask(request).denial->names_subjects);
  request.set_filter("id = $who AND");
  EXPECT_THAT(world.Ask(request).denial->asked, IsEmpty());
  // No value of a parameter is in what the consumer reads.
  EXPECT_THAT(TextOf(denial.status), Not(HasSubstr("\"a\"")));
}

TEST(Decide, SameInputsSameOutputs) {
  PolicyWorld world;
  v1::Grant grant = GrantDefinition();
  MaskField(grant, "id", "pseudonym", v1::MASKED_FILTER_MASKED_VALUE);
  grant.set_row_filter("points > 0");
  world.Add(grant);
  const std::string before = world.snapshot->grants.at("abc234")->definition.SerializeAsString();
  Table table;
  for (int i = 0; i < 7; ++i) table.push_back(PersonRow(i));
  for (const char* filter : {"", "id = $x", "secret = 1", "points = ", "county = \"Xicheng\""}) {
    v1::QueryRequest request = world.Request(filter);
    if (std::string(filter) == "id = $x") PolicyWorld::Bind(request, "x", {TextValue("q")});
    const std::string first = world.Answer(request, table);
    for (int batch : {1, 2, 7, 100}) EXPECT_EQ(world.Answer(request, table, batch), first);
  }
  EXPECT_EQ(world.snapshot->grants.at("abc234")->definition.SerializeAsString(), before);
}

TEST(Decide, ThePartThatIsPushedDownIsImpliedByTheWhole) {
  PolicyWorld world;
  v1::Grant grant = GrantDefinition();
  MaskField(grant, "name", "prefix(1)", v1::MASKED_FILTER_MASKED_VALUE);
  MaskField(grant, "income", "bucket(1000)", v1::MASKED_FILTER_MASKED_VALUE);
  world.Add(grant);
  const int width = static_cast<int>(world.dataset->schema->size());
  const struct {
    const char* filter;
    std::vector<std::string> fields;
  } rows[] = {
      {"", {}},
      {"points > 3", {"points"}},
      {"name = $n AND points > 3", {"points"}},
      {"name = $n OR points > 3", {}},
      {"NOT (name = $n AND points > 3)", {}},
      {"NOT (points > 3 OR score > 1)", {"points", "score"}},
      {"(name = $n AND points > 3) OR score > 1", {"points", "score"}},
      {"NOT ((name = $n AND points > 3) OR score > 1)", {}},
      {"county = \"a\" AND (points > 3 OR NOT (name = $n))", {"county"}},
  };
  for (const auto& row : rows) {
    v1::QueryRequest request = world.Request(row.filter);
    if (request.filter().find("$n") != std::string::npos)
      PolicyWorld::Bind(request, "n", {TextValue("N")});
    const Decision decision = world.Ask(request);
    ASSERT_TRUE(decision.plan) << row.filter << TextOf(decision.denial->status);
    std::vector<std::string> pushed;
    for (const int field : records::FieldsOf(decision.plan->raw_predicate)) {
      ASSERT_LT(field, width) << row.filter;
      pushed.push_back(world.dataset->field(field).name());
    }
    EXPECT_EQ(pushed, row.fields) << row.filter;
  }
}

}  // namespace
}  // namespace sluice::policy
