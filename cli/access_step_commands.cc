// sluice access submit|return|refuse|…: the steps in the life of a request that need words alone.
#include "absl/strings/str_cat.h"
#include "cli/access_commands.h"
#include "cli/access_show.h"
#include "cli/clock_words.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct StepOptions {
  v1::TakeAccessStepRequest request;
  std::string id, reason, law, article, law_text, etag;
  std::vector<std::string> papers;
};

// What a step asks for beside the request's id.
struct StepCommand {
  v1::AccessAction action;
  const char* help;
  bool reason = true;  // needed; else it may be said
  bool basis = false;
  const char* papers = nullptr;
};
constexpr StepCommand kStepCommands[] = {
    {v1::ACCESS_ACTION_SUBMIT, "your sharing office sends what was drafted or returned", false,
     false, "what was added, once for each paper"},
    {v1::ACCESS_ACTION_RETURN,
     "send it back, once, with all that is missing; its clock stands still", true, false,
     "what is missing, once for each paper"},
    {v1::ACCESS_ACTION_ASK_EXTENSION, "ask the authority for longer, once"},
    {v1::ACCESS_ACTION_CONSENT_EXTENSION, "the authority consents to the extension"},
    {v1::ACCESS_ACTION_DECLINE_EXTENSION, "the authority does not consent"},
    {v1::ACCESS_ACTION_AGREE, "say yes; approve makes the grant later", true, true},
    {v1::ACCESS_ACTION_REFUSE, "say no, why, and by which law", true, true},
    {v1::ACCESS_ACTION_PROVIDE, "the data are there to be used", false},
    {v1::ACCESS_ACTION_SUSPEND, "the grant answers nobody, at once"},
    {v1::ACCESS_ACTION_RESUME, "the grant answers again"},
    {v1::ACCESS_ACTION_END, "revoke the grant, at once and for good"},
    {v1::ACCESS_ACTION_DISPUTE, "bring it before the authority"},
    {v1::ACCESS_ACTION_UPHOLD, "the authority lets things stand"},
    {v1::ACCESS_ACTION_REOPEN, "the authority has the owner decide anew"},
    {v1::ACCESS_ACTION_DROP_DISPUTE, "leave it at that", false},
    {v1::ACCESS_ACTION_WITHDRAW, "take your agency's request back", false},
};

absl::Status TakeStep(Session& session, const StepOptions& options) {
  v1::TakeAccessStepRequest request = options.request;
  request.set_id(options.id);
  request.set_reason(options.reason);
  request.set_etag(options.etag);
  if (!options.law.empty() || !options.article.empty() || !options.law_text.empty()) {
    request.mutable_basis()->set_law(options.law);
    request.mutable_basis()->set_article(options.article);
    request.mutable_basis()->set_text(options.law_text);
  }
  for (const std::string& paper : options.papers) request.add_papers(paper);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kTakeAccessStep, request));
  if (session.format() != Format::kTable) {
    session.environment.out << ToJsonLine(response) << '\n';
    return absl::OkStatus();
  }
  v1::GetAccessRequestResponse answer;
  *answer.mutable_request() = response.request();
  *answer.mutable_clocks() = response.clocks();
  session.environment.out << FormatRequest(session, answer, NextOfRequest(answer));
  return absl::OkStatus();
}

void AddStepCommand(CLI::App& group, Invocation& invocation, const StepCommand& step) {
  auto options = std::make_shared<StepOptions>();
  options->request.set_action(step.action);
  CLI::App* command = group.add_subcommand(StepVerb(step.action), step.help);
  command->add_option("id", options->id, "such as r-7q4m2k")->required();
  auto* reason =
      command->add_option("--reason", options->reason, "recorded, and read by all sides");
  if (step.reason) reason->required();
  auto* law = command->add_option("--law", options->law, "the law that it stands on");
  auto* article = command->add_option("--article", options->article, "its article");
  if (step.basis) {
    law->required();
    article->required();
  }
  command->add_option("--law-text", options->law_text, "the words relied on");
  if (step.papers != nullptr)
    command->add_option("--paper", options->papers, step.papers)->allow_extra_args(false);
  if (step.action == v1::ACCESS_ACTION_RETURN) command->get_option("--paper")->required();
  command->add_option("--etag", options->etag, "refused where it has changed since");
  command->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return TakeStep(session, *options); };
  });
}

}  // namespace

void AddAccessStepCommands(CLI::App& group, Invocation& invocation) {
  for (const StepCommand& step : kStepCommands) AddStepCommand(group, invocation, step);
}

}  // namespace sluice::cli
