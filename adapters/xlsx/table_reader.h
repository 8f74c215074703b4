// Reads a sheet as a table: its header's names, and its rows into a Scratch, from which they are
// read by offset. One pass over the part, in steps, whatever its size. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/format.h"
#include "adapters/files/scratch_content.h"
#include "adapters/xlsx/archive.h"
#include "adapters/xlsx/settings.h"
#include "adapters/xlsx/sheet.h"
#include "adapters/xlsx/text.h"
#include "adapters/xlsx/workbook.h"

namespace sluice::adapters::xlsx {

// The names of columns from the cells of a header, whose texts are resolved. A merged cell counts
// in each row and column that it covers; names are joined from top to bottom.
std::vector<std::string> HeaderNames(const std::vector<std::vector<Cell>>& rows, int64_t first_row,
                                     const std::vector<Area>& merged);

struct XlsxLayout : files::Layout {
  bool from_1904 = false;
};

// Which sheet of the workbook the table is. NOT_FOUND where it is none.
absl::StatusOr<const Sheet*> FindSheet(const Workbook& workbook, const XlsxSettings& settings,
                                       const files::TableName& table);

class TableReader {
 public:
  // `work_folder` empty: only the layout is wanted, and what is not needed for it is not read.
  TableReader(std::shared_ptr<const files::Content> file, files::TableName table,
              std::shared_ptr<const XlsxSettings> settings, std::string work_folder);
  ~TableReader();

  // What a watch ended goes on with the next call.
  absl::Status Read(const files::Watch& watch);
  // Once read.
  std::shared_ptr<const XlsxLayout> layout() const { return layout_; }
  absl::StatusOr<std::shared_ptr<const files::Content>> Rows() { return rows_->Finish(); }

 private:
  class Events;
  enum class Phase { kStart, kTexts, kSheet, kHeader, kDone };

  bool OnlyLayout() const { return work_folder_.empty(); }
  absl::Status Begin(const files::Watch& watch);
  absl::Status BeginTexts();
  absl::Status BeginSheet();
  absl::Status PickTexts(const files::Watch& watch);
  absl::Status Finish();

  const std::shared_ptr<const files::Content> file_;
  const files::TableName table_;
  const std::shared_ptr<const XlsxSettings> settings_;
  const std::string work_folder_;
  const TablePlace place_;

  Phase phase_ = Phase::kStart;
  std::unique_ptr<Archive> archive_;
  Workbook workbook_;
  std::string sheet_part_;
  std::unique_ptr<SharedTexts> texts_;
  std::unique_ptr<SharedTextEvents> text_events_;
  std::unique_ptr<Events> events_;
  std::unique_ptr<XmlPart> part_;
  std::unique_ptr<files::ScratchBytes> rows_;
  std::shared_ptr<const XlsxLayout> layout_;
};

}  // namespace sluice::adapters::xlsx
