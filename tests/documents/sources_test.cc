// Sources in the pages of adapters are such as the gateway takes.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "adapters/registry.h"
#include "gateway/identity/source_yaml.h"
#include "tests/documents/document.h"

namespace sluice {
namespace {

absl::Status CheckKnown(const v1::Source& source) {
  const adapters::Kind* const kind = adapters::FindKind(source.kind());
  if (kind == nullptr) return absl::NotFoundError("no kind " + source.kind());
  return kind->check({source.settings().begin(), source.settings().end()});
}

TEST(SourcesTest, EachSourceInAPageOfAnAdapterIsTaken) {
  const std::regex block("\n```yaml\n(?:# source\n)?(source:[^`]*)```");
  int sources = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DocumentsFolder() + "/adapters")) {
    const std::string page = "docs/adapters/" + entry.path().filename().string();
    const std::string text = ReadDocument(page);
    for (std::sregex_iterator match(text.begin(), text.end(), block), end; match != end; ++match) {
      ++sources;
      const auto parsed = identity::ParseSourceYaml((*match)[1].str(), page, CheckKnown);
      EXPECT_TRUE(parsed.ok()) << page << ": " << parsed.status() << "\n" << (*match)[1];
    }
  }
  EXPECT_GT(sources, 12);
}

}  // namespace
}  // namespace sluice
