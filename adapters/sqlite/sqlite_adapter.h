// The adapter kind `sqlite`: tables and views of a database file that its owner's application goes
// on using. Read only, in short keyed ranges. docs/adapters/sqlite.md says what an owner sees.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/sqlite/reader.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand.
absl::StatusOr<std::unique_ptr<Adapter>> OpenSqlite(const Settings& settings);
absl::Status CheckSqliteSettings(const Settings& settings);

// With other budgets than the product's.
absl::StatusOr<std::unique_ptr<Adapter>> OpenSqlite(const Settings& settings,
                                                    const sqlite::Budgets& budgets);

}  // namespace sluice::adapters
