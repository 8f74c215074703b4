// A copybook as a tree of items. Takes what COBOL programs share as a record's description; what
// changes a record's bytes and is not read (SYNC, RENAMES, …) is refused by its name.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/copybook/item.h"
#include "adapters/copybook/scanner.h"

namespace sluice::adapters::copybook {

// The items of the lowest level stand under a root without name. Second and later ones of level 01
// lie over the first: each describes the same bytes. INVALID_ARGUMENT that names the line and says
// what to do.
absl::StatusOr<std::unique_ptr<Item>> ParseCopybook(std::string_view text, ReferenceFormat format);

}  // namespace sluice::adapters::copybook
