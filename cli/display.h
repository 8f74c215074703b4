// Text on a terminal: how wide it is, and what of it must not reach one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

// Columns that a terminal gives the text: two for a Chinese character, none for a combining one.
size_t DisplayWidth(std::string_view text);
// What came from elsewhere, fit for a terminal: control characters, direction overrides and broken
// UTF-8 are written out ("\u{1B}"), so that data cannot move the cursor or hide itself.
std::string Harmless(std::string_view text, bool keep_lines = false);

std::string PadRight(std::string_view text, size_t width);
std::string PadLeft(std::string_view text, size_t width);

struct TableColumn {
  std::string title;
  bool right = false;  // numbers
};
// Every row has as many cells as there are columns. Cells are made harmless here.
std::string FormatTable(const std::vector<TableColumn>& columns,
                        const std::vector<std::vector<std::string>>& rows);
// RFC 4180, with CRLF.
std::string FormatCsv(const std::vector<TableColumn>& columns,
                      const std::vector<std::vector<std::string>>& rows);

// 1234567 as "1,234,567".
std::string Grouped(int64_t number);

}  // namespace sluice::cli
