#include "gateway/http/operations_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "gateway/http/metrics_text.h"

namespace sluice::http {
namespace {

using exchange::ExchangeCounts;
using testing::HasSubstr;
using testing::Not;

HttpResponse PageAt(const std::string& path, std::vector<std::string> reasons = {}) {
  const OperationsPageParts parts{[reasons] { return reasons; }, [] { return Measures{}; }};
  return OperationsPage(parts, {path, "ipv4:127.0.0.1:1"});
}

TEST(OperationsPageTest, LifeIsApartFromReadiness) {
  EXPECT_EQ(PageAt("/healthz", {"draining"}).status, 200);
  EXPECT_EQ(PageAt("/readyz").status, 200);
  const HttpResponse draining = PageAt("/readyz", {"draining", "poisoned"});
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(draining.body, "draining\npoisoned\n");
  EXPECT_EQ(PageAt("/").status, 404);
  EXPECT_EQ(PageAt("/metrics/").status, 404);
}

TEST(MetricsPageTest, ExchangesAreCountedByWhatTheCallerWasTold) {
  ExchangeCounts counts;
  const auto mode = ExchangeCounts::Mode::kQuery;
  counts.Ended(mode, absl::OkStatus(), 300);
  counts.Ended(mode, absl::OkStatus(), 70 * kSecond);
  counts.Ended(mode, Error(v1::REASON_PURPOSE_NOT_GRANTED, "no"), 100);
  counts.Ended(mode, Error(v1::REASON_SOURCE_UNAVAILABLE, "no"), 100);
  counts.Ended(mode, absl::UnknownError("without a reason"), -5);
  counts.Ended(ExchangeCounts::Mode::kRead, absl::OkStatus(), 2 * kSecond);
  audit::LogMeters log;
  Measures measures;
  measures.exchanges = &counts;
  measures.log = &log;
  measures.version = "1\"\\\n";

  const std::string page = MetricsPage(measures);

  for (const char* line :
       {"\nsluice_exchanges_total{mode=\"query\",outcome=\"released\",reason=\"\"} 2\n",
        "\nsluice_exchanges_total{mode=\"query\",outcome=\"denied\",reason=\"PURPOSE_NOT_GRANTED\"}"
        " "
        "1\n",
        "\nsluice_exchanges_total{mode=\"query\",outcome=\"failed\",reason=\"SOURCE_UNAVAILABLE\"} "
        "1\n",
        "\nsluice_exchanges_total{mode=\"query\",outcome=\"failed\",reason=\"INTERNAL\"} 1\n",
        "\nsluice_exchanges_total{mode=\"read\",outcome=\"released\",reason=\"\"} 1\n",
        "\nsluice_exchange_duration_seconds_bucket{mode=\"query\",le=\"1e-04\"} 3\n",
        "\nsluice_exchange_duration_seconds_bucket{mode=\"query\",le=\"5e-04\"} 4\n",
        "\nsluice_exchange_duration_seconds_bucket{mode=\"query\",le=\"60\"} 4\n",
        "\nsluice_exchange_duration_seconds_bucket{mode=\"query\",le=\"+Inf\"} 5\n",
        "\nsluice_exchange_duration_seconds_count{mode=\"query\"} 5\n",
        "\nsluice_exchange_duration_seconds_sum{mode=\"query\"} 70.0005\n",
        "\nsluice_build_info{version=\"1\\\"\\\\\\n\"} 1\n"})
    EXPECT_THAT(page, HasSubstr(line));
  EXPECT_THAT(page, Not(HasSubstr("NOT_FOUND")));
}

TEST(MetricsPageTest, ASourceIsInOneStateOfItsBreaker) {
  ExchangeCounts counts;
  audit::LogMeters log;
  Measures measures;
  measures.exchanges = &counts;
  measures.log = &log;
  measures.log_records = 10;
  measures.index_records = 4;
  measures.sources.emplace_back();
  measures.sources[0].set_source("ps");
  measures.sources[0].set_breaker("half_open");
  measures.sources[0].set_waiting(3);

  const std::string page = MetricsPage(measures);

  for (const char* line : {"breaker_state{source=\"ps\",state=\"closed\"} 0\n",
                           "breaker_state{source=\"ps\",state=\"half_open\"} 1\n",
                           "breaker_state{source=\"ps\",state=\"open\"} 0\n",
                           "calls_waiting{source=\"ps\"} 3\n", "lag_records 6\n"})
    EXPECT_THAT(page, HasSubstr(line));
}

}  // namespace
}  // namespace sluice::http
