#include "cli/run.h"

#include <algorithm>

#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"

namespace sluice::cli {
namespace {

void AddSharedOptions(CLI::App& app, SharedOptions& options) {
  app.add_option("--profile", options.profile,
                 "whom to call and as whom: a file, or a name in ./profiles or "
                 "~/.config/sluice/profiles (also SLUICE_PROFILE)")
      ->type_name("FILE");
  app.add_option("--format", options.format,
                 "table, json (an object a line) or csv; a table to a terminal, json elsewhere; "
                 "explain: markdown too, read and convert: arrow")
      ->check(CLI::IsMember({"table", "json", "csv", "arrow", "markdown"}));
  app.add_option("--lang", options.language, "language of labels")
      ->check(CLI::IsMember({"en", "zh"}));
  app.add_option("--timeout", options.timeout,
                 "the longest that a call may take (30s; read: as long as it takes)");
}

void AddCommands(CLI::App& app, Invocation& invocation) {
  AddInitCommand(app, invocation);
  AddCertsCommands(app, invocation);
  AddRegistryCommands(app, invocation);
  AddPurposeCommands(app, invocation);
  AddSourceCommands(app, invocation);
  AddCatalogueCommands(app, invocation);
  AddAccessCommands(app, invocation);
  AddCorrectionCommands(app, invocation);
  AddInboxCommand(app, invocation);
  AddGrantCommands(app, invocation);
  AddQueryCommand(app, invocation);
  AddMatchCommand(app, invocation);
  AddCountCommand(app, invocation);
  AddReadCommand(app, invocation);
  AddConvertCommand(app, invocation);
  AddWhoAmICommand(app, invocation);
  AddStatusCommands(app, invocation);
  AddOpsCommands(app, invocation);
  AddAuditCommands(app, invocation);
  AddReportCommands(app, invocation);
  AddWitnessCommands(app, invocation);
  AddReceiptsCommands(app, invocation);
  AddExplainCommand(app, invocation);
  AddCompletionCommand(app, invocation);
}

int Report(Environment& environment, const absl::Status& status) {
  if (status.ok()) return kDone;
  const Failure failure = DescribeFailure(status);
  environment.err << FormatFailure(failure);
  return failure.exit_code;
}

// "sluice grant apply": as far as it was understood.
std::string NameOfParsed(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    absl::StrAppend(&name, " ", at->get_name());
  }
  return name;
}

// Wrong usage, or a call for help, as CLI11 says it.
int Refuse(Environment& environment, CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
    return app.exit(error, environment.out, environment.err);
  environment.err << FormatFailure(
      {"USAGE", error.what(), {{"next", absl::StrCat(NameOfParsed(app), " --help")}}, kWrongUsage});
  return kWrongUsage;
}

}  // namespace

int Run(Environment& environment, std::vector<std::string> arguments) {
  CLI::App app(
      "Sluice: departments lend each other records, and a log that nobody can alter says "
      "who saw what.",
      "sluice");
  Invocation invocation;
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", SLUICE_VERSION);
  AddSharedOptions(app, invocation.options);
  AddCommands(app, invocation);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return Refuse(environment, app, error);
  }
  if (invocation.options.format == "markdown" && !app.got_subcommand("explain"))
    return Report(environment, UsageError("--format markdown is of sluice explain alone.",
                                          "--format table, json or csv"));
  if (invocation.options.format == "arrow" && !app.got_subcommand("read") &&
      !app.got_subcommand("convert"))
    return Report(environment, UsageError("--format arrow is of sluice read and convert alone.",
                                          "--format table, json or csv"));
  Session session(environment, invocation.options);
  const int code = Report(environment, invocation.command(session));
  environment.out.flush();
  if (code == kDone && !environment.out)
    return Report(environment,
                  LocalError("OUTPUT_LOST", "not all of the output could be written."));
  return code;
}

}  // namespace sluice::cli
