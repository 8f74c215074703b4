// sluice audit reconcile: a consumer's receipts against the gateway's log, in both directions.
#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddAuditReconcileCommand(CLI::App& audit, Invocation& invocation);

}  // namespace sluice::cli
