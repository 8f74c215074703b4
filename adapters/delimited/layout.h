// Which columns a file has, and where its rows begin.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/delimited/record_stream.h"
#include "adapters/delimited/settings.h"

namespace sluice::adapters::delimited {

struct Layout {
  std::vector<std::string> columns;
  Place rows;  // the first row

  // As the catalogue compares names: exactly, else without regard to ASCII case. SCHEMA_DRIFT where
  // there is none, or where it could be either of two.
  absl::StatusOr<size_t> Find(std::string_view table, std::string_view column) const;
};

// From the file's start. SOURCE_BAD_VALUE where it has no header that can be read.
absl::StatusOr<Layout> ReadLayout(const std::shared_ptr<const SourceFile>& file,
                                  const DelimitedSettings& settings, const std::string& table,
                                  const Watch& watch);

}  // namespace sluice::adapters::delimited
