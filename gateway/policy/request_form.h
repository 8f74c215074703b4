// The form of a request: what can be told from it alone.
#pragma once

#include "absl/status/status.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::policy {

// REQUEST_INVALID with a violation a mistake: names and codes of another form, claims over 256 code
// points or with control characters, request ids and trace contexts of another form, more than 256
// fields or parameters, a field asked for twice, a negative page size. Never repeats what it
// refuses.
absl::Status CheckForm(const v1::QueryRequest& request);

}  // namespace sluice::policy
