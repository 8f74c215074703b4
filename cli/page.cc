#include "cli/page.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/display.h"

namespace sluice::cli {
namespace {

constexpr size_t kLabelWidth = 10;
constexpr size_t kHeadWidth = 60;
constexpr size_t kTextWidth = 90;
constexpr absl::string_view kDot = " · ";

}  // namespace

void Page::Head(std::string_view what, std::string_view state) {
  absl::StrAppend(&text_, PadRight(Harmless(what), kHeadWidth), " ", Harmless(state), "\n");
}

void Page::Add(std::string_view label, std::string_view text) {
  absl::StrAppend(&text_, PadRight(session_.Label(label), kLabelWidth), Harmless(text), "\n");
}

void Page::AddParts(std::string_view label, const std::vector<std::string>& parts) {
  std::string line;
  for (const std::string& part : parts) {
    if (!line.empty() && DisplayWidth(line) + kDot.size() + DisplayWidth(part) > kTextWidth) {
      Add(label, line);
      label = "";
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? "" : kDot, part);
  }
  if (!line.empty()) Add(label, line);
}

void Page::AddTable(std::string_view label, const std::vector<std::vector<std::string>>& lines) {
  std::vector<size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], DisplayWidth(Harmless(line[i])));
  }
  for (const auto& line : lines) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i)
      absl::StrAppend(&text, PadRight(Harmless(line[i]), widths[i]), "  ");
    Add(label, absl::StripTrailingAsciiWhitespace(text).empty()
                   ? ""
                   : std::string(absl::StripTrailingAsciiWhitespace(text)));
    label = "";
  }
}

}  // namespace sluice::cli
