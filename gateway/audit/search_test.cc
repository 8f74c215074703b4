#include "gateway/audit/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/audit/generated_log_testing.h"
#include "gateway/audit/record_testing.h"
#include "gateway/audit/subjects.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kKeeperPatience = std::chrono::seconds(100);

constexpr Micros kAutumn = 1761955200 * kSecond;  // 2025-11-01T00:00:00Z
constexpr uint64_t kRecords = 1500;               // over a little more than two months
constexpr Micros kStep = kHour;

std::string PersonId(uint64_t n) { return absl::StrCat("person ", n); }

// A small world: every value comes up again and again, alone and together.
class SearchTest : public ::testing::Test {
 protected:
  SearchTest() {
    auto keys = DetailKeys::Open(folder_.path() + "/keys", *files_, random_);
    EXPECT_TRUE(keys.ok()) << keys.status();
    keys_ = *std::move(keys);
    log_ = std::make_unique<GeneratedLog>(
        [this](uint64_t index, Micros* time) { return Make(index, time); }, *keys_, random_);
    log_->Grow(kRecords);
    Open();
  }

  std::string IndexFolder() const { return folder_.path() + "/index"; }
  void Open(const std::string& key = std::string(32, 'k')) {
    index_.reset();
    auto index = SearchIndex::Open(IndexFolder(), {*keys_, key, [this](const absl::Status& why) {
                                                     troubles_.emplace_back(why.message());
                                                   }});
    ASSERT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
  }

  Draft Make(uint64_t index, Micros* time) const {
    std::mt19937_64 dice(index);
    const auto throw_of = [&dice](uint64_t sides) { return dice() % sides; };
    // Sometimes the clock goes back, over the border of a month too.
    *time = kAutumn + static_cast<Micros>(index) * kStep - (throw_of(20) == 0 ? 30 * kHour : 0);
    constexpr v1::RecordKind kKinds[] = {
        v1::RECORD_KIND_RELEASED, v1::RECORD_KIND_RELEASED, v1::RECORD_KIND_DENIED,
        v1::RECORD_KIND_FAILED,   v1::RECORD_KIND_OPENED,   v1::RECORD_KIND_PROGRESS,
        v1::RECORD_KIND_CLOSED,   v1::RECORD_KIND_CHANGED,  v1::RECORD_KIND_READ};
    Draft draft = NewDraft(kKinds[throw_of(std::size(kKinds))]);
    v1::AuditEnvelope& envelope = draft.envelope;
    const uint64_t agency = throw_of(3);
    envelope.mutable_actor()->set_agency(absl::StrCat("agency", agency));
    envelope.mutable_actor()->set_principal(
        absl::StrCat("agency/agency", agency, "/system/s", throw_of(2)));
    const uint64_t dataset = throw_of(4);
    envelope.set_owner_agency(absl::StrCat("agency", dataset % 2));
    envelope.set_dataset(absl::StrCat("agency", dataset % 2, "/d", dataset));
    envelope.set_grant(absl::StrCat("grant", throw_of(5)));
    envelope.set_purpose(absl::StrCat("purpose", throw_of(3)));
    envelope.mutable_basis()->set_law(absl::StrCat("law", throw_of(2)));
    envelope.mutable_basis()->set_article(absl::StrCat(throw_of(3)));
    if (OutcomeOf(envelope.kind()) != v1::RECORD_OUTCOME_LET_GO)
      envelope.set_reason(throw_of(2) == 0 ? v1::REASON_NO_GRANT : v1::REASON_QUOTA_EXCEEDED);
    if (envelope.kind() == v1::RECORD_KIND_PROGRESS || envelope.kind() == v1::RECORD_KIND_CLOSED)
      envelope.set_opened(static_cast<int64_t>(index / 10 * 10));
    constexpr v1::SubjectScope kScopes[] = {v1::SUBJECT_SCOPE_NONE, v1::SUBJECT_SCOPE_LISTED,
                                            v1::SUBJECT_SCOPE_POPULATION};
    envelope.set_subjects_asked(kScopes[throw_of(3)]);
    envelope.set_subjects_released(kScopes[throw_of(3)]);
    if (envelope.subjects_asked() == v1::SUBJECT_SCOPE_LISTED)
      *draft.detail.add_asked() = pseudonyms_.ForSubject("TEXT", PersonId(throw_of(6)), *time);
    if (envelope.subjects_released() == v1::SUBJECT_SCOPE_LISTED)
      for (int i = 0; i < 2; ++i)
        *draft.detail.add_released() = pseudonyms_.ForSubject("TEXT", PersonId(throw_of(6)), *time);
    if (throw_of(2) == 0) draft.detail.set_case_reference(absl::StrCat("Case-", throw_of(8)));
    if (throw_of(2) == 0) draft.detail.set_end_user(absl::StrCat("Officer-", throw_of(4)));
    if (throw_of(4) == 0) draft.detail.set_on_behalf_of("The Mayor");
    return draft;
  }

  std::vector<v1::SubjectPseudonym> Person(uint64_t n) const {
    return {pseudonyms_.ForSubject("TEXT", PersonId(n), kAutumn),
            pseudonyms_.ForSubject("TEXT", PersonId(n), kAutumn + 100 * kDay)};
  }

  // Sets condition number `which` to a value that some records have.
  static constexpr int kConditions = 17;
  void Set(RecordQuery& query, int which, std::mt19937_64& dice) const {
    const auto throw_of = [&dice](uint64_t sides) { return dice() % sides; };
    switch (which) {
      case 0:
        query.since = kAutumn + static_cast<Micros>(throw_of(kRecords)) * kStep + kMinute;
        break;
      case 1:
        query.until = kAutumn + static_cast<Micros>(throw_of(kRecords)) * kStep + kMinute;
        break;
      case 2:
        query.agency = absl::StrCat("agency", throw_of(3));
        break;
      case 3:
        query.principal = absl::StrCat("agency/agency", throw_of(3), "/system/s", throw_of(2));
        break;
      case 4:
        query.owner = absl::StrCat("agency", throw_of(2));
        break;
      case 5:
        query.dataset = absl::StrCat("agency1/d", throw_of(2) == 0 ? 1 : 3);
        break;
      case 6:
        query.grant = absl::StrCat("grant", throw_of(5));
        break;
      case 7:
        query.purpose = absl::StrCat("purpose", throw_of(3));
        break;
      case 8:
        query.law = absl::StrCat("law", throw_of(2));
        break;
      case 9:
        query.article = absl::StrCat(throw_of(3));
        break;
      case 10:
        query.outcome = static_cast<v1::RecordOutcome>(1 + throw_of(3));
        break;
      case 11:
        query.reason = throw_of(2) == 0 ? v1::REASON_NO_GRANT : v1::REASON_QUOTA_EXCEEDED;
        break;
      case 12:
        query.kind = throw_of(2) == 0 ? v1::RECORD_KIND_PROGRESS : v1::RECORD_KIND_RELEASED;
        break;
      case 13:
        query.case_reference = absl::StrCat("Case-", throw_of(8));
        break;
      case 14:
        query.end_user = absl::StrCat("Officer-", throw_of(4));
        break;
      case 15:
        query.on_behalf_of = "The Mayor";
        break;
      default:
        query.subjects = Person(throw_of(6));
        query.certain = throw_of(2) == 0;
    }
  }

  // What every record says for itself, newest first.
  std::vector<uint64_t> Expected(const RecordQuery& query, const Scope& scope) {
    if (all_.empty()) {
      for (uint64_t i = 0; i < kRecords; ++i) {
        Micros time = 0;
        all_.push_back(Make(i, &time));
        all_.back().envelope.mutable_time()->set_seconds(time / kSecond);
      }
    }
    std::vector<uint64_t> expected;
    for (uint64_t i = kRecords; i-- > 0;)
      if (Matches(query, scope, all_[i].envelope, &all_[i].detail)) expected.push_back(i);
    return expected;
  }

  std::vector<uint64_t> Found(const RecordQuery& query, const Scope& scope = {.all = true},
                              int limit = 1000) {
    std::vector<uint64_t> found;
    SearchPage page{.limit = limit};
    for (;;) {
      const auto result = index_->Search(*log_, query, scope, page);
      EXPECT_TRUE(result.ok()) << result.status();
      if (!result.ok()) return found;
      found.insert(found.end(), result->hits.begin(), result->hits.end());
      if (!result->more) return found;
      page.before = static_cast<int64_t>(result->hits.back());
    }
  }

  RecordQuery CaseThree() const {
    RecordQuery query;
    query.case_reference = "Case-3";
    return query;
  }
  void ExpectWhole() {
    EXPECT_EQ(Found({}), Expected({}, {.all = true}));
    EXPECT_EQ(Found(CaseThree()), Expected(CaseThree(), {.all = true}));
  }

  TestFolder folder_;
  const std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  CountingRandom random_;
  const Pseudonyms pseudonyms_{std::string(32, 'p')};
  std::unique_ptr<DetailKeys> keys_;
  std::unique_ptr<GeneratedLog> log_;
  std::vector<std::string> troubles_;
  std::unique_ptr<SearchIndex> index_;
  std::vector<Draft> all_;
};

TEST_F(SearchTest, FindsWhatEachRecordSaysForItself) {
  std::mt19937_64 dice(7);
  const Scope scopes[] = {{.all = true},
                          {.agency = "agency1"},
                          {.agency = "agency1", .owned_datasets = true},
                          {.agency = "agency2", .owned_datasets = true},
                          {}};
  size_t hits = 0;
  for (int round = 0; round < 600; ++round) {
    RecordQuery query;
    for (uint64_t conditions = dice() % 4; conditions > 0; --conditions)
      Set(query, static_cast<int>(dice() % kConditions), dice);
    const Scope& scope = scopes[dice() % std::size(scopes)];
    const auto expected = Expected(query, scope);
    hits += expected.size();
    ASSERT_EQ(Found(query, scope, dice() % 2 == 0 ? 7 : 1000), expected) << "round " << round;
  }
  EXPECT_GT(hits, 10'000u);
  EXPECT_THAT(troubles_, IsEmpty());
}

TEST_F(SearchTest, EachConditionAloneFindsSomething) {
  std::mt19937_64 dice(3);
  for (int which = 0; which < kConditions; ++which) {
    RecordQuery query;
    Set(query, which, dice);
    const auto found = Found(query);
    EXPECT_FALSE(found.empty()) << which;
    EXPECT_EQ(found, Expected(query, {.all = true})) << which;
  }
}

TEST_F(SearchTest, WhatADroppedKeySealedIsGoneAndTheRestStays) {
  const auto before = Found(CaseThree());
  RecordQuery person;
  person.subjects = Person(2);
  const auto concerned = Found(person);
  ASSERT_TRUE(files_->Remove(folder_.path() + "/keys/2025-11-three-years.key").ok());

  std::vector<uint64_t> later, population;
  for (const uint64_t index : before) {
    Micros time = 0;
    Make(index, &time);
    if (time >= kAutumn + 30 * kDay) later.push_back(index);
  }
  ASSERT_NE(later, before);
  const auto result = index_->Search(*log_, CaseThree(), {.all = true}, {.limit = 1000});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->hits, later);
  EXPECT_GT(result->erased, 600u);
  EXPECT_FALSE(std::filesystem::exists(IndexFolder() + "/2025-11-three-years.details.sqlite"));
  EXPECT_FALSE(std::filesystem::exists(IndexFolder() + "/2025-11-three-years.details.sqlite-wal"));
  EXPECT_TRUE(std::filesystem::exists(IndexFolder() + "/2025-12-three-years.details.sqlite"));
  EXPECT_EQ(Found({}), Expected({}, {.all = true}));
  // What may concern everybody still may.
  EXPECT_LT(Found(person).size(), concerned.size());
  EXPECT_GT(Found(person).size(), later.size());

  // Neither a start nor a rebuild brings it back, nor is either taken for damage.
  Open();
  EXPECT_EQ(Found(CaseThree()), later);
  EXPECT_THAT(troubles_, IsEmpty());
}

TEST_F(SearchTest, NoValueStandsInItsFiles) {
  ASSERT_TRUE(index_->CatchUp(*log_).ok());
  index_.reset();
  size_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(IndexFolder())) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    bytes += text.size();
    for (const char* value : {"Case-", "Officer-", "Mayor", "agency1", "person ", "law1", "grant1"})
      EXPECT_THAT(text, Not(HasSubstr(value))) << file.path();
    for (const v1::SubjectPseudonym& pseudonym : Person(1))
      EXPECT_THAT(text, Not(HasSubstr(pseudonym.pseudonym()))) << file.path();
  }
  EXPECT_GT(bytes, 100'000u);
}

// What may happen to a file.
void Harm(const std::filesystem::path& path, int how) {
  if (how == 0) std::filesystem::remove(path);
  if (how == 1) std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  if (how == 2) std::filesystem::resize_file(path, 0);
  if (how == 3) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = std::filesystem::file_size(path);
    file.seekp(static_cast<std::streamoff>(size / 8));
    file << std::string(size - size / 8, '\x5a');
  }
}

TEST_F(SearchTest, WhateverHappensToItsFilesItIsMadeAnew) {
  ASSERT_TRUE(index_->CatchUp(*log_).ok());
  index_.reset();
  std::vector<std::filesystem::path> names;
  for (const auto& file : std::filesystem::directory_iterator(IndexFolder()))
    names.push_back(file.path());
  ASSERT_GE(names.size(), 6u);
  size_t ways = 0;
  for (const std::filesystem::path& name : names) {
    for (int how = 0; how < 4; ++how) {
      for (const bool running : {false, true}) {
        if (ways++ % kSweepStep != 0) continue;
        SCOPED_TRACE(absl::StrCat(name.filename().string(), " harm ", how, running ? " open" : ""));
        Open();
        ASSERT_TRUE(index_->CatchUp(*log_).ok());
        if (!running) index_.reset();
        if (std::filesystem::exists(name)) Harm(name, how);
        if (!running) Open();
        ExpectWhole();
        index_.reset();
        Open();
        ExpectWhole();
      }
    }
  }
  // All of it, at once.
  std::filesystem::remove_all(IndexFolder());
  ExpectWhole();
}

TEST_F(SearchTest, AnIndexOfAnotherKeyOrALongerLogIsMadeAnew) {
  ExpectWhole();
  Open(std::string(32, 'x'));
  ExpectWhole();
  EXPECT_EQ(troubles_.size(), 1u);
  log_->Grow(10);
  EXPECT_THAT(Found({}).size(), ::testing::Le(10u));
  EXPECT_EQ(troubles_.size(), 2u);
  log_->Grow(kRecords);
  ExpectWhole();
}

TEST_F(SearchTest, FollowsAStreamToItsNewestRecord) {
  ASSERT_TRUE(index_->CatchUp(*log_).ok());
  int streams = 0;
  std::vector<uint64_t> begins, ends;
  for (uint64_t opened = 0; opened < 400; opened += 10) {
    uint64_t latest = opened;
    for (uint64_t i = opened; i < opened + 10; ++i) {
      Micros time = 0;
      if (Make(i, &time).envelope.has_opened()) latest = std::max(latest, i);
    }
    streams += latest != opened ? 1 : 0;
    begins.push_back(opened);
    ends.push_back(latest);
  }
  EXPECT_GT(streams, 20);
  EXPECT_EQ(*index_->LatestOf(begins), ends);
}

TEST_F(SearchTest, ADroppedKeyIsNoticedThoughItsMonthIsPassedOver) {
  RecordQuery query;
  query.case_reference = "a case that no record names";
  const auto erased = [&] {
    const auto result = index_->Search(*log_, query, {.all = true}, {});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->erased : 0;
  };
  const uint64_t before = erased();
  // The folder has been as it is for long: what was found out about it holds.
  std::filesystem::last_write_time(
      folder_.path() + "/keys",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_EQ(erased(), before);
  EXPECT_EQ(erased(), before);
  ASSERT_TRUE(files_->Remove(folder_.path() + "/keys/2025-11-three-years.key").ok());
  EXPECT_GT(erased(), before);
}

TEST_F(SearchTest, IsKeptUpWithoutBeingAsked) {
  index_->Keep(*log_);
  const auto until = std::chrono::steady_clock::now() + kKeeperPatience;
  while (index_->size() < kRecords && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(index_->size(), kRecords);
  ASSERT_TRUE(index_->Rebuild(absl::OkStatus()).ok());
  while (index_->size() < kRecords && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // A key that is dropped takes its file along, though nobody searches.
  ASSERT_TRUE(files_->Remove(folder_.path() + "/keys/2025-11-three-years.key").ok());
  const std::string details = IndexFolder() + "/2025-11-three-years.details.sqlite";
  while (std::filesystem::exists(details) && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_FALSE(std::filesystem::exists(details));
  index_->Stop();
  EXPECT_THAT(index_->Years(), ElementsAre(2025, 2026));
}

// Records of a bulk read of persons, which list thousands of subjects each.
class BulkSearchTest : public ::testing::Test {
 protected:
  static constexpr int64_t kSubjects = 5000;

  BulkSearchTest() {
    auto keys = DetailKeys::Open(folder_.path() + "/keys", *files_, random_);
    EXPECT_TRUE(keys.ok()) << keys.status();
    keys_ = *std::move(keys);
    log_ = std::make_unique<GeneratedLog>(
        [](uint64_t index, Micros* time) { return Make(index, time); }, *keys_, random_);
    auto index = SearchIndex::Open(
        folder_.path() + "/index",
        {*keys_, std::string(32, 'k'), [](const absl::Status& why) { ADD_FAILURE() << why; }});
    EXPECT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
  }

  static std::string Pseudonym(uint64_t index, int64_t subject) {
    return absl::StrCat("pseudonym ", index * kSubjects + static_cast<uint64_t>(subject));
  }
  static Draft Make(uint64_t index, Micros* time) {
    *time = kAutumn + static_cast<Micros>(index) * kSecond;
    Draft draft = NewDraft(v1::RECORD_KIND_PROGRESS);
    draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_LISTED);
    for (int64_t i = 0; i < kSubjects; ++i)
      draft.detail.add_released()->set_pseudonym(Pseudonym(index, i));
    return draft;
  }
  static RecordQuery Of(uint64_t index, int64_t subject) {
    RecordQuery query;
    query.subjects.emplace_back().set_pseudonym(Pseudonym(index, subject));
    return query;
  }

  const TestFolder folder_;
  const std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  CountingRandom random_;
  std::unique_ptr<DetailKeys> keys_;
  std::unique_ptr<GeneratedLog> log_;
  std::unique_ptr<SearchIndex> index_;
};

TEST_F(BulkSearchTest, ASearchDoesNotWaitUntilTheKeeperHasCaughtUp) {
  // Ten million terms; where all goes several times as slowly, half of them.
  log_->Grow(kSanitized ? 1000 : 2000);
  index_->Keep(*log_);
  uint64_t before = 0;
  for (int i = 0; i < 3; ++i) {
    const auto result = index_->Search(*log_, Of(3, 77), {.all = true}, {});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_GT(result->searched_to, before);  // whoever asks helps
    EXPECT_LT(result->searched_to, log_->size() / 2);
    EXPECT_GT(result->searched_to, 3u);
    EXPECT_THAT(result->hits, ElementsAre(3));
    before = result->searched_to;
  }
  // Nor is the end of it waited for to stop.
  index_->Stop();
  EXPECT_LT(index_->size(), log_->size() / 2);
}

TEST_F(BulkSearchTest, WhatOneCallLeavesToTheKeeperIsFoundWhenItHasCaughtUp) {
  log_->Grow(100);
  index_->Keep(*log_);
  const auto until = std::chrono::steady_clock::now() + kKeeperPatience;
  while (index_->size() < log_->size() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (const uint64_t index : {0, 37, 99}) {
    const auto result = index_->Search(*log_, Of(index, kSubjects - 1), {.all = true}, {});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(result->hits, ElementsAre(index));
    EXPECT_EQ(result->searched_to, log_->size());
  }
}

}  // namespace
}  // namespace sluice::audit
