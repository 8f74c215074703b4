// sluice purpose apply|list.
#include "absl/strings/str_cat.h"
#include "cli/apply_file.h"
#include "cli/commands.h"
#include "cli/methods.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/identity/purpose_yaml.h"

namespace sluice::cli {
namespace {

absl::Status ApplyPurposes(Session& session, const ApplyOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, options));
  const auto purposes = identity::ParsePurposesYaml(text, options.file);
  if (!purposes.ok()) return Listed(purposes.status());
  v1::ApplyPurposesRequest request;
  request.set_dry_run(options.dry_run);
  for (const v1::Purpose& purpose : *purposes) *request.add_purposes() = purpose;
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kApplyPurposes, request));
  PrintDifferences(session, options, absl::StrCat(response.purposes_size(), " purposes"),
                   response.differences(), response);
  return absl::OkStatus();
}

absl::Status ListPurposes(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListPurposes, {}));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Purpose& purpose : response.purposes())
    rows.push_back({purpose.code(), TitleOf(purpose.title(), session.chinese()),
                    purpose.withdrawn() ? "withdrawn" : ""});
  session.PrintList({{"code"}, {"title"}, {"state"}}, rows, response.purposes());
  return absl::OkStatus();
}

}  // namespace

void AddPurposeCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group =
      app.add_subcommand("purpose", "what records may be asked for: the authority's list");
  group->require_subcommand(1);
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* command = group->add_subcommand("apply", "make it as the file says");
  AddApplyOptions(command, options);
  command->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return ApplyPurposes(session, *options); };
  });
  group->add_subcommand("list", "all")->callback([&invocation] {
    invocation.command = ListPurposes;
  });
}

}  // namespace sluice::cli
