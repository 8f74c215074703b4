// An access request on one page, in the manner of a grant's.
#pragma once

#include <string>
#include <string_view>

#include "cli/session.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

// With what would come of it, where the gateway proposes it, and what to type next, where there is
// something.
std::string FormatRequest(const Session& session, const v1::GetAccessRequestResponse& answer,
                          std::string_view next);

// What to type next about the request.
std::string NextOfRequest(const v1::GetAccessRequestResponse& answer);

}  // namespace sluice::cli
