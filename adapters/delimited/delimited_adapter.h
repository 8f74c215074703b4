// The adapter kind `delimited`: CSV and TSV files that an owner leaves in a folder. Read only.
// docs/adapters/delimited.md says what an owner sees.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/delimited/settings.h"
#include "adapters/files/budgets.h"
#include "adapters/files/format.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand.
absl::StatusOr<std::unique_ptr<Adapter>> OpenDelimited(const Settings& settings);
absl::Status CheckDelimitedSettings(const Settings& settings);

// With other budgets than the product's.
absl::StatusOr<std::unique_ptr<Adapter>> OpenDelimited(const Settings& settings,
                                                       const files::Budgets& budgets);

namespace delimited {

std::shared_ptr<const files::Format> MakeFormat(DelimitedSettings settings);

}  // namespace delimited
}  // namespace sluice::adapters
