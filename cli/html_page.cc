#include "cli/html_page.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::cli {
namespace {

constexpr char kStyle[] = R"(
:root { --ink: #1c2733; --soft: #5b6b7a; --line: #d5dde4; --let: #2a6f97; --no: #b5523b; }
* { box-sizing: border-box; }
body { font: 15px/1.5 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", system-ui, sans-serif;
  color: var(--ink); max-width: 67rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line); }
p { margin: .4rem 0; } .soft { color: var(--soft); font-size: .87rem; }
.facts { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; }
.fact { border: 1px solid var(--line); border-radius: .3rem; padding: .4rem .9rem; min-width: 7.5rem; }
.fact b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { text-align: left; padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; vertical-align: bottom; }
th:first-child, td:first-child { min-width: 6.5rem; } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.n { white-space: normal; overflow-wrap: normal; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.let { fill: var(--let); } .no { fill: var(--no); } .axis { stroke: var(--line); }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } h2 { break-after: avoid; }
  tr, svg, .fact { break-inside: avoid; } thead { display: table-header-group; } }
@page { margin: 15mm; }
)";

}  // namespace

std::string HtmlEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : Harmless(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string HtmlBegin(std::string_view title) {
  const std::string escaped = HtmlEscaped(title);
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"zh\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
      escaped, "</title>\n<style>", kStyle, "</style>\n</head>\n<body>\n<h1>", escaped, "</h1>\n");
}

std::string HtmlHeading(std::string_view chinese, std::string_view english) {
  return absl::StrCat("<h2>", std::string(chinese), " · ", std::string(english), "</h2>\n");
}

std::string HtmlTable(const std::vector<TableColumn>& columns,
                      const std::vector<std::vector<std::string>>& rows, size_t most,
                      std::string_view command) {
  if (rows.empty()) return "<p>无 · nothing</p>\n";
  std::string out = "<table>\n<thead><tr>";
  for (const TableColumn& column : columns)
    absl::StrAppend(&out, column.right ? "<th class=\"n\">" : "<th>", column.title, "</th>");
  out += "</tr></thead>\n<tbody>\n";
  for (size_t i = 0; i < rows.size() && i < most; ++i) {
    out += "<tr>";
    for (size_t k = 0; k < columns.size(); ++k)
      absl::StrAppend(&out, columns[k].right ? "<td class=\"n\">" : "<td>", HtmlEscaped(rows[i][k]),
                      "</td>");
    out += "</tr>\n";
  }
  out += "</tbody>\n</table>\n";
  if (rows.size() > most)
    absl::StrAppend(&out, "<p class=\"soft\">另有 ", rows.size() - most, " 行 · ",
                    rows.size() - most, " more lines: ", std::string(command), "</p>\n");
  return out;
}

int64_t AxisTop(int64_t most) {
  int64_t step = 1;
  while (step * 10 <= most) step *= 10;
  return std::max<int64_t>((most + step - 1) / step * step, 1);
}

}  // namespace sluice::cli
