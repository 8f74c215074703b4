// The parts of `sluice access`, one source each.
#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddAccessTermsCommands(CLI::App& group, Invocation& invocation);  // approve, preview
// submit, return, agree, refuse, …
void AddAccessStepCommands(CLI::App& group, Invocation& invocation);
void AddAccessCheckCommand(CLI::App& group, Invocation& invocation);

}  // namespace sluice::cli
