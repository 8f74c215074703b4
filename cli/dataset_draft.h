// A dataset's definition as a draft, of what a source says of a table: an owner's first page that
// is not blank. What only the owner can know is left to them, each marked with "decide:"; until it
// is filled in the gateway refuses the file, naming it. Classes begin at the strictest.
#pragma once

#include <string>

#include "sluice/v1/adapter.pb.h"
#include "sluice/v1/registry.pb.h"

namespace sluice::cli {

// YAML that ParseDatasetYaml reads, but for what is marked.
std::string DraftDataset(const v1::DescribeSourceResponse& source,
                         const v1::TableDescription& table);

}  // namespace sluice::cli
