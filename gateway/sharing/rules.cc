#include "gateway/sharing/rules.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"
#include "gateway/sharing/request_table.h"

namespace sluice::sharing {
namespace {

// What the mistakes of several files come to.
class RuleMistakes {
 public:
  void Add(std::string mistake) { lines_.push_back(std::move(mistake)); }
  template <class T>
  bool Has(const absl::StatusOr<T>& parsed) {
    if (!parsed.ok()) lines_.emplace_back(parsed.status().message());
    return !parsed.ok();
  }
  absl::Status ToStatus() const {
    return lines_.empty() ? absl::OkStatus()
                          : absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  }

 private:
  std::vector<std::string> lines_;
};

// What the profile leaves out, from the shipped one.
void AddShippedClocks(const ClockProfile& shipped, ClockProfile& profile) {
  for (const ClockRule& rule : shipped.clocks)
    if (std::none_of(profile.clocks.begin(), profile.clocks.end(),
                     [&](const ClockRule& own) { return own.name == rule.name; }))
      profile.clocks.push_back(rule);
}

// Two profiles for one agency would leave it open which holds.
void CheckDistinct(const std::vector<ClockProfile>& profiles, RuleMistakes& mistakes) {
  std::map<std::string, std::string> holders;  // by agency; "" for all others
  for (const ClockProfile& profile : profiles) {
    const std::set<std::string> all = {""};
    for (const std::string& agency : profile.agencies.empty() ? all : profile.agencies) {
      const auto [holder, added] = holders.emplace(agency, profile.file);
      if (added) continue;
      mistakes.Add(absl::StrCat(
          profile.file, ": agencies: ", agency.empty() ? "the profile for all others" : agency,
          " has one in ", holder->second, "; keep one of the two"));
    }
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Rules>> Rules::Make(const std::vector<RuleFile>& calendars,
                                                         const std::vector<RuleFile>& profiles) {
  auto rules = std::make_shared<Rules>();
  RuleMistakes mistakes;
  for (const RuleFile& file : calendars) {
    auto calendar = WorkingDays::Parse(file.text, file.file);
    if (mistakes.Has(calendar)) continue;
    const auto [known, added] = rules->calendars_.emplace(calendar->name(), *calendar);
    if (!added)
      mistakes.Add(absl::StrCat(file.file, ": calendar: ", calendar->name(), " stands in ",
                                known->second.file(), " as well; keep one of the two"));
  }
  for (const RuleFile& file : ShippedCalendars()) {
    auto calendar = WorkingDays::Parse(file.text, file.file);
    if (!mistakes.Has(calendar)) rules->calendars_.emplace(calendar->name(), *calendar);
  }
  const auto shipped = ClockProfile::Parse(ShippedProfile().text, ShippedProfile().file);
  if (mistakes.Has(shipped)) return mistakes.ToStatus();
  for (const RuleFile& file : profiles) {
    auto profile = ClockProfile::Parse(file.text, file.file);
    if (mistakes.Has(profile)) continue;
    AddShippedClocks(*shipped, *profile);
    rules->profiles_.push_back(*std::move(profile));
  }
  CheckDistinct(rules->profiles_, mistakes);
  const auto is_last = [](const ClockProfile& profile) { return profile.agencies.empty(); };
  if (std::none_of(rules->profiles_.begin(), rules->profiles_.end(), is_last))
    rules->profiles_.push_back(*shipped);
  std::stable_partition(rules->profiles_.begin(), rules->profiles_.end(),
                        [&](const ClockProfile& profile) { return !is_last(profile); });
  for (const ClockProfile& profile : rules->profiles_)
    if (!rules->calendars_.contains(profile.calendar))
      mistakes.Add(absl::StrCat(profile.file, ":", profile.calendar_line,
                                ": calendar: there is no ", "calendar \"", profile.calendar,
                                "\"; name its file in sharing.calendars"));
  SLUICE_RETURN_IF_ERROR(mistakes.ToStatus());
  return std::shared_ptr<const Rules>(std::move(rules));
}

std::shared_ptr<const Rules> Rules::Shipped() {
  auto rules = Make({}, {});
  SLUICE_CHECK(rules.ok());  // a test reads what is shipped
  return *std::move(rules);
}

const ClockProfile& Rules::ProfileOf(std::string_view owner_agency) const {
  for (const ClockProfile& profile : profiles_)
    if (profile.agencies.empty() || profile.agencies.contains(std::string(owner_agency)))
      return profile;
  return profiles_.back();
}

std::vector<v1::Clock> Rules::ClocksOf(std::string_view owner_agency, bool unconditional,
                                       const std::vector<ClockEvent>& events, Micros now) const {
  const ClockProfile& profile = ProfileOf(owner_agency);
  const WorkingDays& calendar = calendars_.at(profile.calendar);
  const auto other = unconditional ? ClockRule::For::kConditional : ClockRule::For::kUnconditional;
  std::vector<v1::Clock> clocks;
  for (const ClockRule& rule : profile.clocks) {
    if (rule.condition == other) continue;
    for (v1::Clock& clock : RunsOf(rule, events, calendar, now)) {
      clock.set_profile(profile.name);
      clocks.push_back(std::move(clock));
    }
  }
  return clocks;
}

std::vector<v1::Clock> Rules::ClocksOf(const v1::AccessRequest& request, Micros now) const {
  std::vector<ClockEvent> events;
  for (const v1::AccessStep& step : request.steps())
    events.push_back({ActionWord(step.action()),
                      google::protobuf::util::TimeUtil::TimestampToMicroseconds(step.taken())});
  return ClocksOf(OwnerOf(request), request.unconditional(), events, now);
}

const v1::Clock* NextClock(const std::vector<v1::Clock>& clocks) {
  const v1::Clock* next = nullptr;
  // Those that stand still, or whose end nobody knows, come behind all others.
  const auto due = [](const v1::Clock& clock) {
    return clock.has_due() ? clock.due().seconds() : INT64_MAX;
  };
  for (const v1::Clock& clock : clocks)
    if (!clock.has_ended() && (next == nullptr || due(clock) < due(*next))) next = &clock;
  return next;
}

}  // namespace sluice::sharing
