// Sums a stretch of the log up: uses by agency, dataset, purpose and day, denials, streams without
// an end, and what is worth a look. Fed with records in the log's order; no I/O. ReportRequest and
// what follows it in audit.proto say what each number means.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "gateway/audit/record_query.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::audit {

struct ReportSpan {
  Micros since = 0, until = 0;  // until is not included
  Micros utc_offset = 0;
};

struct ReportParts {
  std::vector<v1::ReportUse> uses;        // by day, agency, dataset, purpose
  std::vector<v1::ReportDenial> denials;  // most first
  std::vector<v1::ReportStream> unfinished;
  std::vector<v1::ReportFinding> findings;  // by kind, then most first
  v1::ReportTotals totals;
};

// One thread. Holds a cell for each use, denial and day of a system, and persons that were looked
// at, as many as kMostLooks.
class ReportBuilder {
 public:
  // Of days before `since` what is needed to judge those within it.
  static constexpr int kHistoryDays = 28;
  static constexpr size_t kMostCells = 200'000;
  static constexpr size_t kMostLooks = 500'000;

  ReportBuilder(const ReportSpan& span, Scope scope, size_t most_cells = kMostCells,
                size_t most_looks = kMostLooks);

  // The time from which on records matter.
  Micros begins() const { return span_.since - kHistoryDays * kDay; }
  // Whether the record's detail would be looked at.
  bool WantsDetail(const v1::AuditEnvelope& envelope) const;
  // `detail` is null where it is not wanted or erased. RESULT_TOO_LARGE where the time has too many
  // different uses.
  absl::Status Add(int64_t index, const v1::AuditEnvelope& envelope, const v1::AuditDetail* detail);
  // Whether records from `until` on may still end a stream that began before.
  bool AwaitsEnds() const { return !open_.empty(); }
  ReportParts Build();

 private:
  using UseKey = std::tuple<int64_t, std::string, std::string, std::string>;  // day, agency, …
  struct SystemDay {
    int64_t rows = 0, calls = 0, odd_calls = 0, questions = 0, misses = 0;
    int64_t guesses = 0, wrong_guesses = 0;  // items of Match, and those that were none
    std::vector<int64_t> examples, odd_examples, miss_examples, guess_examples;
  };
  using SystemKey = std::pair<std::string, std::string>;  // principal, dataset
  struct Look {
    int64_t count = 0, days = 0, first_day = 0, last_day = -1;
    std::string principal, dataset;
    std::vector<int64_t> examples;
  };
  struct Let {
    int64_t index = 0, rows = 0, bytes = 0;
    v1::ReportUse* use = nullptr;
  };

  int64_t DayOf(Micros time) const;
  std::string DayText(int64_t day) const;
  absl::StatusOr<v1::ReportUse*> UseOf(int64_t day, const v1::AuditEnvelope& envelope);
  absl::StatusOr<SystemDay*> SystemDayOf(int64_t day, const v1::AuditEnvelope& envelope);
  absl::Status AddAccess(int64_t index, Micros time, const v1::AuditEnvelope& envelope);
  absl::Status AddRefusal(int64_t index, Micros time, const v1::AuditEnvelope& envelope);
  void AddLook(int64_t index, Micros time, const v1::AuditEnvelope& envelope,
               const v1::AuditDetail& detail);
  void TakeBack(int64_t released);
  void FindInHistory(ReportParts& parts);
  bool OddHour(Micros time) const;
  bool Within(Micros time) const { return time >= span_.since && time < span_.until; }
  absl::Status TooMany() const;

  const ReportSpan span_;
  const Scope scope_;
  const size_t most_cells_, most_looks_;
  std::map<UseKey, v1::ReportUse> uses_;
  std::map<std::tuple<v1::Reason, std::string, std::string>, v1::ReportDenial> denials_;
  std::map<SystemKey, std::map<int64_t, SystemDay>> systems_;
  size_t cells_ = 0;
  std::map<int64_t, v1::ReportStream> open_;
  std::unordered_map<std::string, Look> looks_;
  std::deque<Let> lately_;  // answers that a FAILED record may still take back
  v1::ReportTotals totals_;
};

}  // namespace sluice::audit
