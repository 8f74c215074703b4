// sluice grant apply|show|list|suspend|resume|revoke: what owners allow.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/apply_file.h"
#include "cli/commands.h"
#include "cli/grant_overlap.h"
#include "cli/grant_show.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/sharing_words.h"
#include "cli/times.h"
#include "gateway/base/error.h"
#include "gateway/sharing/grant_yaml.h"

namespace sluice::cli {
namespace {

struct GrantOptions {
  std::string id, reason, dataset, agency;
  int64_t revision = 0;
};

absl::Status Apply(Session& session, const ApplyOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, options));
  const auto file = sharing::ParseGrantYaml(text, options.file);
  if (!file.ok()) return Listed(file.status());
  v1::ApplyGrantRequest request;
  request.set_dry_run(options.dry_run);
  *request.mutable_grant() = file->grant;
  request.mutable_grant()->set_etag(options.etag);
  const auto response = Ask(session, kApplyGrant, request);
  if (!response.ok())
    return Placed(response.status(), file->document, options, "grant", sharing::GrantYamlNames());
  PrintDifferences(
      session, options,
      absl::StrCat("grant ", response->grant().id(), ", revision ", response->grant().revision()),
      response->differences(), *response);
  if (session.format() == Format::kTable)
    session.environment.out << OverlapNotes(session, response->grant());
  return absl::OkStatus();
}

absl::Status Show(Session& session, const GrantOptions& options) {
  v1::GetGrantRequest request;
  request.set_id(options.id);
  request.set_revision(options.revision);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetGrant, request));
  if (session.format() != Format::kTable) {
    session.environment.out << ToJsonLine(response) << '\n';
    return absl::OkStatus();
  }
  GrantPage page{response, {}};
  v1::GetDatasetRequest of;
  of.set_name(response.grant().dataset());
  // Only for its title and the fields left out: the grant is shown without them as well.
  if (const auto dataset = Ask(session, kGetDataset, of); dataset.ok())
    page.dataset = dataset->dataset();
  session.environment.out << FormatGrant(session, page);
  return absl::OkStatus();
}

absl::Status List(Session& session, const GrantOptions& options) {
  v1::ListGrantsRequest request;
  request.set_dataset(options.dataset);
  request.set_consumer_agency(options.agency);
  request.set_page_size(1000);
  std::vector<v1::Grant> grants;
  do {
    SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListGrants, request));
    grants.insert(grants.end(), response.grants().begin(), response.grants().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  const Environment& environment = session.environment;
  std::vector<std::vector<std::string>> rows;
  for (const v1::Grant& grant : grants)
    rows.push_back({grant.id(), absl::StrCat(grant.revision()), grant.dataset(),
                    grant.consumer_agency(), absl::StrJoin(grant.purposes(), ", "),
                    GrantState(grant, environment.clock.Now()),
                    FormatTime(ToMicros(grant.expires()), environment.zone)});
  session.PrintList(
      {{"grant"}, {"rev", true}, {"dataset"}, {"consumer"}, {"purposes"}, {"state"}, {"expires"}},
      rows, grants);
  return absl::OkStatus();
}

absl::Status Revoke(Session& session, const GrantOptions& options) {
  v1::RevokeGrantRequest request;
  request.set_id(options.id);
  request.set_reason(options.reason);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kRevokeGrant, request));
  session.PrintOne({{"grant", response.grant().id()},
                    {"state", "revoked: running calls are cut off"},
                    {"reason", response.grant().state_reason()}},
                   response.grant());
  return absl::OkStatus();
}

// What was said now, or, where it was suspended already, what was said then: that one holds.
std::string ReasonInForce(const GrantOptions& options, const v1::Grant& grant) {
  if (grant.state() != v1::GRANT_STATE_SUSPENDED || grant.state_reason() == options.reason)
    return options.reason;
  return absl::StrCat(grant.state_reason(), " (suspended already: nothing was changed)");
}

template <v1::GrantState state>
absl::Status SetState(Session& session, const GrantOptions& options) {
  v1::SetGrantStateRequest request;
  request.set_id(options.id);
  request.set_state(state);
  request.set_reason(options.reason);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kSetGrantState, request));
  session.PrintOne(
      {{"grant", absl::StrCat(response.grant().id(), ", revision ", response.grant().revision())},
       {"state", state == v1::GRANT_STATE_SUSPENDED
                     ? "suspended: running calls are cut off"
                     : GrantState(response.grant(), session.environment.clock.Now())},
       {"reason", ReasonInForce(options, response.grant())}},
      response.grant());
  return absl::OkStatus();
}

}  // namespace

void AddGrantCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("grant", "what owners allow");
  group->require_subcommand(1);
  auto apply_options = std::make_shared<ApplyOptions>();
  CLI::App* apply = group->add_subcommand("apply", "make a grant, or its next revision");
  AddApplyOptions(apply, apply_options);
  AddEtagOption(apply, apply_options);
  apply->callback([&invocation, apply_options] {
    invocation.command = [apply_options](Session& s) { return Apply(s, *apply_options); };
  });
  auto options = std::make_shared<GrantOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const GrantOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    return command;
  };
  CLI::App* show = add("show", "one grant on a page", Show);
  show->add_option("id", options->id, "such as 7q4m2k")->required();
  show->add_option("--revision", options->revision, "an older one");
  CLI::App* list = add("list", "those that you may see", List);
  list->add_option("--dataset", options->dataset, "only on this one");
  list->add_option("--agency", options->agency, "only of this consumer");
  for (CLI::App* command :
       {add("suspend", "stop its calls at once, running ones too",
            SetState<v1::GRANT_STATE_SUSPENDED>),
        add("resume", "let it be used again", SetState<v1::GRANT_STATE_IN_FORCE>),
        add("revoke", "end a grant for good, at once", Revoke)}) {
    command->add_option("id", options->id, "such as 7q4m2k")->required();
    command->add_option("--reason", options->reason, "recorded")->required();
  }
}

}  // namespace sluice::cli
