// sluice audit export|pull: what an auditor takes along.
#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddAuditExportCommand(CLI::App& audit, Invocation& invocation);
void AddAuditPullCommand(CLI::App& audit, Invocation& invocation);

}  // namespace sluice::cli
