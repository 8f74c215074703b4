// The adapter kind `dbf`: dBase and FoxPro tables that an owner leaves in a folder, with their
// memos. Read only. docs/adapters/dbf.md says what an owner sees.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/dbf/settings.h"
#include "adapters/files/budgets.h"
#include "adapters/files/format.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand.
absl::StatusOr<std::unique_ptr<Adapter>> OpenDbf(const Settings& settings);
absl::Status CheckDbfSettings(const Settings& settings);

// With other budgets than the product's.
absl::StatusOr<std::unique_ptr<Adapter>> OpenDbf(const Settings& settings,
                                                 const files::Budgets& budgets);

namespace dbf {

std::shared_ptr<const files::Format> MakeFormat(DbfSettings settings);

}  // namespace dbf
}  // namespace sluice::adapters
