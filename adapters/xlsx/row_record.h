// A row as it is unpacked: its cells, one behind the other, so that a row is found by its offset.
//
//   length  4 bytes, little-endian: of what follows
//   number  4 bytes, little-endian: the sheet's row, from 1
//   cells   of each: how many columns it stands behind the one before (the first: its column), 2
//           bytes; its kind, 1 byte; its value's length, 4 bytes; its value
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/xlsx/sheet.h"

namespace sluice::adapters::xlsx {

inline constexpr size_t kRecordHead = 8;

struct CellView {
  CellKind kind = CellKind::kEmpty;
  std::string_view value;
};

void AppendRecord(int64_t number, const std::vector<Cell>& cells, size_t count, size_t width,
                  std::string& out);

// How long the record that begins there is, head and all.
size_t RecordSize(std::string_view head);
int64_t RecordNumber(std::string_view head);
// The cells of a whole record, by column; `cells` has the table's width, and gets no more. False
// for what is none.
bool ReadRecord(std::string_view record, std::vector<CellView>& cells);

}  // namespace sluice::adapters::xlsx
