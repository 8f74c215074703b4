// What the catalogue shows: one dataset, or those that are looked for.
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/definition_text.h"
#include "gateway/identity/registration.h"

namespace sluice::catalogue {
namespace {

using identity::Caller;

constexpr int kMostPerPage = 1000;
constexpr int kUsualPage = 100;
// Revisions that a history tells at most.
constexpr int64_t kMostHistory = 100;

bool IsInside(const identity::Principal& principal, const v1::Dataset& dataset) {
  return principal.agency == dataset.name().substr(0, dataset.name().find('/')) ||
         principal.Has(v1::ROLE_OPERATOR);
}

// How the dataset came to be what it is.
absl::Status TellHistory(store::Reader& reader, const v1::Dataset& dataset,
                         v1::GetDatasetResponse& response) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto revisions,
      LoadRevisions(reader, dataset.name(), dataset.revision(), kMostHistory + 1));
  for (size_t i = 0; i < revisions.size(); ++i) {
    // One more was read, to compare with.
    if (i == 0 && revisions.size() > static_cast<size_t>(kMostHistory)) continue;
    v1::DatasetRevision& step = *response.add_history();
    step.set_revision(revisions[i].revision());
    *step.mutable_changed() = revisions[i].changed();
    step.set_changed_by(revisions[i].changed_by());
    step.set_state(revisions[i].state());
    step.set_state_reason(revisions[i].state_reason());
    if (i == 0) continue;
    for (auto& line : identity::Differences(revisions[i - 1], revisions[i], DefinitionText))
      step.add_differences(std::move(line));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked == 0) return kUsualPage;
  if (asked > 0 && asked <= kMostPerPage) return asked;
  return InvalidField("page_size", "1 to 1,000");
}

// Where a dataset stands in a list: by its rank, then by its name.
using ListPlace = std::pair<int, std::string>;

// A token is the place of the last that was given out, in three digits and the name; what follows
// is looked at anew for each caller.
std::string TokenOf(const ListPlace& place) {
  return HexEncode(absl::StrFormat("%03d%s", place.first, place.second));
}

absl::StatusOr<ListPlace> PlaceOf(const std::string& page_token) {
  if (page_token.empty()) return ListPlace(-1, "");
  const auto token = HexDecode(page_token);
  int rank = 0;
  if (!token.ok() || token->size() < 4 || !absl::SimpleAtoi(token->substr(0, 3), &rank) ||
      rank < 0 || !identity::SplitName(token->substr(3)))
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "The page token is not one of this list's.");
  return ListPlace(rank, token->substr(3));
}

}  // namespace

absl::StatusOr<v1::GetDatasetResponse> Catalogue::GetDataset(const Caller& caller,
                                                             const v1::GetDatasetRequest& request) {
  if (request.revision() < 0) return InvalidField("revision", "0 for the newest, or from 1");
  v1::GetDatasetResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    // Who may know of it is the newest revision's to say.
    SLUICE_ASSIGN_OR_RETURN(const auto newest, FindDataset(reader, request.name()));
    if (!newest || !MayKnow(caller.principal, *newest)) return NoSuchDataset(request.name());
    SLUICE_ASSIGN_OR_RETURN(auto dataset, FindDataset(reader, request.name(), request.revision()));
    // What it was before it was published is its owner's and the authority's.
    if (dataset && !IsPublished(*dataset) && !MayKnow(caller.principal, *dataset)) dataset.reset();
    if (!dataset)
      return Error(v1::REASON_NOT_FOUND, "The dataset has no such revision.",
                   {{"dataset", request.name()}});
    if (IsInside(caller.principal, *newest)) {
      SLUICE_RETURN_IF_ERROR(TellHistory(reader, *dataset, response));
      for (std::string& line : findings_.drift(request.name())) response.add_drift(std::move(line));
    }
    if (auto freshness = findings_.freshness(request.name()))
      *response.mutable_freshness() =
          ShownFreshness(*std::move(freshness), newest->update_cycle(),
                         IsInside(caller.principal, *newest), clock_.Now());
    *response.mutable_dataset() = VisibleTo(caller.principal, *std::move(dataset));
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListDatasetsResponse> Catalogue::ListDatasets(
    const Caller& caller, const v1::ListDatasetsRequest& request) {
  SLUICE_ASSIGN_OR_RETURN(const int page, PageSize(request.page_size()));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> words,
                          SearchWords(request.search(), "search"));
  SLUICE_ASSIGN_OR_RETURN(const ListPlace begin, PlaceOf(request.page_token()));
  // The best that follow the last page, and one more, which tells that there is another.
  std::map<ListPlace, v1::Dataset> found;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    // Without words all rank alike, and the names before the page need not be read.
    std::string after = words.empty() ? begin.second : "";
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(
          auto datasets, catalogue::ListDatasets(reader, request.agency(), after, kMostPerPage));
      for (auto& dataset : datasets) {
        after = dataset.name();
        if (!MayKnow(caller.principal, dataset)) continue;
        if (dataset.state() == v1::DATASET_STATE_RETIRED && !request.include_retired()) continue;
        const auto rank = SearchRank(dataset, words);
        if (!rank || ListPlace(*rank, dataset.name()) <= begin) continue;
        found.emplace(ListPlace(*rank, dataset.name()), std::move(dataset));
        if (found.size() > static_cast<size_t>(page) + 1) found.erase(std::prev(found.end()));
        if (words.empty() && found.size() > static_cast<size_t>(page)) return absl::OkStatus();
      }
      if (datasets.size() < static_cast<size_t>(kMostPerPage)) return absl::OkStatus();
    }
  }));
  v1::ListDatasetsResponse response;
  const bool more = found.size() > static_cast<size_t>(page);
  if (more) found.erase(std::prev(found.end()));
  if (more) response.set_next_page_token(TokenOf(std::prev(found.end())->first));
  for (auto& [place, dataset] : found) {
    if (auto freshness = findings_.freshness(dataset.name()))
      (*response.mutable_freshness())[dataset.name()] =
          ShownFreshness(*std::move(freshness), dataset.update_cycle(),
                         IsInside(caller.principal, dataset), clock_.Now());
    *response.add_datasets() = VisibleTo(caller.principal, std::move(dataset));
  }
  return response;
}

bool MayKnow(const identity::Principal& principal, const v1::Dataset& dataset) {
  return InAudience(dataset, principal.agency) || principal.Has(v1::ROLE_OPERATOR) ||
         principal.Has(v1::ROLE_AUDITOR) || principal.Has(v1::ROLE_AUTHORITY);
}

v1::Dataset VisibleTo(const identity::Principal& principal, v1::Dataset dataset) {
  if (IsInside(principal, dataset)) return dataset;
  dataset.clear_source();
  dataset.clear_table();
  for (auto& field : *dataset.mutable_fields()) field.clear_column();
  // Whom else it is meant for is the owner's matter.
  dataset.clear_audience();
  return dataset;
}

}  // namespace sluice::catalogue
