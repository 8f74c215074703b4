// sluice catalogue apply|list|show|suspend|resume|retire: what owners offer. The others of the
// group are in catalogue_review.cc, catalogue_update_commands.cc and catalogue_export_command.cc.
#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/apply_file.h"
#include "cli/catalogue_review.h"
#include "cli/catalogue_words.h"
#include "cli/commands.h"
#include "cli/methods.h"
#include "cli/sharing_words.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_yaml.h"

namespace sluice::cli {
namespace {

struct CatalogueOptions {
  ApplyOptions apply;
  std::string name, agency, search, reason;
  int64_t revision = 0;
  bool break_grants = false, all = false, awaited = false;
};

using TouchedGrants = google::protobuf::RepeatedPtrField<v1::TouchedGrant>;

// Empty where none is.
std::string TouchedTable(const Session& session, const TouchedGrants& grants) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::TouchedGrant& grant : grants) {
    rows.push_back({grant.grant(), grant.consumer_agency(),
                    grant.ends()     ? "ENDS"
                    : grant.broken() ? "breaks"
                                     : "goes on",
                    ""});
    for (int i = 0; i < grant.effects_size(); ++i) {
      if (i > 0) rows.push_back({"", "", "", ""});
      rows.back()[3] = grant.effects(i);
    }
  }
  if (rows.empty()) return "";
  std::vector<TableColumn> columns = {{"grant"}, {"consumer"}, {"then"}, {"effect"}};
  for (TableColumn& column : columns) column.title = session.Label(column.title);
  return FormatTable(columns, rows);
}

// Whether only --break-grants lets it through.
bool AnyBroken(const TouchedGrants& grants) {
  return std::any_of(grants.begin(), grants.end(),
                     [](const v1::TouchedGrant& grant) { return grant.broken(); });
}

absl::Status Apply(Session& session, const CatalogueOptions& all) {
  const ApplyOptions& options = all.apply;
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, options));
  const auto file = catalogue::ParseDatasetYaml(text, options.file);
  if (!file.ok()) return Listed(file.status());
  v1::ApplyDatasetRequest request;
  request.set_dry_run(options.dry_run);
  request.set_break_grants(all.break_grants);
  *request.mutable_dataset() = file->dataset;
  request.mutable_dataset()->set_etag(options.etag);
  const auto response = Ask(session, kApplyDataset, request);
  if (!response.ok())
    return Placed(response.status(), file->document, options, "dataset",
                  catalogue::DatasetYamlNames());
  PrintDifferences(session, options,
                   absl::StrCat("dataset ", response->dataset().name(), ", revision ",
                                response->dataset().revision()),
                   response->differences(), *response, TouchedTable(session, response->touched()),
                   AnyBroken(response->touched()) && !all.break_grants
                       ? "the same with --break-grants in place of --dry-run: grants break"
                       : "the same without --dry-run");
  return absl::OkStatus();
}

// With what the authority has yet to say, or said.
std::string StateWord(const v1::Dataset& dataset) {
  std::string word = LowerEnumWord(v1::DatasetState_descriptor(), dataset.state());
  if (dataset.publication() == v1::PUBLICATION_AWAITED) word += ", unpublished";
  if (dataset.publication() == v1::PUBLICATION_RETURNED) word += ", returned";
  return word;
}

absl::Status List(Session& session, const CatalogueOptions& options) {
  v1::ListDatasetsRequest request;
  request.set_agency(options.agency);
  request.set_search(options.search);
  request.set_include_retired(options.all);
  request.set_page_size(1000);
  std::vector<v1::Dataset> datasets;
  std::map<std::string, std::string> data_of;
  std::vector<std::string> overdue;
  do {
    SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListDatasets, request));
    for (const v1::Dataset& dataset : response.datasets()) {
      const bool awaits = dataset.publication() == v1::PUBLICATION_AWAITED;
      if (options.awaited && !awaits) continue;
      datasets.push_back(dataset);
      const auto freshness = response.freshness().find(dataset.name());
      if (freshness != response.freshness().end() && freshness->second.overdue())
        overdue.push_back(dataset.name());
    }
    for (const auto& [name, freshness] : response.freshness())
      if (freshness.has_data_as_of())
        data_of[name] = FormatTime(ToMicros(freshness.data_as_of()), session.environment.zone) +
                        (freshness.overdue() ? " OVERDUE" : "");
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  std::vector<std::vector<std::string>> rows;
  for (const v1::Dataset& dataset : datasets)
    rows.push_back({dataset.name(), TitleOf(dataset.title(), session.chinese()),
                    LowerEnumWord(v1::SharingAttribute_descriptor(), dataset.sharing()),
                    LowerEnumWord(v1::UpdateCycle_descriptor(), dataset.update_cycle()),
                    data_of[dataset.name()], absl::StrJoin(dataset.purposes(), ", "),
                    StateWord(dataset)});
  session.PrintList(
      {{"dataset"}, {"title"}, {"sharing"}, {"update"}, {"data"}, {"purposes"}, {"state"}}, rows,
      datasets);
  if (!overdue.empty())
    session.environment.err << "older than promised: " << absl::StrJoin(overdue, ", ") << "\n";
  return absl::OkStatus();
}

std::string FieldsTable(const Session& session, const v1::Dataset& dataset) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::DatasetField& field : dataset.fields()) {
    const bool key =
        std::find(dataset.key().begin(), dataset.key().end(), field.name()) != dataset.key().end();
    rows.push_back({field.name(), TypeWords(field.type()),
                    LowerEnumWord(v1::FieldClass_descriptor(), field.field_class()).substr(0, 2),
                    field.has_least_mask() ? MaskWords(field.least_mask()) : "", field.subject(),
                    key ? "key" : "", TitleOf(field.title(), session.chinese())});
    rows.back()[2] = absl::AsciiStrToUpper(rows.back()[2]);
  }
  std::vector<TableColumn> columns = {{"field"},   {"type"}, {"class"}, {"least mask"},
                                      {"subject"}, {""},     {"title"}};
  for (TableColumn& column : columns) column.title = session.Label(column.title);
  return FormatTable(columns, rows);
}

// "2026-11-26 02:00, OVERDUE, 12,000 rows, 3f2a…"
std::string FreshnessWords(const Session& session, const v1::Freshness& freshness) {
  std::string words = freshness.has_data_as_of()
                          ? FormatTime(ToMicros(freshness.data_as_of()), session.environment.zone)
                          : "the source tells no time of change";
  if (freshness.overdue()) absl::StrAppend(&words, ", OVERDUE: older than the update promises");
  if (freshness.has_rows()) absl::StrAppend(&words, ", ", freshness.rows(), " rows");
  if (!freshness.version().empty()) absl::StrAppend(&words, ", version ", freshness.version());
  return words;
}

FailureLines DatasetLines(const Session& session, const v1::GetDatasetResponse& answer) {
  const v1::Dataset& dataset = answer.dataset();
  FailureLines lines;
  const auto add = [&lines](const char* label, const std::string& text) {
    if (!text.empty()) lines.emplace_back(label, text);
  };
  add("dataset", absl::StrCat(dataset.name(), ", revision ", dataset.revision()));
  add("title", TitleOf(dataset.title(), session.chinese()));
  add("about", TitleOf(dataset.description(), session.chinese()));
  std::string state = StateWord(dataset);
  if (dataset.state() != v1::DATASET_STATE_OFFERED && !dataset.state_reason().empty())
    absl::StrAppend(&state, ": ", dataset.state_reason());
  add("state", state);
  add("sharing", LowerEnumWord(v1::SharingAttribute_descriptor(), dataset.sharing()));
  add("update", LowerEnumWord(v1::UpdateCycle_descriptor(), dataset.update_cycle()));
  if (answer.has_freshness()) add("data", FreshnessWords(session, answer.freshness()));
  if (answer.has_freshness()) add("held back", answer.freshness().note());
  add("purposes", absl::StrJoin(dataset.purposes(), ", "));
  add("law", LawWords(dataset.withheld_by()));
  add("known to", absl::StrJoin(dataset.audience(), ", "));
  if (!dataset.source().empty())
    add("source", absl::StrCat(dataset.source(), " ", dataset.table()));
  for (auto& line : MetadataLines(session, dataset)) lines.push_back(std::move(line));
  const char* label = "history";
  for (const std::string& step : HistoryParts(answer, session.environment.zone)) {
    lines.emplace_back(label, step);
    label = "";
  }
  for (const std::string& drift : answer.drift()) lines.emplace_back("DRIFT", drift);
  return lines;
}

absl::Status Show(Session& session, const CatalogueOptions& options) {
  v1::GetDatasetRequest request;
  request.set_name(options.name);
  request.set_revision(options.revision);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetDataset, request));
  session.PrintOne(DatasetLines(session, response), response);
  if (session.format() == Format::kTable)
    session.environment.out << FieldsTable(session, response.dataset());
  return absl::OkStatus();
}

template <v1::DatasetState state>
absl::Status SetState(Session& session, const CatalogueOptions& options) {
  v1::SetDatasetStateRequest request;
  request.set_name(options.name);
  request.set_state(state);
  request.set_reason(options.reason);
  request.set_break_grants(options.break_grants);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kSetDatasetState, request));
  const char* effect = state == v1::DATASET_STATE_SUSPENDED ? ": running calls are cut off"
                       : state == v1::DATASET_STATE_RETIRED ? ", for good"
                                                            : "";
  session.PrintOne({{"dataset", absl::StrCat(response.dataset().name(), ", revision ",
                                             response.dataset().revision())},
                    {"state", StateWord(response.dataset()) + effect},
                    {"reason", options.reason}},
                   response);
  if (session.format() == Format::kTable)
    session.environment.out << TouchedTable(session, response.touched());
  return absl::OkStatus();
}

void AddCatalogueGroup(CLI::App* group, Invocation& invocation) {
  group->require_subcommand(1);
  const auto options = std::make_shared<CatalogueOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const CatalogueOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    return command;
  };
  CLI::App* apply = add("apply", "make a dataset, or its next revision", Apply);
  // The options of all commands are one: it lives as long as they do.
  AddApplyOptions(apply, std::shared_ptr<ApplyOptions>(options, &options->apply));
  AddEtagOption(apply, std::shared_ptr<ApplyOptions>(options, &options->apply));
  apply->add_flag("--break-grants", options->break_grants,
                  "go ahead though it takes from grants; those that cannot stand on it end");
  CLI::App* list = add("list", "all datasets that you may know of", List);
  list->add_option("--agency", options->agency, "only this agency's");
  list->add_option("--search", options->search,
                   "words, all of which stand in name, title, description or fields");
  list->add_flag("--all", options->all, "retired ones too");
  list->add_flag("--awaited", options->awaited, "only those that await the authority's review");
  CLI::App* show = add("show", "one dataset and its fields", Show);
  show->add_option("dataset", options->name, "AGENCY/DATASET")->required();
  show->add_option("--revision", options->revision, "an older one");
  CLI::App* suspend =
      add("suspend", "release nothing of it, at once", SetState<v1::DATASET_STATE_SUSPENDED>);
  CLI::App* resume = add("resume", "offer it again", SetState<v1::DATASET_STATE_OFFERED>);
  CLI::App* retire =
      add("retire", "offer it no longer, for good", SetState<v1::DATASET_STATE_RETIRED>);
  for (CLI::App* command : {suspend, resume, retire}) {
    command->add_option("dataset", options->name, "AGENCY/DATASET")->required();
    command->add_option("--reason", options->reason, "recorded, and told to consumers")->required();
  }
  retire->add_flag("--break-grants", options->break_grants, "revoke the grants in force with it");
  AddReviewCommands(*group, invocation);
  AddUpdateCommands(*group, invocation);
  AddCatalogueExportCommand(*group, invocation);
}

}  // namespace

void AddCatalogueCommands(CLI::App& app, Invocation& invocation) {
  AddCatalogueGroup(app.add_subcommand("catalogue", "what owners offer"), invocation);
  // For who thinks of the one dataset; help and completion show one of the two.
  AddCatalogueGroup(app.add_subcommand("dataset", "the same as catalogue")->group(""), invocation);
}

}  // namespace sluice::cli
