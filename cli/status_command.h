// What the operator asks by two names: `sluice status` and `sluice ops status`, `reload` likewise.
#pragma once

#include "absl/status/status.h"
#include "cli/session.h"

namespace sluice::cli {

absl::Status ShowStatus(Session& session);
// The alarms that are raised; fails where there is one.
absl::Status ShowAlarms(Session& session);
absl::Status ReloadConfiguration(Session& session);

}  // namespace sluice::cli
