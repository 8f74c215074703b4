// Rows to stdout in the format asked for: JSON lines and CSV as they come, a table at the end, when
// its widths are known.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "gateway/records/row_batch.h"

namespace sluice::cli {

class RowsOutput {
 public:
  explicit RowsOutput(Session& session) : session_(session) {}
  void Add(const records::RecordBatch& batch);
  void End();

 private:
  void Gather(const records::RecordBatch& batch);

  Session& session_;
  bool begun_ = false;
  std::vector<TableColumn> columns_;
  std::vector<std::vector<std::string>> cells_;
};

}  // namespace sluice::cli
