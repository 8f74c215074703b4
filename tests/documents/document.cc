#include "tests/documents/document.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/cases_testing.h"

namespace sluice {

std::string ReadDocument(std::string_view path) {
  return ReadTestFile(absl::StrCat(SLUICE_SOURCE_DIR "/", std::string(path)));
}

std::string DocumentsFolder() { return SLUICE_SOURCE_DIR "/docs"; }

std::vector<std::string> LinesOfBlock(const std::string& page, std::string_view word) {
  const std::string fence = "```" + std::string(word) + "\n";
  const size_t fenced = page.find(fence);
  EXPECT_NE(fenced, std::string::npos) << word;
  if (fenced == std::string::npos) return {};
  const size_t begin = fenced + fence.size();
  return absl::StrSplit(page.substr(begin, page.find("```", begin) - begin), '\n',
                        absl::SkipEmpty());
}

}  // namespace sluice
