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
#include "gateway/identity/caller.h"
#include "gateway/identity/submit.h"
#include "gateway/store/store.h"
#include "sluice/v1/catalogue.pb.h"

namespace sluice::catalogue {

// One table as its source describes it now. The status NOT_FOUND without a reason where the source
// has no such table; SOURCE_UNAVAILABLE and the like otherwise.
using DescribeTable = std::function<absl::StatusOr<adapters::TableDescription>(
    const v1::Source& source, const std::string& table)>;

// The grants in force on a dataset that would not stand on this revision of it, each with why:
// sharing's GrantsBrokenBy.
struct BrokenGrant {
  std::string id;
  std::string why;
};
using GrantsBrokenBy = std::function<absl::StatusOr<std::vector<BrokenGrant>>(
    store::Reader& reader, const DatasetPtr& dataset)>;

class Catalogue {
 public:
  // The references outlive the catalogue.
  Catalogue(store::Store& store, audit::Changes& changes, const Clock& clock,
            DescribeTable describe, GrantsBrokenBy broken_by);

  // Caller: a person with the role owner, of the dataset's agency. ROLE_REQUIRED, NOT_OWNER,
  // DEFINITION_INVALID with field violations, SOURCE_NOT_OWNED (also where there is no such source:
  // what others have is not told), SCHEMA_DRIFT, STILL_IN_USE naming the grants, ETAG_MISMATCH
  // (also where the source was changed meanwhile), and those of the source and of audit::Changes.
  // Unchanged where it is applied again: nothing is recorded, the answer has no differences.
  void ApplyDataset(const identity::Caller& caller, v1::ApplyDatasetRequest request,
                    identity::Done<v1::ApplyDatasetResponse> done);
  // DATASET_UNKNOWN.
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

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  const DescribeTable describe_;
  const GrantsBrokenBy broken_by_;
};

// What a caller may see of a dataset: source, table and columns are the owner's and the operators'.
v1::Dataset VisibleTo(const identity::Principal& principal, v1::Dataset dataset);

}  // namespace sluice::catalogue
