// What a grant may say, against all that it names. For this room.
#pragma once

#include "absl/status/status.h"
#include "gateway/base/clock.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

// OK, or DEFINITION_INVALID with a field violation ("grant.systems[1]") each: what policy::Compile
// finds, an agency or system that is not registered, a purpose that the authority's list or the
// dataset does not have, an end that is past, numbers out of bounds.
absl::Status CheckGrant(store::Reader& reader, const v1::Grant& grant,
                        const catalogue::DatasetPtr& dataset, Micros now);

}  // namespace sluice::sharing
