#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

// sluice audit report.
void AddAuditReportCommand(CLI::App& audit, Invocation& invocation);

}  // namespace sluice::cli
