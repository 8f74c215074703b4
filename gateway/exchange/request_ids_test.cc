#include "gateway/exchange/request_ids.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr Micros kNow = 1'790'000'000 * kSecond;

TEST(RequestIdsTest, TheSameRequestIsLinkedToItsFirstAccess) {
  RequestIds ids;
  EXPECT_EQ(*ids.Look("id", "request", kNow), -1);
  ids.Released("id", "request", 42, kNow);
  EXPECT_EQ(*ids.Look("id", "request", kNow + kHour), 42);
}

TEST(RequestIdsTest, AnotherRequestUnderTheIdIsRefused) {
  RequestIds ids;
  ids.Released("id", "request", 42, kNow);
  EXPECT_EQ(ReasonOf(ids.Look("id", "other", kNow).status()), v1::REASON_REQUEST_ID_CONFLICT);
}

TEST(RequestIdsTest, TenAnswersAreAllThereAre) {
  RequestIds ids;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(ids.Look("id", "request", kNow).ok()) << i;
    ids.Released("id", "request", 42, kNow);
  }
  EXPECT_EQ(ReasonOf(ids.Look("id", "request", kNow).status()), v1::REASON_REQUEST_ID_EXHAUSTED);
}

TEST(RequestIdsTest, ADayLaterTheIdIsFree) {
  RequestIds ids;
  ids.Released("id", "request", 42, kNow);
  EXPECT_EQ(*ids.Look("id", "other", kNow + kDay), -1);
}

TEST(RequestIdsTest, ForgetsTheOldestWhenThereAreTooMany) {
  RequestIds ids(2);
  for (int i = 0; i < 3; ++i) ids.Released(std::to_string(i), "request", i, kNow + i);
  EXPECT_EQ(*ids.Look("0", "request", kNow + 3), -1);
  EXPECT_EQ(*ids.Look("2", "request", kNow + 3), 2);
}

}  // namespace
}  // namespace sluice::exchange
