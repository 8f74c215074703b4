// What metrics say of exchanges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

constexpr auto kQueries = ExchangeCounts::Mode::kQuery;

TEST(ExchangeCountsTest, EachExchangeIsCountedOnceByWhatItsCallerWasTold) {
  Exchange exchange;
  exchange.ps.SetRows(Persons(3));
  v1::QueryRequest tax = PersonsRequest();
  tax.set_purpose("tax");

  ASSERT_TRUE(exchange.Query(PersonsRequest()).ok());
  ASSERT_TRUE(exchange.Query(PersonsRequest()).ok());
  const auto refused = exchange.Query(tax);
  ASSERT_FALSE(refused.ok());

  const ExchangeCounts& counts = exchange.broker->counts();
  EXPECT_EQ(counts.Count(kQueries, v1::REASON_UNSPECIFIED), 2u);
  EXPECT_EQ(counts.Count(kQueries, ReasonOf(refused.status())), 1u);
  uint64_t all = 0, took = 0;
  for (int reason = 0; reason < v1::Reason_ARRAYSIZE; ++reason)
    all += counts.Count(kQueries, static_cast<v1::Reason>(reason));
  for (const uint64_t bucket : counts.Took(kQueries).Get().counts) took += bucket;
  EXPECT_EQ(all, 3u);
  EXPECT_EQ(took, 3u);
  EXPECT_EQ(exchange.broker->counts().Count(ExchangeCounts::Mode::kRead, v1::REASON_UNSPECIFIED),
            0u);
}

}  // namespace
}  // namespace sluice::exchange
