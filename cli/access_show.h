// An access request on one page, in the manner of a grant's.
#pragma once

#include <string>

#include "cli/session.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

// With what would come of it, where the gateway proposes it.
std::string FormatRequest(const Session& session, const v1::GetAccessRequestResponse& answer);

// What to type next about the request.
std::string NextOfRequest(const v1::GetAccessRequestResponse& answer);

}  // namespace sluice::cli
