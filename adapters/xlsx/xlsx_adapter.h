// The adapter kind `xlsx`: workbooks that an owner leaves in a folder, a sheet as a table. Read
// only. docs/adapters/xlsx.md says what an owner sees.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/files/budgets.h"
#include "adapters/files/format.h"
#include "adapters/xlsx/settings.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand.
absl::StatusOr<std::unique_ptr<Adapter>> OpenXlsx(const Settings& settings);
absl::Status CheckXlsxSettings(const Settings& settings);

// With other budgets than the product's.
absl::StatusOr<std::unique_ptr<Adapter>> OpenXlsx(const Settings& settings,
                                                  const files::Budgets& budgets);

namespace xlsx {

std::shared_ptr<const files::Format> MakeFormat(XlsxSettings settings);

}  // namespace xlsx
}  // namespace sluice::adapters
