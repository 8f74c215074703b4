// sluice catalogue update declare|list|show|complete|accept|…: updates of a catalogue that a change
// of laws or duties calls for.
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/catalogue_review.h"
#include "cli/json.h"
#include "cli/matter_show.h"
#include "cli/methods.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct UpdateOptions {
  std::string id, agency, state, change, law, article, law_text, reason, etag;
  std::vector<std::string> datasets, revisions;
  bool dry_run = false;
};

void PrintUpdate(Session& session, const v1::GetCatalogueUpdateResponse& answer,
                 const google::protobuf::Message& message, std::string_view next) {
  if (session.format() != Format::kTable)
    session.environment.out << ToJsonLine(message) << '\n';
  else
    session.environment.out << FormatUpdate(session, answer, next);
}

absl::Status Declare(Session& session, const UpdateOptions& options) {
  v1::DeclareCatalogueUpdateRequest request;
  v1::CatalogueUpdate& wanted = *request.mutable_update();
  wanted.set_agency(options.agency);
  wanted.set_change(options.change);
  wanted.mutable_basis()->set_law(options.law);
  wanted.mutable_basis()->set_article(options.article);
  wanted.mutable_basis()->set_text(options.law_text);
  for (const std::string& dataset : options.datasets) wanted.add_datasets(dataset);
  request.set_dry_run(options.dry_run);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kDeclareCatalogueUpdate, request));
  v1::GetCatalogueUpdateResponse answer;
  *answer.mutable_update() = response.update();
  *answer.mutable_clocks() = response.clocks();
  PrintUpdate(session, answer, response, options.dry_run ? "the same without --dry-run" : "");
  return absl::OkStatus();
}

std::vector<std::string> UpdateStates() {
  std::vector<std::string> words;
  for (int state = 1; state < v1::CatalogueUpdateState_ARRAYSIZE; ++state)
    words.push_back(sharing::CatalogueUpdateLife().StateWord(state));
  return words;
}

absl::Status ListUpdates(Session& session, const UpdateOptions& options) {
  v1::ListCatalogueUpdatesRequest request;
  request.set_agency(options.agency);
  for (int state = 1; state < v1::CatalogueUpdateState_ARRAYSIZE; ++state)
    if (sharing::CatalogueUpdateLife().StateWord(state) == options.state)
      request.set_state(static_cast<v1::CatalogueUpdateState>(state));
  request.set_page_size(1000);
  std::vector<v1::CatalogueUpdate> updates;
  do {
    SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListCatalogueUpdates, request));
    updates.insert(updates.end(), response.updates().begin(), response.updates().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  std::vector<std::vector<std::string>> rows;
  for (const v1::CatalogueUpdate& one : updates)
    rows.push_back({one.id(),
                    one.steps().empty()
                        ? ""
                        : FormatTime(ToMicros(one.steps(0).taken()), session.environment.zone),
                    one.agency(), LawWords(one.basis()), absl::StrJoin(one.datasets(), ", "),
                    sharing::CatalogueUpdateLife().StateWord(one.state())});
  session.PrintList({{"update"}, {"declared"}, {"agency"}, {"law"}, {"datasets"}, {"state"}}, rows,
                    updates);
  return absl::OkStatus();
}

absl::Status ShowUpdate(Session& session, const UpdateOptions& options) {
  v1::GetCatalogueUpdateRequest request;
  request.set_id(options.id);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetCatalogueUpdate, request));
  const auto verbs = UpdateVerbs(response.actions());
  PrintUpdate(session, response, response,
              verbs.empty() ? ""
                            : absl::StrCat("sluice catalogue update ", verbs.front(), " ",
                                           ShellQuoted(options.id)));
  return absl::OkStatus();
}

// "agency/dataset@3".
absl::StatusOr<v1::DatasetAtRevision> RevisionNamed(const std::string& text) {
  v1::DatasetAtRevision at;
  const size_t sign = text.rfind('@');
  int64_t revision = 0;
  if (sign == std::string::npos || !absl::SimpleAtoi(text.substr(sign + 1), &revision))
    return UsageError(absl::StrCat("\"", text, "\" is no dataset with its revision."),
                      "--revision public-security/persons@3");
  at.set_dataset(text.substr(0, sign));
  at.set_revision(revision);
  return at;
}

struct UpdateStep {
  v1::CatalogueUpdateAction action;
  const char* help;
  bool reason = true;  // needed; else it may be said
};
constexpr UpdateStep kUpdateSteps[] = {
    {v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION, "ask the authority for longer, once"},
    {v1::CATALOGUE_UPDATE_ACTION_CONSENT_EXTENSION, "the authority consents to the extension"},
    {v1::CATALOGUE_UPDATE_ACTION_DECLINE_EXTENSION, "the authority does not consent"},
    {v1::CATALOGUE_UPDATE_ACTION_COMPLETE, "your catalogue is updated: these entries", false},
    {v1::CATALOGUE_UPDATE_ACTION_ACCEPT, "as the authority, accept what was updated", false},
    {v1::CATALOGUE_UPDATE_ACTION_RETURN,
     "as the authority, send it back with what is to be mended"},
    {v1::CATALOGUE_UPDATE_ACTION_WITHDRAW, "as the authority, say that no update is called for"},
};

absl::Status TakeUpdateStep(Session& session, const UpdateOptions& options,
                            v1::CatalogueUpdateAction action) {
  v1::TakeCatalogueUpdateStepRequest request;
  request.set_id(options.id);
  request.set_action(action);
  request.set_reason(options.reason);
  request.set_etag(options.etag);
  for (const std::string& revision : options.revisions) {
    SLUICE_ASSIGN_OR_RETURN(*request.add_revisions(), RevisionNamed(revision));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kTakeCatalogueUpdateStep, request));
  v1::GetCatalogueUpdateResponse answer;
  *answer.mutable_update() = response.update();
  *answer.mutable_clocks() = response.clocks();
  PrintUpdate(session, answer, response, "");
  return absl::OkStatus();
}

}  // namespace

void AddUpdateCommands(CLI::App& catalogue, Invocation& invocation) {
  CLI::App* group = catalogue.add_subcommand(
      "update", "updates that a change of laws or duties calls for, and their clocks");
  group->require_subcommand(1);
  const auto options = std::make_shared<UpdateOptions>();
  const auto add = [&](const std::string& name, const char* help, auto run) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    return command;
  };
  CLI::App* declare = add("declare", "say that laws or duties changed", Declare);
  declare->add_option("--agency", options->agency,
                      "whose catalogue; your own where it is not said");
  declare->add_option("--change", options->change, "what changed, in words")->required();
  declare->add_option("--law", options->law, "the law that it stands on")->required();
  declare->add_option("--article", options->article, "its article")->required();
  declare->add_option("--law-text", options->law_text, "the words relied on");
  declare->add_option("--datasets", options->datasets, "a/b,a/c: entries that it concerns")
      ->delimiter(',')
      ->allow_extra_args(false);
  declare->add_flag("--dry-run", options->dry_run, "check only");
  CLI::App* list = add("list", "updates that you may see, newest first", ListUpdates);
  list->add_option("--agency", options->agency, "only of this one's catalogue");
  list->add_option("--state", options->state, "only in this state")
      ->check(CLI::IsMember(UpdateStates()));
  add("show", "one update on a page", ShowUpdate)
      ->add_option("id", options->id, "such as u-7q4m2k")
      ->required();
  for (const UpdateStep& step : kUpdateSteps) {
    const v1::CatalogueUpdateAction action = step.action;
    CLI::App* command =
        add(UpdateVerb(action), step.help, [action](Session& session, const UpdateOptions& said) {
          return TakeUpdateStep(session, said, action);
        });
    command->add_option("id", options->id, "such as u-7q4m2k")->required();
    auto* reason =
        command->add_option("--reason", options->reason,
                            action == v1::CATALOGUE_UPDATE_ACTION_COMPLETE
                                ? "recorded, and read by all sides; needed where no entry changed"
                                : "recorded, and read by all sides");
    if (step.reason) reason->required();
    if (action == v1::CATALOGUE_UPDATE_ACTION_COMPLETE)
      command
          ->add_option("--revision", options->revisions,
                       "AGENCY/DATASET@REVISION as it is by now, once for each")
          ->allow_extra_args(false)
          ->required();
    command->add_option("--etag", options->etag, "refused where it has changed since");
  }
}

}  // namespace sluice::cli
