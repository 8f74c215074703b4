#include "gateway/audit/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr size_t kExamples = 5;
constexpr size_t kLately = 10'000;
constexpr int kMostPersonsOfALook = 20;

constexpr int kDaysToJudge = 5;
constexpr int64_t kRowsToJudge = 100;
constexpr int64_t kVolumeTimes = 3;
constexpr int64_t kOddCalls = 5;
constexpr int64_t kCallsToJudge = 50;
constexpr int64_t kOddShare = 100;
constexpr int64_t kMisses = 50;
constexpr int64_t kWrongGuesses = 20;
constexpr int64_t kLooks = 10;
constexpr int64_t kLookDays = 3;

void AddExample(std::vector<int64_t>& examples, int64_t index) {
  if (examples.size() < kExamples) examples.push_back(index);
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool EndsStream(v1::RecordKind kind) {
  return kind == v1::RECORD_KIND_CLOSED || kind == v1::RECORD_KIND_ABANDONED;
}

v1::ReportFinding FindingOf(v1::ReportFindingKind kind, std::string day, int64_t value,
                            int64_t against, const std::vector<int64_t>& examples) {
  v1::ReportFinding finding;
  finding.set_kind(kind);
  finding.set_day(std::move(day));
  finding.set_value(value);
  finding.set_against(against);
  for (const int64_t index : examples) finding.add_examples(index);
  return finding;
}

}  // namespace

ReportBuilder::ReportBuilder(const ReportSpan& span, Scope scope, size_t most_cells,
                             size_t most_looks)
    : span_(span), scope_(std::move(scope)), most_cells_(most_cells), most_looks_(most_looks) {
  totals_.set_first_index(-1);
}

int64_t ReportBuilder::DayOf(Micros time) const { return FloorDiv(time + span_.utc_offset, kDay); }

std::string ReportBuilder::DayText(int64_t day) const {
  return absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + day);
}

// 1970-01-01 was a Thursday.
bool ReportBuilder::OddHour(Micros time) const {
  const int64_t day = DayOf(time);
  const int64_t weekday = ((day % 7) + 7 + 3) % 7;  // Monday is 0
  const int64_t hour = (time + span_.utc_offset - day * kDay) / kHour;
  return weekday >= 5 || hour < 6 || hour >= 22;
}

absl::Status ReportBuilder::TooMany() const {
  return Error(v1::REASON_RESULT_TOO_LARGE,
               absl::StrCat("there are over ", most_cells_,
                            " different uses in that time: ask for fewer days at once."));
}

absl::StatusOr<v1::ReportUse*> ReportBuilder::UseOf(int64_t day,
                                                    const v1::AuditEnvelope& envelope) {
  const auto [at, fresh] = uses_.try_emplace(
      UseKey(day, envelope.actor().agency(), envelope.dataset(), envelope.purpose()));
  v1::ReportUse& use = at->second;
  if (fresh) {
    if (++cells_ > most_cells_) return TooMany();
    use.set_day(DayText(day));
    use.set_agency(envelope.actor().agency());
    use.set_owner_agency(envelope.owner_agency());
    use.set_dataset(envelope.dataset());
    use.set_purpose(envelope.purpose());
  }
  return &use;
}

absl::StatusOr<ReportBuilder::SystemDay*> ReportBuilder::SystemDayOf(
    int64_t day, const v1::AuditEnvelope& envelope) {
  auto& days = systems_[{envelope.actor().principal(), envelope.dataset()}];
  const auto [at, fresh] = days.try_emplace(day);
  if (fresh && ++cells_ > most_cells_) return TooMany();
  return &at->second;
}

bool ReportBuilder::WantsDetail(const v1::AuditEnvelope& envelope) const {
  return envelope.kind() == v1::RECORD_KIND_RELEASED &&
         envelope.subjects_released() == v1::SUBJECT_SCOPE_LISTED &&
         envelope.count() <= kMostPersonsOfALook && Within(TimeOf(envelope)) &&
         Allows(scope_, envelope);
}

absl::Status ReportBuilder::Add(int64_t index, const v1::AuditEnvelope& envelope,
                                const v1::AuditDetail* detail) {
  const Micros time = TimeOf(envelope);
  if (time < begins() || !Allows(scope_, envelope)) return absl::OkStatus();
  const v1::RecordKind kind = envelope.kind();
  if (time >= span_.until) {
    if (EndsStream(kind)) open_.erase(envelope.opened());
    return absl::OkStatus();
  }
  if (Within(time)) {
    totals_.set_records(totals_.records() + 1);
    if (totals_.first_index() < 0) totals_.set_first_index(index);
  }
  switch (kind) {
    case v1::RECORD_KIND_RELEASED:
    case v1::RECORD_KIND_MATCHED:
    case v1::RECORD_KIND_COUNTED:
    case v1::RECORD_KIND_CLOSED:
    case v1::RECORD_KIND_ABANDONED:
      SLUICE_RETURN_IF_ERROR(AddAccess(index, time, envelope));
      break;
    case v1::RECORD_KIND_DENIED:
    case v1::RECORD_KIND_DENIALS:
    case v1::RECORD_KIND_FAILED:
      if (Within(time)) SLUICE_RETURN_IF_ERROR(AddRefusal(index, time, envelope));
      break;
    case v1::RECORD_KIND_OPENED:
      if (Within(time)) {
        if (++cells_ > most_cells_) return TooMany();
        v1::ReportStream& stream = open_[index];
        stream.set_opened(index);
        *stream.mutable_time() = envelope.time();
        stream.set_principal(envelope.actor().principal());
        stream.set_dataset(envelope.dataset());
      }
      break;
    case v1::RECORD_KIND_PROGRESS:
      if (const auto stream = open_.find(envelope.opened()); stream != open_.end())
        stream->second.set_rows(envelope.count());
      break;
    case v1::RECORD_KIND_CHANGED:
      if (Within(time)) totals_.set_changed(totals_.changed() + 1);
      break;
    case v1::RECORD_KIND_READ:
      if (Within(time)) totals_.set_read(totals_.read() + 1);
      break;
    default:
      break;
  }
  if (!WantsDetail(envelope)) return absl::OkStatus();
  if (detail == nullptr) {
    totals_.set_erased(totals_.erased() + 1);
  } else {
    AddLook(index, time, envelope, *detail);
  }
  return absl::OkStatus();
}

absl::Status ReportBuilder::AddAccess(int64_t index, Micros time,
                                      const v1::AuditEnvelope& envelope) {
  const int64_t day = DayOf(time);
  const bool stream = EndsStream(envelope.kind());
  if (stream) open_.erase(envelope.opened());
  SLUICE_ASSIGN_OR_RETURN(SystemDay* const system, SystemDayOf(day, envelope));
  // Of the others it counts items and groups.
  const bool shows_rows = stream || envelope.kind() == v1::RECORD_KIND_RELEASED;
  const int64_t rows = shows_rows ? envelope.count() : 0;
  system->rows += rows;
  ++system->calls;
  AddExample(system->examples, index);
  if (OddHour(time)) {
    ++system->odd_calls;
    AddExample(system->odd_examples, index);
  }
  if (envelope.kind() == v1::RECORD_KIND_MATCHED) {
    system->guesses += envelope.count();
    system->wrong_guesses += envelope.match_misses();
    if (envelope.match_misses() > 0) AddExample(system->guess_examples, index);
  } else if (envelope.subjects_asked() == v1::SUBJECT_SCOPE_LISTED && !stream) {
    ++system->questions;
    if (envelope.count() == 0) {
      ++system->misses;
      AddExample(system->miss_examples, index);
    }
  }
  if (!Within(time)) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(v1::ReportUse* const use, UseOf(day, envelope));
  if (stream) {
    use->set_streams(use->streams() + 1);
  } else {
    use->set_answers(use->answers() + 1);
    lately_.push_back({index, rows, envelope.payload_bytes(), use});
    if (lately_.size() > kLately) lately_.pop_front();
  }
  use->set_rows(use->rows() + rows);
  use->set_payload_bytes(use->payload_bytes() + envelope.payload_bytes());
  return absl::OkStatus();
}

// An answer that was recorded and then kept back after all.
void ReportBuilder::TakeBack(int64_t released) {
  const auto let = std::lower_bound(lately_.begin(), lately_.end(), released,
                                    [](const Let& a, int64_t b) { return a.index < b; });
  if (let == lately_.end() || let->index != released || let->use == nullptr) return;
  let->use->set_answers(let->use->answers() - 1);
  let->use->set_rows(let->use->rows() - let->rows);
  let->use->set_payload_bytes(let->use->payload_bytes() - let->bytes);
  let->use = nullptr;
}

absl::Status ReportBuilder::AddRefusal(int64_t index, Micros time,
                                       const v1::AuditEnvelope& envelope) {
  SLUICE_ASSIGN_OR_RETURN(v1::ReportUse* const use, UseOf(DayOf(time), envelope));
  if (envelope.kind() == v1::RECORD_KIND_FAILED) {
    use->set_failed(use->failed() + 1);
    if (envelope.repeats() >= 0) TakeBack(envelope.repeats());
    return absl::OkStatus();
  }
  const int64_t count = envelope.kind() == v1::RECORD_KIND_DENIALS ? envelope.count() : 1;
  use->set_denied(use->denied() + count);
  const auto [at, fresh] =
      denials_.try_emplace({envelope.reason(), envelope.actor().agency(), envelope.dataset()});
  if (fresh && ++cells_ > most_cells_) return TooMany();
  v1::ReportDenial& denial = at->second;
  denial.set_reason(envelope.reason());
  denial.set_agency(envelope.actor().agency());
  denial.set_dataset(envelope.dataset());
  denial.set_count(denial.count() + count);
  denial.set_last_index(index);
  return absl::OkStatus();
}

void ReportBuilder::AddLook(int64_t index, Micros time, const v1::AuditEnvelope& envelope,
                            const v1::AuditDetail& detail) {
  if (detail.released_size() > kMostPersonsOfALook) return;
  // Those that were looked at least are forgotten, where there are too many.
  for (int64_t least = 1; looks_.size() >= most_looks_; ++least)
    std::erase_if(looks_, [least](const auto& look) { return look.second.count <= least; });
  const int64_t day = DayOf(time);
  for (const v1::SubjectPseudonym& subject : detail.released()) {
    Look& look = looks_[absl::StrCat(subject.pseudonym(), "\n", envelope.actor().principal(), "\n",
                                     envelope.dataset(), "\n", detail.end_user())];
    if (look.count++ == 0) {
      look.principal = envelope.actor().principal();
      look.dataset = envelope.dataset();
      look.first_day = day;
    }
    if (look.last_day != day) ++look.days;
    look.last_day = day;
    AddExample(look.examples, index);
  }
}

void ReportBuilder::FindInHistory(ReportParts& parts) {
  const int64_t first = DayOf(span_.since), end = DayOf(span_.until - 1) + 1;
  std::map<std::string, std::map<int64_t, SystemDay>> by_principal;
  for (const auto& [system_key, days] : systems_) {
    const SystemKey& key = system_key;
    const auto found = [&](v1::ReportFinding finding) {
      finding.set_principal(key.first);
      finding.set_dataset(key.second);
      parts.findings.push_back(std::move(finding));
    };
    bool judged = false, used = false;
    for (const auto& [day, use] : days) {
      SystemDay& all = by_principal[key.first][day];
      all.calls += use.calls;
      all.odd_calls += use.odd_calls;
      for (const int64_t index : use.odd_examples) AddExample(all.odd_examples, index);
      if (day < first || day >= end) continue;
      used = true;
      if (use.misses >= kMisses && 2 * use.misses > use.questions)
        found(FindingOf(v1::REPORT_FINDING_KIND_ENUMERATION, DayText(day), use.misses,
                        use.questions, use.miss_examples));
      if (use.wrong_guesses >= kWrongGuesses && 2 * use.wrong_guesses > use.guesses)
        found(FindingOf(v1::REPORT_FINDING_KIND_GUESSING, DayText(day), use.wrong_guesses,
                        use.guesses, use.guess_examples));
      int64_t busiest = 0;
      int active = 0;
      for (auto before = days.lower_bound(day - kHistoryDays); before->first < day; ++before) {
        busiest = std::max(busiest, before->second.rows);
        ++active;
      }
      if (active < kDaysToJudge) continue;
      judged = true;
      if (use.rows >= kRowsToJudge && use.rows > kVolumeTimes * busiest)
        found(FindingOf(v1::REPORT_FINDING_KIND_VOLUME, DayText(day), use.rows, busiest,
                        use.examples));
    }
    if (used && !judged) parts.totals.set_not_judged(parts.totals.not_judged() + 1);
  }
  for (const auto& [principal, days] : by_principal) {
    for (const auto& [day, use] : days) {
      if (day < first || day >= end || use.odd_calls < kOddCalls) continue;
      int64_t calls = 0, odd = 0;
      for (auto before = days.lower_bound(day - kHistoryDays); before->first < day; ++before) {
        calls += before->second.calls;
        odd += before->second.odd_calls;
      }
      if (calls < kCallsToJudge || kOddShare * odd > calls) continue;
      parts.findings.push_back(FindingOf(v1::REPORT_FINDING_KIND_ODD_HOURS, DayText(day),
                                         use.odd_calls, odd, use.odd_examples));
      parts.findings.back().set_principal(principal);
    }
  }
}

ReportParts ReportBuilder::Build() {
  ReportParts parts;
  parts.totals = totals_;
  for (const auto& [key, use] : uses_) {
    // What was taken back whole is no use.
    if (use.answers() + use.streams() + use.denied() + use.failed() == 0) continue;
    parts.totals.set_answers(parts.totals.answers() + use.answers());
    parts.totals.set_streams(parts.totals.streams() + use.streams());
    parts.totals.set_rows(parts.totals.rows() + use.rows());
    parts.totals.set_denied(parts.totals.denied() + use.denied());
    parts.totals.set_failed(parts.totals.failed() + use.failed());
    parts.uses.push_back(use);
  }
  for (const auto& [key, denial] : denials_) parts.denials.push_back(denial);
  std::stable_sort(parts.denials.begin(), parts.denials.end(),
                   [](const auto& a, const auto& b) { return a.count() > b.count(); });
  for (const auto& [opened, stream] : open_) parts.unfinished.push_back(stream);
  FindInHistory(parts);
  for (const auto& [key, look] : looks_) {
    if (look.count < kLooks || look.days < kLookDays) continue;
    parts.findings.push_back(FindingOf(v1::REPORT_FINDING_KIND_REPEATED_SUBJECT,
                                       DayText(look.first_day), look.count, look.days,
                                       look.examples));
    parts.findings.back().set_principal(look.principal);
    parts.findings.back().set_dataset(look.dataset);
  }
  std::sort(parts.findings.begin(), parts.findings.end(),
            [](const v1::ReportFinding& a, const v1::ReportFinding& b) {
              return std::tuple(a.kind(), -a.value(), a.day(), a.principal(), a.dataset()) <
                     std::tuple(b.kind(), -b.value(), b.day(), b.principal(), b.dataset());
            });
  return parts;
}

}  // namespace sluice::audit
