// The Catalogue service without its transport: datasets, by their owners.
//
// ApplyDataset asks the source for its tables before it changes anything, on the calling thread:
// call it, like the methods that read, where blocking is allowed. Any thread may call any method.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/catalogue/entry_metadata.h"
#include "gateway/catalogue/freshness.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/submit.h"
#include "gateway/store/store.h"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::catalogue {

// One table as its source describes it now. The status NOT_FOUND without a reason where the source
// has no such table; SOURCE_UNAVAILABLE and the like otherwise.
using DescribeTable = std::function<absl::StatusOr<adapters::TableDescription>(
    const v1::Source& source, const std::string& table)>;

// What sharing knows of the grants on a dataset; this room only asks.
class GrantsOnDatasets {
 public:
  virtual ~GrantsOnDatasets() = default;
  // The grants in force on a dataset that a change of it touches, with how. `after` null: it is
  // retired, and none can stand.
  virtual absl::StatusOr<std::vector<v1::TouchedGrant>> TouchedBy(store::Reader& reader,
                                                                  const DatasetPtr& before,
                                                                  const DatasetPtr& after) = 0;
  // Revokes them within the transaction that breaks them.
  virtual absl::StatusOr<std::vector<audit::ChangeOutcome>> Revoke(
      store::Transaction& transaction, const identity::Caller& caller,
      const std::vector<std::string>& ids, const std::string& reason) = 0;
};

// What the last look at a dataset's source found that does not fit; none where it fits.
using DriftOf = std::function<std::vector<std::string>(const std::string& dataset)>;

// What looks at sources found.
struct SourceFindings {
  DriftOf drift;
  FreshnessOf freshness;
};

class Catalogue {
 public:
  // The references outlive the catalogue.
  Catalogue(store::Store& store, audit::Changes& changes, const Clock& clock,
            DescribeTable describe, GrantsOnDatasets& grants, SourceFindings findings,
            PublicationRule publication = PublicationRule::kOwner);

  // Caller: a person with the role owner, of the dataset's agency. ROLE_REQUIRED, NOT_OWNER,
  // DEFINITION_INVALID with field violations, SOURCE_NOT_OWNED (also where there is no such source:
  // what others have is not told), SCHEMA_DRIFT, STILL_IN_USE naming the grants, ETAG_MISMATCH
  // (also where the source was changed meanwhile), and those of the source and of audit::Changes.
  // Unchanged where it is applied again: nothing is recorded, the answer has no differences.
  void ApplyDataset(const identity::Caller& caller, v1::ApplyDatasetRequest request,
                    identity::Done<v1::ApplyDatasetResponse> done);
  // Suspends, resumes or retires; suspending acts at commit. ROLE_REQUIRED, NOT_OWNER,
  // DATASET_UNKNOWN, REQUEST_INVALID, DATASET_RETIRED, STILL_IN_USE naming the grants,
  // ETAG_MISMATCH. Unchanged where it is so already.
  void SetDatasetState(const identity::Caller& caller, v1::SetDatasetStateRequest request,
                       identity::Done<v1::SetDatasetStateResponse> done);
  // Publishes what awaits it or was returned, or returns what awaits it, with a note; recorded
  // before it takes effect. Caller: a person with the role authority. ROLE_REQUIRED, SAME_HANDS for
  // one of the owner's agency, DATASET_UNKNOWN, REQUEST_INVALID (also of returning what is
  // published), DATASET_RETIRED, ETAG_MISMATCH, DEFINITION_INVALID where what has to be examined
  // first was not. Unchanged where it is so already.
  void ReviewDataset(const identity::Caller& caller, v1::ReviewDatasetRequest request,
                     identity::Done<v1::ReviewDatasetResponse> done);
  // DATASET_UNKNOWN, also where the caller's agency may not know of it.
  absl::StatusOr<v1::GetDatasetResponse> GetDataset(const identity::Caller& caller,
                                                    const v1::GetDatasetRequest& request);
  // PAGE_TOKEN_INVALID, REQUEST_INVALID.
  absl::StatusOr<v1::ListDatasetsResponse> ListDatasets(const identity::Caller& caller,
                                                        const v1::ListDatasetsRequest& request);

 private:
  struct Wanted;
  struct Plan;
  absl::StatusOr<Wanted> Check(const identity::Caller& caller,
                               const v1::ApplyDatasetRequest& request);
  absl::StatusOr<Plan> MakePlan(store::Reader& reader, const identity::Caller& caller,
                                const Wanted& wanted) const;
  absl::Status CompareWithSource(Wanted& wanted);
  absl::StatusOr<audit::ChangeOutcome> Move(store::Transaction& transaction,
                                            const identity::Caller& caller,
                                            const v1::SetDatasetStateRequest& request,
                                            v1::SetDatasetStateResponse& response);
  absl::StatusOr<audit::ChangeOutcome> Review(store::Transaction& transaction,
                                              const identity::Caller& caller,
                                              const v1::ReviewDatasetRequest& request,
                                              v1::Dataset& after) const;
  void SetPublication(const std::optional<v1::Dataset>& before, v1::Dataset& after) const;
  void Stamp(const identity::Caller& caller, int64_t revision, v1::Dataset& after) const;

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  const DescribeTable describe_;
  GrantsOnDatasets& grants_;
  const SourceFindings findings_;
  const PublicationRule publication_;
};

// The words of a search text, in small letters. `field` is the request's, for the refusal of one
// that is too long (REQUEST_INVALID).
absl::StatusOr<std::vector<std::string>> SearchWords(std::string_view search,
                                                     std::string_view field);
// Whether all words stand in its name, title, description or fields.
bool Matches(const v1::Dataset& dataset, const std::vector<std::string>& words);
// How far down it stands among what was found, 0 to 999: the sum over the words of where each
// stands, name before title before fields before description, and in each as a whole before a part
// of a longer word. Chinese has no gaps between words: there every part is whole. Nothing where one
// of them stands nowhere.
std::optional<int> SearchRank(const v1::Dataset& dataset, const std::vector<std::string>& words);

// Whether a caller may know of a dataset: its agency is in the audience, or its role shows it all.
bool MayKnow(const identity::Principal& principal, const v1::Dataset& dataset);
// What a caller may see of a dataset: source, table and columns are the owner's and the operators'.
v1::Dataset VisibleTo(const identity::Principal& principal, v1::Dataset dataset);

}  // namespace sluice::catalogue
