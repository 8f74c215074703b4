// Synthetic rows for measuring readers of files: goods in a store that does not exist, the same in
// every run, written in the form that each kind of adapter reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "adapters/adapter.h"

namespace sluice::bench {

// item_no (the key: ten digits, rising), name, district (utf8), counted (date32), quantity (int64),
// price (decimal128(12,2)). Nothing is null.
struct StockForm {
  std::string name;  // the kind of adapter that reads it
  // Writes the rows into a new file at `path`.
  absl::Status (*write)(const std::string& path, int64_t rows);
  // What a source with that file is told, and the columns' names there.
  adapters::Settings (*settings)(const std::string& path);
  std::vector<std::string> columns;
  int64_t row_bytes;  // about
};

// delimited (GB18030), fixed, copybook (EBCDIC, packed numbers; the copybook is written beside the
// file, as PATH.cpy), dbf, sqlite.
const std::vector<StockForm>& StockForms();

// Reads all columns of `table`, in the order of the key.
adapters::ScanRequest StockScan(const StockForm& form, const std::string& table);
std::string StockItem(int64_t row);

}  // namespace sluice::bench
