// What a change of a dataset does to the grants on it: the catalogue asks.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/catalogue/catalogue.h"

namespace sluice::sharing {

class GrantsTouched : public catalogue::GrantsOnDatasets {
 public:
  explicit GrantsTouched(const Clock& clock) : clock_(clock) {}

  absl::StatusOr<std::vector<v1::TouchedGrant>> TouchedBy(
      store::Reader& reader, const catalogue::DatasetPtr& before,
      const catalogue::DatasetPtr& after) override;
  absl::StatusOr<std::vector<audit::ChangeOutcome>> Revoke(store::Transaction& transaction,
                                                           const identity::Caller& caller,
                                                           const std::vector<std::string>& ids,
                                                           const std::string& reason) override;

 private:
  const Clock& clock_;
};

}  // namespace sluice::sharing
