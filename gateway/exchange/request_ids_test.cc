#include "gateway/exchange/request_ids.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr Micros kNow = 1'790'000'000 * kSecond;

class RequestIdsTest : public ::testing::Test {
 protected:
  // An access of three rows from beginning to end; the index it is linked to.
  absl::StatusOr<int64_t> Access(const std::string& id, const std::string& request, Micros now,
                                 int64_t index = 42) {
    const auto place = ids_.Take(id, request, now);
    if (!place.ok()) return place.status();
    ids_.Released(*place, index, 3);
    return place->first;
  }
  RequestIds ids_{2};
};

TEST_F(RequestIdsTest, TheSameRequestIsLinkedToItsFirstAccess) {
  EXPECT_EQ(*Access("id", "request", kNow), -1);
  const auto again = ids_.Take("id", "request", kNow + kHour);
  EXPECT_EQ(again->first, 42);
  EXPECT_EQ(again->rows, 3);
}

TEST_F(RequestIdsTest, AnotherRequestUnderTheIdIsRefused) {
  EXPECT_TRUE(Access("id", "request", kNow).ok());
  EXPECT_EQ(ReasonOf(ids_.Take("id", "other", kNow).status()), v1::REASON_REQUEST_ID_CONFLICT);
}

TEST_F(RequestIdsTest, TenAnswersAreAllThereAre) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Access("id", "request", kNow).ok()) << i;
  EXPECT_EQ(ReasonOf(Access("id", "request", kNow).status()), v1::REASON_REQUEST_ID_EXHAUSTED);
}

TEST_F(RequestIdsTest, TenAtOnceAreAllThereAreAndAPlaceGivenBackIsFree) {
  const auto first = ids_.Take("id", "request", kNow);
  for (int i = 1; i < 10; ++i) EXPECT_EQ(ids_.Take("id", "request", kNow)->first, -1);
  EXPECT_FALSE(ids_.Take("id", "request", kNow).ok());
  ids_.GiveBack(*first);
  EXPECT_TRUE(ids_.Take("id", "request", kNow).ok());
}

TEST_F(RequestIdsTest, WhatWasGivenBackWholeLeavesNothing) {
  ids_.GiveBack(*ids_.Take("id", "request", kNow));
  EXPECT_EQ(*Access("id", "other", kNow), -1);
  ids_.GiveBack({});
}

TEST_F(RequestIdsTest, ADayLaterTheIdIsFree) {
  EXPECT_TRUE(Access("id", "request", kNow).ok());
  EXPECT_EQ(*Access("id", "other", kNow + kDay), -1);
}

TEST_F(RequestIdsTest, WhatEndsAfterItsIdWasForgottenTouchesNoOther) {
  const auto late = ids_.Take("id", "request", kNow);
  EXPECT_EQ(*Access("id", "other", kNow + kDay, 50), -1);
  ids_.Released(*late, 42, 3);
  ids_.GiveBack(*late);
  EXPECT_EQ(*Access("id", "other", kNow + kDay), 50);
}

TEST_F(RequestIdsTest, ForgetsTheOldestWhenThereAreTooMany) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Access(std::to_string(i), "request", kNow + i, i).ok());
  EXPECT_EQ(*Access("2", "request", kNow + 3), 2);
  EXPECT_EQ(*Access("0", "request", kNow + 3), -1);
}

TEST_F(RequestIdsTest, IsRestoredFromTheLog) {
  ids_.Restore("old", "request", 5, 1, 3, kNow);  // repeats one that is older than a day
  ids_.Restore("id", "request", 6, -1, 3, kNow);
  for (int i = 7; i < 15; ++i) ids_.Restore("id", "request", i, 6, 3, kNow);
  EXPECT_EQ(*Access("old", "other", kNow), -1);
  EXPECT_EQ(*Access("id", "request", kNow), 6);
  EXPECT_EQ(ReasonOf(Access("id", "request", kNow).status()), v1::REASON_REQUEST_ID_EXHAUSTED);
}

}  // namespace
}  // namespace sluice::exchange
