#include "gateway/base/nearest.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "gateway/base/view.h"

namespace sluice {
namespace {

constexpr size_t kLongest = 64;
constexpr size_t kMostEdits = 3;

// Edits between the two, counted by rows of the usual table (optimal string alignment).
size_t Edits(std::string_view left, std::string_view right) {
  std::array<std::array<size_t, kLongest + 1>, 3> rows;
  for (size_t j = 0; j <= right.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= left.size(); ++i) {
    const auto& above = rows[(i - 1) % 3];
    const auto& two_above = rows[(i + 1) % 3];
    auto& row = rows[i % 3];
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t replaced = above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
        row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
  }
  return rows[left.size() % 3][right.size()];
}

}  // namespace

std::optional<std::string> NearestName(std::string_view typed,
                                       absl::Span<const std::string_view> known) {
  std::optional<std::string> nearest;
  size_t fewest = kLongest + 1;
  if (typed.size() > kLongest) return nearest;
  const std::string small = absl::AsciiStrToLower(View(typed));
  for (const std::string_view name : known) {
    if (name.size() > kLongest) continue;
    const size_t longer = std::max(typed.size(), name.size());
    const size_t most = std::min(kMostEdits, longer / 3);
    if (2 * longer - typed.size() - name.size() > most) continue;
    const size_t edits = Edits(small, name);
    if (edits > most || edits >= fewest) continue;
    nearest.emplace(name);
    fewest = edits;
  }
  return nearest;
}

}  // namespace sluice
