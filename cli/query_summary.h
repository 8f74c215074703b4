// What stands below the rows of a query: what the gateway did, and where it is recorded.
#pragma once

#include <string>

#include "cli/session.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::cli {

struct QueryTotals {
  int64_t rows = 0;
  int64_t pages = 0;
  Micros elapsed = 0;
  int64_t first_index = 0, last_index = 0;
  std::string receipt;  // path of the last page's
  bool more = false;    // rows beyond those asked for
};

std::string FormatSummary(const Session& session, const v1::QueryResponse& last,
                          const QueryTotals& totals);

}  // namespace sluice::cli
