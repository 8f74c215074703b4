// The adapter kind `fixed`: text in columns of fixed width. Read only. docs/adapters/fixed.md says
// what an owner sees.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/files/format.h"
#include "adapters/fixed/settings.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand.
absl::StatusOr<std::unique_ptr<Adapter>> OpenFixed(const Settings& settings);
absl::Status CheckFixedSettings(const Settings& settings);

namespace fixed {

std::shared_ptr<const files::Format> MakeFixedFormat(FixedSettings settings);

}  // namespace fixed
}  // namespace sluice::adapters
