// sluice catalogue publish|return|log: an entry's way into the catalogue, and how it changed since.
#include "cli/catalogue_review.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/catalogue_words.h"
#include "cli/methods.h"
#include "cli/times.h"
#include "cli/words.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// Revisions that a log tells where no other number was asked for.
constexpr int kUsualLog = 20;
constexpr int kMostLog = 1000;

struct CatalogueReviewOptions {
  std::string name, note, etag;
  int most = kUsualLog;
};

template <v1::Publication publication>
absl::Status Review(Session& session, const CatalogueReviewOptions& options) {
  v1::ReviewDatasetRequest request;
  request.set_name(options.name);
  request.set_publication(publication);
  request.set_note(options.note);
  request.set_etag(options.etag);
  SLUICE_ASSIGN_OR_RETURN(const auto response, Ask(session, kReviewDataset, request));
  const v1::Dataset& dataset = response.dataset();
  FailureLines lines = {
      {"dataset", absl::StrCat(dataset.name(), ", revision ", dataset.revision())},
      {"publication", publication == v1::PUBLICATION_PUBLISHED
                          ? "published: all agencies of its audience find it"
                          : "returned: its owner mends it and applies it again"}};
  if (!options.note.empty()) lines.emplace_back("note", options.note);
  session.PrintOne(lines, response);
  return absl::OkStatus();
}

// The newest revisions, newest first; those that the caller may not see are left out.
absl::StatusOr<std::vector<v1::Dataset>> NewestRevisions(Session& session,
                                                         const v1::Dataset& newest, int most) {
  std::vector<v1::Dataset> revisions = {newest};
  v1::GetDatasetRequest request;
  request.set_name(newest.name());
  for (int64_t revision = newest.revision() - 1;
       revision > 0 && revisions.size() < static_cast<size_t>(most); --revision) {
    request.set_revision(revision);
    auto response = Ask(session, kGetDataset, request);
    if (ReasonOf(response.status()) == v1::REASON_NOT_FOUND) break;
    if (!response.ok()) return response.status();
    revisions.push_back(response->dataset());
  }
  return revisions;
}

absl::Status ShowChangeLog(Session& session, const CatalogueReviewOptions& options) {
  v1::GetDatasetRequest request;
  request.set_name(options.name);
  SLUICE_ASSIGN_OR_RETURN(const auto newest, Ask(session, kGetDataset, request));
  SLUICE_ASSIGN_OR_RETURN(const auto revisions,
                          NewestRevisions(session, newest.dataset(), options.most));
  std::map<int64_t, const v1::DatasetRevision*> steps;
  for (const v1::DatasetRevision& step : newest.history()) steps[step.revision()] = &step;
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < revisions.size(); ++i) {
    const v1::Dataset& dataset = revisions[i];
    const v1::Dataset* before = i + 1 < revisions.size() ? &revisions[i + 1] : nullptr;
    // A note stands in all revisions behind the one that it is of.
    std::vector<std::string> notes;
    const auto note = [&](const std::string& now, const std::string& then) {
      if (!now.empty() && (before == nullptr || now != then)) notes.push_back(now);
    };
    const v1::Dataset& then = before == nullptr ? v1::Dataset::default_instance() : *before;
    note(dataset.metadata().change_note(), then.metadata().change_note());
    note(dataset.state_reason(), then.state_reason());
    note(dataset.publication_note(), then.publication_note());
    const auto step = steps.find(dataset.revision());
    rows.push_back({absl::StrCat(dataset.revision()),
                    FormatTime(ToMicros(dataset.changed()), session.environment.zone),
                    PrincipalWords(dataset.changed_by()),
                    LowerEnumWord(v1::DatasetState_descriptor(), dataset.state()),
                    LowerEnumWord(v1::Publication_descriptor(), dataset.publication()),
                    absl::StrJoin(notes, "; "),
                    step == steps.end() ? "" : absl::StrJoin(step->second->differences(), "; ")});
  }
  session.PrintList({{"revision", true},
                     {"time"},
                     {"who"},
                     {"state"},
                     {"publication"},
                     {"note"},
                     {"differences"}},
                    rows, revisions);
  return absl::OkStatus();
}

}  // namespace

void AddReviewCommands(CLI::App& group, Invocation& invocation) {
  const auto options = std::make_shared<CatalogueReviewOptions>();
  const auto add = [&](const char* name, const char* help,
                       absl::Status (*run)(Session&, const CatalogueReviewOptions&)) {
    CLI::App* command = group.add_subcommand(name, help);
    command->callback([&invocation, options, run] {
      invocation.command = [options, run](Session& s) { return run(s, *options); };
    });
    command->add_option("dataset", options->name, "AGENCY/DATASET")->required();
    return command;
  };
  CLI::App* publish = add("publish", "as the authority, let others know of an entry",
                          Review<v1::PUBLICATION_PUBLISHED>);
  publish->add_option("--note", options->note, "recorded, and shown with the entry");
  CLI::App* give_back = add("return", "as the authority, send an entry back to its owner",
                            Review<v1::PUBLICATION_RETURNED>);
  give_back->add_option("--note", options->note, "all that its owner has to mend")->required();
  for (CLI::App* command : {publish, give_back})
    command->add_option("--etag", options->etag, "only as it was when you read it");
  CLI::App* log = add("log", "how a dataset changed, newest first, with its notes", ShowChangeLog);
  log->add_option("--most", options->most, "revisions at most")
      ->check(CLI::Range(1, kMostLog))
      ->capture_default_str();
}

}  // namespace sluice::cli
