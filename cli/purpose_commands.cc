// sluice purpose apply|list and sluice source apply|list.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/registry.h"
#include "cli/apply_file.h"
#include "cli/commands.h"
#include "cli/methods.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/identity/purpose_yaml.h"
#include "gateway/identity/source_yaml.h"

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

// Kinds that this build knows are checked here; others are the gateway's to judge.
absl::Status CheckSettings(const v1::Source& source) {
  const adapters::Kind* kind = adapters::FindKind(source.kind());
  if (kind == nullptr) return absl::OkStatus();
  return kind->check({source.settings().begin(), source.settings().end()});
}

absl::Status ApplySource(Session& session, const ApplyOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, options));
  const auto file = identity::ParseSourceYaml(text, options.file, CheckSettings);
  if (!file.ok()) return Listed(file.status());
  v1::ApplySourceRequest request;
  request.set_dry_run(options.dry_run);
  *request.mutable_source() = file->source;
  const auto response = Ask(session, kApplySource, request);
  if (!response.ok())
    return Placed(response.status(), file->document, options, "source",
                  identity::SourceYamlNames());
  PrintDifferences(session, options, absl::StrCat("source ", response->source().id()),
                   response->differences(), *response);
  return absl::OkStatus();
}

absl::Status ListSources(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListSources, {}));
  std::vector<std::vector<std::string>> rows;
  for (const v1::Source& source : response.sources())
    rows.push_back({source.id(), source.owner_agency(), source.kind(),
                    absl::StrCat(source.limits().connections()),
                    absl::StrCat(source.limits().queue())});
  session.PrintList({{"source"}, {"owner"}, {"kind"}, {"connections", true}, {"queue", true}}, rows,
                    response.sources());
  return absl::OkStatus();
}

void AddGroup(CLI::App& app, Invocation& invocation, const char* name, const char* help,
              absl::Status (*apply)(Session&, const ApplyOptions&), absl::Status (*list)(Session&)) {
  CLI::App* group = app.add_subcommand(name, help);
  group->require_subcommand(1);
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* command = group->add_subcommand("apply", "make it as the file says");
  AddApplyOptions(command, options);
  command->callback([&invocation, options, apply] {
    invocation.command = [options, apply](Session& session) { return apply(session, *options); };
  });
  group->add_subcommand("list", "all")->callback([&invocation, list] {
    invocation.command = list;
  });
}

}  // namespace

void AddPurposeCommands(CLI::App& app, Invocation& invocation) {
  AddGroup(app, invocation, "purpose", "what records may be asked for: the authority's list",
           ApplyPurposes, ListPurposes);
  AddGroup(app, invocation, "source", "connections to owners' systems", ApplySource, ListSources);
}

}  // namespace sluice::cli
