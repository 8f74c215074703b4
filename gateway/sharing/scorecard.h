// How the owners kept the law's clocks, month by month, and what became of what they lent: of the
// records of the log and nothing else (Decree 809, Art. 38). The clocks are those of Rules, at the
// time of reading. Fed with all records in the log's order; no I/O. ReportSharingRequest and what
// follows it in audit.proto say what each number means. One thread.
//
// What is counted where: a step in the month in which it was taken; a clock that was kept in the
// month in which it ended, one that was not in the month of its last day in time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/sharing/rules.h"
#include "sluice/v1/audit.pb.h"
#include "sluice/v1/audit_record.pb.h"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::sharing {

struct ScorecardSpan {
  Micros since = 0, until = 0;  // whole months of the zone; until is not included
  int utc_offset_minutes = 0;
};

class Scorecard {
 public:
  // `agency` is the owner that it is of; empty: all. `rules` outlives it.
  Scorecard(const ScorecardSpan& span, Micros now, std::string agency, const Rules& rules);

  // REQUEST_INVALID where the span is not of whole months, or of over 400 days.
  static absl::StatusOr<ScorecardSpan> SpanOf(const v1::ReportSharingRequest& request);

  // Whether the record's detail has to be opened.
  static bool WantsDetail(const v1::AuditEnvelope& envelope);
  // `detail` is null where it is not wanted or erased. DATA_LOSS where a detail does not parse.
  absl::Status Add(const v1::AuditEnvelope& envelope, const v1::AuditDetail* detail);
  v1::ReportSharingResponse Build();

 private:
  // What something was from a time on.
  template <class T>
  using History = std::vector<std::pair<Micros, T>>;
  struct Use {
    std::set<int> months;
    Micros last = 0;
  };

  // Index of the month that a time is in; minus one outside the span.
  int MonthOf(Micros time) const;
  std::string MonthName(int month) const;
  v1::SharingScore& ScoreOf(int month, const std::string& agency);
  bool Counts(const std::string& agency) const { return agency_.empty() || agency_ == agency; }

  // Where numbers of one kind of matter go.
  struct MatterNumbers {
    using Set = void (*)(v1::SharingScore&);
    Set begun, met, missed, overdue;
    void (*name)(v1::SharingBreach&, const std::string& id);
  };

  absl::Status AddChange(const v1::AuditEnvelope& envelope, const v1::AuditDetail& detail);
  void AddUse(const v1::AuditEnvelope& envelope, int64_t answers, int64_t denied);
  void CountSteps(const v1::AccessRequest& request);
  void CountClocks(const v1::AccessRequest& request);
  void CountClock(const v1::AccessRequest& request, const ClockRule& rule, const v1::Clock& clock);
  v1::SharingBreach& AddBreach(int month, const std::string& agency, const std::string& dataset,
                               const v1::Clock& clock);
  // scorecard_matters.cc. `answer` is the event that ends the owner's clock.
  template <class Matter>
  void CountMatter(const Matter& matter, const MatterNumbers& numbers, std::string_view answer);
  void CountMatters();
  void CountStock();
  void FindUnused();

  const ScorecardSpan span_;
  const Micros now_;
  const std::string agency_;
  const Rules& rules_;
  absl::TimeZone zone_;
  std::vector<Micros> months_;  // their beginnings, and the end of the last
  std::map<std::pair<int, std::string>, v1::SharingScore> scores_;
  std::map<std::tuple<int, std::string, std::string, std::string>, int64_t> refusals_;
  std::map<std::string, v1::AccessRequest> requests_;  // as they were last
  std::map<std::string, v1::Correction> corrections_;
  std::map<std::string, v1::CatalogueUpdate> updates_;
  std::map<std::string, History<v1::Grant>> grants_;
  std::map<std::string, History<v1::DatasetState>> datasets_;
  std::map<std::string, History<bool>> overdue_;  // data older than promised, by dataset
  std::map<std::string, Use> uses_;               // by grant
  v1::ReportSharingResponse made_;
};

}  // namespace sluice::sharing
