// The form of a request, before anything of it is looked up.
#pragma once

#include "absl/status/status.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::policy {

// REQUEST_INVALID with one field violation a mistake. Values are not repeated.
absl::Status CheckForm(const v1::QueryRequest& request);

}  // namespace sluice::policy
