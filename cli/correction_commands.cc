// sluice correction raise|list|show|answer|withdraw: data that are doubted, and what their owner
// says.
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/matter_show.h"
#include "cli/methods.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct CorrectionOptions {
  std::string id, dataset, agency, state, doubt, corrected, confirmed, reason, etag;
  std::vector<std::string> fields, papers;
  std::optional<int64_t> record;
  bool dry_run = false;
};

void PrintCorrection(Session& session, const v1::GetCorrectionResponse& answer,
                     const google::protobuf::Message& message, std::string_view next) {
  if (session.format() != Format::kTable)
    session.environment.out << ToJsonLine(message) << '\n';
  else
    session.environment.out << FormatCorrection(session, answer, next);
}

absl::Status RaiseOne(Session& session, const CorrectionOptions& options) {
  v1::RaiseCorrectionRequest request;
  v1::Correction& wanted = *request.mutable_correction();
  wanted.set_dataset(options.dataset);
  for (const std::string& field : options.fields) wanted.add_fields(field);
  wanted.set_doubt(options.doubt);
  if (options.record) wanted.set_record_index(*options.record);
  for (const std::string& paper : options.papers) wanted.add_papers(paper);
  request.set_dry_run(options.dry_run);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kRaiseCorrection, request));
  v1::GetCorrectionResponse answer;
  *answer.mutable_correction() = response.correction();
  *answer.mutable_clocks() = response.clocks();
  PrintCorrection(session, answer, response,
                  options.dry_run ? "the same without --dry-run" : NextOfCorrection(answer));
  return absl::OkStatus();
}

std::vector<std::string> CorrectionStates() {
  std::vector<std::string> words;
  for (int state = 1; state < v1::CorrectionState_ARRAYSIZE; ++state)
    words.push_back(sharing::CorrectionLife().StateWord(state));
  return words;
}

absl::Status ListAll(Session& session, const CorrectionOptions& options) {
  v1::ListCorrectionsRequest request;
  request.set_dataset(options.dataset);
  request.set_consumer_agency(options.agency);
  for (int state = 1; state < v1::CorrectionState_ARRAYSIZE; ++state)
    if (sharing::CorrectionLife().StateWord(state) == options.state)
      request.set_state(static_cast<v1::CorrectionState>(state));
  request.set_page_size(1000);
  std::vector<v1::Correction> corrections;
  do {
    SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListCorrections, request));
    corrections.insert(corrections.end(), response.corrections().begin(),
                       response.corrections().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  std::vector<std::vector<std::string>> rows;
  for (const v1::Correction& one : corrections)
    rows.push_back({one.id(),
                    one.steps().empty()
                        ? ""
                        : FormatTime(ToMicros(one.steps(0).taken()), session.environment.zone),
                    one.consumer_agency(), one.dataset(), absl::StrJoin(one.fields(), ", "),
                    sharing::CorrectionLife().StateWord(one.state())});
  session.PrintList({{"correction"}, {"raised"}, {"consumer"}, {"dataset"}, {"fields"}, {"state"}},
                    rows, corrections);
  return absl::OkStatus();
}

absl::Status ShowOne(Session& session, const CorrectionOptions& options) {
  v1::GetCorrectionRequest request;
  request.set_id(options.id);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetCorrection, request));
  PrintCorrection(session, response, response, NextOfCorrection(response));
  return absl::OkStatus();
}

absl::Status Step(Session& session, const CorrectionOptions& options, v1::CorrectionAction action,
                  const std::string& reason) {
  v1::TakeCorrectionStepRequest request;
  request.set_id(options.id);
  request.set_action(action);
  request.set_reason(reason);
  for (const std::string& paper : options.papers) request.add_papers(paper);
  request.set_etag(options.etag);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kTakeCorrectionStep, request));
  v1::GetCorrectionResponse answer;
  *answer.mutable_correction() = response.correction();
  *answer.mutable_clocks() = response.clocks();
  PrintCorrection(session, answer, response, "");
  return absl::OkStatus();
}

absl::Status AnswerOne(Session& session, const CorrectionOptions& options) {
  if (options.corrected.empty() == options.confirmed.empty())
    return UsageError("an answer says one of two: how it was mended, or why the data are right.",
                      "sluice correction answer ID --corrected HOW, or --confirmed WHY");
  return options.corrected.empty()
             ? Step(session, options, v1::CORRECTION_ACTION_CONFIRM, options.confirmed)
             : Step(session, options, v1::CORRECTION_ACTION_CORRECT, options.corrected);
}

absl::Status WithdrawOne(Session& session, const CorrectionOptions& options) {
  return Step(session, options, v1::CORRECTION_ACTION_WITHDRAW, options.reason);
}

}  // namespace

void AddCorrectionCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("correction", "data that are doubted, and what came of it");
  group->require_subcommand(1);
  const auto options = std::make_shared<CorrectionOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const CorrectionOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    return command;
  };
  CLI::App* raise = add("raise", "doubt data that you were lent", RaiseOne);
  raise->add_option("dataset", options->dataset, "AGENCY/DATASET")->required();
  raise->add_option("--doubt", options->doubt, "what is doubted and why; name no person")
      ->required();
  raise->add_option("--fields", options->fields, "those concerned; none: the rows as such")
      ->delimiter(',')
      ->allow_extra_args(false);
  raise->add_option("--record", options->record,
                    "the audit record of the answer in doubt, as its receipt has it");
  raise->add_flag("--dry-run", options->dry_run, "check only");
  CLI::App* list = add("list", "corrections that you may see, newest first", ListAll);
  list->add_option("--dataset", options->dataset, "only on this one");
  list->add_option("--agency", options->agency, "only of this consumer");
  list->add_option("--state", options->state, "only in this state")
      ->check(CLI::IsMember(CorrectionStates()));
  CLI::App* show = add("show", "one correction on a page", ShowOne);
  CLI::App* answer = add("answer", "say how it was mended, or why the data are right", AnswerOne);
  answer->add_option("--corrected", options->corrected, "the source was mended: how");
  answer->add_option("--confirmed", options->confirmed, "the data are right: why");
  CLI::App* withdraw = add("withdraw", "take your agency's correction back", WithdrawOne);
  withdraw->add_option("--reason", options->reason, "recorded, and read by all sides");
  for (CLI::App* command : {show, answer, withdraw})
    command->add_option("id", options->id, "such as c-7q4m2k")->required();
  for (CLI::App* command : {raise, answer})
    command->add_option("--paper", options->papers, "what supports it, once for each paper")
        ->allow_extra_args(false);
  for (CLI::App* command : {answer, withdraw})
    command->add_option("--etag", options->etag, "refused where it has changed since");
}

}  // namespace sluice::cli
