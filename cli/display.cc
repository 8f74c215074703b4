#include "cli/display.h"

#include <utf8proc.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::cli {
namespace {

// The next code point, or -1 for a byte that begins none; `size` is what it takes.
utf8proc_int32_t Next(std::string_view text, size_t& size) {
  utf8proc_int32_t point = -1;
  const auto taken = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                      static_cast<utf8proc_ssize_t>(text.size()), &point);
  size = taken > 0 ? static_cast<size_t>(taken) : 1;
  return taken > 0 ? point : -1;
}

bool IsHarmful(utf8proc_int32_t point) {
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:  // controls, escape among them
    case UTF8PROC_CATEGORY_CF:  // direction overrides, zero width
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CS:
      return true;
    default:
      return false;
  }
}

bool NeedsQuotes(std::string_view cell) {
  return cell.find_first_of(",\"\r\n") != std::string_view::npos;
}

void AppendCsvLine(const std::vector<std::string>& cells, std::string& out) {
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    if (!NeedsQuotes(cells[i])) {
      out += cells[i];
      continue;
    }
    out += '"';
    for (const char c : cells[i]) out.append(c == '"' ? 2 : 1, c);
    out += '"';
  }
  out += "\r\n";
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t size = 0; !text.empty(); text.remove_prefix(size)) {
    const auto point = Next(text, size);
    width += point < 0 ? 1 : static_cast<size_t>(std::max(0, utf8proc_charwidth(point)));
  }
  return width;
}

std::string Harmless(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  for (size_t size = 0; !text.empty(); text.remove_prefix(size)) {
    const auto point = Next(text, size);
    if (point < 0) {
      absl::StrAppend(&out, "\\x", absl::Hex(static_cast<unsigned char>(text[0]), absl::kZeroPad2));
    } else if (IsHarmful(point) && !(keep_lines && point == '\n')) {
      absl::StrAppend(&out, "\\u{", absl::Hex(static_cast<uint32_t>(point)), "}");
    } else {
      out.append(text.substr(0, size));
    }
  }
  return out;
}

std::string PadRight(std::string_view text, size_t width) {
  std::string out(text);
  if (const size_t have = DisplayWidth(text); have < width) out.append(width - have, ' ');
  return out;
}

std::string PadLeft(std::string_view text, size_t width) {
  const size_t have = DisplayWidth(text);
  std::string out;
  if (have < width) out.assign(width - have, ' ');
  out.append(text);
  return out;
}

std::string FormatTable(const std::vector<TableColumn>& columns,
                        const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> cells(1);
  for (const TableColumn& column : columns) cells[0].push_back(Harmless(column.title));
  for (const auto& row : rows) {
    auto& line = cells.emplace_back();
    for (const std::string& cell : row) line.push_back(Harmless(cell));
  }
  std::vector<size_t> widths(columns.size(), 0);
  for (const auto& line : cells)
    for (size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], DisplayWidth(line[i]));

  std::string out;
  for (size_t row = 0; row < cells.size(); ++row) {
    for (size_t i = 0; i < widths.size(); ++i) {
      out.append(i == 0 ? " " : " │ ");
      const bool last = i + 1 == widths.size();
      out.append(columns[i].right ? PadLeft(cells[row][i], widths[i])
                 : last           ? cells[row][i]
                                  : PadRight(cells[row][i], widths[i]));
    }
    out += '\n';
    if (row > 0) continue;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (i > 0) out += "┼";
      for (size_t k = 0; k < widths[i] + 2; ++k) out += "─";
    }
    out += '\n';
  }
  return out;
}

std::string FormatCsv(const std::vector<TableColumn>& columns,
                      const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  std::vector<std::string> header;
  for (const TableColumn& column : columns) header.push_back(column.title);
  AppendCsvLine(header, out);
  for (const auto& row : rows) AppendCsvLine(row, out);
  return out;
}

std::string Grouped(int64_t number) {
  const std::string digits = absl::StrCat(number);
  const size_t first = number < 0 ? 1 : 0;
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > first && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

}  // namespace sluice::cli
