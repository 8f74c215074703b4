// The adapter kind `copybook`: data files of COBOL programs, described by a copybook. Read only.
// docs/adapters/copybook.md says what an owner sees.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/copybook/copybook_file.h"
#include "adapters/copybook/settings.h"
#include "adapters/files/budgets.h"
#include "adapters/files/format.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand. The copybook is read, and what settings say
// of its fields is checked, when the source is opened: DEFINITION_INVALID.
absl::StatusOr<std::unique_ptr<Adapter>> OpenCopybook(const Settings& settings);
absl::Status CheckCopybookSettings(const Settings& settings);

// With other budgets than the product's.
absl::StatusOr<std::unique_ptr<Adapter>> OpenCopybook(const Settings& settings,
                                                      const files::Budgets& budgets);

namespace copybook {

ShapeOptions OptionsOf(const CopybookSettings& settings);
// Over a copybook that stands on disk, or one that never changes.
std::shared_ptr<const files::Format> MakeFormat(CopybookSettings settings);
std::shared_ptr<const files::Format> MakeFormat(CopybookSettings settings,
                                                std::shared_ptr<const Copybook> copybook);

}  // namespace copybook
}  // namespace sluice::adapters
