// Where the receipts of a person's accesses are kept.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/session.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::cli {

// Keeps it in the folder of the tool's state; returns its path. UsageError where no variable says
// where that folder is.
absl::StatusOr<std::string> KeepInState(Session& session, const v1::Receipt& receipt);

}  // namespace sluice::cli
