#include "gateway/sharing/access_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/identity/registration.h"
#include "gateway/sharing/requests_testing.h"

namespace sluice::sharing {
namespace {

using identity::Answer;
using identity::Caller;
using identity::Violations;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class AccessRequestsTest : public ::testing::Test {
 protected:
  v1::AccessRequest Wanted() const { return world_.Asked(); }
  absl::StatusOr<v1::SubmitAccessRequestResponse> Submit(const Caller& caller,
                                                         const v1::AccessRequest& wanted,
                                                         bool dry_run = false) {
    v1::SubmitAccessRequestRequest request;
    *request.mutable_request() = wanted;
    request.set_dry_run(dry_run);
    return Answer<v1::SubmitAccessRequestResponse>(
        [&](auto done) { requests_.SubmitAccessRequest(caller, request, done); });
  }
  v1::AccessRequest Made() {
    const auto response = Submit(world_.consumer_office, Wanted());
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->request() : v1::AccessRequest();
  }
  std::vector<std::string> Mistakes(const v1::AccessRequest& wanted) {
    const absl::Status status = Submit(world_.consumer_office, wanted).status();
    EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID) << status;
    return Violations(status);
  }
  absl::StatusOr<v1::ApproveAccessRequestResponse> Approve(const Caller& caller,
                                                           const std::string& id,
                                                           const v1::Grant& terms = {},
                                                           const std::string& etag = "",
                                                           bool dry_run = false) {
    v1::ApproveAccessRequestRequest request;
    request.set_id(id);
    *request.mutable_terms() = terms;
    request.set_etag(etag);
    request.set_dry_run(dry_run);
    return Answer<v1::ApproveAccessRequestResponse>(
        [&](auto done) { requests_.ApproveAccessRequest(caller, request, done); });
  }
  absl::StatusOr<v1::TakeAccessStepResponse> Refuse(const Caller& caller, const std::string& id,
                                                    const std::string& reason = "not needed",
                                                    const std::string& law = "Law on Data") {
    v1::TakeAccessStepRequest request;
    request.set_id(id);
    request.set_action(v1::ACCESS_ACTION_REFUSE);
    request.set_reason(reason);
    request.mutable_basis()->set_law(law);
    request.mutable_basis()->set_article("21");
    return world_.Take(caller, request);
  }
  absl::StatusOr<v1::TakeAccessStepResponse> Withdraw(const Caller& caller, const std::string& id) {
    return world_.Take(caller, id, v1::ACCESS_ACTION_WITHDRAW);
  }
  absl::StatusOr<v1::GetAccessRequestResponse> Get(const Caller& caller, const std::string& id) {
    v1::GetAccessRequestRequest request;
    request.set_id(id);
    return requests_.GetAccessRequest(caller, request);
  }
  std::vector<std::string> List(const Caller& caller,
                                const v1::ListAccessRequestsRequest& request) {
    const auto response = requests_.ListAccessRequests(caller, request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> ids;
    for (const auto& one : response->requests()) ids.push_back(one.id());
    return ids;
  }

  RequestsWorld world_;
  AccessRequests& requests_ = world_.requests;
};

TEST_F(AccessRequestsTest, AnAgencyAppliesAndTheOwnerSeesWhatItWouldGive) {
  const v1::AccessRequest made = Made();
  EXPECT_THAT(made.id(), SizeIs(8));
  EXPECT_EQ(made.id().substr(0, 2), "r-");
  EXPECT_EQ(made.state(), v1::ACCESS_REQUEST_STATE_SUBMITTED);
  EXPECT_EQ(made.consumer_agency(), "welfare");
  EXPECT_EQ(made.submitted_by(), "agency/welfare/person/office");
  const auto recorded = world_.changes->last();
  EXPECT_EQ(recorded.effect, audit::Changes::Effect::kAfterRecord);
  EXPECT_EQ(recorded.outcome.resource_kind, "access_request");
  EXPECT_EQ(recorded.outcome.owner_agency, "police");
  EXPECT_EQ(recorded.outcome.action, "submit");

  const auto seen = Get(world_.owner, made.id());
  ASSERT_TRUE(seen.ok());
  ASSERT_TRUE(seen->has_proposed());
  EXPECT_EQ(seen->proposed().fields_size(), 2);
  // The least mask that the dataset demands.
  EXPECT_EQ(catalogue::FormatMask(seen->proposed().fields(0).mask()), "partial(3..4)");
  EXPECT_FALSE(seen->proposed().fields(1).has_mask());
  // What it would give is the owner's to see.
  EXPECT_FALSE(Get(world_.consumer_system, made.id())->has_proposed());
}

TEST_F(AccessRequestsTest, ApprovedAsAskedItBecomesAGrantWithBothRecorded) {
  const v1::AccessRequest made = Made();
  const auto approved = Approve(world_.owner, made.id());
  ASSERT_TRUE(approved.ok()) << approved.status();
  const v1::Grant& grant = approved->grant();
  EXPECT_EQ(grant.request(), made.id());
  EXPECT_EQ(grant.consumer_agency(), "welfare");
  EXPECT_THAT(grant.systems(), ElementsAre("relief"));
  EXPECT_EQ(grant.state(), v1::GRANT_STATE_IN_FORCE);
  EXPECT_EQ(approved->request().state(), v1::ACCESS_REQUEST_STATE_GRANTED);
  EXPECT_EQ(approved->request().grant(), grant.id());
  EXPECT_EQ(approved->request().steps(2).taken_by(), "agency/police/person/owner");
  const auto recorded = world_.changes->last().outcome;
  EXPECT_EQ(recorded.action, "grant");
  EXPECT_THAT(recorded.before_json, HasSubstr("SUBMITTED"));
  ASSERT_THAT(recorded.also, SizeIs(1));
  EXPECT_EQ(recorded.also[0].resource_kind, "grant");
  EXPECT_EQ(recorded.also[0].resource_name, grant.id());
  EXPECT_EQ(recorded.also[0].action, "create");
  // The grant tells the request that it answers.
  EXPECT_EQ(world_.Get(world_.owner, grant.id())->request().id(), made.id());
}

TEST_F(AccessRequestsTest, TheOwnerGivesLessThanWasAsked) {
  const v1::AccessRequest made = Made();
  v1::Grant terms;
  terms.add_fields()->set_name("county");
  *terms.mutable_fields(0)->mutable_mask() = *catalogue::ParseMask("prefix(2)");
  terms.set_row_filter("county = \"east\"");
  terms.mutable_quota()->set_rows_per_day(100);
  terms.set_case_reference_required(true);
  const auto dry = Approve(world_.owner, made.id(), terms, "", true);
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_EQ(dry->grant().id(), "");
  EXPECT_EQ(Get(world_.owner, made.id())->request().state(), v1::ACCESS_REQUEST_STATE_SUBMITTED);
  const auto approved = Approve(world_.owner, made.id(), terms);
  ASSERT_TRUE(approved.ok()) << approved.status();
  EXPECT_EQ(approved->grant().fields_size(), 1);
  EXPECT_EQ(approved->grant().row_filter(), "county = \"east\"");
  EXPECT_EQ(approved->grant().quota().rows_per_day(), 100);
  EXPECT_TRUE(approved->grant().case_reference_required());
}

TEST_F(AccessRequestsTest, OneForMatchIsProposedWithRulesThatTheOwnerSeesFirst) {
  v1::AccessRequest wanted = Wanted();
  wanted.clear_modes();
  wanted.add_modes(v1::MODE_MATCH);
  wanted.clear_fields();
  for (const char* field : {"points", "county"}) wanted.add_fields(field);
  const auto made = Submit(world_.consumer_office, wanted);
  ASSERT_TRUE(made.ok()) << made.status();
  const auto seen = Get(world_.owner, made->request().id());
  ASSERT_TRUE(seen.ok()) << seen.status();
  const v1::Grant& proposed = seen->proposed();
  ASSERT_EQ(proposed.fields_size(), 2);
  EXPECT_EQ(proposed.fields(0).match(), v1::MATCH_RULE_EXACT);
  EXPECT_TRUE(proposed.fields(0).finds());
  EXPECT_EQ(proposed.fields(1).match(), v1::MATCH_RULE_EXACT);
  EXPECT_FALSE(proposed.fields(1).finds());
  EXPECT_EQ(proposed.quota().misses_per_day(), 100);
  const auto approved = Approve(world_.owner_office, made->request().id());
  ASSERT_TRUE(approved.ok()) << approved.status();
  EXPECT_EQ(approved->grant().fields(0).match(), v1::MATCH_RULE_EXACT);
}

TEST_F(AccessRequestsTest, AnApprovalGivesNoMoreThanWasAsked) {
  const v1::AccessRequest made = Made();
  v1::Grant terms;
  terms.add_fields()->set_name("born");
  terms.add_systems("relief");
  terms.add_systems("tax");
  terms.add_purposes("census");
  terms.add_modes(v1::MODE_READ);
  terms.mutable_expires()->set_seconds((world_.clock.Now() + 60 * kDay) / kSecond);
  const auto approved = Approve(world_.owner, made.id(), terms);
  EXPECT_EQ(ReasonOf(approved.status()), v1::REASON_DEFINITION_INVALID);
  EXPECT_THAT(Violations(approved.status()),
              UnorderedElementsAre(
                  "terms.fields[0].name: was not asked for", "terms.systems[1]: was not asked for",
                  "terms.purposes[0]: was not asked for", "terms.modes[0]: was not asked for",
                  "terms.expires: is after the time that was asked for"));
  // Nor another agency, whatever the terms say.
  v1::Grant elsewhere;
  elsewhere.set_consumer_agency("tax-office");
  EXPECT_THAT(Violations(Approve(world_.owner, made.id(), elsewhere).status()),
              Contains("terms.consumer_agency: is not the agency that asked"));
  // And no weaker mask than the dataset demands.
  v1::Grant bare;
  bare.add_fields()->set_name("id");
  bare.mutable_fields(0)->mutable_mask()->set_kind(v1::MASK_KIND_NONE);
  EXPECT_THAT(Violations(Approve(world_.owner, made.id(), bare).status()),
              Contains(HasSubstr("terms.fields[0].mask: the dataset demands at least")));
}

TEST_F(AccessRequestsTest, ARefusalNeedsReasonAndLaw) {
  const v1::AccessRequest made = Made();
  EXPECT_EQ(ReasonOf(Refuse(world_.owner, made.id(), " ").status()), v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(ReasonOf(Refuse(world_.owner, made.id(), "no", "").status()),
            v1::REASON_REQUEST_INVALID);
  const auto refused = Refuse(world_.owner, made.id());
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->request().state(), v1::ACCESS_REQUEST_STATE_REFUSED);
  EXPECT_EQ(refused->request().steps(2).reason(), "not needed");
  EXPECT_EQ(refused->request().steps(2).basis().law(), "Law on Data");
  EXPECT_EQ(world_.changes->last().outcome.action, "refuse");
  // The agency reads why.
  EXPECT_EQ(Get(world_.consumer_system, made.id())->request().steps(2).reason(), "not needed");
}

TEST_F(AccessRequestsTest, WhatIsDecidedStaysDecided) {
  const v1::AccessRequest refused = Made();
  ASSERT_TRUE(Refuse(world_.owner, refused.id()).ok());
  const auto again = Approve(world_.owner, refused.id()).status();
  EXPECT_EQ(ReasonOf(again), v1::REASON_STEP_NOT_ALLOWED);
  EXPECT_THAT(std::string(again.message()), HasSubstr("is refused: this step cannot be taken now"));
  EXPECT_EQ(ReasonOf(Refuse(world_.owner, refused.id()).status()), v1::REASON_STEP_NOT_ALLOWED);
  EXPECT_EQ(ReasonOf(Withdraw(world_.consumer_system, refused.id()).status()),
            v1::REASON_STEP_NOT_ALLOWED);
  const v1::AccessRequest withdrawn = Made();
  ASSERT_TRUE(Withdraw(world_.consumer_clerk, withdrawn.id()).ok());
  EXPECT_EQ(ReasonOf(Approve(world_.owner, withdrawn.id()).status()), v1::REASON_STEP_NOT_ALLOWED);
}

TEST_F(AccessRequestsTest, OfTwoWhoDecideOneIsTooLate) {
  const v1::AccessRequest made = Made();
  EXPECT_EQ(ReasonOf(Approve(world_.owner, made.id(), {}, "0123456789abcdef").status()),
            v1::REASON_ETAG_MISMATCH);
  EXPECT_TRUE(Approve(world_.owner, made.id(), {}, made.etag()).ok());
}

TEST_F(AccessRequestsTest, WhoMaySeeAndDecide) {
  const v1::AccessRequest made = Made();
  for (const Caller* caller : {&world_.owner, &world_.clerk, &world_.consumer_system,
                               &world_.consumer_clerk, &world_.auditor, &world_.authority})
    EXPECT_TRUE(Get(*caller, made.id()).ok()) << caller->principal.path;
  for (const Caller* caller :
       {&world_.other_owner, &world_.other_system, &world_.owner_system, &world_.operator_person}) {
    EXPECT_EQ(ReasonOf(Get(*caller, made.id()).status()), v1::REASON_NOT_FOUND);
    EXPECT_THAT(List(*caller, {}), IsEmpty());
  }
  EXPECT_EQ(ReasonOf(Approve(world_.clerk, made.id()).status()), v1::REASON_OFFICE_REQUIRED);
  EXPECT_EQ(ReasonOf(Approve(world_.consumer_system, made.id()).status()),
            v1::REASON_OFFICE_REQUIRED);
  // An owner of the agency that asks does not approve it to itself.
  EXPECT_EQ(ReasonOf(Approve(world_.consumer_clerk, made.id()).status()),
            v1::REASON_OFFICE_REQUIRED);
  EXPECT_EQ(ReasonOf(Approve(world_.other_owner, made.id()).status()), v1::REASON_NOT_FOUND);
  EXPECT_EQ(ReasonOf(Withdraw(world_.owner, made.id()).status()), v1::REASON_OFFICE_REQUIRED);
}

TEST_F(AccessRequestsTest, MistakesAreNamedByTheirPathInTheRequest) {
  v1::AccessRequest wanted = Wanted();
  wanted.add_fields("shoe_size");
  wanted.add_purposes("old");
  wanted.add_systems("nowhere");
  wanted.clear_expires();
  wanted.mutable_basis()->clear_article();
  wanted.set_justification(std::string(5000, 'x'));
  EXPECT_THAT(Mistakes(wanted),
              UnorderedElementsAre("request.justification: expected at most 4,096 bytes",
                                   "request.fields[2]: the dataset has no such field",
                                   "request.purposes[1]: \"old\" was withdrawn",
                                   "request.systems[1]: there is no system welfare/nowhere",
                                   "request.expires: a grant ends: say when",
                                   "request.basis.article: expected the article of that law"));
  v1::AccessRequest nothing = Wanted();
  nothing.clear_fields();
  nothing.clear_modes();
  EXPECT_THAT(Mistakes(nothing), UnorderedElementsAre("request.fields: expected at least one",
                                                      HasSubstr("request.modes: ")));
  EXPECT_THAT(world_.changes->made(), IsEmpty());
  EXPECT_TRUE(Submit(world_.consumer_office, Wanted(), true).ok());
  EXPECT_THAT(world_.changes->made(), IsEmpty());
}

TEST_F(AccessRequestsTest, WhatTheGatewaySetsIsNotTheCallersToSay) {
  v1::AccessRequest wanted = Wanted();
  wanted.set_consumer_agency("police");
  wanted.set_state(v1::ACCESS_REQUEST_STATE_GRANTED);
  wanted.set_grant("7q4m2k");
  wanted.set_id("r-222222");
  wanted.set_submitted_by("agency/police/person/owner");
  const auto made = Submit(world_.consumer_office, wanted);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->request().consumer_agency(), "welfare");
  EXPECT_EQ(made->request().state(), v1::ACCESS_REQUEST_STATE_SUBMITTED);
  EXPECT_EQ(made->request().grant(), "");
  EXPECT_NE(made->request().id(), "r-222222");
  EXPECT_EQ(made->request().submitted_by(), "agency/welfare/person/office");
}

TEST_F(AccessRequestsTest, NothingIsAskedOfWhatIsNotOffered) {
  v1::AccessRequest unknown = Wanted();
  unknown.set_dataset("police/secrets");
  const auto none = Submit(world_.consumer_office, unknown).status();
  EXPECT_EQ(ReasonOf(none), v1::REASON_DATASET_UNKNOWN);
  v1::Dataset dataset = GrantsWorld::Persons();
  dataset.set_revision(2);
  dataset.add_audience("tax-office");
  world_.PutDataset(dataset);
  const auto hidden = Submit(world_.consumer_office, Wanted()).status();
  EXPECT_EQ(hidden, none);  // word for word
  dataset.set_revision(3);
  dataset.clear_audience();
  dataset.set_state(v1::DATASET_STATE_RETIRED);
  world_.PutDataset(dataset);
  EXPECT_EQ(ReasonOf(Submit(world_.consumer_office, Wanted()).status()),
            v1::REASON_DATASET_RETIRED);
  dataset.set_revision(4);
  dataset.clear_state();
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_WITHHELD);
  dataset.mutable_withheld_by()->set_law("Law on Secrets");
  dataset.mutable_withheld_by()->set_article("9");
  world_.PutDataset(dataset);
  EXPECT_THAT(Mistakes(Wanted()), Contains(HasSubstr("request.dataset: the dataset is withheld")));
}

TEST_F(AccessRequestsTest, AnAgencyHasTwentyUndecidedOnADatasetAtMost) {
  std::string first;
  for (int i = 0; i < 20; ++i) {
    const std::string id = Made().id();
    if (first.empty()) first = id;
  }
  EXPECT_EQ(ReasonOf(Submit(world_.consumer_office, Wanted()).status()),
            v1::REASON_REQUEST_INVALID);
  ASSERT_TRUE(Withdraw(world_.consumer_system, first).ok());
  EXPECT_TRUE(Submit(world_.consumer_office, Wanted()).ok());
}

TEST_F(AccessRequestsTest, ListsComeNewestFirstInPages) {
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.insert(made.begin(), Made().id());
  EXPECT_EQ(List(world_.owner, {}), made);
  v1::ListAccessRequestsRequest request;
  request.set_page_size(2);
  std::vector<std::string> all;
  do {
    const auto page = requests_.ListAccessRequests(world_.owner, request);
    ASSERT_TRUE(page.ok());
    for (const auto& one : page->requests()) all.push_back(one.id());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(all, made);
  request.set_page_token("x");
  EXPECT_EQ(ReasonOf(requests_.ListAccessRequests(world_.owner, request).status()),
            v1::REASON_PAGE_TOKEN_INVALID);
  ASSERT_TRUE(Refuse(world_.owner, made[1]).ok());
  v1::ListAccessRequestsRequest refused;
  refused.set_state(v1::ACCESS_REQUEST_STATE_REFUSED);
  EXPECT_THAT(List(world_.owner, refused), ElementsAre(made[1]));
}

TEST_F(AccessRequestsTest, ASuspendedCallerChangesNothing) {
  const v1::AccessRequest made = Made();
  world_.Write([&](store::Transaction& transaction) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(auto system, identity::FindSystem(transaction, "welfare/relief"));
    system->set_state(v1::REGISTRATION_STATE_SUSPENDED);
    return identity::PutSystem(transaction, *system);
  });
  EXPECT_EQ(ReasonOf(world_.Draft(world_.consumer_system, Wanted()).status()),
            v1::REASON_SUSPENDED);
  EXPECT_EQ(ReasonOf(Withdraw(world_.consumer_system, made.id()).status()), v1::REASON_SUSPENDED);
}

}  // namespace
}  // namespace sluice::sharing
