// What steps of a matter have in common, whatever it is of: seen, decided, written down, stored and
// told, in one transaction. For this room.
#pragma once

#include <google/protobuf/util/time_util.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/submit.h"
#include "gateway/sharing/ids.h"
#include "gateway/sharing/matter_life.h"
#include "gateway/sharing/matter_table.h"
#include "gateway/sharing/pages.h"
#include "gateway/sharing/request_steps.h"
#include "gateway/sharing/rules.h"
#include "gateway/sharing/sharing_parts.h"

namespace sluice::sharing {

// Whether the number of a resident stands in it: 18 ASCII letters and digits with none beside them,
// the last of which checks (GB 11643). Broken up, of 15 digits or in other forms it is not noticed,
// and other ways to name a person nobody can tell; but this one is the likeliest to be pasted.
bool HasIdentityNumber(std::string_view text);
// At most 32 references of 1 to 500 bytes that name no person; mistakes under `path`.
void CheckMatterPapers(const google::protobuf::RepeatedPtrField<std::string>& papers,
                       const std::string& path, identity::Mistakes& mistakes);
// A text of valid UTF-8 and that many bytes at most that names no person.
void CheckMatterText(const std::string& text, size_t most, const std::string& path,
                     identity::Mistakes& mistakes);
// The same of one that is needed.
void CheckMatterWords(const std::string& text, size_t most, const std::string& path,
                      identity::Mistakes& mistakes);

template <class Matter>
absl::StatusOr<Hands> HandsOfMatter(store::Reader& reader, const identity::Caller& caller,
                                    const Matter& matter) {
  const MatterPlace place = PlaceOf(matter);
  SLUICE_ASSIGN_OR_RETURN(Hands hands,
                          HandsOf(reader, caller, place.owner_agency, place.consumer_agency));
  if (LifeOf(matter).ruled_from_outside && caller.principal.agency == place.owner_agency)
    hands.own_authority = std::erase(hands.offices, v1::SHARING_OFFICE_AUTHORITY) > 0;
  return hands;
}

template <class Matter>
std::vector<v1::Clock> ClocksOfMatter(const Rules& rules, const Matter& matter, Micros now) {
  return rules.ClocksOf(PlaceOf(matter).owner_agency, false,
                        EventsOf(LifeOf(matter), StandOf(matter)), now);
}

// One that the caller may see. NOT_FOUND.
template <class Matter>
absl::StatusOr<Matter> SeenMatter(store::Reader& reader, const identity::Caller& caller,
                                  const std::string& id) {
  const MatterLife& life = LifeOf(Matter());
  SLUICE_ASSIGN_OR_RETURN(auto found, FindMatter<Matter>(reader, id));
  if (!found || !MaySeeMatter(caller.principal, PlaceOf(*found)))
    return Error(v1::REASON_NOT_FOUND, absl::StrCat("There is no such ", View(life.noun), "."),
                 {{std::string(life.kind), id}});
  return *std::move(found);
}

// As DecideMove, and the step is added to the matter; the rest of it is the caller's to fill.
template <class Matter, class Action>
absl::StatusOr<decltype(std::declval<Matter>().mutable_steps(0))> AddMatterStep(
    store::Reader& reader, const identity::Caller& caller, const Clock& clock, Action action,
    Matter& matter) {
  SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOfMatter(reader, caller, matter));
  SLUICE_ASSIGN_OR_RETURN(const MatterMove move,
                          DecideMove(LifeOf(matter), StandOf(matter), action, hands));
  auto* step = matter.add_steps();
  step->set_action(action);
  step->set_office(move.office);
  step->set_state(static_cast<decltype(step->state())>(move.to));
  *step->mutable_taken() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock.Now());
  step->set_taken_by(caller.principal.path);
  matter.set_state(step->state());
  return step;
}

// The change that the last step made. Null `before` where there was none.
template <class Matter>
audit::ChangeOutcome MatterOutcome(const Matter* before, const Matter& after) {
  const MatterLife& life = LifeOf(after);
  const MatterPlace place = PlaceOf(after);
  const auto& step = after.steps(after.steps_size() - 1);
  audit::ChangeOutcome outcome = identity::OutcomeOf(
      std::string(life.kind), after.id(), life.ActionWord(step.action()), before, &after);
  outcome.dataset = place.dataset;
  outcome.owner_agency = place.owner_agency;
  outcome.reason = step.reason();
  return outcome;
}

// A new one, with its first step: gets id and etag, and is stored.
template <class Matter>
absl::StatusOr<audit::ChangeOutcome> StoreNewMatter(store::Transaction& transaction,
                                                    RandomSource& random, Matter& matter) {
  const MatterLife& life = LifeOf(matter);
  while (matter.id().empty()) {
    const std::string id = absl::StrCat(View(life.id_prefix), RandomId(random));
    SLUICE_ASSIGN_OR_RETURN(const auto known, FindMatter<Matter>(transaction, id));
    if (!known) matter.set_id(id);
  }
  matter.set_etag(store::EtagOf(matter));
  SLUICE_RETURN_IF_ERROR(AddMatterRow(transaction, life.kind, matter.id(), PlaceOf(matter),
                                      matter.state(), store::SerializeStably(matter)));
  return MatterOutcome<Matter>(nullptr, matter);
}

template <class Matter>
absl::StatusOr<audit::ChangeOutcome> StoreMatter(store::Transaction& transaction,
                                                 const Matter& before, Matter& after) {
  after.set_etag(store::EtagOf(after));
  SLUICE_RETURN_IF_ERROR(
      PutMatterRow(transaction, after.id(), after.state(), store::SerializeStably(after)));
  return MatterOutcome(&before, after);
}

// A page of those that the caller may see, newest first; `next` is the token of the next one.
template <class Matter>
absl::StatusOr<Page<Matter>> ListMatters(store::Store& store, const identity::Caller& caller,
                                         MatterFilter filter, int page_size,
                                         const std::string& page_token) {
  SLUICE_ASSIGN_OR_RETURN(const int page, PageSize(page_size));
  // A token is the last id given out; what follows is looked at anew for each caller.
  if (!page_token.empty() && !IsMatterId(LifeOf(Matter()).id_prefix, page_token))
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "The page token is not one of this list's.");
  Page<Matter> listed;
  SLUICE_RETURN_IF_ERROR(store.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(
        listed, LoadPage<Matter>(page, page_token, [&](const std::string& after, int64_t most) {
          filter.after = after;
          return LoadMatters<Matter>(reader, caller.principal, filter, most);
        }));
    return absl::OkStatus();
  }));
  return listed;
}

}  // namespace sluice::sharing
