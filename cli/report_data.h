// A report as it came, and the sums that people look at.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/failure.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::cli {

struct ReportData {
  std::string from, to;  // days, both included
  std::string offset;    // "+08:00"
  std::string origin;    // of the log
  std::string made;      // when: "2026-11-27 14:02:11 +08:00"
  int64_t read_index = 0;
  std::vector<v1::ReportUse> uses;
  std::vector<v1::ReportDenial> denials;
  std::vector<v1::ReportStream> unfinished;
  std::vector<v1::ReportFinding> findings;
  v1::ReportTotals totals;
};

struct ReportSum {
  std::string key;
  int64_t answers = 0, streams = 0, rows = 0, denied = 0, failed = 0;
  int64_t calls() const { return answers + streams + denied + failed; }
};

// Uses summed by what `key` makes of each; most calls first.
std::vector<ReportSum> SumBy(const ReportData& report,
                             const std::function<std::string(const v1::ReportUse&)>& key);
// One a day from the first to the last, those without any use too.
std::vector<ReportSum> SumByDay(const ReportData& report);

struct FindingWords {
  std::string what, why;  // "unusual volume", "12,000 rows; the busiest day before had 340"
  std::string what_zh, why_zh;
};
FindingWords WordsOf(const v1::ReportFinding& finding);
// "#16 #18".
std::string ExampleWords(const v1::ReportFinding& finding);

}  // namespace sluice::cli
