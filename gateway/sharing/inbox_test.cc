// Catalogue entries that are not published, as they wait in inboxes. What waits of requests, of
// corrections and of catalogue updates is tested with them.
#include "gateway/sharing/inbox.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/sharing/requests_testing.h"

namespace sluice::sharing {
namespace {

using identity::Caller;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class InboxTest : public ::testing::Test {
 protected:
  void At(const char* china) {
    Micros time = 0;
    ASSERT_TRUE(ParseTime(china, &time));
    world_.clock.Jump(time - world_.clock.Now());
  }
  // The next revision of police/cars.
  void Put(v1::Publication publication, const std::string& note = "",
           v1::DatasetState state = v1::DATASET_STATE_OFFERED) {
    v1::Dataset cars = GrantsWorld::Persons();
    cars.set_name("police/cars");
    cars.set_revision(++revision_);
    cars.set_publication(publication);
    cars.set_publication_note(note);
    cars.set_state(state);
    cars.set_etag(absl::StrCat("e", revision_));
    *cars.mutable_changed() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(world_.clock.Now());
    world_.PutDataset(cars);
  }
  v1::GetInboxResponse Box(const Caller& caller) {
    const auto response = world_.inbox.GetInbox(caller, {});
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::GetInboxResponse();
  }

  RequestsWorld world_;
  int revision_ = 0;
};

TEST_F(InboxTest, AnEntryWaitsForTheAuthoritysReviewForTwoWorkingDays) {
  At("2026-03-02T10:00:00+08:00");
  Put(v1::PUBLICATION_AWAITED);
  At("2026-03-03T10:00:00+08:00");
  Put(v1::PUBLICATION_AWAITED);  // amended: it waits since it first came
  const auto box = Box(world_.authority);
  ASSERT_THAT(box.items(), SizeIs(1));
  const v1::InboxItem& item = box.items(0);
  EXPECT_EQ(item.office(), v1::SHARING_OFFICE_AUTHORITY);
  EXPECT_EQ(item.entry().dataset(), "police/cars");
  EXPECT_EQ(item.entry().revision(), 2);
  EXPECT_EQ(item.entry().etag(), "e2");
  EXPECT_FALSE(item.entry().returned());
  EXPECT_THAT(item.entry().actions(),
              ElementsAre(v1::ENTRY_ACTION_PUBLISH, v1::ENTRY_ACTION_RETURN));
  EXPECT_EQ(item.clock().name(), "catalogue_review");
  EXPECT_EQ(item.clock().article(), "第十七条");
  EXPECT_EQ(item.clock().working_days_left(), 1) << "of the two, the 3rd and the 4th";
  Micros began = 0;
  ASSERT_TRUE(ParseTime("2026-03-02T10:00:00+08:00", &began));
  EXPECT_EQ(item.since().seconds(), began / kSecond);
  // Nobody of the owner's agency reviews it, and nobody else is waited for.
  Caller own_authority = world_.AddPerson("police", "chief", {v1::ROLE_AUTHORITY});
  for (const Caller* caller :
       {&own_authority, &world_.owner, &world_.owner_office, &world_.auditor,
        &world_.operator_person, &world_.consumer_office, &world_.consumer_system})
    EXPECT_THAT(Box(*caller).items(), IsEmpty()) << caller->principal.path;
  At("2026-03-05T00:00:00+08:00");
  EXPECT_EQ(Box(world_.authority).items(0).clock().state(), v1::CLOCK_STATE_BREACHED);
  // Nor when it is late.
  EXPECT_THAT(Box(own_authority).items(), IsEmpty());
}

TEST_F(InboxTest, WhatWasReturnedWaitsForItsOwnerUntilHeHasMendedIt) {
  At("2026-03-02T10:00:00+08:00");
  Put(v1::PUBLICATION_AWAITED);
  At("2026-03-03T10:00:00+08:00");
  Put(v1::PUBLICATION_RETURNED, "say who may have it");
  EXPECT_THAT(Box(world_.authority).items(), IsEmpty());
  const auto box = Box(world_.owner);
  ASSERT_THAT(box.items(), SizeIs(1));
  EXPECT_EQ(box.items(0).office(), v1::SHARING_OFFICE_OWNER);
  EXPECT_TRUE(box.items(0).entry().returned());
  EXPECT_EQ(box.items(0).entry().note(), "say who may have it");
  EXPECT_THAT(box.items(0).entry().actions(), ElementsAre(v1::ENTRY_ACTION_APPLY));
  EXPECT_FALSE(box.items(0).has_clock()) << "the review was made in time, and no law sets another";
  const Caller chief = world_.AddPerson("police", "chief", {v1::ROLE_OWNER, v1::ROLE_AUTHORITY});
  EXPECT_EQ(Box(chief).items(0).office(), v1::SHARING_OFFICE_OWNER);
  Caller guest = world_.AddPerson("welfare", "guest", {v1::ROLE_OWNER, v1::ROLE_AUTHORITY});
  for (const Caller* caller : {&world_.owner_office, &world_.other_owner, &world_.auditor, &guest})
    EXPECT_THAT(Box(*caller).items(), IsEmpty()) << caller->principal.path;
  // Mended: the two days begin anew.
  At("2026-03-09T10:00:00+08:00");
  Put(v1::PUBLICATION_AWAITED);
  EXPECT_THAT(Box(world_.owner).items(), IsEmpty());
  EXPECT_EQ(Box(world_.authority).items(0).clock().working_days_left(), 2);
  Put(v1::PUBLICATION_PUBLISHED);
  EXPECT_THAT(Box(world_.authority).items(), IsEmpty());
}

TEST_F(InboxTest, WhatIsRetiredWaitsForNobody) {
  Put(v1::PUBLICATION_AWAITED);
  Put(v1::PUBLICATION_AWAITED, "", v1::DATASET_STATE_RETIRED);
  EXPECT_THAT(Box(world_.authority).items(), IsEmpty());
}

// What does not fit into one answer is told of, whether it is too many or too long.
TEST_F(InboxTest, AnAnswerEndsSomewhereAndSaysSo) {
  const auto put = [this](v1::Publication publication, int revision, const std::string& note) {
    world_.Write([&](store::Transaction& transaction) -> absl::Status {
      for (int i = 0; i < 1001; ++i) {
        v1::Dataset one;
        one.set_name(absl::StrCat("police/d", i));
        one.set_revision(revision);
        one.set_publication(publication);
        one.set_publication_note(note);
        one.set_state(v1::DATASET_STATE_OFFERED);
        *one.mutable_changed() =
            google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(world_.clock.Now());
        SLUICE_RETURN_IF_ERROR(catalogue::AddRevision(transaction, one));
      }
      return absl::OkStatus();
    });
  };
  put(v1::PUBLICATION_AWAITED, 1, "");
  auto box = Box(world_.authority);
  EXPECT_THAT(box.items(), SizeIs(1000));
  EXPECT_TRUE(box.more());
  put(v1::PUBLICATION_RETURNED, 2, std::string(1000, 'n'));
  box = Box(world_.owner);
  EXPECT_TRUE(box.more());
  EXPECT_GT(box.items_size(), 500);
  EXPECT_LT(box.items_size(), 1000);
  EXPECT_LT(box.ByteSizeLong(), size_t{1} << 20);
}

TEST_F(InboxTest, WhoeverWaitsLongestComesFirstWhateverItIs) {
  world_.MustApply(world_.Wanted());
  Put(v1::PUBLICATION_RETURNED, "mend it");
  world_.clock.Advance(kHour);
  v1::RaiseCorrectionRequest raise;
  raise.mutable_correction()->set_dataset("police/persons");
  raise.mutable_correction()->set_doubt("it is old");
  const auto raised = identity::Answer<v1::RaiseCorrectionResponse>(
      [&](auto done) { world_.corrections.RaiseCorrection(world_.consumer_system, raise, done); });
  ASSERT_TRUE(raised.ok()) << raised.status();
  world_.clock.Advance(kHour);
  world_.MustSubmit();
  const auto box = Box(world_.owner);
  ASSERT_THAT(box.items(), SizeIs(3));
  EXPECT_TRUE(box.items(0).has_entry());
  EXPECT_TRUE(box.items(1).has_correction());
  EXPECT_TRUE(box.items(2).has_request());
}

}  // namespace
}  // namespace sluice::sharing
