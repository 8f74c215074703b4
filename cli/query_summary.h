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

// "id_number partial 3..4 · name partial 1..0"; empty where nothing is masked.
std::string MaskedWords(const v1::Applied& applied);
// "7q4m2k r2 · rows where province_code = \"99\" · law … · 9,412 rows left today".
std::string GrantWords(const v1::Applied& applied);

// The lines "grant" and "audit" below an answer that is no page of rows.
std::string FormatGrantAndAudit(const Session& session, const v1::Applied& applied,
                                const v1::Receipt& receipt, const std::string& kept);

std::string FormatSummary(const Session& session, const v1::QueryResponse& last,
                          const QueryTotals& totals);

}  // namespace sluice::cli
