// What is to be read of access requests: one, or many.
#include <utility>

#include "gateway/base/error.h"
#include "gateway/sharing/access_requests.h"
#include "gateway/sharing/ids.h"
#include "gateway/sharing/pages.h"
#include "gateway/sharing/request_life.h"
#include "gateway/sharing/request_steps.h"
#include "gateway/sharing/request_table.h"
#include "gateway/sharing/sharing_parts.h"
#include "gateway/sharing/terms.h"

namespace sluice::sharing {
namespace {

using identity::Caller;

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

absl::StatusOr<v1::ListAccessRequestsResponse> AccessRequests::ListAccessRequests(
    const Caller& caller, const v1::ListAccessRequestsRequest& request) {
  SLUICE_ASSIGN_OR_RETURN(const int page, PageSize(request.page_size()));
  // A token is the last id given out; what follows is looked at anew for each caller.
  if (!request.page_token().empty() && !IsAccessRequestId(request.page_token()))
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "The page token is not one of this list's.");
  v1::ListAccessRequestsResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    const RequestFilter filter{request.dataset(), request.consumer_agency(), request.state()};
    SLUICE_ASSIGN_OR_RETURN(
        auto listed, LoadPage<v1::AccessRequest>(
                         page, request.page_token(), [&](const std::string& after, int64_t most) {
                           return LoadAccessRequests(reader, caller.principal, filter, after, most);
                         }));
    for (v1::AccessRequest& one : listed.found) *response.add_requests() = std::move(one);
    response.set_next_page_token(std::move(listed.next));
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace sluice::sharing
