// What pages of HTML that the tool writes have in common: a look that needs nothing else, fit for
// paper.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/display.h"

namespace sluice::cli {

// With every character that HTML reads otherwise written out, and made harmless.
std::string HtmlEscaped(std::string_view text);
// From <!DOCTYPE to the heading, which is the title as well.
std::string HtmlBegin(std::string_view title);
std::string HtmlHeading(std::string_view chinese, std::string_view english);
// "无 · nothing" where there is no row; the rest is left out behind `most`, with the command that
// has all.
std::string HtmlTable(const std::vector<TableColumn>& columns,
                      const std::vector<std::vector<std::string>>& rows, size_t most,
                      std::string_view command);
// A number at or above it with one digit that counts, for an axis.
int64_t AxisTop(int64_t most);

}  // namespace sluice::cli
