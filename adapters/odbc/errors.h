// The source's, the driver's and the driver manager's failures as our reasons. Their own texts may
// hold values and names of the owner's, so that they are compared with known ones and never
// repeated: what a foreign agency may read is written here. SQLSTATE and the driver's own number,
// which say nothing of the data, go to the operator (AddOperatorNote).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace sluice::adapters::odbc {

// One record of SQLGetDiagRec.
struct Diagnostic {
  std::string state;  // SQLSTATE
  int native = 0;
  std::string text;
};
using Diagnostics = std::vector<Diagnostic>;

absl::Status Unavailable(std::string_view sentence);
absl::Status Drift(std::string_view sentence);

// For a statement that failed: SOURCE_UNAVAILABLE where the source cannot, will not or may not
// answer now, SCHEMA_DRIFT where what is read is not there or of another type, SOURCE_BAD_VALUE
// where a value cannot be computed or converted, an internal status for the rest.
absl::Status StatementError(const Diagnostics& diagnostics);

// For a session that was not made. Always SOURCE_UNAVAILABLE.
absl::Status ConnectError(const Diagnostics& diagnostics);

// The session that said so is gone: another one may serve.
bool SaysSessionLost(const absl::Status& status);

}  // namespace sluice::adapters::odbc
