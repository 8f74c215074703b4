// The adapter kind `postgres`: tables, views and the owner's queries of a PostgreSQL server, over
// libpq. Read only, in keyed ranges. docs/adapters/postgres.md says what an owner sees.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand.
absl::StatusOr<std::unique_ptr<Adapter>> OpenPostgres(const Settings& settings);
absl::Status CheckPostgresSettings(const Settings& settings);

}  // namespace sluice::adapters
