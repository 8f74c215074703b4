// sluice audit prove|verify|verify-proof: the log without trusting the gateway.
#pragma once

#include "cli/session.h"

namespace sluice::cli {

void AddAuditProofCommands(CLI::App& audit, Invocation& invocation);

}  // namespace sluice::cli
