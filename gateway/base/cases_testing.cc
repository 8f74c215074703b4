#include "gateway/base/cases_testing.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice {
namespace {

// Builds lie within the source tree: the nearest folder above the test binary that has the presets.
std::filesystem::path SourceTree() {
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  while (folder.has_relative_path() && !std::filesystem::exists(folder / "CMakePresets.json")) {
    folder = folder.parent_path();
  }
  return folder;
}

}  // namespace

std::optional<std::string> CasesFolder() {
  const char* const named = std::getenv("SLUICE_CASES");
  const std::filesystem::path folder = named != nullptr
                                           ? std::filesystem::path(named)
                                           : SourceTree().parent_path() / "shared" / "cases";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder.string();
}

std::string ReadTestFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string ReadSourceFile(std::string_view path) { return ReadTestFile(SourceTree() / path); }

}  // namespace sluice
