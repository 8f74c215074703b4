// The scorecard of sharing as it came, what of it may be published, and the sums that people look
// at.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/display.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::cli {

struct SharingScores {
  std::string from, to;  // months, both included: "2026-11"
  std::string offset;    // "+08:00"
  std::string origin;    // of the log
  std::string made;      // when
  bool published = false;
  v1::ReportSharingResponse report;
};

// Without what names a request, a correction, an update or a grant, for whoever may read a page on
// the wall: persons and systems are not in it at all.
void MakePublic(SharingScores& scores);

// Sums of scores, of an agency or a month.
struct ScoreSum {
  std::string key;
  v1::SharingScore all;  // `reply_days` of all, sorted; its stock is that of the newest month
  int64_t replies() const {
    return all.replies_met() + all.replies_missed() + all.replies_overdue();
  }
  int64_t corrections() const {
    return all.corrections_met() + all.corrections_missed() + all.corrections_overdue();
  }
  int64_t provisions() const {
    return all.provided_met() + all.provided_missed() + all.provided_overdue();
  }
};
std::vector<ScoreSum> SumByOwner(const SharingScores& scores);  // worst share in time first
std::vector<ScoreSum> SumByMonth(const SharingScores& scores);  // of all owners, in order

// "12 of 14 (85 %)"; empty where there is none. Never rounded up: 100 % is all.
std::string ShareWords(int64_t kept, int64_t all);
// "6", "6.5"; empty where there is none. Sorted.
std::string MedianWords(const google::protobuf::RepeatedField<int32_t>& days);

// Rows of what the tables show; the columns' titles are labels in English.
struct ScoreTable {
  std::vector<TableColumn> columns;
  std::vector<std::vector<std::string>> rows;
};
ScoreTable OwnersTable(const SharingScores& scores);
ScoreTable MonthsTable(const SharingScores& scores);
ScoreTable RefusalsTable(const SharingScores& scores);
ScoreTable BreachesTable(const SharingScores& scores);
ScoreTable UnusedTable(const SharingScores& scores, const absl::TimeZone& zone);
// Every number of every score, for a spreadsheet.
ScoreTable AllScoresTable(const SharingScores& scores);

}  // namespace sluice::cli
