// How long the first page of an auditor's search takes as the log grows: the index is filled from
// generated records, 27,400 a day, and measured at each power of ten. The page is of indices alone;
// the records are read from the log, a place each, whatever its length.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>
#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/audit/generated_log_testing.h"
#include "gateway/audit/record_testing.h"
#include "gateway/audit/search.h"
#include "gateway/audit/subjects.h"

namespace sluice::bench {
namespace {

constexpr Micros kBegin = 1735689600 * kSecond;  // 2025-01-01
constexpr Micros kBetween = 365 * kDay / 10'000'000;

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

[[noreturn]] void GiveUp(const absl::Status& status) {
  std::cerr << "bench_search: " << status << "\n";
  std::_Exit(1);
}

class Growth {
 public:
  explicit Growth(const std::string& folder)
      : folder_(folder), files_(MakePosixFileSystem()), random_(MakeSystemRandom()) {
    auto keys = audit::DetailKeys::Open(folder + "/keys", *files_, *random_);
    if (!keys.ok()) GiveUp(keys.status());
    keys_ = *std::move(keys);
    log_ = std::make_unique<audit::GeneratedLog>(
        [this](uint64_t index, Micros* time) { return Make(index, time); }, *keys_, *random_);
    auto index = audit::SearchIndex::Open(
        folder + "/index",
        {*keys_, std::string(32, 'k'), [](const absl::Status& why) { GiveUp(why); }});
    if (!index.ok()) GiveUp(index.status());
    index_ = *std::move(index);
  }

  void GrowTo(uint64_t records) {
    const uint64_t before = index_->size();
    const auto began = std::chrono::steady_clock::now();
    // In steps, so that one sees it going.
    for (uint64_t size = before; size < records;) {
      size = std::min(records, size + 100'000);
      log_->Grow(size);
      if (const absl::Status status = index_->CatchUp(*log_); !status.ok()) GiveUp(status);
      std::cerr << "\r" << size << " records  " << std::flush;
    }
    const double rate = static_cast<double>(records - before) / Seconds(began);
    uint64_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder_ + "/index"))
      bytes += file.file_size();
    std::cerr << "\r";
    std::cout << records << " records, taken in at " << static_cast<int>(rate) << "/s, "
              << bytes / records << " bytes each\n";
  }

  void Measure() {
    const auto size = static_cast<int64_t>(log_->size());
    const auto near = [size](std::mt19937_64& dice) {
      return static_cast<uint64_t>(size) - 1 - dice() % 5000;
    };
    const auto subject = [this](uint64_t person) {
      return std::vector<v1::SubjectPseudonym>{
          pseudonyms_.ForSubject("CN-RID", absl::StrCat("person ", person), kBegin)};
    };
    Time("a person seen every 1,000 records", [&](std::mt19937_64&, audit::RecordQuery& query) {
      query.subjects = subject(0);
      query.certain = true;
    });
    Time("a person seen once", [&](std::mt19937_64& dice, audit::RecordQuery& query) {
      query.subjects = subject(1'000'000 + near(dice));
      query.certain = true;
    });
    Time("a person, with what is possible", [&](std::mt19937_64& dice, audit::RecordQuery& query) {
      query.subjects = subject(1'000'000 + near(dice));
    });
    Time("an agency's day", [&](std::mt19937_64& dice, audit::RecordQuery& query) {
      query.agency = absl::StrCat("agency", dice() % 20);
      const Micros now = kBegin + size * kBetween;
      query.since = std::max(kBegin, now - kDay);
      query.until = now;
    });
    Time("a case", [&](std::mt19937_64& dice, audit::RecordQuery& query) {
      query.case_reference = absl::StrCat("case ", near(dice) / 5);
    });
    Time("an end user, denied", [&](std::mt19937_64& dice, audit::RecordQuery& query) {
      query.end_user = absl::StrCat("user ", dice() % 2000);
      query.outcome = v1::RECORD_OUTCOME_DENIED;
    });
    Time("a dataset and a purpose", [&](std::mt19937_64& dice, audit::RecordQuery& query) {
      query.dataset = absl::StrCat("owner", dice() % 30);
      query.purpose = absl::StrCat("purpose", dice() % 10);
    });
    Time("everything", [&](std::mt19937_64&, audit::RecordQuery&) {});
  }

 private:
  audit::Draft Make(uint64_t index, Micros* time) const {
    std::mt19937_64 dice(index);
    *time = kBegin + static_cast<Micros>(index) * kBetween;
    const bool denied = dice() % 20 == 0;
    audit::Draft draft =
        audit::NewDraft(denied ? v1::RECORD_KIND_DENIED : v1::RECORD_KIND_RELEASED);
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
          pseudonyms_.ForSubject("CN-RID", absl::StrCat("person ", person), kBegin);
    return draft;
  }

  void Time(const std::string& what,
            const std::function<void(std::mt19937_64&, audit::RecordQuery&)>& set) {
    std::mt19937_64 dice(42);
    std::vector<double> times;
    size_t hits = 0;
    for (int round = 0; round < 51; ++round) {
      audit::RecordQuery query;
      set(dice, query);
      const auto began = std::chrono::steady_clock::now();
      const auto result = index_->Search(*log_, query, {.all = true}, {.limit = 100});
      times.push_back(Seconds(began) * 1e3);
      if (!result.ok()) GiveUp(result.status());
      hits += result->hits.size();
    }
    std::sort(times.begin(), times.end());
    std::cout << "  " << std::left << std::setw(36) << what << std::right << std::fixed
              << std::setprecision(2) << std::setw(8) << times[times.size() / 2] << " ms, worst "
              << std::setw(8) << times.back() << " ms, " << hits / times.size() << " hits\n"
              << std::flush;
  }

  const std::string folder_;
  const std::unique_ptr<FileSystem> files_;
  const std::unique_ptr<RandomSource> random_;
  const audit::Pseudonyms pseudonyms_{std::string(32, 'p')};
  std::unique_ptr<audit::DetailKeys> keys_;
  std::unique_ptr<audit::GeneratedLog> log_;
  std::unique_ptr<audit::SearchIndex> index_;
};

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  CLI::App app("What an auditor's search costs as the log grows.");
  uint64_t most = 1'000'000;
  app.add_option("--records", most, "to grow to, by powers of ten from 10,000 on");
  CLI11_PARSE(app, argc, argv);
  const sluice::audit::TestFolder folder;
  sluice::bench::Growth growth(folder.path());
  for (uint64_t size = 10'000; size <= most; size *= 10) {
    growth.GrowTo(size);
    growth.Measure();
  }
  return 0;
}
