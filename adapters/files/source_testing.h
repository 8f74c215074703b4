// A source of CSV files somewhere, and what a scan of it gives. For tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "gateway/base/fake_clock.h"

namespace sluice::adapters::files {

struct ScannedTexts {
  std::vector<std::string> rows;  // values with commas between
  std::string version;
  absl::Status status;
};

// Columns that are texts; `key` of them, from the first, are the key.
ScanRequest TextRequest(const std::string& table, const std::vector<std::string>& columns,
                        int key = 0);
// The rest of the scan.
ScannedTexts Drain(RecordReader& reader);
ScannedTexts ScanAll(Adapter& adapter, ScanRequest request, const CallContext& context);

// "id,name\n1,somebody\n…".
std::string People(int rows);

}  // namespace sluice::adapters::files
