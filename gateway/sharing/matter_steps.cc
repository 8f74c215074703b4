#include "gateway/sharing/matter_steps.h"

#include "gateway/records/utf8.h"

namespace sluice::sharing {
namespace {

constexpr int kMostMatterPapers = 32;
constexpr size_t kMostMatterPaper = 500;

}  // namespace

void CheckMatterPapers(const google::protobuf::RepeatedPtrField<std::string>& papers,
                       const std::string& path, identity::Mistakes& mistakes) {
  if (papers.size() > kMostMatterPapers) return mistakes.Add(path, "at most 32");
  for (int i = 0; i < papers.size(); ++i)
    if (records::IsBlank(papers[i]) || papers[i].size() > kMostMatterPaper ||
        !records::ValidUtf8(papers[i]))
      mistakes.Add(absl::StrCat(path, "[", i, "]"), "1 to 500 bytes of UTF-8");
}

void CheckMatterWords(const std::string& text, size_t most, const std::string& path,
                      identity::Mistakes& mistakes) {
  if (records::IsBlank(text)) return mistakes.Add(path, "needed: whoever is concerned reads it");
  if (text.size() > most || !records::ValidUtf8(text))
    mistakes.Add(path, absl::StrCat("at most ", most, " bytes of UTF-8"));
}

}  // namespace sluice::sharing
