// What a scorecard counts of corrections and of catalogue updates.
#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "gateway/sharing/matter_life.h"
#include "gateway/sharing/matter_table.h"
#include "gateway/sharing/scorecard.h"

namespace sluice::sharing {
namespace {

using google::protobuf::util::TimeUtil;

// Whether it ended by being taken back: where that was in time, nobody was in time and nobody late.
template <class Matter>
bool WasTakenBack(const Matter& matter) {
  return LifeOf(matter).StateWord(matter.state()) == "withdrawn";
}

const ClockRule* RuleNamed(const ClockProfile& profile, const std::string& name) {
  for (const ClockRule& rule : profile.clocks)
    if (rule.name == name) return &rule;
  return nullptr;
}

// Whether what was done then was sent back: it was done in time once what follows is.
bool WasSentBack(const std::vector<ClockEvent>& events, Micros done) {
  return std::any_of(events.begin(), events.end(), [done](const ClockEvent& event) {
    return event.what == "update_return" && event.at > done;
  });
}

}  // namespace

template <class Matter>
void Scorecard::CountMatter(const Matter& matter, const MatterNumbers& numbers,
                            std::string_view answer) {
  const MatterPlace place = PlaceOf(matter);
  const auto add = [this, &place](int month, const MatterNumbers::Set& set) {
    set(ScoreOf(month, place.owner_agency));
  };
  if (matter.steps_size() > 0)
    if (const int month = MonthOf(TimeUtil::TimestampToMicroseconds(matter.steps(0).taken()));
        month >= 0)
      add(month, numbers.begun);
  const auto events = EventsOf(LifeOf(matter), StandOf(matter));
  for (const v1::Clock& clock : rules_.ClocksOf(place.owner_agency, false, events, now_)) {
    const ClockRule* rule = RuleNamed(rules_.ProfileOf(place.owner_agency), clock.name());
    // What a clock is for, whatever a profile calls it; the authority's own is not the owner's.
    if (rule == nullptr || !rule->to.contains(std::string(answer))) continue;
    if (clock.state() == v1::CLOCK_STATE_MET) {
      const Micros ended = TimeUtil::TimestampToMicroseconds(clock.ended());
      const int month = MonthOf(ended);
      const bool last =
          matter.steps_size() > 0 &&
          ended == TimeUtil::TimestampToMicroseconds(matter.steps(matter.steps_size() - 1).taken());
      if (month >= 0 && !(last && WasTakenBack(matter)) && !WasSentBack(events, ended))
        add(month, numbers.met);
    }
    if (clock.state() != v1::CLOCK_STATE_MISSED && clock.state() != v1::CLOCK_STATE_BREACHED)
      continue;
    // `due` is the first moment that is too late.
    const int month = MonthOf(TimeUtil::TimestampToMicroseconds(clock.due()) - 1);
    if (month < 0) continue;
    add(month, clock.has_ended() ? numbers.missed : numbers.overdue);
    numbers.name(AddBreach(month, place.owner_agency, place.dataset, clock), matter.id());
  }
}

void Scorecard::CountMatters() {
  using Score = v1::SharingScore;
  const MatterNumbers of_corrections = {
      [](Score& score) { score.set_corrections_raised(score.corrections_raised() + 1); },
      [](Score& score) { score.set_corrections_met(score.corrections_met() + 1); },
      [](Score& score) { score.set_corrections_missed(score.corrections_missed() + 1); },
      [](Score& score) { score.set_corrections_overdue(score.corrections_overdue() + 1); },
      [](v1::SharingBreach& breach, const std::string& id) { breach.set_correction(id); }};
  for (const auto& [id, correction] : corrections_)
    CountMatter(correction, of_corrections, "correction_answer");
  const MatterNumbers of_updates = {
      [](Score& score) { score.set_updates_declared(score.updates_declared() + 1); },
      [](Score& score) { score.set_updates_met(score.updates_met() + 1); },
      [](Score& score) { score.set_updates_missed(score.updates_missed() + 1); },
      [](Score& score) { score.set_updates_overdue(score.updates_overdue() + 1); },
      [](v1::SharingBreach& breach, const std::string& id) { breach.set_catalogue_update(id); }};
  for (const auto& [id, update] : updates_) CountMatter(update, of_updates, "catalogue_update");
}

}  // namespace sluice::sharing
