// A SQLite file with a table of permits.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace sluice::bench {

// Makes the file with its table `permit`, of so many rows, rounded up to whole batches. Dates,
// times and decimals are text, as the adapter `sqlite` wants them. An error where there is such a
// table.
absl::Status WritePermits(const std::string& path, int64_t rows);

}  // namespace sluice::bench
