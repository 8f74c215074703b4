// sluice access request|list|show: what agencies apply for, and what became of it.
#include "cli/access_commands.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/access_request.h"
#include "cli/access_show.h"
#include "cli/apply_file.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/sharing_words.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/sharing/request_yaml.h"

namespace sluice::cli {
namespace {

struct AccessRequestOptions {
  std::string id, dataset, agency, state;
};

void Print(Session& session, const v1::GetAccessRequestResponse& answer,
           const google::protobuf::Message& message, std::string_view next) {
  std::ostream& out = session.environment.out;
  if (session.format() != Format::kTable) {
    out << ToJsonLine(message) << '\n';
    return;
  }
  out << FormatRequest(session, answer, next);
}

// What was made, or would be.
absl::StatusOr<v1::AccessRequest> Made(Session& session, const v1::AccessRequest& wanted,
                                       const RequestOptions& options) {
  if (options.submit) {
    v1::SubmitAccessRequestRequest request;
    *request.mutable_request() = wanted;
    request.set_dry_run(options.dry_run);
    SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kSubmitAccessRequest, request));
    return response.request();
  }
  v1::DraftAccessRequestRequest request;
  *request.mutable_request() = wanted;
  request.mutable_request()->set_id(options.mend);
  request.mutable_request()->set_etag(options.etag);
  request.set_dry_run(options.dry_run);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kDraftAccessRequest, request));
  return response.request();
}

absl::Status Send(Session& session, const v1::AccessRequest& wanted, const RequestOptions& options,
                  const sharing::RequestFile* file, const ApplyOptions& place) {
  const auto made = Made(session, wanted, options);
  if (!made.ok() && file != nullptr)
    return Placed(made.status(), file->document, place, "request", sharing::RequestYamlNames());
  if (!made.ok()) return made.status();
  v1::SubmitAccessRequestResponse message;  // as both methods answer
  *message.mutable_request() = *made;
  v1::GetAccessRequestResponse answer;
  *answer.mutable_request() = *made;
  if (!options.dry_run) {
    Print(session, answer, message, NextOfRequest(answer));
    return absl::OkStatus();
  }
  answer.mutable_request()->clear_state();  // nothing was sent
  Print(session, answer, message, "the same without --dry-run");
  return absl::OkStatus();
}

absl::Status Request(Session& session, const RequestOptions& options) {
  const ApplyOptions place{options.file, options.dry_run};
  if (options.file.empty()) {
    const Environment& environment = session.environment;
    SLUICE_ASSIGN_OR_RETURN(const v1::AccessRequest wanted,
                            BuildRequest(options, environment.clock.Now(), environment.zone));
    return Send(session, wanted, options, nullptr, place);
  }
  if (!options.dataset.empty() || !options.purposes.empty() || !options.law.empty() ||
      !options.article.empty() || !options.law_text.empty() || !options.why.empty() ||
      !options.share.empty())
    return UsageError("a file holds the whole request; what is beside it would be lost.",
                      "sluice access request -f FILE, or the options alone");
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, place));
  const auto file = sharing::ParseRequestYaml(text, options.file);
  if (!file.ok()) return Listed(file.status());
  return Send(session, file->request, options, &*file, place);
}

v1::AccessRequestState StateFromWord(const std::string& word) {
  const auto* type = v1::AccessRequestState_descriptor();
  for (int i = 1; i < type->value_count(); ++i) {
    const auto state = static_cast<v1::AccessRequestState>(type->value(i)->number());
    if (RequestState(state) == word) return state;
  }
  return v1::ACCESS_REQUEST_STATE_UNSPECIFIED;
}

std::vector<std::string> StateNames() {
  std::vector<std::string> names;
  const auto* type = v1::AccessRequestState_descriptor();
  for (int i = 1; i < type->value_count(); ++i)
    names.push_back(RequestState(static_cast<v1::AccessRequestState>(type->value(i)->number())));
  return names;
}

absl::Status List(Session& session, const AccessRequestOptions& options) {
  v1::ListAccessRequestsRequest request;
  request.set_dataset(options.dataset);
  request.set_consumer_agency(options.agency);
  request.set_state(StateFromWord(options.state));
  request.set_page_size(1000);
  std::vector<v1::AccessRequest> requests;
  do {
    SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListAccessRequests, request));
    requests.insert(requests.end(), response.requests().begin(), response.requests().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  const absl::TimeZone& zone = session.environment.zone;
  std::vector<std::vector<std::string>> rows;
  for (const v1::AccessRequest& one : requests)
    rows.push_back({one.id(),
                    one.has_submitted() ? FormatTime(ToMicros(one.submitted()), zone) : "",
                    one.consumer_agency(), one.dataset(), absl::StrJoin(one.purposes(), ", "),
                    RequestState(one.state()), one.grant()});
  session.PrintList(
      {{"request"}, {"submitted"}, {"consumer"}, {"dataset"}, {"purposes"}, {"state"}, {"grant"}},
      rows, requests);
  return absl::OkStatus();
}

absl::Status Show(Session& session, const AccessRequestOptions& options) {
  v1::GetAccessRequestRequest request;
  request.set_id(options.id);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetAccessRequest, request));
  Print(session, response, response, NextOfRequest(response));
  return absl::OkStatus();
}

void AddRequestCommand(CLI::App& group, Invocation& invocation) {
  auto options = std::make_shared<RequestOptions>();
  CLI::App* command =
      group.add_subcommand("request", "write an application for access to a dataset");
  AddRequestOptions(*command, *options);
  command->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return Request(session, *options); };
  });
}

}  // namespace

void AddAccessCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("access", "what agencies apply for, and what is decided");
  group->require_subcommand(1);
  AddRequestCommand(*group, invocation);
  auto options = std::make_shared<AccessRequestOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const AccessRequestOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    return command;
  };
  CLI::App* list = add("list", "requests that you may see, newest first", List);
  list->add_option("--dataset", options->dataset, "only on this one");
  list->add_option("--agency", options->agency, "only of this consumer");
  list->add_option("--state", options->state, "only in this state")
      ->check(CLI::IsMember(StateNames()));
  const auto add_one = [&](const char* name, const char* help,
                           absl::Status (*run)(Session&, const AccessRequestOptions&)) {
    CLI::App* command = add(name, help, run);
    command->add_option("id", options->id, "such as r-7q4m2k")->required();
    return command;
  };
  add_one("show", "one request on a page, and what would come of it", Show);
  AddAccessTermsCommands(*group, invocation);
  AddAccessStepCommands(*group, invocation);
  AddAccessCheckCommand(*group, invocation);
}

}  // namespace sluice::cli
