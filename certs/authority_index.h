// issued.jsonl: one JSON object a certificate that an authority has signed. Internal to certs/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "certs/authority.h"

namespace sluice::certs {

std::string WriteIssued(const std::vector<IssuedCertificate>& issued);
// DEFINITION_INVALID naming place and line: an index that cannot be read whole must not be written
// over.
absl::StatusOr<std::vector<IssuedCertificate>> ReadIssued(std::string_view text,
                                                          std::string_view place);

}  // namespace sluice::certs
