// From what was asked for to what is given. Pure.
#pragma once

#include "absl/status/status.h"
#include "gateway/catalogue/dataset.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

// The grant that gives what was asked for, but for each part that `terms` sets. Fields without a
// mask get the least mask that the dataset demands. In force, without id and revision.
v1::Grant GrantFor(const v1::AccessRequest& request, const v1::Grant& terms,
                   const catalogue::Dataset& dataset);

// OK, or DEFINITION_INVALID with a field violation for each part of the grant that goes beyond the
// request: dataset, consumer, systems, purposes, fields, modes, time. An owner who wants to give
// more gives a grant of its own accord.
absl::Status CheckWithin(const v1::Grant& grant, const v1::AccessRequest& request);

}  // namespace sluice::sharing
