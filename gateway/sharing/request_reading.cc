// What is to be read of access requests: one, many, and what waits.
#include <algorithm>
#include <set>
#include <utility>

#include "gateway/base/error.h"
#include "gateway/sharing/access_requests.h"
#include "gateway/sharing/ids.h"
#include "gateway/sharing/request_life.h"
#include "gateway/sharing/request_steps.h"
#include "gateway/sharing/request_table.h"
#include "gateway/sharing/sharing_parts.h"
#include "gateway/sharing/terms.h"

namespace sluice::sharing {
namespace {

using identity::Caller;

constexpr size_t kMostInInbox = 1000;

bool IsBreached(const v1::Clock& clock) { return clock.state() == v1::CLOCK_STATE_BREACHED; }

std::vector<v1::AccessRequestState> OpenStates() {
  std::vector<v1::AccessRequestState> states;
  for (int i = 1; i < v1::AccessRequestState_ARRAYSIZE; ++i)
    if (const auto state = static_cast<v1::AccessRequestState>(i); !WaitsFor(state).empty())
      states.push_back(state);
  return states;
}

template <class Item>
bool Holds(const std::vector<Item>& items, const Item& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

// As which the caller is waited for; UNSPECIFIED where he is not.
v1::SharingOffice AwaitedAs(const v1::AccessRequest& request, const Hands& hands) {
  for (const v1::SharingOffice office : WaitsFor(request.state()))
    if (Holds(hands.offices, office)) return office;
  return v1::SHARING_OFFICE_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<v1::GetAccessRequestResponse> AccessRequests::GetAccessRequest(
    const Caller& caller, const v1::GetAccessRequestRequest& request) {
  v1::GetAccessRequestResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(*response.mutable_request(), SeenRequest(reader, caller, request.id()));
    const v1::AccessRequest& found = response.request();
    SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOf(reader, caller, found));
    for (const v1::AccessAction action : OpenActions(found, hands)) response.add_actions(action);
    if (FindLifeRow(found.state(), v1::ACCESS_ACTION_GRANT) == nullptr ||
        OwnerOf(found) != caller.principal.agency ||
        caller.principal.kind != identity::PrincipalKind::kPerson)
      return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const auto dataset, OwnDataset(reader, caller, found.dataset()));
    *response.mutable_proposed() = GrantFor(found, v1::Grant(), *dataset);
    return absl::OkStatus();
  }));
  for (v1::Clock& clock : ClocksOf(response.request())) *response.add_clocks() = std::move(clock);
  return response;
}

absl::StatusOr<v1::GetInboxResponse> AccessRequests::GetInbox(const Caller& caller,
                                                              const v1::GetInboxRequest&) {
  std::vector<v1::InboxItem> items;
  bool more = false;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(auto found, LoadRequestsIn(reader, caller.principal, OpenStates(),
                                                       static_cast<int64_t>(kMostInInbox) + 1));
    more = found.size() > kMostInInbox;
    if (more) found.pop_back();
    for (v1::AccessRequest& request : found) {
      SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOf(reader, caller, request));
      const std::vector<v1::Clock> clocks = ClocksOf(request);
      const v1::Clock* next = NextClock(clocks);
      v1::InboxItem item;
      item.set_office(AwaitedAs(request, hands));
      if (request.steps_size() > 0)
        *item.mutable_since() = request.steps(request.steps_size() - 1).taken();
      if (item.office() == v1::SHARING_OFFICE_UNSPECIFIED && next != nullptr && IsBreached(*next) &&
          Holds(hands.offices, next->escalates_to())) {
        item.set_office(next->escalates_to());
        *item.mutable_since() = next->due();
      }
      if (item.office() == v1::SHARING_OFFICE_UNSPECIFIED) continue;
      for (const v1::AccessAction action : OpenActions(request, hands)) item.add_actions(action);
      if (next != nullptr) *item.mutable_clock() = *next;
      *item.mutable_request() = std::move(request);
      items.push_back(std::move(item));
    }
    return absl::OkStatus();
  }));
  std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
    return std::pair(a.since().seconds(), a.since().nanos()) <
           std::pair(b.since().seconds(), b.since().nanos());
  });
  v1::GetInboxResponse response;
  response.set_more(more);
  for (v1::InboxItem& item : items) *response.add_items() = std::move(item);
  return response;
}

absl::StatusOr<v1::ListAccessRequestsResponse> AccessRequests::ListAccessRequests(
    const Caller& caller, const v1::ListAccessRequestsRequest& request) {
  SLUICE_ASSIGN_OR_RETURN(const int page, PageSize(request.page_size()));
  // A token is the last id given out; what follows is looked at anew for each caller.
  if (!request.page_token().empty() && !IsAccessRequestId(request.page_token()))
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "The page token is not one of this list's.");
  v1::ListAccessRequestsResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(
        auto found,
        LoadAccessRequests(reader, caller.principal,
                           {request.dataset(), request.consumer_agency(), request.state()},
                           request.page_token(), page + 1));
    if (found.size() > static_cast<size_t>(page)) {
      found.pop_back();
      response.set_next_page_token(found.back().id());
    }
    for (v1::AccessRequest& one : found) *response.add_requests() = std::move(one);
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace sluice::sharing
