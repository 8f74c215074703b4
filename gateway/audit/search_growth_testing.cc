#include "gateway/audit/search_growth_testing.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr Micros kGrowthBegins = 1735689600 * kSecond;  // 2025-01-01
constexpr Micros kGrowthStep = 365 * kDay / 10'000'000;
constexpr int kRounds = 51;

using SetQuery = std::function<void(std::mt19937_64&, RecordQuery&)>;

}  // namespace

SearchGrowth::SearchGrowth() : files_(MakePosixFileSystem()), random_(MakeSystemRandom()) {
  auto keys = DetailKeys::Open(folder_.path() + "/keys", *files_, *random_);
  SLUICE_CHECK(keys.ok());
  keys_ = *std::move(keys);
  log_ = std::make_unique<GeneratedLog>(
      [this](uint64_t index, Micros* time) { return Make(index, time); }, *keys_, *random_);
  auto index = SearchIndex::Open(folder_.path() + "/index",
                                 {*keys_, std::string(32, 'k'), [](const absl::Status&) {}});
  SLUICE_CHECK(index.ok());
  index_ = *std::move(index);
}

absl::Status SearchGrowth::GrowTo(uint64_t records, const std::function<void(uint64_t)>& progress) {
  for (uint64_t size = index_->size(); size < records;) {
    size = std::min(records, size + 100'000);
    log_->Grow(size);
    SLUICE_RETURN_IF_ERROR(index_->CatchUp(*log_));
    progress(size);
  }
  return index_->PutAllInOrder();
}

uint64_t SearchGrowth::IndexBytes() const {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_.path() + "/index"))
    bytes += file.file_size();
  return bytes;
}

absl::StatusOr<std::vector<SearchTiming>> SearchGrowth::Measure() {
  std::vector<SearchTiming> timings;
  absl::Status failed;
  const auto time = [&](const std::string& what, const SetQuery& set) {
    std::mt19937_64 dice(42);
    std::vector<double> times;
    SearchTiming timing;
    for (int round = 0; round < kRounds; ++round) {
      RecordQuery query;
      set(dice, query);
      const auto began = std::chrono::steady_clock::now();
      const auto result = index_->Search(*log_, query, {.all = true}, {.limit = 100});
      times.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
              .count());
      if (!result.ok()) failed = result.status();
      if (result.ok()) timing.hits = std::max<uint64_t>(timing.hits, result->hits.size());
    }
    std::sort(times.begin(), times.end());
    timing.what = what;
    timing.median_ms = times[times.size() / 2];
    timing.worst_ms = times.back();
    timings.push_back(timing);
  };
  const auto size = static_cast<int64_t>(log_->size());
  const auto near = [size](std::mt19937_64& dice) {
    return static_cast<uint64_t>(size) - 1 - dice() % 5000;
  };
  const auto subject = [this](uint64_t person) {
    return std::vector<v1::SubjectPseudonym>{
        pseudonyms_.ForSubject("CN-RID", absl::StrCat("person ", person), kGrowthBegins)};
  };
  time("a person seen every 1,000 records", [&](std::mt19937_64&, RecordQuery& query) {
    query.subjects = subject(0);
    query.certain = true;
  });
  time("a person seen once", [&](std::mt19937_64& dice, RecordQuery& query) {
    query.subjects = subject(1'000'000 + near(dice));
    query.certain = true;
  });
  time("a person, with what is possible", [&](std::mt19937_64& dice, RecordQuery& query) {
    query.subjects = subject(1'000'000 + near(dice));
  });
  time("an agency's day", [&](std::mt19937_64& dice, RecordQuery& query) {
    query.agency = absl::StrCat("agency", dice() % 20);
    const Micros now = kGrowthBegins + size * kGrowthStep;
    query.since = std::max(kGrowthBegins, now - kDay);
    query.until = now;
  });
  time("a case", [&](std::mt19937_64& dice, RecordQuery& query) {
    query.case_reference = absl::StrCat("case ", near(dice) / 5);
  });
  time("an end user, denied", [&](std::mt19937_64& dice, RecordQuery& query) {
    query.end_user = absl::StrCat("user ", dice() % 2000);
    query.outcome = v1::RECORD_OUTCOME_DENIED;
  });
  time("a dataset and a purpose", [&](std::mt19937_64& dice, RecordQuery& query) {
    query.dataset = absl::StrCat("owner", dice() % 30);
    query.purpose = absl::StrCat("purpose", dice() % 10);
  });
  time("everything", [&](std::mt19937_64&, RecordQuery&) {});
  SLUICE_RETURN_IF_ERROR(failed);
  return timings;
}

Draft SearchGrowth::Make(uint64_t index, Micros* time) const {
  std::mt19937_64 dice(index);
  *time = kGrowthBegins + static_cast<Micros>(index) * kGrowthStep;
  const bool denied = dice() % 20 == 0;
  Draft draft = NewDraft(denied ? v1::RECORD_KIND_DENIED : v1::RECORD_KIND_RELEASED);
  v1::AuditEnvelope& envelope = draft.envelope;
  const uint64_t agency = dice() % 20, dataset = dice() % 30;
  envelope.mutable_actor()->set_agency(absl::StrCat("agency", agency));
  envelope.mutable_actor()->set_principal(
      absl::StrCat("agency/agency", agency, "/system/s", dice() % 3));
  envelope.set_dataset(absl::StrCat("owner", dataset));
  envelope.set_owner_agency(absl::StrCat("owner", dataset % 7));
  envelope.set_grant(absl::StrCat("grant", dice() % 100));
  envelope.set_purpose(absl::StrCat("purpose", dice() % 10));
  envelope.mutable_basis()->set_law(absl::StrCat("law", dice() % 5));
  envelope.mutable_basis()->set_article(absl::StrCat(dice() % 60));
  if (denied) envelope.set_reason(v1::REASON_PURPOSE_NOT_GRANTED);
  envelope.set_subjects_asked(dice() % 50 == 0 ? v1::SUBJECT_SCOPE_POPULATION
                                               : v1::SUBJECT_SCOPE_LISTED);
  envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.detail.set_case_reference(absl::StrCat("case ", index / 5));
  draft.detail.set_end_user(absl::StrCat("user ", dice() % 2000));
  const uint64_t person = index % 1000 == 0 ? 0 : 1'000'000 + index;
  if (envelope.subjects_asked() == v1::SUBJECT_SCOPE_LISTED || person == 0)
    *draft.detail.add_asked() =
        pseudonyms_.ForSubject("CN-RID", absl::StrCat("person ", person), kGrowthBegins);
  return draft;
}

}  // namespace sluice::audit
