#include "gateway/identity/documented_testing.h"

#include <gtest/gtest.h>

#include "gateway/base/file_system.h"

namespace sluice::identity {

std::string DocumentedYaml(std::string_view name) {
  const auto text = MakePosixFileSystem()->ReadAll(SLUICE_SOURCE_DIR "/docs/formats/yaml.md");
  EXPECT_TRUE(text.ok()) << text.status();
  if (!text.ok()) return "";
  const std::string fence = "```yaml\n# " + std::string(name) + "\n";
  const size_t begin = text->find(fence);
  EXPECT_NE(begin, std::string::npos) << name;
  if (begin == std::string::npos) return "";
  const size_t from = begin + sizeof("```yaml\n") - 1;
  return text->substr(from, text->find("```", from) - from);
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return place == std::string::npos ? text : text.replace(place, from.size(), to);
}

}  // namespace sluice::identity
