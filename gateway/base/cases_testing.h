// Where tests find published test data and the project's own documents.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// The folder of test data: $SLUICE_CASES, or ../shared/cases beside the source tree. Nothing where
// there is none; tests then skip.
std::optional<std::string> CasesFolder();

// The whole file; a failed expectation and "" where it cannot be read.
std::string ReadTestFile(const std::string& path);

// A file of the source tree, by its path there.
std::string ReadSourceFile(std::string_view path);

}  // namespace sluice

#define SLUICE_CASES_OR_SKIP(folder)           \
  const auto folder = ::sluice::CasesFolder(); \
  if (!folder.has_value()) GTEST_SKIP() << "no test data: set SLUICE_CASES"
