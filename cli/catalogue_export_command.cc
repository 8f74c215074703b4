// sluice catalogue export: entries in the forms of other catalogues.
#include <map>

#include "cli/catalogue_export.h"
#include "cli/catalogue_review.h"
#include "cli/methods.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

struct CatalogueExportOptions {
  std::vector<std::string> names;
  std::string as, agency, base = "urn:sluice:";
};

absl::StatusOr<std::vector<ExportedEntry>> NamedEntries(Session& session,
                                                        const CatalogueExportOptions& options) {
  std::vector<ExportedEntry> entries;
  for (const std::string& name : options.names) {
    v1::GetDatasetRequest request;
    request.set_name(name);
    SLUICE_ASSIGN_OR_RETURN(auto response, Ask(session, kGetDataset, request));
    ExportedEntry& entry = entries.emplace_back();
    entry.dataset = std::move(*response.mutable_dataset());
    if (response.has_freshness()) entry.freshness = response.freshness();
  }
  return entries;
}

absl::StatusOr<std::vector<ExportedEntry>> AllEntries(Session& session,
                                                      const CatalogueExportOptions& options) {
  std::vector<ExportedEntry> entries;
  v1::ListDatasetsRequest request;
  request.set_agency(options.agency);
  request.set_page_size(1000);
  do {
    SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kListDatasets, request));
    for (const v1::Dataset& dataset : response.datasets()) {
      ExportedEntry& entry = entries.emplace_back();
      entry.dataset = dataset;
      const auto freshness = response.freshness().find(dataset.name());
      if (freshness != response.freshness().end()) entry.freshness = freshness->second;
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return entries;
}

absl::Status ExportCatalogue(Session& session, const CatalogueExportOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const Profile* profile, session.GetProfile());
  ExportContext context;
  context.base = options.base;
  context.endpoint = profile->gateway;
  context.zone = session.environment.zone;
  SLUICE_ASSIGN_OR_RETURN(const auto entries, options.names.empty()
                                                  ? AllEntries(session, options)
                                                  : NamedEntries(session, options));
  // Titles of agencies are told to some roles only; for others the ids do.
  const auto agencies = Ask(session, kListAgencies, {});
  if (agencies.ok())
    for (const v1::Agency& agency : agencies->agencies())
      context.agencies[agency.id()] = agency.title();
  else if (ReasonOf(agencies.status()) != v1::REASON_ROLE_REQUIRED)
    return agencies.status();
  if (options.as == "dcat")
    session.environment.out << DcatOf(entries, context).dump(2) << "\n";
  else
    session.environment.out << Gbt21063Of(entries, context);
  return absl::OkStatus();
}

}  // namespace

void AddCatalogueExportCommand(CLI::App& group, Invocation& invocation) {
  const auto options = std::make_shared<CatalogueExportOptions>();
  CLI::App* command = group.add_subcommand(
      "export", "entries for other catalogues: DCAT-AP, or core metadata of GB/T 21063");
  command->add_option("dataset", options->names, "AGENCY/DATASET; none: all that you may know of");
  command->add_option("--as", options->as, "dcat (JSON-LD) or gbt21063 (CSV)")
      ->required()
      ->check(CLI::IsMember({"dcat", "gbt21063"}));
  command->add_option("--agency", options->agency, "only this agency's");
  command->add_option("--base", options->base, "what IRIs begin with (urn:sluice:)");
  command->callback([&invocation, options] {
    invocation.command = [options](Session& session) { return ExportCatalogue(session, *options); };
  });
}

}  // namespace sluice::cli
