// Changes of every kind under kill -9: what the store holds and what the log says of it stay one.
// DESIGN, promise 5.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using google::protobuf::util::MessageDifferencer;

// Changes whatever can be changed, over and over, each way that a person would, until told to stop.
// Refusals (of what a kill has left half way) are part of it.
class Changer {
 public:
  explicit Changer(Deployment& gateway)
      : operator_(gateway.Connect("operator", 5 * kSecond)),
        owner_(gateway.Connect("residents-owner", 5 * kSecond)),
        applicant_(gateway.Connect("relief", 5 * kSecond)),
        office_(gateway.Connect("regions-owner", 5 * kSecond)),
        authority_(gateway.Connect("authority", 5 * kSecond)) {}

  // `first`: the kind of change to begin with. A slow machine comes to few in one round.
  void Run(const std::atomic<bool>& over, size_t first, int& number) {
    constexpr void (Changer::*kKinds[])(int) = {&Changer::Registry, &Changer::Sharing,
                                                &Changer::Dataset, &Changer::Doubt,
                                                &Changer::Update};
    for (; !over; ++number)
      for (size_t i = 0; i < std::size(kKinds) && !over; ++i)
        (this->*kKinds[(first + i) % std::size(kKinds)])(number);
  }
  int answered() const { return answered_; }

 private:
  void Registry(int number) {
    v1::AddSystemRequest add;
    const std::string name = absl::StrCat("civil-affairs/s", number);
    add.mutable_system()->set_name(name);
    add.mutable_system()->mutable_title()->set_en("System of a test");
    Note(Call(*operator_, cli::kAddSystem, add));
    v1::SetSystemStateRequest state;
    state.set_name(name);
    state.set_state(v1::REGISTRATION_STATE_SUSPENDED);
    state.set_reason("a test");
    Note(Call(*operator_, cli::kSetSystemState, state));
  }

  // Drafted, submitted, and then one of the ways that it may go; the grant suspended, resumed,
  // revoked, by its own methods and by the request's steps.
  void Sharing(int number) {
    v1::DraftAccessRequestRequest draft;
    v1::AccessRequest& wanted = *draft.mutable_request();
    wanted.set_dataset("public-security/persons");
    wanted.add_systems("relief");
    wanted.add_purposes("relief");
    wanted.mutable_basis()->set_law("a law of a test");
    wanted.mutable_basis()->set_article("1");
    wanted.add_fields("county");
    wanted.add_modes(v1::MODE_QUERY);
    wanted.mutable_expires()->set_seconds(4'070'908'800);
    wanted.set_justification("a test");
    const auto asked = Call(*applicant_, cli::kDraftAccessRequest, draft);
    Note(asked);
    if (!asked.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(asked.status()) || absl::IsDeadlineExceeded(asked.status()) ||
                  ReasonOf(asked.status()) != v1::REASON_DEFINITION_INVALID)
          << asked.status();
      return;
    }
    const std::string& request = asked->request().id();
    if (number % 5 == 2) return Step(*applicant_, request, v1::ACCESS_ACTION_WITHDRAW);
    Step(*office_, request, v1::ACCESS_ACTION_SUBMIT);
    if (number % 5 == 1) {
      Step(*owner_, request, v1::ACCESS_ACTION_REFUSE);
      Step(*office_, request, v1::ACCESS_ACTION_DISPUTE);
      return Step(*authority_, request, v1::ACCESS_ACTION_UPHOLD);
    }
    if (number % 5 == 3) {
      Step(*owner_, request, v1::ACCESS_ACTION_RETURN);
      Step(*office_, request, v1::ACCESS_ACTION_SUBMIT);
      Step(*owner_, request, v1::ACCESS_ACTION_ASK_EXTENSION);
      Step(*authority_, request, v1::ACCESS_ACTION_CONSENT_EXTENSION);
      Step(*owner_, request, v1::ACCESS_ACTION_AGREE);
    }
    v1::ApproveAccessRequestRequest approve;
    approve.set_id(request);
    const auto approved = Call(*owner_, cli::kApproveAccessRequest, approve);
    Note(approved);
    if (!approved.ok()) return;
    Step(*owner_, request, v1::ACCESS_ACTION_PROVIDE);
    if (number % 5 == 4) {
      Step(*owner_, request, v1::ACCESS_ACTION_SUSPEND);
      Step(*owner_, request, v1::ACCESS_ACTION_RESUME);
      return Step(*owner_, request, v1::ACCESS_ACTION_END);
    }
    const std::string& grant = approved->request().grant();
    for (v1::GrantState state : {v1::GRANT_STATE_SUSPENDED, v1::GRANT_STATE_IN_FORCE}) {
      v1::SetGrantStateRequest set;
      set.set_id(grant);
      set.set_state(state);
      set.set_reason("a test");
      Note(Call(*owner_, cli::kSetGrantState, set));
    }
    v1::RevokeGrantRequest revoke;
    revoke.set_id(grant);
    revoke.set_reason("a test");
    Note(Call(*owner_, cli::kRevokeGrant, revoke));
  }

  // A correction, and one of the ways that it may go. A day has room for twenty, of which no round
  // takes more than two.
  void Doubt(int number) {
    if (++doubts_ > 2) return;
    v1::RaiseCorrectionRequest raise;
    raise.mutable_correction()->set_dataset("public-security/persons");
    raise.mutable_correction()->set_doubt("a test");
    const auto raised = Call(*applicant_, cli::kRaiseCorrection, raise);
    Note(raised);
    if (!raised.ok()) return;
    v1::TakeCorrectionStepRequest step;
    step.set_id(raised->correction().id());
    step.set_reason("a test");
    step.set_action(number % 2 == 0 ? v1::CORRECTION_ACTION_CORRECT
                                    : v1::CORRECTION_ACTION_WITHDRAW);
    Note(Call(number % 2 == 0 ? *owner_ : *applicant_, cli::kTakeCorrectionStep, step));
  }

  void Step(cli::Gateway& who, const std::string& request, v1::AccessAction action) {
    v1::TakeAccessStepRequest step;
    step.set_id(request);
    step.set_action(action);
    step.set_reason("a test");
    step.mutable_basis()->set_law("a law of a test");
    step.mutable_basis()->set_article("1");
    if (action == v1::ACCESS_ACTION_RETURN) step.add_papers("a paper");
    Note(Call(who, cli::kTakeAccessStep, step));
  }

  void Dataset(int number) {
    v1::SetDatasetStateRequest set;
    set.set_name("public-security/persons");
    set.set_state(number % 2 == 0 ? v1::DATASET_STATE_SUSPENDED : v1::DATASET_STATE_OFFERED);
    set.set_reason("a test");
    Note(Call(*owner_, cli::kSetDatasetState, set));
  }

  // An update of the catalogue, and one of the ways that it may go.
  void Update(int number) {
    v1::DeclareCatalogueUpdateRequest declare;
    declare.mutable_update()->set_agency("public-security");
    declare.mutable_update()->set_change("a test");
    declare.mutable_update()->mutable_basis()->set_law("a law of a test");
    declare.mutable_update()->mutable_basis()->set_article("1");
    const auto declared = Call(*authority_, cli::kDeclareCatalogueUpdate, declare);
    Note(declared);
    if (!declared.ok()) return;
    v1::TakeCatalogueUpdateStepRequest step;
    step.set_id(declared->update().id());
    step.set_reason("a test");
    if (number % 3 == 0) {
      step.set_action(v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION);
      Note(Call(*owner_, cli::kTakeCatalogueUpdateStep, step));
    }
    if (number % 3 == 1 && !CompleteUpdate(step)) return;
    step.set_action(number % 3 == 1 ? v1::CATALOGUE_UPDATE_ACTION_ACCEPT
                                    : v1::CATALOGUE_UPDATE_ACTION_WITHDRAW);
    Note(Call(*authority_, cli::kTakeCatalogueUpdateStep, step));
  }

  bool CompleteUpdate(v1::TakeCatalogueUpdateStepRequest step) {
    v1::GetDatasetRequest get;
    get.set_name("public-security/persons");
    const auto dataset = Call(*owner_, cli::kGetDataset, get);
    if (!dataset.ok()) return false;
    step.set_action(v1::CATALOGUE_UPDATE_ACTION_COMPLETE);
    v1::DatasetAtRevision& at = *step.add_revisions();
    at.set_dataset(get.name());
    at.set_revision(dataset->dataset().revision());
    const auto completed = Call(*owner_, cli::kTakeCatalogueUpdateStep, step);
    Note(completed);
    return completed.ok();
  }

  template <class Response>
  void Note(const absl::StatusOr<Response>& response) {
    if (response.ok()) ++answered_;
  }

  std::unique_ptr<cli::Gateway> operator_, owner_, applicant_, office_, authority_;
  std::atomic<int> answered_{0};
  int doubts_ = 0;
};

// The newest state that the log tells of each resource; each record's `before` is the `after` of
// the one before it.
std::map<std::string, std::string> LastOfEach(Deployment& gateway) {
  std::map<std::string, std::string> last;
  bool seeded = true;
  for (const v1::Record& listed : gateway.Records(v1::RECORD_KIND_CHANGED)) {
    const v1::Record record = gateway.RecordAt(listed.index());
    const std::string name =
        absl::StrCat(record.envelope().resource_kind(), " ", record.envelope().resource_name());
    if (!seeded) {
      EXPECT_NE(record.envelope().actor().principal(), "") << name;
    }
    // The first start's seed is nobody's, and its own record is the last of it.
    seeded = seeded && record.envelope().resource_kind() != "seed";
    EXPECT_EQ(record.detail().before_json(), last[name])
        << "#" << listed.index() << " " << name << " " << record.envelope().action();
    last[name] = record.detail().after_json();
  }
  return last;
}

template <class Message>
void ExpectRecorded(const std::map<std::string, std::string>& last, const std::string& kind,
                    const std::string& name, const Message& stored) {
  const auto found = last.find(kind + " " + name);
  ASSERT_NE(found, last.end()) << kind << " " << name << " has no record";
  Message recorded;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(found->second, &recorded).ok());
  EXPECT_TRUE(MessageDifferencer::Equals(recorded, stored))
      << kind << " " << name << "\nrecorded: " << found->second
      << "\nstored: " << stored.ShortDebugString();
}

TEST(ChangeKillTest, EveryKindOfChangeIsInTheLogAsTheStoreHoldsIt) {
  Deployment gateway;
  gateway.Start();
  gateway.OfferSample();
  std::mt19937 random(20261106);
  int number = 0, answered = 0;
  for (int round = 0; round < 14; ++round) {
    std::atomic<bool> over{false};
    Changer changer(gateway);
    std::thread changing([&] { changer.Run(over, static_cast<size_t>(round), number); });
    EXPECT_TRUE(Eventually([&] { return changer.answered() > 3; }));
    Nap(std::uniform_int_distribution<int>(0, 200)(random));
    gateway.Kill();
    over = true;
    changing.join();
    answered += changer.answered();
    gateway.Start();
  }
  EXPECT_GT(answered, 14 * 3);

  const std::map<std::string, std::string> last = LastOfEach(gateway);
  const auto systems = Call(gateway.As("operator"), cli::kListSystems, {});
  ASSERT_TRUE(systems.ok()) << systems.status();
  for (const v1::ClientSystem& system : systems->systems())
    if (system.name().find("/s") != std::string::npos)
      ExpectRecorded(last, "system", system.name(), system);
  v1::ListGrantsRequest all_grants;
  all_grants.set_page_size(1000);
  const auto grants = Call(gateway.As("auditor"), cli::kListGrants, all_grants);
  ASSERT_TRUE(grants.ok()) << grants.status();
  for (const v1::Grant& grant : grants->grants()) ExpectRecorded(last, "grant", grant.id(), grant);
  v1::ListAccessRequestsRequest all_requests;
  all_requests.set_page_size(1000);
  const auto requests = Call(gateway.As("auditor"), cli::kListAccessRequests, all_requests);
  ASSERT_TRUE(requests.ok()) << requests.status();
  std::map<std::string, v1::GrantState> grant_states;
  for (const v1::Grant& grant : grants->grants()) grant_states[grant.id()] = grant.state();
  for (const v1::AccessRequest& request : requests->requests()) {
    ExpectRecorded(last, "access_request", request.id(), request);
    // No step was taken by half: the request is where its last step led, and so is its grant.
    ASSERT_GT(request.steps_size(), 0);
    EXPECT_EQ(request.state(), request.steps(request.steps_size() - 1).state());
    if (request.grant().empty()) continue;
    EXPECT_EQ(grant_states[request.grant()],
              request.state() == v1::ACCESS_REQUEST_STATE_ENDED       ? v1::GRANT_STATE_REVOKED
              : request.state() == v1::ACCESS_REQUEST_STATE_SUSPENDED ? v1::GRANT_STATE_SUSPENDED
                                                                      : v1::GRANT_STATE_IN_FORCE)
        << request.ShortDebugString();
  }
  v1::ListCorrectionsRequest all_corrections;
  all_corrections.set_page_size(1000);
  const auto corrections = Call(gateway.As("auditor"), cli::kListCorrections, all_corrections);
  ASSERT_TRUE(corrections.ok()) << corrections.status();
  for (const v1::Correction& correction : corrections->corrections()) {
    ExpectRecorded(last, "correction", correction.id(), correction);
    EXPECT_EQ(correction.state(), correction.steps(correction.steps_size() - 1).state());
  }
  v1::ListCatalogueUpdatesRequest all_updates;
  all_updates.set_page_size(1000);
  const auto updates = Call(gateway.As("auditor"), cli::kListCatalogueUpdates, all_updates);
  ASSERT_TRUE(updates.ok()) << updates.status();
  EXPECT_GT(updates->updates_size(), 2);
  for (const v1::CatalogueUpdate& update : updates->updates()) {
    ExpectRecorded(last, "catalogue_update", update.id(), update);
    EXPECT_EQ(update.state(), update.steps(update.steps_size() - 1).state());
  }
  v1::GetDatasetRequest persons;
  persons.set_name("public-security/persons");
  const auto dataset = Call(gateway.As("residents-owner"), cli::kGetDataset, persons);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  ExpectRecorded(last, "dataset", persons.name(), dataset->dataset());

  // The other way round: nothing in the log that the store does not have.
  size_t recorded_grants = 0, recorded_requests = 0, recorded_corrections = 0, recorded_updates = 0;
  for (const auto& [name, json] : last) {
    recorded_grants += name.rfind("grant ", 0) == 0;
    recorded_requests += name.rfind("access_request ", 0) == 0;
    recorded_corrections += name.rfind("correction ", 0) == 0;
    recorded_updates += name.rfind("catalogue_update ", 0) == 0;
  }
  EXPECT_EQ(recorded_grants, static_cast<size_t>(grants->grants_size()));
  EXPECT_EQ(recorded_requests, static_cast<size_t>(requests->requests_size()));
  EXPECT_GT(recorded_requests, 5u);
  EXPECT_EQ(recorded_corrections, static_cast<size_t>(corrections->corrections_size()));
  EXPECT_GT(recorded_corrections, 2u);
  EXPECT_EQ(recorded_updates, static_cast<size_t>(updates->updates_size()));
  EXPECT_EQ(gateway.Stop().code, 0);
  gateway.Verify();
}

}  // namespace
}  // namespace sluice::system_test
