// A small HTTP client, over libcurl: one blocking GET with bounds on time and size. HTTPS verifies
// certificate and name; no redirects.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"

namespace sluice {

// The body of a 200 answer. UNAVAILABLE for every other outcome, with the reason in words.
absl::StatusOr<std::string> HttpGet(const std::string& url, Micros timeout, size_t most_bytes);

}  // namespace sluice
