// sluice catalogue apply|list|show: what owners offer.
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/apply_file.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/methods.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_yaml.h"

namespace sluice::cli {
namespace {

struct CatalogueOptions {
  std::string name, agency;
};

std::string Word(const google::protobuf::EnumDescriptor* type, int number) {
  const auto* value = type->FindValueByNumber(number);
  return value == nullptr || number == 0 ? "" : absl::AsciiStrToLower(EnumWord(*value));
}

absl::Status Apply(Session& session, const ApplyOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadDefinition(session, options));
  const auto file = catalogue::ParseDatasetYaml(text, options.file);
  if (!file.ok()) return Listed(file.status());
  v1::ApplyDatasetRequest request;
  request.set_dry_run(options.dry_run);
  *request.mutable_dataset() = file->dataset;
  const auto response = Ask(session, kApplyDataset, request);
  if (!response.ok())
    return Placed(response.status(), file->document, options, "dataset",
                  catalogue::DatasetYamlNames());
  PrintDifferences(session, options,
                   absl::StrCat("dataset ", response->dataset().name(), ", revision ",
                                response->dataset().revision()),
                   response->differences(), *response);
  return absl::OkStatus();
}

absl::Status List(Session& session, const CatalogueOptions& options) {
  v1::ListDatasetsRequest request;
  request.set_agency(options.agency);
  request.set_page_size(1000);
  std::vector<v1::Dataset> datasets;
  do {
    SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListDatasets, request));
    datasets.insert(datasets.end(), response.datasets().begin(), response.datasets().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  std::vector<std::vector<std::string>> rows;
  for (const v1::Dataset& dataset : datasets)
    rows.push_back({dataset.name(), TitleOf(dataset.title(), session.chinese()),
                    Word(v1::SharingAttribute_descriptor(), dataset.sharing()),
                    Word(v1::UpdateCycle_descriptor(), dataset.update_cycle()),
                    absl::StrJoin(dataset.purposes(), ", ")});
  session.PrintList({{"dataset"}, {"title"}, {"sharing"}, {"update"}, {"purposes"}}, rows, datasets);
  return absl::OkStatus();
}

void ShowDataset(Session& session, const v1::Dataset& dataset) {
  FailureLines lines = {
      {"dataset", absl::StrCat(dataset.name(), ", revision ", dataset.revision())},
      {"title", TitleOf(dataset.title(), session.chinese())},
      {"sharing", Word(v1::SharingAttribute_descriptor(), dataset.sharing())},
      {"update", Word(v1::UpdateCycle_descriptor(), dataset.update_cycle())},
      {"purposes", absl::StrJoin(dataset.purposes(), ", ")}};
  if (!dataset.withheld_by().law().empty())
    lines.emplace_back("law", LawWords(dataset.withheld_by()));
  if (!dataset.source().empty())
    lines.emplace_back("source", absl::StrCat(dataset.source(), " ", dataset.table()));
  session.PrintOne(lines, dataset);
  if (session.format() != Format::kTable) return;
  std::vector<std::vector<std::string>> rows;
  for (const v1::DatasetField& field : dataset.fields()) {
    const bool key = std::find(dataset.key().begin(), dataset.key().end(), field.name()) !=
                     dataset.key().end();
    rows.push_back({field.name(), TypeWords(field.type()),
                    Word(v1::FieldClass_descriptor(), field.field_class()).substr(0, 2),
                    field.has_least_mask() ? MaskWords(field.least_mask()) : "", field.subject(),
                    key ? "key" : "", TitleOf(field.title(), session.chinese())});
    rows.back()[2] = absl::AsciiStrToUpper(rows.back()[2]);
  }
  std::vector<TableColumn> columns = {
      {"field"}, {"type"}, {"class"}, {"least mask"}, {"subject"}, {""}, {"title"}};
  for (TableColumn& column : columns) column.title = session.Label(column.title);
  session.environment.out << FormatTable(columns, rows);
}

absl::Status Show(Session& session, const CatalogueOptions& options) {
  v1::GetDatasetRequest request;
  request.set_name(options.name);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kGetDataset, request));
  ShowDataset(session, response.dataset());
  return absl::OkStatus();
}

}  // namespace

void AddCatalogueCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("catalogue", "what owners offer");
  group->require_subcommand(1);
  auto apply_options = std::make_shared<ApplyOptions>();
  CLI::App* apply = group->add_subcommand("apply", "make a dataset, or its next revision");
  AddApplyOptions(apply, apply_options);
  apply->callback([&invocation, apply_options] {
    invocation.command = [apply_options](Session& s) { return Apply(s, *apply_options); };
  });
  auto options = std::make_shared<CatalogueOptions>();
  CLI::App* list = group->add_subcommand("list", "all datasets");
  list->add_option("--agency", options->agency, "only this agency's");
  list->callback([&invocation, options] {
    invocation.command = [options](Session& s) { return List(s, *options); };
  });
  CLI::App* show = group->add_subcommand("show", "one dataset and its fields");
  show->add_option("dataset", options->name, "AGENCY/DATASET")->required();
  show->callback([&invocation, options] {
    invocation.command = [options](Session& s) { return Show(s, *options); };
  });
}

}  // namespace sluice::cli
