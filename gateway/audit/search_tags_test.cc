// Tags: found with the token of their value and key, and telling nothing else.
#include "gateway/audit/search_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/audit/record.h"
#include "gateway/audit/record_testing.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"

namespace sluice::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kThisMonth[] = "2026-11/three-years";

v1::AuditDetail DetailAbout(const std::vector<std::string>& subjects) {
  v1::AuditDetail detail;
  detail.set_case_reference("R-0118");
  for (const std::string& subject : subjects) {
    detail.add_asked()->set_pseudonym(subject);
    detail.add_released()->set_pseudonym(subject);
  }
  return detail;
}

class SearchTagsTest : public ::testing::Test {
 protected:
  SearchTagsTest() {
    EXPECT_TRUE(files_.CreateDirectories("keys", 0700).ok());
    auto opened = DetailKeys::Open("keys", files_, random_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    keys_ = *std::move(opened);
    sealer_ = std::make_unique<RecordSealer>(*keys_, clock_, random_);
  }

  v1::AuditEnvelope Sealed(v1::AuditDetail detail, size_t least = 0) {
    Draft draft = NewDraft(v1::RECORD_KIND_RELEASED);
    draft.detail = std::move(detail);
    draft.least_tags = least;
    const auto record = sealer_->Seal(std::move(draft));
    EXPECT_TRUE(record.ok()) << record.status();
    v1::AuditEnvelope envelope;
    EXPECT_TRUE(record.ok() && envelope.ParseFromString(record->envelope));
    return envelope;
  }
  std::string Token(v1::SearchCondition condition, const std::string& value) {
    const auto key = keys_->ForOpening(kThisMonth);
    EXPECT_TRUE(key.ok()) << key.status();
    return SearchToken(key.ok() ? *key : "", condition, value);
  }
  static std::vector<std::string> TagsIn(const v1::AuditEnvelope& envelope) {
    std::vector<std::string> tags;
    for (size_t at = 0; at < envelope.search_tags().size(); at += kSearchTagBytes)
      tags.push_back(envelope.search_tags().substr(at, kSearchTagBytes));
    return tags;
  }

  FakeFileSystem files_;
  FakeClock clock_{1'795'500'000 * kSecond};  // in November 2026
  CountingRandom random_;
  std::unique_ptr<DetailKeys> keys_;
  std::unique_ptr<RecordSealer> sealer_;
};

TEST_F(SearchTagsTest, ARecordIsFoundByTheTokensOfWhatItHasAndNoOthers) {
  v1::AuditDetail detail = DetailAbout({"p1", "p2"});
  detail.set_end_user("wang");
  const v1::AuditEnvelope envelope = Sealed(detail);
  for (const auto& [condition, value] : std::vector<std::pair<v1::SearchCondition, std::string>>{
           {v1::SEARCH_CONDITION_CASE_REFERENCE, "R-0118"},
           {v1::SEARCH_CONDITION_END_USER, "wang"},
           {v1::SEARCH_CONDITION_SUBJECT, "p1"},
           {v1::SEARCH_CONDITION_SUBJECT, "p2"}})
    EXPECT_TRUE(HasSearchTag(envelope, Token(condition, value))) << value;
  // Another value, the same value as something else, a part of it, another key.
  for (const auto& [condition, value] : std::vector<std::pair<v1::SearchCondition, std::string>>{
           {v1::SEARCH_CONDITION_CASE_REFERENCE, "R-0119"},
           {v1::SEARCH_CONDITION_END_USER, "R-0118"},
           {v1::SEARCH_CONDITION_ON_BEHALF_OF, "wang"},
           {v1::SEARCH_CONDITION_CASE_REFERENCE, "R-011"},
           {v1::SEARCH_CONDITION_SUBJECT, "p"}})
    EXPECT_FALSE(HasSearchTag(envelope, Token(condition, value))) << value;
  EXPECT_FALSE(HasSearchTag(
      envelope, SearchToken(std::string(32, 'x'), v1::SEARCH_CONDITION_CASE_REFERENCE, "R-0118")));
}

TEST_F(SearchTagsTest, NoTwoRecordsShareATagWhateverTheyAreAbout) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i)
    for (const std::string& tag : TagsIn(Sealed(DetailAbout({"p1"}))))
      EXPECT_TRUE(seen.insert(tag).second) << i;
  EXPECT_EQ(seen.size(), 50 * kSearchTagsTogether);
}

TEST_F(SearchTagsTest, TagsAreSortedAndFilledUpSoThatTheirNumberTellsNoClaim) {
  v1::AuditDetail all = DetailAbout({"p1"});
  all.set_end_user("wang");
  all.set_on_behalf_of("li");
  for (const v1::AuditDetail& detail : {DetailAbout({}), DetailAbout({"p1"}), all}) {
    const std::vector<std::string> tags = TagsIn(Sealed(detail));
    EXPECT_EQ(tags.size(), 4u) << detail.ShortDebugString();
    EXPECT_TRUE(std::is_sorted(tags.begin(), tags.end()));
  }
  EXPECT_EQ(TagsIn(Sealed(DetailAbout({"p1", "p2", "p3", "p4"}))).size(), 8u);
  EXPECT_THAT(TagsIn(Sealed({})), IsEmpty());
}

TEST_F(SearchTagsTest, WhoseSizeMayTellNothingHasAsManyWhateverWasFound) {
  for (const std::vector<std::string>& found :
       {std::vector<std::string>{}, {"p1"}, {"p1", "p2", "p3", "p4", "p5", "p6"}})
    EXPECT_EQ(TagsIn(Sealed(DetailAbout(found), 9)).size(), 12u) << found.size();
  // Where that is more than there is room for, subjects go, however few they are.
  const v1::AuditEnvelope over = Sealed(DetailAbout({"p1"}), kMostSearchTags + 1);
  EXPECT_TRUE(over.subjects_untagged());
  EXPECT_EQ(TagsIn(over).size(), 4u);
}

TEST_F(SearchTagsTest, MoreSubjectsThanThereIsRoomForAreSaidToBeLeftOut) {
  std::vector<std::string> subjects;
  while (subjects.size() < kMostSearchTags - 1) subjects.push_back(absl::StrCat(subjects.size()));
  const v1::AuditEnvelope full = Sealed(DetailAbout(subjects));
  EXPECT_FALSE(full.subjects_untagged());
  EXPECT_TRUE(HasSearchTag(full, Token(v1::SEARCH_CONDITION_SUBJECT, subjects.back())));
  for (const size_t more : {size_t{1}, 2 * kMostSearchTags}) {
    std::vector<std::string> many = subjects;
    while (many.size() < subjects.size() + more) many.push_back(absl::StrCat(many.size()));
    const v1::AuditEnvelope over = Sealed(DetailAbout(many));
    EXPECT_TRUE(over.subjects_untagged()) << more;
    EXPECT_FALSE(HasSearchTag(over, Token(v1::SEARCH_CONDITION_SUBJECT, many.back())));
    EXPECT_TRUE(HasSearchTag(over, Token(v1::SEARCH_CONDITION_CASE_REFERENCE, "R-0118")));
  }
}

TEST_F(SearchTagsTest, KeysThatAreKeptAreNamedAndDroppedOnesAreNot) {
  EXPECT_THAT(*keys_->Names(), IsEmpty());
  Sealed(DetailAbout({}));
  clock_.Advance(31 * kDay);
  Sealed(DetailAbout({}));
  EXPECT_TRUE(files_.WriteAtomically("keys/2026-13-three-years.key", "none", 0600).ok());
  EXPECT_TRUE(files_.WriteAtomically("keys/.key", "none", 0600).ok());
  EXPECT_THAT(*keys_->Names(), ElementsAre(kThisMonth, "2026-12/three-years"));
  ASSERT_TRUE(files_.Remove("keys/2026-11-three-years.key").ok());
  EXPECT_THAT(*keys_->Names(), ElementsAre("2026-12/three-years"));
}

}  // namespace
}  // namespace sluice::audit
