#include "gateway/audit/search_tags.h"

#include <algorithm>
#include <cstdint>

#include "gateway/base/crypto.h"

namespace sluice::audit {
namespace {

constexpr std::string_view kTokenLabel = "sluice/search-token/v1\n";
constexpr std::string_view kTagLabel = "sluice/search-tag/v1\n";

std::string TagOf(std::string_view token, std::string_view commitment) {
  return std::string(AsBytes(Sha256({kTagLabel, token, commitment})).substr(0, kSearchTagBytes));
}

// Each once; of more than there is room for, not even that.
std::vector<std::string_view> SubjectsOf(const v1::AuditDetail& detail) {
  std::vector<std::string_view> subjects;
  for (const auto* listed : {&detail.asked(), &detail.released()})
    for (const v1::SubjectPseudonym& subject : *listed) subjects.push_back(subject.pseudonym());
  if (subjects.size() > 2 * kMostSearchTags) return subjects;
  std::sort(subjects.begin(), subjects.end());
  subjects.erase(std::unique(subjects.begin(), subjects.end()), subjects.end());
  return subjects;
}

size_t Filled(size_t count) {
  return (count + kSearchTagsTogether - 1) / kSearchTagsTogether * kSearchTagsTogether;
}

}  // namespace

TaggedValues::TaggedValues(const v1::AuditDetail& detail, size_t least) {
  const auto claim = [this](v1::SearchCondition condition, std::string_view value) {
    if (!value.empty()) values_.emplace_back(condition, value);
  };
  claim(v1::SEARCH_CONDITION_CASE_REFERENCE, detail.case_reference());
  claim(v1::SEARCH_CONDITION_END_USER, detail.end_user());
  claim(v1::SEARCH_CONDITION_ON_BEHALF_OF, detail.on_behalf_of());
  const std::vector<std::string_view> subjects = SubjectsOf(detail);
  // By `least` as well: what is left out may not tell how many there were.
  subjects_left_out_ = Filled(std::max(values_.size() + subjects.size(), least)) > kMostSearchTags;
  if (!subjects_left_out_)
    for (const std::string_view subject : subjects)
      values_.emplace_back(v1::SEARCH_CONDITION_SUBJECT, subject);
  count_ = Filled(subjects_left_out_ ? values_.size() : std::max(values_.size(), least));
}

std::string TaggedValues::Tags(std::string_view month_key, std::string_view commitment,
                               std::string_view random) const {
  std::vector<std::string> tags;
  tags.reserve(count_);
  for (const auto& [condition, value] : values_)
    tags.push_back(TagOf(SearchToken(month_key, condition, value), commitment));
  while (tags.size() < count_)
    tags.emplace_back(random.substr(tags.size() * kSearchTagBytes, kSearchTagBytes));
  std::sort(tags.begin(), tags.end());
  std::string all;
  all.reserve(bytes());
  for (const std::string& tag : tags) all += tag;
  return all;
}

std::string SearchToken(std::string_view month_key, v1::SearchCondition condition,
                        std::string_view value) {
  std::string message(kTokenLabel);
  message += static_cast<char>(condition);
  message.append(value);
  return std::string(AsBytes(HmacSha256(month_key, message)));
}

bool HasSearchTag(const v1::AuditEnvelope& envelope, std::string_view token) {
  const std::string_view tags = envelope.search_tags();
  if (tags.empty()) return false;
  const std::string tag = TagOf(token, envelope.detail_commitment());
  for (size_t at = 0; at + kSearchTagBytes <= tags.size(); at += kSearchTagBytes)
    if (tags.substr(at, kSearchTagBytes) == tag) return true;
  return false;
}

}  // namespace sluice::audit
