// The adapter of any kind of file: a Format over the files of a folder. Read only.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/files/budgets.h"
#include "adapters/files/format.h"
#include "adapters/files/settings.h"

namespace sluice::adapters::files {

// SOURCE_UNAVAILABLE where the files cannot be reached.
absl::StatusOr<std::unique_ptr<Adapter>> OpenFiles(std::shared_ptr<const Format> format,
                                                   FileSettings settings,
                                                   const Budgets& budgets = {});

}  // namespace sluice::adapters::files
