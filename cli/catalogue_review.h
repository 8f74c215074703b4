// The commands of `sluice catalogue` that have sources of their own: the way of an entry into it,
// its change log, and its export.
#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddReviewCommands(CLI::App& group, Invocation& invocation);
// `update …`, a group of its own.
void AddUpdateCommands(CLI::App& catalogue, Invocation& invocation);
void AddCatalogueExportCommand(CLI::App& group, Invocation& invocation);

}  // namespace sluice::cli
