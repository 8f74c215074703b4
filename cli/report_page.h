// A report as one page of HTML that needs nothing else: charts as SVG, both languages, fit for
// paper.
#pragma once

#include <string>

#include "cli/report_data.h"

namespace sluice::cli {

std::string ReportPage(const ReportData& report);

}  // namespace sluice::cli
