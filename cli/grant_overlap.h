// Grants that stand beside another: calls that both allow have to name one (GRANT_AMBIGUOUS).
#pragma once

#include <string>

#include "cli/session.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::cli {

// A line for each grant in force that allows a call which this one allows too: empty where there is
// none, or where the gateway does not tell.
std::string OverlapNotes(Session& session, const v1::Grant& grant);

}  // namespace sluice::cli
