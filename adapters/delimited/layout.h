// Which columns a file has, and where its rows begin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/delimited/record_stream.h"
#include "adapters/delimited/settings.h"
#include "adapters/files/format.h"

namespace sluice::adapters::delimited {

// From the file's start. SOURCE_BAD_VALUE where it has no header that can be read.
absl::StatusOr<files::Layout> ReadLayout(const std::shared_ptr<const Content>& content,
                                         const DelimitedSettings& settings,
                                         const std::string& table, const Watch& watch);

}  // namespace sluice::adapters::delimited
