// Each adds one group of commands to the tool; the arguments, once parsed, leave what to run in the
// invocation. Both outlive the parsing. One source a group.
#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddInitCommand(CLI::App& app, Invocation& invocation);
void AddCertsCommands(CLI::App& app, Invocation& invocation);
void AddRegistryCommands(CLI::App& app, Invocation& invocation);
void AddPurposeCommands(CLI::App& app, Invocation& invocation);
void AddSourceCommands(CLI::App& app, Invocation& invocation);
void AddCatalogueCommands(CLI::App& app, Invocation& invocation);
void AddAccessCommands(CLI::App& app, Invocation& invocation);
void AddCorrectionCommands(CLI::App& app, Invocation& invocation);
void AddInboxCommand(CLI::App& app, Invocation& invocation);
void AddGrantCommands(CLI::App& app, Invocation& invocation);
void AddQueryCommand(CLI::App& app, Invocation& invocation);
void AddMatchCommand(CLI::App& app, Invocation& invocation);
void AddCountCommand(CLI::App& app, Invocation& invocation);
void AddReadCommand(CLI::App& app, Invocation& invocation);
void AddConvertCommand(CLI::App& app, Invocation& invocation);
void AddWhoAmICommand(CLI::App& app, Invocation& invocation);
void AddStatusCommands(CLI::App& app, Invocation& invocation);
void AddOpsCommands(CLI::App& app, Invocation& invocation);
void AddAuditCommands(CLI::App& app, Invocation& invocation);
void AddReportCommands(CLI::App& app, Invocation& invocation);
void AddWitnessCommands(CLI::App& app, Invocation& invocation);
void AddReceiptsCommands(CLI::App& app, Invocation& invocation);
void AddExplainCommand(CLI::App& app, Invocation& invocation);
// Of all that `app` has when it runs.
void AddCompletionCommand(CLI::App& app, Invocation& invocation);

}  // namespace sluice::cli
