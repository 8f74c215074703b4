// Updates of a catalogue through the service: who declares, does and accepts them, who sees them,
// what they leave behind, for whom they wait.
#include "gateway/sharing/catalogue_updates.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "gateway/sharing/matter_life.h"
#include "gateway/sharing/matter_table.h"
#include "gateway/sharing/requests_testing.h"

namespace sluice::sharing {
namespace {

using identity::Caller;
using identity::Violations;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CatalogueUpdatesTest : public ::testing::Test {
 protected:
  void At(const char* china) {
    Micros time = 0;
    ASSERT_TRUE(ParseTime(china, &time));
    world_.clock.Jump(time - world_.clock.Now());
  }
  static v1::CatalogueUpdate Changed() {
    v1::CatalogueUpdate update;
    update.set_agency("police");
    update.set_change("registers of counties went to the ministry");
    update.mutable_basis()->set_law("Law on Registers");
    update.mutable_basis()->set_article("12");
    update.add_datasets("police/persons");
    return update;
  }
  absl::StatusOr<v1::DeclareCatalogueUpdateResponse> Declare(const Caller& caller,
                                                             const v1::CatalogueUpdate& wanted,
                                                             bool dry_run = false) {
    v1::DeclareCatalogueUpdateRequest request;
    *request.mutable_update() = wanted;
    request.set_dry_run(dry_run);
    return identity::Answer<v1::DeclareCatalogueUpdateResponse>(
        [&](auto done) { world_.updates.DeclareCatalogueUpdate(caller, request, done); });
  }
  v1::CatalogueUpdate MustDeclare() {
    const auto declared = Declare(world_.authority, Changed());
    EXPECT_TRUE(declared.ok()) << declared.status();
    return declared.ok() ? declared->update() : v1::CatalogueUpdate();
  }
  // With all that any step needs.
  absl::StatusOr<v1::TakeCatalogueUpdateStepResponse> Take(const Caller& caller,
                                                           const std::string& id,
                                                           v1::CatalogueUpdateAction action,
                                                           const std::string& etag = "") {
    v1::TakeCatalogueUpdateStepRequest request;
    request.set_id(id);
    request.set_action(action);
    request.set_reason("a test");
    request.set_etag(etag);
    if (action == v1::CATALOGUE_UPDATE_ACTION_COMPLETE) {
      v1::DatasetAtRevision& at = *request.add_revisions();
      at.set_dataset("police/persons");
      at.set_revision(1);
    }
    return Take(caller, request);
  }
  absl::StatusOr<v1::TakeCatalogueUpdateStepResponse> Take(
      const Caller& caller, const v1::TakeCatalogueUpdateStepRequest& request) {
    return identity::Answer<v1::TakeCatalogueUpdateStepResponse>(
        [&](auto done) { world_.updates.TakeCatalogueUpdateStep(caller, request, done); });
  }
  absl::StatusOr<v1::GetCatalogueUpdateResponse> Get(const Caller& caller, const std::string& id) {
    v1::GetCatalogueUpdateRequest request;
    request.set_id(id);
    return world_.updates.GetCatalogueUpdate(caller, request);
  }
  std::vector<std::string> Listed(const Caller& caller,
                                  const v1::ListCatalogueUpdatesRequest& request = {}) {
    const auto response = world_.updates.ListCatalogueUpdates(caller, request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> ids;
    for (const v1::CatalogueUpdate& one : response->updates()) ids.push_back(one.id());
    return ids;
  }
  // The next revision of the entry, an hour later.
  void Mend(int revision) {
    world_.clock.Advance(kHour);
    v1::Dataset mended = GrantsWorld::Persons();
    mended.set_revision(revision);
    *mended.mutable_changed() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(world_.clock.Now());
    world_.PutDataset(mended);
  }
  std::vector<std::string> Inbox(const Caller& caller) {
    const auto response = world_.inbox.GetInbox(caller, {});
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> lines;
    for (const v1::InboxItem& item : response->items())
      lines.push_back(item.catalogue_update().id() + " " + OfficeWord(item.office()) + " " +
                      item.clock().name());
    return lines;
  }

  RequestsWorld world_;
};

TEST_F(CatalogueUpdatesTest, AWholeLifeKeepsBothClocksAndHasARecordAStep) {
  At("2026-03-02T10:00:00+08:00");
  const v1::CatalogueUpdate declared = MustDeclare();
  const std::string& id = declared.id();
  EXPECT_THAT(id, HasSubstr("u-"));
  EXPECT_THAT(Inbox(world_.owner_office), ElementsAre(id + " owner_office catalogue_update"));
  EXPECT_THAT(Inbox(world_.authority), IsEmpty());
  const auto first = Get(world_.owner_office, id);
  ASSERT_THAT(first->clocks(), SizeIs(1));
  EXPECT_EQ(first->clocks(0).working_days(), 10);
  EXPECT_EQ(first->clocks(0).article(), "第十七条");
  ASSERT_TRUE(Take(world_.owner_office, id, v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION).ok());
  EXPECT_THAT(Inbox(world_.authority), ElementsAre(id + " authority catalogue_update"));
  ASSERT_TRUE(Take(world_.authority, id, v1::CATALOGUE_UPDATE_ACTION_CONSENT_EXTENSION).ok());
  EXPECT_EQ(Get(world_.auditor, id)->clocks(0).working_days(), 15);
  At("2026-03-23T16:00:00+08:00");  // the fifteenth
  const auto done = Take(world_.owner_office, id, v1::CATALOGUE_UPDATE_ACTION_COMPLETE);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->update().state(), v1::CATALOGUE_UPDATE_STATE_UPDATED);
  ASSERT_THAT(done->clocks(), SizeIs(2));
  EXPECT_EQ(done->clocks(0).state(), v1::CLOCK_STATE_MET);
  EXPECT_EQ(done->clocks(1).name(), "catalogue_review");
  EXPECT_EQ(done->clocks(1).office(), v1::SHARING_OFFICE_AUTHORITY);
  EXPECT_EQ(done->clocks(1).working_days_left(), 2);
  EXPECT_THAT(Inbox(world_.owner_office), IsEmpty());
  EXPECT_THAT(Inbox(world_.authority), ElementsAre(id + " authority catalogue_review"));
  ASSERT_TRUE(Take(world_.authority, id, v1::CATALOGUE_UPDATE_ACTION_ACCEPT).ok());
  EXPECT_EQ(Get(world_.owner, id)->clocks(1).state(), v1::CLOCK_STATE_MET);
  EXPECT_THAT(Inbox(world_.authority), IsEmpty());

  std::vector<std::string> actions;
  std::string before;
  for (const auto& made : world_.changes->made()) {
    EXPECT_EQ(made.outcome.resource_kind, "catalogue_update");
    EXPECT_EQ(made.outcome.resource_name, id);
    EXPECT_EQ(made.outcome.owner_agency, "police");
    EXPECT_EQ(made.outcome.before_json, before);
    before = made.outcome.after_json;
    actions.push_back(made.outcome.action);
  }
  EXPECT_THAT(actions,
              ElementsAre("declare", "ask_extension", "consent_extension", "complete", "accept"));
  v1::CatalogueUpdate recorded;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(before, &recorded).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(recorded,
                                                                 Get(world_.owner, id)->update()));
  EXPECT_EQ(recorded.steps(3).revisions(0).revision(), 1);
}

TEST_F(CatalogueUpdatesTest, WhatIsReturnedRunsAnewAndWhatIsWithdrawnIsNotLate) {
  At("2026-03-02T10:00:00+08:00");
  const std::string id = MustDeclare().id();
  ASSERT_TRUE(Take(world_.owner_office, id, v1::CATALOGUE_UPDATE_ACTION_COMPLETE).ok());
  At("2026-03-03T10:00:00+08:00");
  ASSERT_TRUE(Take(world_.authority, id, v1::CATALOGUE_UPDATE_ACTION_RETURN).ok());
  const auto clocks = Get(world_.owner, id)->clocks();
  ASSERT_THAT(clocks, SizeIs(3));
  EXPECT_EQ(clocks[0].state(), v1::CLOCK_STATE_MET);
  EXPECT_EQ(clocks[1].name(), "catalogue_update");
  EXPECT_EQ(clocks[1].working_days_left(), 10);
  EXPECT_EQ(clocks[2].state(), v1::CLOCK_STATE_MET);
  EXPECT_THAT(Inbox(world_.owner_office), ElementsAre(id + " owner_office catalogue_update"));
  ASSERT_TRUE(Take(world_.authority, id, v1::CATALOGUE_UPDATE_ACTION_WITHDRAW).ok());
  At("2026-06-03T10:00:00+08:00");
  EXPECT_EQ(Get(world_.owner, id)->clocks(1).state(), v1::CLOCK_STATE_MET);
  EXPECT_THAT(Inbox(world_.authority), IsEmpty());
}

TEST_F(CatalogueUpdatesTest, WhatIsLateBecomesTheAuthoritysMatterByItself) {
  At("2026-03-02T10:00:00+08:00");
  const std::string id = MustDeclare().id();
  At("2026-03-16T23:59:59+08:00");
  EXPECT_THAT(Inbox(world_.authority), IsEmpty());
  At("2026-03-17T00:00:00+08:00");
  EXPECT_THAT(Inbox(world_.authority), ElementsAre(id + " authority catalogue_update"));
  EXPECT_EQ(Get(world_.auditor, id)->clocks(0).state(), v1::CLOCK_STATE_BREACHED);
}

// Every caller with every call: who declares, who sees, who takes which step.
TEST_F(CatalogueUpdatesTest, NobodySeesOrTakesWhatIsAnothers) {
  struct Party {
    const Caller* caller;
    bool sees, owns, rules;
  };
  const Caller other_office = world_.AddPerson("tax-office", "office", {v1::ROLE_SHARING_OFFICE});
  const Party parties[] = {
      {&world_.owner_office, true, true, false},
      {&world_.owner, true, true, false},  // of the office, too
      {&world_.clerk, true, false, false},
      {&world_.owner_system, false, false, false},
      {&world_.consumer_office, false, false, false},
      {&world_.consumer_system, false, false, false},
      {&world_.other_owner, false, false, false},
      {&other_office, false, false, false},
      {&world_.operator_person, false, false, false},
      {&world_.auditor, true, false, false},
      {&world_.authority, true, false, true},
  };
  for (const Party& party : parties) {
    SCOPED_TRACE(party.caller->principal.path);
    const auto declared = Declare(*party.caller, Changed(), true);
    EXPECT_EQ(declared.ok(), party.owns || party.rules) << declared.status();
    if (!declared.ok()) {
      EXPECT_EQ(ReasonOf(declared.status()), v1::REASON_OFFICE_REQUIRED);
    }
    const v1::CatalogueUpdate made = MustDeclare();
    EXPECT_EQ(Get(*party.caller, made.id()).ok(), party.sees);
    EXPECT_EQ(Listed(*party.caller).empty(), !party.sees);
    for (int action = 2; action < v1::CatalogueUpdateAction_ARRAYSIZE; ++action) {
      const auto step = static_cast<v1::CatalogueUpdateAction>(action);
      const v1::CatalogueUpdate one = Get(world_.auditor, made.id())->update();
      const MatterRow* row = CatalogueUpdateLife().Find(one.state(), action);
      bool may = false;
      for (const auto office : row == nullptr ? std::vector<v1::SharingOffice>() : row->offices)
        may = may || (office == v1::SHARING_OFFICE_AUTHORITY ? party.rules : party.owns);
      const auto answer = Take(*party.caller, made.id(), step);
      EXPECT_EQ(answer.ok(), may) << v1::CatalogueUpdateAction_Name(step) << answer.status();
      if (!answer.ok()) {
        EXPECT_EQ(ReasonOf(answer.status()), !party.sees      ? v1::REASON_NOT_FOUND
                                             : row == nullptr ? v1::REASON_STEP_NOT_ALLOWED
                                                              : v1::REASON_OFFICE_REQUIRED);
        EXPECT_EQ(Get(world_.auditor, made.id())->update().etag(), one.etag());
      }
    }
    if (!CatalogueUpdateLife().IsOver(Get(world_.auditor, made.id())->update().state()) &&
        Get(world_.auditor, made.id())->update().state() != v1::CATALOGUE_UPDATE_STATE_UPDATED) {
      EXPECT_TRUE(Take(world_.authority, made.id(), v1::CATALOGUE_UPDATE_ACTION_WITHDRAW).ok());
    } else {
      EXPECT_EQ(Take(world_.authority, made.id(), v1::CATALOGUE_UPDATE_ACTION_ACCEPT).ok(),
                party.owns);
    }
  }
}

TEST_F(CatalogueUpdatesTest, WhoDeclaredForTheOwnerDoesNotConsentForTheAuthority) {
  const Caller mighty =
      world_.AddPerson("police", "mighty", {v1::ROLE_SHARING_OFFICE, v1::ROLE_AUTHORITY});
  const auto declared = Declare(mighty, Changed());
  ASSERT_TRUE(declared.ok()) << declared.status();
  const std::string& id = declared->update().id();
  EXPECT_EQ(declared->update().steps(0).office(), v1::SHARING_OFFICE_OWNER_OFFICE);
  ASSERT_TRUE(Take(mighty, id, v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION).ok());
  EXPECT_EQ(ReasonOf(Take(mighty, id, v1::CATALOGUE_UPDATE_ACTION_CONSENT_EXTENSION).status()),
            v1::REASON_SAME_HANDS);
  ASSERT_TRUE(Take(world_.authority, id, v1::CATALOGUE_UPDATE_ACTION_DECLINE_EXTENSION).ok());
  EXPECT_EQ(ReasonOf(Take(mighty, id, v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION).status()),
            v1::REASON_STEP_TAKEN_BEFORE);
}

// As with the review of an entry: its agency does not rule on its own catalogue.
TEST_F(CatalogueUpdatesTest, NobodyOfItsAgencyActsAsTheAuthority) {
  At("2026-03-02T10:00:00+08:00");
  const Caller chief = world_.AddPerson("police", "chief", {v1::ROLE_AUTHORITY});
  const Caller mighty =
      world_.AddPerson("police", "mighty", {v1::ROLE_SHARING_OFFICE, v1::ROLE_AUTHORITY});
  const absl::Status refused = Declare(chief, Changed()).status();
  EXPECT_EQ(ReasonOf(refused), v1::REASON_SAME_HANDS);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("somebody of another agency"));
  const auto declared = Declare(mighty, Changed());
  ASSERT_TRUE(declared.ok()) << declared.status();
  EXPECT_EQ(declared->update().steps(0).office(), v1::SHARING_OFFICE_OWNER_OFFICE);
  const std::string& id = declared->update().id();
  ASSERT_TRUE(Take(world_.owner_office, id, v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION).ok());
  for (const auto action :
       {v1::CATALOGUE_UPDATE_ACTION_CONSENT_EXTENSION,
        v1::CATALOGUE_UPDATE_ACTION_DECLINE_EXTENSION, v1::CATALOGUE_UPDATE_ACTION_WITHDRAW})
    for (const Caller* caller : {&chief, &mighty})
      EXPECT_EQ(ReasonOf(Take(*caller, id, action).status()), v1::REASON_SAME_HANDS)
          << v1::CatalogueUpdateAction_Name(action) << caller->principal.path;
  EXPECT_EQ(ReasonOf(Take(chief, id, v1::CATALOGUE_UPDATE_ACTION_COMPLETE).status()),
            v1::REASON_OFFICE_REQUIRED);
  EXPECT_THAT(Get(chief, id)->actions(), IsEmpty());
  EXPECT_THAT(Get(mighty, id)->actions(), ElementsAre(v1::CATALOGUE_UPDATE_ACTION_COMPLETE));
  EXPECT_THAT(Inbox(chief), IsEmpty());
  At("2026-03-17T00:00:00+08:00");
  EXPECT_THAT(Inbox(chief), IsEmpty()) << "nor when it is late";
  EXPECT_THAT(Inbox(world_.authority), ElementsAre(id + " authority catalogue_update"));
  ASSERT_TRUE(Take(mighty, id, v1::CATALOGUE_UPDATE_ACTION_COMPLETE).ok());
  for (const auto action : {v1::CATALOGUE_UPDATE_ACTION_ACCEPT, v1::CATALOGUE_UPDATE_ACTION_RETURN})
    EXPECT_EQ(ReasonOf(Take(chief, id, action).status()), v1::REASON_SAME_HANDS);
  EXPECT_TRUE(Take(world_.authority, id, v1::CATALOGUE_UPDATE_ACTION_ACCEPT).ok());
}

TEST_F(CatalogueUpdatesTest, NoIdentityNumberStandsInItsWords) {
  // Of nobody, with its check character.
  const std::string number = "990101195001013019";
  const std::string refusal =
      ": an identity number stands in it; leave it out, or name an answer's audit record instead";
  v1::CatalogueUpdate wrong = Changed();
  wrong.mutable_basis()->set_text("for 身份证" + number + "的");
  EXPECT_THAT(Violations(Declare(world_.authority, wrong).status()),
              ElementsAre("update.basis.text" + refusal));
  const std::string id = MustDeclare().id();
  for (int action = 2; action < v1::CatalogueUpdateAction_ARRAYSIZE; ++action) {
    v1::TakeCatalogueUpdateStepRequest step;
    step.set_id(id);
    step.set_action(static_cast<v1::CatalogueUpdateAction>(action));
    step.set_reason("asked for by " + number);
    EXPECT_THAT(Violations(Take(world_.owner_office, step).status()),
                ElementsAre("reason" + refusal));
  }
  // What is not noticed.
  for (const char* other : {"990101 19500101 3019", "990101500101301", "X990101195001013019"}) {
    v1::CatalogueUpdate unnoticed = Changed();
    unnoticed.mutable_basis()->set_text(other);
    EXPECT_TRUE(Declare(world_.authority, unnoticed, true).ok()) << other;
  }
}

TEST_F(CatalogueUpdatesTest, MistakesAreNamedByTheirPath) {
  v1::CatalogueUpdate wrong = Changed();
  wrong.set_change("");
  wrong.mutable_basis()->clear_article();
  wrong.add_datasets("police/persons");
  wrong.add_datasets("tax-office/vat");
  EXPECT_THAT(Violations(Declare(world_.authority, wrong).status()),
              ElementsAre("update.change: needed: whoever is concerned reads it",
                          "update.basis.article: needed: whoever is concerned reads it",
                          "update.datasets[1]: stands twice",
                          "update.datasets[2]: that agency has no such dataset"));
  wrong = Changed();
  wrong.clear_datasets();
  wrong.set_agency("nobody");
  EXPECT_THAT(Violations(Declare(world_.authority, wrong).status()),
              ElementsAre("update.agency: there is no such agency"));
  v1::CatalogueUpdate own = Changed();
  own.clear_agency();
  own.clear_datasets();
  const auto declared = Declare(world_.owner_office, own);
  ASSERT_TRUE(declared.ok()) << declared.status();
  EXPECT_EQ(declared->update().agency(), "police");
}

TEST_F(CatalogueUpdatesTest, WhatIsDoneNamesTheEntriesAsTheyAre) {
  const std::string id = MustDeclare().id();
  v1::TakeCatalogueUpdateStepRequest step;
  step.set_id(id);
  step.set_action(v1::CATALOGUE_UPDATE_ACTION_COMPLETE);
  EXPECT_THAT(Violations(Take(world_.owner_office, step).status()),
              ElementsAre("revisions: needed: the entries as they are by now",
                          "revisions: the update is about police/persons as well"));
  v1::DatasetAtRevision& at = *step.add_revisions();
  at.set_dataset("police/persons");
  at.set_revision(2);
  EXPECT_THAT(Violations(Take(world_.owner_office, step).status()),
              ElementsAre("revisions[0].revision: it is at revision 1 by now",
                          "revisions: the update is about police/persons as well"));
  Mend(2);
  EXPECT_TRUE(Take(world_.owner_office, step).ok());
  v1::TakeCatalogueUpdateStepRequest accept = step;
  accept.set_action(v1::CATALOGUE_UPDATE_ACTION_ACCEPT);
  EXPECT_THAT(Violations(Take(world_.authority, accept).status()),
              ElementsAre("revisions: only of COMPLETE"));
  accept.clear_revisions();
  EXPECT_TRUE(Take(world_.authority, accept).ok());
}

// The owner's clock would else be ended by naming what was there before.
TEST_F(CatalogueUpdatesTest, WhereNothingWasChangedTheReasonSaysWhy) {
  const std::string needed =
      "reason: needed: none of the entries was changed since it was called for, so say why the "
      "catalogue stays as it is";
  const std::string id = MustDeclare().id();
  v1::TakeCatalogueUpdateStepRequest step;
  step.set_id(id);
  step.set_action(v1::CATALOGUE_UPDATE_ACTION_COMPLETE);
  step.add_revisions()->set_dataset("police/persons");
  const auto complete = [&](int revision, const char* reason) {
    step.mutable_revisions(0)->set_revision(revision);
    step.set_reason(reason);
    return Take(world_.owner_office, step).status();
  };
  EXPECT_THAT(Violations(complete(1, " ")), ElementsAre(needed));
  EXPECT_EQ(ReasonOf(complete(1, "")), v1::REASON_DEFINITION_INVALID);
  EXPECT_TRUE(complete(1, "it says so already").ok());
  // Sent back, it is called for anew: what was done before does not count.
  Mend(2);
  world_.clock.Advance(kHour);
  ASSERT_TRUE(Take(world_.authority, id, v1::CATALOGUE_UPDATE_ACTION_RETURN).ok());
  EXPECT_THAT(Violations(complete(2, "")), ElementsAre(needed));
  Mend(3);
  EXPECT_TRUE(complete(3, "").ok());
}

// An answer has a length that the transport sends.
TEST_F(CatalogueUpdatesTest, APageEndsWhereItWouldBeTooLong) {
  const auto store = [this](int number, size_t bytes) {
    v1::CatalogueUpdate update = Changed();
    update.set_id(std::string("u-22222") + "23456789abcdefghjkmnpqrstuvwxyz"[number]);
    update.set_change(std::string(bytes, 'x'));
    update.set_state(v1::CATALOGUE_UPDATE_STATE_DECLARED);
    v1::CatalogueUpdateStep& step = *update.add_steps();
    step.set_action(v1::CATALOGUE_UPDATE_ACTION_DECLARE);
    // The last one waits longest.
    step.mutable_taken()->set_seconds(world_.clock.Now() / kSecond - number);
    world_.Write([&](store::Transaction& transaction) {
      return AddMatterRow(transaction, CatalogueUpdateLife().kind, update.id(), PlaceOf(update),
                          update.state(), store::SerializeStably(update));
    });
  };
  const auto boxed = [this] {
    const auto box = world_.inbox.GetInbox(world_.owner_office, {});
    EXPECT_TRUE(box.ok() && box->more());
    return box.ok() ? box->items_size() : 0;
  };
  for (int i = 0; i < 20; ++i) store(i, 100'000);
  EXPECT_EQ(boxed(), 9);
  store(20, 1'000'000);
  EXPECT_EQ(boxed(), 1) << "one at least";
  v1::ListCatalogueUpdatesRequest request;
  std::vector<int> pages;
  do {
    const auto page = world_.updates.ListCatalogueUpdates(world_.authority, request);
    ASSERT_TRUE(page.ok()) << page.status();
    pages.push_back(page->updates_size());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(pages, ElementsAre(1, 9, 9, 2));
}

TEST_F(CatalogueUpdatesTest, OfTwoWritersOneIsTooLate) {
  const v1::CatalogueUpdate made = MustDeclare();
  ASSERT_TRUE(
      Take(world_.owner_office, made.id(), v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION, made.etag())
          .ok());
  EXPECT_EQ(ReasonOf(Take(world_.owner_office, made.id(), v1::CATALOGUE_UPDATE_ACTION_COMPLETE,
                          made.etag())
                         .status()),
            v1::REASON_ETAG_MISMATCH);
  // Whatever the state allows: what was read is what counts.
  EXPECT_EQ(ReasonOf(Take(world_.owner_office, made.id(), v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION,
                          made.etag())
                         .status()),
            v1::REASON_ETAG_MISMATCH);
  EXPECT_TRUE(Take(world_.owner_office, made.id(), v1::CATALOGUE_UPDATE_ACTION_COMPLETE).ok());
}

}  // namespace
}  // namespace sluice::sharing
