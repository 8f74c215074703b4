// What a Flight client asks for, as the request that Exchange.Read takes (docs/formats/flight.md).
#pragma once

#include <map>
#include <string_view>

#include "absl/status/statusor.h"
#include "arrow/flight/Flight.pb.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::rpc {

// Of one call; names in small letters, values of names in "-bin" as bytes.
using CallHeaders = std::multimap<std::string_view, std::string_view>;

// A path of agency and dataset, with all else in headers named sluice-…; or a ReadRequest as JSON,
// which headers may add to. REQUEST_INVALID with a violation a mistake, at
// "flight_descriptor.path", "flight_descriptor.cmd", "headers.NAME" or "headers". Never repeats
// what it refuses.
absl::StatusOr<v1::ReadRequest> ReadRequestOf(
    const arrow::flight::protocol::FlightDescriptor& descriptor, const CallHeaders& headers);

}  // namespace sluice::rpc
