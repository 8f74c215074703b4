// What all requests for records say alike, as a query says it. For this room.
#pragma once

#include "sluice/v1/exchange.pb.h"

namespace sluice::policy {

// Dataset, purpose, claims and grant.
template <class Request>
v1::QueryRequest WithClaims(const Request& request) {
  v1::QueryRequest query;
  query.set_dataset(request.dataset());
  query.set_purpose(request.purpose());
  query.set_case_reference(request.case_reference());
  query.set_end_user(request.end_user());
  query.set_on_behalf_of(request.on_behalf_of());
  query.set_grant(request.grant());
  return query;
}

}  // namespace sluice::policy
