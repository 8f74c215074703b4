// What goes wrong with an adapter process, as our reasons. Its own words go into a note for the
// operator alone: they are a stranger's, and a foreign agency may read our sentences.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "adapters/adapter.h"
#include "google/rpc/error_details.pb.h"

namespace sluice::adapters::remote {

// SOURCE_UNAVAILABLE.
absl::Status Unavailable(std::string_view sentence, std::string_view note = "");
// The process does not keep to the protocol: SOURCE_UNAVAILABLE, which speaks against it.
absl::Status Broken(std::string_view note);
absl::Status Drift(std::string_view sentence);
// SOURCE_BAD_VALUE in that row of the scan (from 1; 0 where that is not told) and field (-1
// likewise).
absl::Status BadValue(const ScanRequest& request, int64_t row, int field, std::string_view what);

// A failed call, as gRPC tells it.
struct Failure {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::string text;
  std::string details;  // google.rpc.Status, perhaps
};
// `request` is null for calls that are no scan; `rows_before` are those that earlier calls of the
// same scan gave.
absl::Status ToStatus(const Failure& failure, const ScanRequest* request, int64_t rows_before);

}  // namespace sluice::adapters::remote
