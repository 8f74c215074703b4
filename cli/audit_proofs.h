// sluice audit prove|verify-proof: one record without trusting the gateway.
#pragma once

#include "cli/session.h"

namespace sluice::cli {

void AddAuditProofCommands(CLI::App& audit, Invocation& invocation);

}  // namespace sluice::cli
