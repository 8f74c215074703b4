// The scorecard as one page of HTML that needs nothing else: charts as SVG, both languages.
#pragma once

#include <string>

#include "cli/sharing_score.h"

namespace sluice::cli {

std::string SharingScorePage(const SharingScores& scores, const absl::TimeZone& zone);

}  // namespace sluice::cli
