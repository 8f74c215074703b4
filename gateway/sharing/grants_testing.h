// What tests of grants share: registered agencies with a dataset of the police's, and callers.
#pragma once

#include <string>

#include "gateway/audit/record_testing.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/identity/world_testing.h"
#include "gateway/sharing/grants.h"

namespace sluice::sharing {

class GrantsWorld : public identity::World {
 public:
  GrantsWorld();

  // police/persons: id (L4, at least partial(3..4)), born, income, county, points.
  static v1::Dataset Persons();
  // The next revision, past all checks of the catalogue.
  void PutDataset(const v1::Dataset& dataset);

  // Of the police's persons for welfare, a month long. New.
  v1::Grant Wanted() const;
  absl::StatusOr<v1::ApplyGrantResponse> Apply(const identity::Caller& caller,
                                               const v1::Grant& grant, bool dry_run = false);
  // As the owner; it must go well.
  v1::Grant MustApply(const v1::Grant& grant);
  absl::StatusOr<v1::RevokeGrantResponse> Revoke(const identity::Caller& caller,
                                                 const std::string& id,
                                                 const std::string& etag = "",
                                                 const std::string& reason = "misuse");
  absl::StatusOr<v1::SetGrantStateResponse> SetState(const identity::Caller& caller,
                                                     const std::string& id, v1::GrantState state,
                                                     const std::string& etag = "",
                                                     const std::string& reason = "an inquiry");
  absl::StatusOr<v1::GetGrantResponse> Get(const identity::Caller& caller, const std::string& id,
                                           int64_t revision = 0);

  audit::CountingRandom random;
  Grants grants{*store, *changes, clock, random, [](const v1::Grant&) {
                  v1::QuotaLeft left;
                  left.set_rows_total(41);
                  return left;
                }};
  identity::Caller owner, clerk, other_owner, consumer_clerk, consumer_system, owner_system,
      other_system, auditor, authority, operator_person;
};

}  // namespace sluice::sharing
