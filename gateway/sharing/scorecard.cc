#include "gateway/sharing/scorecard.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/sharing/request_table.h"

namespace sluice::sharing {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int64_t kMostDays = 400;
constexpr int kMostOffset = 14 * 60;  // minutes

std::string AgencyOf(const std::string& name) { return name.substr(0, name.find('/')); }

template <class Message>
absl::StatusOr<Message> FromJson(const v1::AuditEnvelope& envelope, const std::string& json) {
  Message message;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // of a newer gateway
  if (!google::protobuf::util::JsonStringToMessage(json, &message, options).ok())
    return absl::DataLossError(
        absl::StrCat("the detail of change ", envelope.change_id(), " does not parse"));
  return message;
}

absl::CivilMonth MonthIn(Micros time, const absl::TimeZone& zone) {
  return absl::CivilMonth(absl::ToCivilSecond(absl::FromUnixMicros(time), zone));
}
Micros BeginOf(absl::CivilMonth month, const absl::TimeZone& zone) {
  return absl::ToUnixMicros(absl::FromCivil(absl::CivilDay(month), zone));
}

bool StandsAt(const v1::Grant& grant, Micros at) {
  return grant.state() == v1::GRANT_STATE_IN_FORCE &&
         (!grant.has_expires() || TimeUtil::TimestampToMicroseconds(grant.expires()) > at) &&
         (!grant.has_not_before() || TimeUtil::TimestampToMicroseconds(grant.not_before()) <= at);
}

// What it was at that time; null where it was not yet.
template <class T>
const T* AsOf(const std::vector<std::pair<Micros, T>>& history, Micros at) {
  const T* found = nullptr;
  for (const auto& [time, value] : history)
    if (time < at) found = &value;
  return found;
}

// Working days from the start to the end of a clock that ended, without those on which it stood
// still for any part; minus one where the calendar does not reach.
int DaysTaken(const v1::AccessRequest& request, const ClockRule& rule, const v1::Clock& clock,
              const WorkingDays& calendar) {
  const Micros started = TimeUtil::TimestampToMicroseconds(clock.started());
  const Micros ended = TimeUtil::TimestampToMicroseconds(clock.ended());
  const absl::CivilDay first = calendar.DayOf(started), last = calendar.DayOf(ended);
  const auto all = calendar.CountBetween(first, last);
  if (!all.ok()) return -1;
  int days = *all;
  std::optional<absl::CivilDay> still;
  absl::CivilDay counted = first;  // days up to it were looked at
  for (const v1::AccessStep& step : request.steps()) {
    const Micros taken = TimeUtil::TimestampToMicroseconds(step.taken());
    if (taken < started || taken > ended) continue;
    const std::string word = ActionWord(step.action());
    const absl::CivilDay day = calendar.DayOf(taken);
    if (!still && rule.still_from.contains(word)) {
      still = day;
    } else if (still && rule.still_to.contains(word)) {
      const absl::CivilDay from = std::max(*still - 1, counted);
      const auto stood = calendar.CountBetween(from, day);
      if (!stood.ok()) return -1;
      days -= std::max(*stood, 0);
      counted = std::max(day, counted);
      still.reset();
    }
  }
  return std::max(days, 0);
}

}  // namespace

absl::StatusOr<ScorecardSpan> Scorecard::SpanOf(const v1::ReportSharingRequest& request) {
  const ScorecardSpan span{TimeUtil::TimestampToMicroseconds(request.since()),
                           TimeUtil::TimestampToMicroseconds(request.until()),
                           request.utc_offset_minutes()};
  if (!request.has_since() || !request.has_until() || span.since < 0 || span.until <= span.since)
    return InvalidField("since", "a report is of a time: `since`, and `until` after it");
  if (span.until - span.since > kMostDays * kDay)
    return InvalidField("until", absl::StrCat("at most ", kMostDays, " days after `since`"));
  if (span.utc_offset_minutes < -kMostOffset || span.utc_offset_minutes > kMostOffset)
    return InvalidField("utc_offset_minutes", "at most 840 to either side");
  const absl::TimeZone zone = absl::FixedTimeZone(span.utc_offset_minutes * 60);
  if (BeginOf(MonthIn(span.since, zone), zone) != span.since ||
      BeginOf(MonthIn(span.until, zone), zone) != span.until)
    return InvalidField("since", "whole months of the zone that utc_offset_minutes says");
  return span;
}

Scorecard::Scorecard(const ScorecardSpan& span, Micros now, std::string agency, const Rules& rules)
    : span_(span),
      now_(now),
      agency_(std::move(agency)),
      rules_(rules),
      zone_(absl::FixedTimeZone(span.utc_offset_minutes * 60)) {
  for (absl::CivilMonth month = MonthIn(span.since, zone_);; ++month) {
    months_.push_back(BeginOf(month, zone_));
    if (months_.back() >= span.until) break;
  }
}

int Scorecard::MonthOf(Micros time) const {
  if (time < span_.since || time >= span_.until) return -1;
  return static_cast<int>(std::upper_bound(months_.begin(), months_.end(), time) -
                          months_.begin()) -
         1;
}

std::string Scorecard::MonthName(int month) const {
  return absl::FormatCivilTime(MonthIn(months_[static_cast<size_t>(month)], zone_));
}

v1::SharingScore& Scorecard::ScoreOf(int month, const std::string& agency) {
  v1::SharingScore& score = scores_[{month, agency}];
  if (score.agency().empty()) {
    score.set_month(MonthName(month));
    score.set_agency(agency);
  }
  return score;
}

bool Scorecard::WantsDetail(const v1::AuditEnvelope& envelope) {
  const std::string& kind = envelope.resource_kind();
  return envelope.kind() == v1::RECORD_KIND_CHANGED &&
         (kind == "access_request" || kind == "grant" || kind == "dataset" ||
          kind == "correction" || kind == "catalogue_update");
}

absl::Status Scorecard::Add(const v1::AuditEnvelope& envelope, const v1::AuditDetail* detail) {
  switch (envelope.kind()) {
    case v1::RECORD_KIND_CHANGED:
      // The gateway's own word on how new data are is in the envelope.
      if (envelope.resource_kind() == "freshness" && Counts(envelope.owner_agency()))
        overdue_[envelope.resource_name()].emplace_back(
            TimeUtil::TimestampToMicroseconds(envelope.time()), envelope.action() == "overdue");
      if (!WantsDetail(envelope) || !Counts(envelope.owner_agency())) return absl::OkStatus();
      if (detail != nullptr) return AddChange(envelope, *detail);
      made_.set_erased(made_.erased() + 1);
      break;
    case v1::RECORD_KIND_RELEASED:
    case v1::RECORD_KIND_OPENED:
    case v1::RECORD_KIND_MATCHED:
    case v1::RECORD_KIND_COUNTED:
      AddUse(envelope, 1, 0);
      break;
    case v1::RECORD_KIND_FAILED:
      // An answer that was recorded and then kept back after all.
      if (envelope.repeats() >= 0) AddUse(envelope, -1, 0);
      break;
    case v1::RECORD_KIND_DENIED:
      AddUse(envelope, 0, 1);
      break;
    case v1::RECORD_KIND_DENIALS:
      AddUse(envelope, 0, envelope.count());
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

void Scorecard::AddUse(const v1::AuditEnvelope& envelope, int64_t answers, int64_t denied) {
  const std::string& agency = envelope.owner_agency();
  const Micros time = TimeUtil::TimestampToMicroseconds(envelope.time());
  if (agency.empty() || !Counts(agency) || time >= span_.until) return;
  const int month = MonthOf(time);
  if (answers > 0 && !envelope.grant().empty()) {
    Use& use = uses_[envelope.grant()];
    use.last = std::max(use.last, time);
    if (month >= 0) use.months.insert(month);
  }
  if (month < 0) return;
  v1::SharingScore& score = ScoreOf(month, agency);
  score.set_answers(score.answers() + answers);
  score.set_denied(score.denied() + denied);
}

absl::Status Scorecard::AddChange(const v1::AuditEnvelope& envelope,
                                  const v1::AuditDetail& detail) {
  const Micros time = TimeUtil::TimestampToMicroseconds(envelope.time());
  const std::string& name = envelope.resource_name();
  if (detail.after_json().empty()) return absl::OkStatus();
  if (envelope.resource_kind() == "access_request") {
    SLUICE_ASSIGN_OR_RETURN(requests_[name],
                            FromJson<v1::AccessRequest>(envelope, detail.after_json()));
  } else if (envelope.resource_kind() == "correction") {
    SLUICE_ASSIGN_OR_RETURN(corrections_[name],
                            FromJson<v1::Correction>(envelope, detail.after_json()));
  } else if (envelope.resource_kind() == "catalogue_update") {
    SLUICE_ASSIGN_OR_RETURN(updates_[name],
                            FromJson<v1::CatalogueUpdate>(envelope, detail.after_json()));
  } else if (envelope.resource_kind() == "dataset") {
    SLUICE_ASSIGN_OR_RETURN(const auto dataset,
                            FromJson<v1::Dataset>(envelope, detail.after_json()));
    datasets_[name].emplace_back(time, dataset.state());
  } else {
    SLUICE_ASSIGN_OR_RETURN(auto grant, FromJson<v1::Grant>(envelope, detail.after_json()));
    const int month = MonthOf(time);
    // Those that came of a request have a step in it.
    if (month >= 0 && grant.request().empty()) {
      v1::SharingScore& score = ScoreOf(month, AgencyOf(grant.dataset()));
      if (envelope.action() == "suspend") score.set_suspended(score.suspended() + 1);
      if (envelope.action() == "revoke") score.set_ended(score.ended() + 1);
    }
    grants_[name].emplace_back(time, std::move(grant));
  }
  return absl::OkStatus();
}

void Scorecard::CountSteps(const v1::AccessRequest& request) {
  const std::string agency = OwnerOf(request);
  bool submitted = false, agreed = false;
  for (const v1::AccessStep& step : request.steps()) {
    const v1::AccessAction action = step.action();
    const bool first = action == v1::ACCESS_ACTION_SUBMIT && !submitted;
    const bool agrees =
        action == v1::ACCESS_ACTION_AGREE || (action == v1::ACCESS_ACTION_GRANT && !agreed);
    if (first) submitted = true;
    if (agrees) agreed = true;
    if (action == v1::ACCESS_ACTION_REOPEN) agreed = false;
    const int month = MonthOf(TimeUtil::TimestampToMicroseconds(step.taken()));
    if (month < 0) continue;
    v1::SharingScore& score = ScoreOf(month, agency);
    if (first) score.set_submitted(score.submitted() + 1);
    if (agrees) score.set_agreed(score.agreed() + 1);
    if (action == v1::ACCESS_ACTION_REFUSE) {
      score.set_refused(score.refused() + 1);
      ++refusals_[{month, agency, step.basis().law(), step.basis().article()}];
    }
    if (action == v1::ACCESS_ACTION_RETURN) score.set_returned(score.returned() + 1);
    if (action == v1::ACCESS_ACTION_CONSENT_EXTENSION) score.set_extended(score.extended() + 1);
    if (action == v1::ACCESS_ACTION_PROVIDE) score.set_provided(score.provided() + 1);
    if (action == v1::ACCESS_ACTION_DISPUTE) score.set_disputed(score.disputed() + 1);
    if (action == v1::ACCESS_ACTION_SUSPEND) score.set_suspended(score.suspended() + 1);
    if (action == v1::ACCESS_ACTION_END) score.set_ended(score.ended() + 1);
  }
}

void Scorecard::CountClocks(const v1::AccessRequest& request) {
  const ClockProfile& profile = rules_.ProfileOf(OwnerOf(request));
  for (const v1::Clock& clock : rules_.ClocksOf(request, now_))
    for (const ClockRule& rule : profile.clocks)
      if (rule.name == clock.name()) CountClock(request, rule, clock);
}

void Scorecard::CountClock(const v1::AccessRequest& request, const ClockRule& rule,
                           const v1::Clock& clock) {
  const std::string agency = OwnerOf(request);
  // What a clock is for, whatever a profile calls it.
  const bool reply = rule.to.contains("refuse");
  const bool provides = rule.to.contains("provide");
  const bool ended = clock.has_ended();
  // What was withdrawn or ended was neither answered nor provided.
  const bool taken_away =
      std::any_of(request.steps().begin(), request.steps().end(), [&](const v1::AccessStep& step) {
        return ended &&
               TimeUtil::TimestampToMicroseconds(step.taken()) ==
                   TimeUtil::TimestampToMicroseconds(clock.ended()) &&
               (step.action() == v1::ACCESS_ACTION_WITHDRAW ||
                step.action() == v1::ACCESS_ACTION_END);
      });
  if (clock.state() == v1::CLOCK_STATE_MET) {
    const int month = MonthOf(TimeUtil::TimestampToMicroseconds(clock.ended()));
    if (month < 0 || taken_away || (!reply && !provides)) return;
    v1::SharingScore& score = ScoreOf(month, agency);
    if (provides) score.set_provided_met(score.provided_met() + 1);
    if (reply) score.set_replies_met(score.replies_met() + 1);
  } else if (clock.state() == v1::CLOCK_STATE_MISSED || clock.state() == v1::CLOCK_STATE_BREACHED) {
    // `due` is the first moment that is too late.
    const int month = MonthOf(TimeUtil::TimestampToMicroseconds(clock.due()) - 1);
    if (month < 0) return;
    v1::SharingScore& score = ScoreOf(month, agency);
    if (reply && ended) score.set_replies_missed(score.replies_missed() + 1);
    if (reply && !ended) score.set_replies_overdue(score.replies_overdue() + 1);
    if (provides && ended) score.set_provided_missed(score.provided_missed() + 1);
    if (provides && !ended) score.set_provided_overdue(score.provided_overdue() + 1);
    AddBreach(month, agency, request.dataset(), clock).set_access_request(request.id());
  }
  if (!reply || !ended || taken_away) return;
  const WorkingDays& calendar = rules_.calendars().at(rules_.ProfileOf(agency).calendar);
  const int days = DaysTaken(request, rule, clock, calendar);
  const int month = MonthOf(TimeUtil::TimestampToMicroseconds(clock.ended()));
  if (month >= 0 && days >= 0) ScoreOf(month, agency).add_reply_days(days);
}

v1::SharingBreach& Scorecard::AddBreach(int month, const std::string& agency,
                                        const std::string& dataset, const v1::Clock& clock) {
  v1::SharingBreach& breach = *made_.add_breaches();
  breach.set_month(MonthName(month));
  breach.set_agency(agency);
  breach.set_clock(clock.name());
  breach.set_dataset(dataset);
  breach.set_working_days_late(clock.working_days_late());
  breach.set_open(!clock.has_ended());
  return breach;
}

// Datasets and grants, as they stood when each month ended.
void Scorecard::CountStock() {
  for (int month = 0; month + 1 < static_cast<int>(months_.size()); ++month) {
    if (months_[static_cast<size_t>(month)] > now_) break;
    const Micros end = std::min(months_[static_cast<size_t>(month) + 1], now_ + 1);
    for (const auto& [name, history] : datasets_) {
      const v1::DatasetState* state = AsOf(history, end);
      if (state == nullptr || *state == v1::DATASET_STATE_RETIRED) continue;
      v1::SharingScore& score = ScoreOf(month, AgencyOf(name));
      score.set_datasets(score.datasets() + 1);
      const auto overdue = overdue_.find(name);
      const bool* late = overdue == overdue_.end() ? nullptr : AsOf(overdue->second, end);
      if (late != nullptr && *late) score.set_datasets_overdue(score.datasets_overdue() + 1);
    }
    for (const auto& [id, history] : grants_) {
      const v1::Grant* grant = AsOf(history, end);
      if (grant == nullptr || !StandsAt(*grant, end - 1)) continue;
      v1::SharingScore& score = ScoreOf(month, AgencyOf(grant->dataset()));
      score.set_grants(score.grants() + 1);
      const auto use = uses_.find(id);
      if (use == uses_.end() || !use->second.months.contains(month))
        score.set_grants_unused(score.grants_unused() + 1);
    }
  }
}

void Scorecard::FindUnused() {
  const Micros end = std::min(span_.until, now_ + 1);
  for (const auto& [id, history] : grants_) {
    const v1::Grant* grant = AsOf(history, end);
    if (grant == nullptr || !StandsAt(*grant, end - 1)) continue;
    const auto use = uses_.find(id);
    if (use != uses_.end() && !use->second.months.empty()) continue;
    Micros since = 0;
    bool was = false;
    for (const auto& [time, value] : history) {
      if (time >= end) break;
      const bool is = value.state() == v1::GRANT_STATE_IN_FORCE;
      if (is && !was) since = time;
      was = is;
    }
    v1::UnusedGrant& unused = *made_.add_unused();
    unused.set_agency(AgencyOf(grant->dataset()));
    unused.set_grant(id);
    unused.set_dataset(grant->dataset());
    unused.set_consumer_agency(grant->consumer_agency());
    *unused.mutable_since() = TimeUtil::MicrosecondsToTimestamp(since);
    if (use != uses_.end() && use->second.last > 0)
      *unused.mutable_last_used() = TimeUtil::MicrosecondsToTimestamp(use->second.last);
  }
}

v1::ReportSharingResponse Scorecard::Build() {
  for (const auto& [id, request] : requests_) {
    CountSteps(request);
    CountClocks(request);
  }
  CountMatters();
  CountStock();
  FindUnused();
  for (auto& [key, score] : scores_) {
    std::sort(score.mutable_reply_days()->begin(), score.mutable_reply_days()->end());
    *made_.add_scores() = std::move(score);
  }
  for (const auto& [key, count] : refusals_) {
    const auto& [month, agency, law, article] = key;
    v1::SharingRefusal& refusal = *made_.add_refusals();
    refusal.set_month(MonthName(month));
    refusal.set_agency(agency);
    refusal.set_law(law);
    refusal.set_article(article);
    refusal.set_count(count);
  }
  std::sort(made_.mutable_breaches()->begin(), made_.mutable_breaches()->end(),
            [](const v1::SharingBreach& a, const v1::SharingBreach& b) {
              return std::tie(a.month(), a.agency(), a.access_request(), a.correction(),
                              a.catalogue_update(), a.clock()) <
                     std::tie(b.month(), b.agency(), b.access_request(), b.correction(),
                              b.catalogue_update(), b.clock());
            });
  return std::move(made_);
}

}  // namespace sluice::sharing
