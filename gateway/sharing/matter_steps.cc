#include "gateway/sharing/matter_steps.h"

#include "absl/strings/ascii.h"
#include "gateway/audit/subjects.h"
#include "gateway/records/utf8.h"

namespace sluice::sharing {
namespace {

constexpr int kMostMatterPapers = 32;
constexpr size_t kMostMatterPaper = 500;
constexpr size_t kResidentNumber = 18;
constexpr char kNamesPerson[] =
    "an identity number stands in it; leave it out, or name an answer's audit record instead";

}  // namespace

bool HasIdentityNumber(std::string_view text) {
  const auto is_part = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); };
  for (size_t begin = 0; begin < text.size(); ++begin) {
    size_t end = begin;
    while (end < text.size() && is_part(text[end])) ++end;
    if (end - begin == kResidentNumber &&
        audit::Canonical("CN-RID", text.substr(begin, kResidentNumber)).valid)
      return true;
    begin = end;
  }
  return false;
}

void CheckMatterPapers(const google::protobuf::RepeatedPtrField<std::string>& papers,
                       const std::string& path, identity::Mistakes& mistakes) {
  if (papers.size() > kMostMatterPapers) return mistakes.Add(path, "at most 32");
  for (int i = 0; i < papers.size(); ++i)
    if (records::IsBlank(papers[i]) || papers[i].size() > kMostMatterPaper ||
        !records::ValidUtf8(papers[i]))
      mistakes.Add(absl::StrCat(path, "[", i, "]"), "1 to 500 bytes of UTF-8");
    else if (HasIdentityNumber(papers[i]))
      mistakes.Add(absl::StrCat(path, "[", i, "]"), kNamesPerson);
}

void CheckMatterText(const std::string& text, size_t most, const std::string& path,
                     identity::Mistakes& mistakes) {
  if (text.size() > most || !records::ValidUtf8(text))
    mistakes.Add(path, absl::StrCat("at most ", most, " bytes of UTF-8"));
  else if (HasIdentityNumber(text))
    mistakes.Add(path, kNamesPerson);
}

void CheckMatterWords(const std::string& text, size_t most, const std::string& path,
                      identity::Mistakes& mistakes) {
  if (records::IsBlank(text)) return mistakes.Add(path, "needed: whoever is concerned reads it");
  CheckMatterText(text, most, path, mistakes);
}

}  // namespace sluice::sharing
