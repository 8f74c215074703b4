// Each adds one group of commands to the tool; the arguments, once parsed, leave what to run in the
// invocation. Both outlive the parsing. One source a group.
#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddQueryCommand(CLI::App& app, Invocation& invocation);
void AddWhoAmICommand(CLI::App& app, Invocation& invocation);

}  // namespace sluice::cli
