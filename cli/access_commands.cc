// sluice access request|list|show|refuse|withdraw: what agencies apply for, and what became of it.
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
  std::string id, dataset, agency, state, reason, law, article, law_text;
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

void Print(Session& session, const v1::AccessRequest& request,
           const google::protobuf::Message& message) {
  v1::GetAccessRequestResponse answer;
  *answer.mutable_request() = request;
  Print(session, answer, message, NextOfRequest(answer));
}

absl::Status Send(Session& session, v1::SubmitAccessRequestRequest request,
                  const sharing::RequestFile* file, const ApplyOptions& place) {
  const auto response = Ask(session, kSubmitAccessRequest, request);
  if (!response.ok() && file != nullptr)
    return Placed(response.status(), file->document, place, "request", sharing::RequestYamlNames());
  if (!response.ok()) return response.status();
  if (!request.dry_run()) {
    Print(session, response->request(), *response);
    return absl::OkStatus();
  }
  v1::GetAccessRequestResponse answer;
  *answer.mutable_request() = response->request();
  answer.mutable_request()->clear_state();  // nothing was sent
  Print(session, answer, *response, "the same without --dry-run");
  return absl::OkStatus();
}

absl::Status Request(Session& session, const RequestOptions& options) {
  v1::SubmitAccessRequestRequest request;
  request.set_dry_run(options.dry_run);
  const ApplyOptions place{options.file, options.dry_run};
  if (options.file.empty()) {
    const Environment& environment = session.environment;
    SLUICE_ASSIGN_OR_RETURN(*request.mutable_request(),
                            BuildRequest(options, environment.clock.Now(), environment.zone));
    return Send(session, std::move(request), nullptr, place);
  }
  if (!options.dataset.empty() || !options.purposes.empty() || !options.law.empty() ||
      !options.article.empty() || !options.law_text.empty() || !options.why.empty() ||
      !options.share.empty())
    return UsageError("a file holds the whole request; what is beside it would be lost.",
                      "sluice access request -f FILE, or the options alone");
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, place));
  const auto file = sharing::ParseRequestYaml(text, options.file);
  if (!file.ok()) return Listed(file.status());
  *request.mutable_request() = file->request;
  return Send(session, std::move(request), &*file, place);
}

v1::AccessRequestState StateFromWord(const std::string& word) {
  const auto* type = v1::AccessRequestState_descriptor();
  for (int i = 1; i < type->value_count(); ++i) {
    const auto state = static_cast<v1::AccessRequestState>(type->value(i)->number());
    if (RequestState(state) == word) return state;
  }
  return v1::ACCESS_REQUEST_STATE_UNSPECIFIED;
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
    rows.push_back({one.id(), FormatTime(ToMicros(one.submitted()), zone), one.consumer_agency(),
                    one.dataset(), absl::StrJoin(one.purposes(), ", "), RequestState(one.state()),
                    one.grant()});
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

absl::Status Refuse(Session& session, const AccessRequestOptions& options) {
  v1::RefuseAccessRequestRequest request;
  request.set_id(options.id);
  request.set_reason(options.reason);
  request.mutable_basis()->set_law(options.law);
  request.mutable_basis()->set_article(options.article);
  request.mutable_basis()->set_text(options.law_text);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kRefuseAccessRequest, request));
  Print(session, response.request(), response);
  return absl::OkStatus();
}

absl::Status Withdraw(Session& session, const AccessRequestOptions& options) {
  v1::WithdrawAccessRequestRequest request;
  request.set_id(options.id);
  request.set_reason(options.reason);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kWithdrawAccessRequest, request));
  Print(session, response.request(), response);
  return absl::OkStatus();
}

void AddRequestCommand(CLI::App& group, Invocation& invocation) {
  auto options = std::make_shared<RequestOptions>();
  CLI::App* command = group.add_subcommand("request", "apply to a dataset's owner for access");
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
      ->check(CLI::IsMember({"submitted", "approved", "refused", "withdrawn"}));
  const auto add_one = [&](const char* name, const char* help,
                           absl::Status (*run)(Session&, const AccessRequestOptions&)) {
    CLI::App* command = add(name, help, run);
    command->add_option("id", options->id, "such as r-7q4m2k")->required();
    return command;
  };
  add_one("show", "one request on a page, and what would come of it", Show);
  AddAccessTermsCommands(*group, invocation);
  CLI::App* refuse = add_one("refuse", "say no, why, and by which law", Refuse);
  refuse->add_option("--reason", options->reason, "the agency reads it")->required();
  refuse->add_option("--law", options->law, "the law that forbids it")->required();
  refuse->add_option("--article", options->article, "its article")->required();
  refuse->add_option("--law-text", options->law_text, "the words relied on");
  CLI::App* withdraw = add_one("withdraw", "take your agency's request back", Withdraw);
  withdraw->add_option("--reason", options->reason, "recorded");
  AddAccessCheckCommand(*group, invocation);
}

}  // namespace sluice::cli
