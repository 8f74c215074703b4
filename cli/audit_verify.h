// sluice audit verify: a log folder, a copy of one, an evidence pack, or the tiles that a gateway
// serves.
#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddAuditVerifyCommand(CLI::App& audit, Invocation& invocation);

}  // namespace sluice::cli
