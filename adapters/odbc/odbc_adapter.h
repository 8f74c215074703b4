// The adapter kind `odbc`: tables, views and the owner's queries of any SQL system that has an ODBC
// driver, through unixODBC. Read only, in keyed ranges. docs/adapters/odbc.md says what an owner
// sees, and which systems are proved.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand.
absl::StatusOr<std::unique_ptr<Adapter>> OpenOdbc(const Settings& settings);
absl::Status CheckOdbcSettings(const Settings& settings);

}  // namespace sluice::adapters
