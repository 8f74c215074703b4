// Predicates as filter text with parameters: what a consumer would send for one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/records/predicate.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::system_test {

// Puts filter and parameters into the request; false, and nothing, where filter text cannot say it
// (a constant, an infinite number, an order of booleans).
bool SetFilter(const records::Predicate& predicate, const std::vector<records::Field>& fields,
               const std::vector<std::string>& names, v1::QueryRequest& request);

}  // namespace sluice::system_test
