#include "gateway/sharing/inbox.h"

#include <algorithm>
#include <string>

#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/entry_metadata.h"
#include "gateway/sharing/matter_steps.h"
#include "gateway/sharing/pages.h"
#include "gateway/sharing/request_life.h"
#include "gateway/sharing/request_steps.h"
#include "gateway/sharing/request_table.h"

namespace sluice::sharing {
namespace {

using google::protobuf::util::TimeUtil;
using identity::Caller;

constexpr size_t kMostInInbox = 1000;
constexpr int64_t kMostEntriesAtOnce = 100;
// Of an entry that awaits publication, what is looked at for when it came to do so.
constexpr int64_t kMostEntryRevisions = 100;

template <class Item>
bool Holds(const std::vector<Item>& items, const Item& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

std::vector<v1::AccessRequestState> OpenRequestStates() {
  std::vector<v1::AccessRequestState> states;
  for (int i = 1; i < v1::AccessRequestState_ARRAYSIZE; ++i)
    if (const auto state = static_cast<v1::AccessRequestState>(i); !WaitsFor(state).empty())
      states.push_back(state);
  return states;
}

// As which the caller is waited for, since when, and the clock. False where he is not.
bool Wait(const std::vector<v1::SharingOffice>& offices, const Hands& hands,
          const std::vector<v1::Clock>& clocks, const google::protobuf::Timestamp& since,
          v1::InboxItem& item) {
  const v1::Clock* next = NextClock(clocks);
  if (next != nullptr) *item.mutable_clock() = *next;
  *item.mutable_since() = since;
  for (const v1::SharingOffice office : offices) {
    if (!Holds(hands.offices, office)) continue;
    item.set_office(office);
    return true;
  }
  if (next == nullptr || next->state() != v1::CLOCK_STATE_BREACHED ||
      !Holds(hands.offices, next->escalates_to()))
    return false;
  item.set_office(next->escalates_to());
  *item.mutable_since() = next->due();
  return true;
}

void SetMatter(v1::Correction correction, const std::vector<int>& moves, v1::InboxItem& item) {
  for (const int move : moves) item.add_correction_actions(static_cast<v1::CorrectionAction>(move));
  *item.mutable_correction() = std::move(correction);
}

void SetMatter(v1::CatalogueUpdate update, const std::vector<int>& moves, v1::InboxItem& item) {
  for (const int move : moves)
    item.add_catalogue_update_actions(static_cast<v1::CatalogueUpdateAction>(move));
  *item.mutable_catalogue_update() = std::move(update);
}

// What the catalogue's clocks are computed from, of an entry that is not published.
std::vector<ClockEvent> EventsOfEntry(const std::vector<v1::Dataset>& revisions) {
  std::vector<ClockEvent> events;
  for (const v1::Dataset& revision : revisions)
    events.push_back({revision.publication() == v1::PUBLICATION_AWAITED    ? "catalogue_update"
                      : revision.publication() == v1::PUBLICATION_RETURNED ? "catalogue_return"
                                                                           : "catalogue_publish",
                      TimeUtil::TimestampToMicroseconds(revision.changed())});
  return events;
}

std::string AgencyOfEntry(const v1::Dataset& dataset) {
  return dataset.name().substr(0, dataset.name().find('/'));
}

// As which somebody acts on it. As Catalogue.ReviewDataset: one is mended by its own agency, and
// reviewed by somebody of another.
v1::SharingOffice OfficeFor(const v1::Dataset& dataset) {
  return dataset.publication() == v1::PUBLICATION_RETURNED ? v1::SHARING_OFFICE_OWNER
                                                           : v1::SHARING_OFFICE_AUTHORITY;
}

// Whether anybody of that agency may have to act on it.
bool MayWait(const v1::Dataset& dataset, const std::string& agency) {
  if (catalogue::IsPublished(dataset) || dataset.state() == v1::DATASET_STATE_RETIRED) return false;
  return (OfficeFor(dataset) == v1::SHARING_OFFICE_OWNER) == (AgencyOfEntry(dataset) == agency);
}

// When it came to be as it is.
google::protobuf::Timestamp SinceOf(const std::vector<v1::Dataset>& revisions) {
  auto first = revisions.rbegin();
  while (std::next(first) != revisions.rend() &&
         std::next(first)->publication() == first->publication())
    ++first;
  return first->changed();
}

}  // namespace

absl::Status Inbox::AddRequests(store::Reader& reader, const Caller& caller, Items& items,
                                bool& more) const {
  SLUICE_ASSIGN_OR_RETURN(auto found, LoadRequestsIn(reader, caller.principal, OpenRequestStates(),
                                                     static_cast<int64_t>(kMostInInbox) + 1));
  if (found.size() > kMostInInbox) {
    more = true;
    found.pop_back();
  }
  for (v1::AccessRequest& request : found) {
    SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOf(reader, caller, request));
    std::vector<v1::Clock> clocks;
    if (request.has_submitted()) clocks = rules_->ClocksOf(request, clock_.Now());
    const google::protobuf::Timestamp since = request.steps_size() > 0
                                                  ? request.steps(request.steps_size() - 1).taken()
                                                  : google::protobuf::Timestamp();
    v1::InboxItem item;
    if (!Wait(WaitsFor(request.state()), hands, clocks, since, item)) continue;
    for (const v1::AccessAction action : OpenActions(request, hands)) item.add_actions(action);
    *item.mutable_request() = std::move(request);
    items.push_back(std::move(item));
  }
  return absl::OkStatus();
}

template <class Matter>
absl::Status Inbox::AddMatters(store::Reader& reader, const Caller& caller, Items& items,
                               bool& more) const {
  const MatterLife& life = LifeOf(Matter());
  MatterFilter open;
  open.states = life.OpenStates();
  open.oldest_first = true;
  SLUICE_ASSIGN_OR_RETURN(auto found, LoadMatters<Matter>(reader, caller.principal, open,
                                                          static_cast<int64_t>(kMostInInbox) + 1));
  if (found.size() > kMostInInbox) {
    more = true;
    found.pop_back();
  }
  for (Matter& matter : found) {
    SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOfMatter(reader, caller, matter));
    v1::InboxItem item;
    if (!Wait(life.WaitsFor(matter.state()), hands, ClocksOfMatter(*rules_, matter, clock_.Now()),
              matter.steps(matter.steps_size() - 1).taken(), item))
      continue;
    const std::vector<int> moves = OpenMoves(life, StandOf(matter), hands);
    SetMatter(std::move(matter), moves, item);
    items.push_back(std::move(item));
  }
  return absl::OkStatus();
}

absl::Status Inbox::AddEntry(store::Reader& reader, const Hands& hands, const v1::Dataset& dataset,
                             Items& items) const {
  SLUICE_ASSIGN_OR_RETURN(
      const auto revisions,
      catalogue::LoadRevisions(reader, dataset.name(), dataset.revision(), kMostEntryRevisions));
  const bool returned = dataset.publication() == v1::PUBLICATION_RETURNED;
  const auto clocks =
      rules_->ClocksOf(AgencyOfEntry(dataset), false, EventsOfEntry(revisions), clock_.Now());
  v1::InboxItem item;
  if (!Wait({OfficeFor(dataset)}, hands, clocks, SinceOf(revisions), item)) return absl::OkStatus();
  v1::WaitingEntry& entry = *item.mutable_entry();
  entry.set_dataset(dataset.name());
  entry.set_revision(dataset.revision());
  entry.set_returned(returned);
  entry.set_note(dataset.publication_note());
  entry.set_etag(dataset.etag());
  if (returned) {
    entry.add_actions(v1::ENTRY_ACTION_APPLY);
  } else {
    entry.add_actions(v1::ENTRY_ACTION_PUBLISH);
    entry.add_actions(v1::ENTRY_ACTION_RETURN);
  }
  items.push_back(std::move(item));
  return absl::OkStatus();
}

absl::Status Inbox::AddEntries(store::Reader& reader, const Caller& caller, Items& items,
                               bool& more) const {
  const identity::Principal& who = caller.principal;
  // Nobody else acts on one, and what follows reads every entry.
  if (who.kind != identity::PrincipalKind::kPerson ||
      (!who.Has(v1::ROLE_OWNER) && !who.Has(v1::ROLE_AUTHORITY)))
    return absl::OkStatus();
  const std::string of_agency = who.Has(v1::ROLE_AUTHORITY) ? "" : who.agency;
  const size_t before = items.size();
  std::string after, owner;
  Hands hands;  // for the entries of `owner`, which stand together
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto datasets,
                            catalogue::ListDatasets(reader, of_agency, after, kMostEntriesAtOnce));
    for (const v1::Dataset& dataset : datasets) {
      after = dataset.name();
      if (!MayWait(dataset, who.agency)) continue;
      if (owner != AgencyOfEntry(dataset)) {
        owner = AgencyOfEntry(dataset);
        SLUICE_ASSIGN_OR_RETURN(hands, HandsOf(reader, caller, owner, ""));
      }
      if (!Holds(hands.offices, OfficeFor(dataset))) continue;
      if (items.size() - before == kMostInInbox) {
        more = true;
        return absl::OkStatus();
      }
      SLUICE_RETURN_IF_ERROR(AddEntry(reader, hands, dataset, items));
    }
    if (datasets.size() < static_cast<size_t>(kMostEntriesAtOnce)) return absl::OkStatus();
  }
}

absl::StatusOr<v1::GetInboxResponse> Inbox::GetInbox(const Caller& caller,
                                                     const v1::GetInboxRequest&) {
  Items items;
  bool more = false;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_RETURN_IF_ERROR(AddRequests(reader, caller, items, more));
    SLUICE_RETURN_IF_ERROR(AddMatters<v1::Correction>(reader, caller, items, more));
    SLUICE_RETURN_IF_ERROR(AddMatters<v1::CatalogueUpdate>(reader, caller, items, more));
    return AddEntries(reader, caller, items, more);
  }));
  std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
    return std::pair(a.since().seconds(), a.since().nanos()) <
           std::pair(b.since().seconds(), b.since().nanos());
  });
  v1::GetInboxResponse response;
  size_t bytes = 0;
  for (v1::InboxItem& item : items) {
    bytes += item.ByteSizeLong();
    const bool fits =
        static_cast<size_t>(response.items_size()) < kMostInInbox && bytes <= kMostListedBytes;
    if (!fits && response.items_size() > 0) {
      more = true;
      break;
    }
    *response.add_items() = std::move(item);
  }
  response.set_more(more);
  return response;
}

}  // namespace sluice::sharing
