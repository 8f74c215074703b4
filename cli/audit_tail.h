#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

// sluice audit tail, rebuild-index.
void AddAuditTailCommands(CLI::App& audit, Invocation& invocation);

}  // namespace sluice::cli
