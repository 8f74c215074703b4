#include "gateway/audit/search.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/audit/index_month.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/fair_mutex.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {
namespace {

constexpr int kMostHits = 1000;
// A batch ends with its month, or at any of these. Terms of envelopes go into a tree, those of
// details into a run, which takes a fraction of the time.
constexpr size_t kBatchRecords = 10'000;
constexpr size_t kBatchTerms = 20'000;
constexpr size_t kBatchDetailTerms = 100'000;
constexpr size_t kBatchBytes = 4 << 20;
// Where a keeper runs, a search takes in at most so many batches by itself, and none where more
// than so many records are missing.
constexpr int kBatchesASearch = 4;
constexpr uint64_t kAtOnce = 20'000;
// What one slice of bringing runs into order moves. For each posting that is taken in, so many are
// moved, as long as there is anything to move: more than there are levels.
constexpr int64_t kSlice = 200'000;
constexpr int64_t kMovedForEach = 8;
constexpr Micros kFileClockStep = kSecond;
constexpr auto kKeepEvery = std::chrono::seconds(1);

std::string FormatFor(const std::string& term_key) {
  return absl::StrCat("sluice-index/v5 ",
                      HexEncode(AsBytes(HmacSha256(term_key, "format")).substr(0, 8)));
}

// What is kept up with takes only what others leave of the processors. Linux has a priority for
// each thread.
void LowerThisThread() { setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 5); }

class SqliteSearchIndex : public SearchIndex {
 public:
  SqliteSearchIndex(std::string directory, SearchIndexParts parts)
      : directory_(std::move(directory)),
        format_(FormatFor(parts.term_key)),
        parts_(std::move(parts)),
        files_(MakePosixFileSystem()),
        terms_to_add_(parts_.term_key),
        terms_to_find_(parts_.term_key) {}

  ~SqliteSearchIndex() override { StopKeeping(); }

  absl::Status Load() {
    FairLock lock(mutex_);
    SLUICE_RETURN_IF_ERROR(files_->CreateDirectories(directory_));
    if (absl::Status status = LoadMonths(); !status.ok()) return BeginAnew(status);
    return absl::OkStatus();
  }

  void Keep(Log& log) override {
    keeping_ = true;
    keeper_ = std::thread([this, &log] { KeepUp(log); });
  }

  void Stop() override { StopKeeping(); }

  absl::Status CatchUp(Log& log) override {
    const uint64_t goal = log.size();
    while (size() < goal) {
      SLUICE_RETURN_IF_ERROR(Step(log, goal));
      SLUICE_RETURN_IF_ERROR(PutInOrder());
    }
    return absl::OkStatus();
  }

  absl::Status PutAllInOrder() override {
    for (bool more = true; more;) {
      SLUICE_ASSIGN_OR_RETURN(more, Slice(/*called_for=*/false));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<SearchResult> Search(Log& log, const RecordQuery& query, const Scope& scope,
                                      const SearchPage& page) override {
    bool anew = false;
    for (;;) {
      // It answers from what there is, and says up to where.
      if (absl::Status status = keeping_ ? TakeInSome(log) : CatchUp(log); !status.ok())
        Tell(status);
      FairLock lock(mutex_);
      absl::Status bad = next_ > log.size() ? OtherLog() : absl::OkStatus();
      if (bad.ok()) {
        auto result = SearchMonths(query, scope, page);
        if (result.ok()) return result;
        bad = result.status();
      }
      if (anew) return bad;
      anew = true;
      SLUICE_RETURN_IF_ERROR(BeginAnew(bad));
    }
  }

  absl::Status Rebuild(const absl::Status& why) override {
    FairLock lock(mutex_);
    return BeginAnew(why);
  }

  uint64_t size() const override { return next_; }

  absl::StatusOr<std::vector<uint64_t>> LatestOf(const std::vector<uint64_t>& opened) override {
    std::vector<uint64_t> latest = opened;
    if (opened.empty()) return latest;
    FairLock lock(mutex_);
    for (uint64_t& newest : latest) {
      const auto stream = static_cast<int64_t>(newest);
      for (const bool progress : {false, true}) {
        const int64_t term = terms_to_find_.OfStream(stream, progress);
        for (auto& [name, month] : months_) {
          SLUICE_ASSIGN_OR_RETURN(const int64_t index, month->Latest(term));
          if (index >= 0) newest = std::max(newest, static_cast<uint64_t>(index));
        }
      }
    }
    return latest;
  }

  std::vector<int> Years() const override {
    FairLock lock(mutex_);
    std::set<int> years;
    for (const auto& [name, month] : months_) {
      int year = 0;
      if (absl::SimpleAtoi(name.substr(0, 4), &year)) years.insert(year);
    }
    return {years.begin(), years.end()};
  }

 private:
  struct Batch {
    std::string month;
    uint64_t begin = 0, end = 0;
    std::vector<IndexRow> rows;
  };

  absl::Status OtherLog() const {
    return absl::DataLossError(absl::StrCat(directory_, ": is of another log"));
  }

  void Tell(const absl::Status& status) const {
    if (parts_.on_trouble && !status.ok()) parts_.on_trouble(status);
  }

  // Opens all months; an error where one is missing, damaged or not ours.
  absl::Status LoadMonths() SLUICE_REQUIRES(mutex_) {
    months_.clear();
    keys_changed_.reset();
    next_ = 0;
    int64_t records = 0, last = -1;
    SLUICE_ASSIGN_OR_RETURN(const auto names, files_->List(directory_));
    for (const std::string& name : names) {
      if (name.size() != 14 || name.substr(7) != ".sqlite") continue;
      SLUICE_ASSIGN_OR_RETURN(auto month, IndexMonth::Open(directory_, name.substr(0, 7), format_,
                                                           parts_.keys, *files_, filter_room_));
      records += month->records();
      last = std::max(last, month->last());
      months_.emplace(name.substr(0, 7), std::move(month));
    }
    // Every record is in exactly one month.
    if (last + 1 != records)
      return absl::DataLossError(absl::StrCat(directory_, ": some of its records are missing"));
    next_ = static_cast<uint64_t>(records);
    return absl::OkStatus();
  }

  // Nothing is set aside: what is derived from details must not outlive them.
  absl::Status BeginAnew(const absl::Status& why) SLUICE_REQUIRES(mutex_) {
    Tell(why);
    months_.clear();
    keys_changed_.reset();
    checked_.clear();
    next_ = 0;
    ++generation_;
    SLUICE_RETURN_IF_ERROR(files_->CreateDirectories(directory_));
    SLUICE_ASSIGN_OR_RETURN(const auto names, files_->List(directory_));
    for (const std::string& name : names) {
      if (!absl::StrContains(name, ".sqlite")) continue;
      if (absl::Status status = files_->Remove(JoinPath(directory_, name));
          !status.ok() && !absl::IsNotFound(status))
        return status;
    }
    return absl::OkStatus();
  }

  absl::Status CheckFiles() SLUICE_REQUIRES(mutex_) {
    for (auto& [name, month] : months_) SLUICE_RETURN_IF_ERROR(Check(*month));
    return absl::OkStatus();
  }

  // Before it is asked anything.
  absl::Status Check(IndexMonth& month) SLUICE_REQUIRES(mutex_) {
    SLUICE_RETURN_IF_ERROR(month.CheckFiles());
    return month.DropErased(parts_.keys);
  }

  // Of all months, where a key was made or dropped since the last time: a month that is passed over
  // is not looked at otherwise.
  absl::Status DropErased() SLUICE_REQUIRES(mutex_) {
    const Micros now = absl::ToUnixMicros(absl::Now());
    const std::optional<Micros> changed = parts_.keys.LastChanged();
    if (changed && changed == keys_changed_) return absl::OkStatus();
    for (auto& [name, month] : months_) SLUICE_RETURN_IF_ERROR(Check(*month));
    // Another change within the same step of the file system's clock would look the same.
    if (changed && now > *changed + kFileClockStep) keys_changed_ = changed;
    return absl::OkStatus();
  }

  static IndexSpan SpanOf(const RecordQuery& query, const SearchPage& page) {
    return {query.since, query.until, page.before, std::clamp(page.limit, 1, kMostHits) + 1};
  }

  absl::StatusOr<SearchResult> SearchMonths(const RecordQuery& query, const Scope& scope,
                                            const SearchPage& page) SLUICE_REQUIRES(mutex_) {
    const IndexSpan span = SpanOf(query, page);
    const auto limit = static_cast<size_t>(span.limit) - 1;
    std::vector<std::pair<int64_t, IndexMonth*>> newest_first;
    SearchResult result;
    result.searched_to = next_;
    for (auto& [name, month] : months_) {
      if (query.since && name < MonthOf(*query.since)) continue;
      if (query.until && name > MonthOf(*query.until)) continue;
      newest_first.emplace_back(month->last(), month.get());
    }
    std::sort(newest_first.rbegin(), newest_first.rend());
    const auto any = terms_to_find_.OfQuery(query, scope);
    SLUICE_RETURN_IF_ERROR(DropErased());
    std::vector<int64_t> hits;
    for (const auto& [last, month] : newest_first) {
      // A clock that was set back mixes months, so the next may have some of these.
      if (hits.size() > limit && hits[limit] > last) break;
      if (!month->MayHave(any)) continue;
      SLUICE_RETURN_IF_ERROR(Check(*month));
      for (const TermsTogether& terms : any) {
        SLUICE_ASSIGN_OR_RETURN(const auto found, month->Find(terms, span));
        hits.insert(hits.end(), found.begin(), found.end());
      }
      std::sort(hits.rbegin(), hits.rend());
      hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
      if (hits.size() > limit + 1) hits.resize(limit + 1);
    }
    for (const auto& [last, month] : newest_first)
      if (query.AsksDetails()) result.erased += static_cast<uint64_t>(month->erased());
    result.more = hits.size() > limit;
    if (result.more) hits.resize(limit);
    result.hits.assign(hits.begin(), hits.end());
    return result;
  }

  // A bounded part, so that who asks does not wait long.
  absl::Status TakeInSome(Log& log) {
    const uint64_t goal = log.size();
    if (goal > size() + kAtOnce) return absl::OkStatus();
    for (int i = 0; i < kBatchesASearch && size() < goal; ++i)
      SLUICE_RETURN_IF_ERROR(Step(log, goal));
    return absl::OkStatus();
  }

  // One batch more. Whatever is wrong with the index makes it anew; an error is of the log, or of a
  // disk that is full.
  absl::Status Step(Log& log, uint64_t goal) {
    FairLock adding(adding_);
    uint64_t begin = 0, generation = 0;
    {
      FairLock lock(mutex_);
      begin = next_;
      generation = generation_;
    }
    if (begin >= goal) return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const Batch batch, ReadBatch(log, begin, goal));
    FairLock lock(mutex_);
    if (generation_ != generation) return absl::OkStatus();
    const absl::Status status = Store(batch);
    if (status.ok() || absl::IsResourceExhausted(status)) return status;
    if (failed_at_ == begin) return status;  // not for ever
    failed_at_ = begin;
    return BeginAnew(status);
  }

  // What the batches so far call for, slice by slice, until it is done or the index stops.
  absl::Status PutInOrder() {
    while (!stopping_) {
      SLUICE_ASSIGN_OR_RETURN(const bool more, Slice(/*called_for=*/true));
      if (!more) break;
    }
    return absl::OkStatus();
  }

  // One slice. Whether there may be more.
  absl::StatusOr<bool> Slice(bool called_for) {
    FairLock lock(mutex_);
    if (called_for && to_move_ <= 0) return false;
    int64_t newest = -1;
    for (const auto& [name, month] : months_) newest = std::max(newest, month->last());
    for (auto& [name, month] : months_) {
      const bool past = month->last() < newest;
      // Caches of years would be hundreds of MiB.
      month->SetPast(past);
      const auto moved = month->Work(kSlice, past);
      if (absl::IsDataLoss(moved.status())) {
        SLUICE_RETURN_IF_ERROR(BeginAnew(moved.status()));
        return false;
      }
      SLUICE_RETURN_IF_ERROR(moved.status());
      to_move_ -= *moved;
      if (*moved > 0) return true;
    }
    to_move_ = 0;
    return false;
  }

  absl::StatusOr<Batch> ReadBatch(Log& log, uint64_t begin, uint64_t goal)
      SLUICE_REQUIRES(adding_) {
    Batch batch;
    batch.begin = batch.end = begin;
    absl::Status parsed;
    size_t terms = 0, detail_terms = 0, bytes = 0;
    std::map<std::string, absl::StatusOr<std::string>> opened_keys;
    const KeyForOpening key = [&](const std::string& name) {
      const auto known = opened_keys.find(name);
      if (known != opened_keys.end()) return known->second;
      return opened_keys.emplace(name, parts_.keys.ForOpening(name)).first->second;
    };
    IndexTerms* const made_terms = &terms_to_add_;  // the lock is held while the log is read
    SLUICE_RETURN_IF_ERROR(log.Read(begin, [&](const Log::Entry& entry) {
      v1::AuditEnvelope envelope;
      if (!envelope.ParseFromString(entry.record.envelope)) {
        parsed = absl::DataLossError(absl::StrCat("record ", entry.index, " does not parse"));
        return false;
      }
      const std::string month = MonthOf(TimeOf(envelope));
      if (batch.rows.empty()) batch.month = month;
      if (month != batch.month) return false;
      IndexRow& row = batch.rows.emplace_back();
      row.index = static_cast<int64_t>(entry.index);
      row.time = TimeOf(envelope);
      row.progress = envelope.kind() == v1::RECORD_KIND_PROGRESS;
      row.terms = made_terms->OfEnvelope(envelope);
      row.detail_key = envelope.detail_key();
      const auto detail = OpenDetail(entry.record, key);
      // One that does not open under its key is the verifier's to report.
      row.opened = absl::StartsWith(row.detail_key, month + "/") && key(row.detail_key).ok();
      if (row.opened && detail.ok()) row.detail_terms = made_terms->OfDetail(envelope, *detail);
      terms += row.terms.size();
      detail_terms += row.detail_terms.size();
      bytes += entry.record.envelope.size() + entry.record.sealed_detail.size();
      batch.end = entry.index + 1;
      return batch.end < goal && batch.rows.size() < kBatchRecords && terms < kBatchTerms &&
             detail_terms < kBatchDetailTerms && bytes < kBatchBytes;
    }));
    SLUICE_RETURN_IF_ERROR(parsed);
    if (batch.rows.empty())
      return absl::DataLossError(absl::StrCat("record ", begin, " cannot be read from the log"));
    return batch;
  }

  absl::Status Store(const Batch& batch) SLUICE_REQUIRES(mutex_) {
    auto month = months_.find(batch.month);
    if (month == months_.end()) {
      SLUICE_ASSIGN_OR_RETURN(auto opened, IndexMonth::Open(directory_, batch.month, format_,
                                                            parts_.keys, *files_, filter_room_));
      month = months_.emplace(batch.month, std::move(opened)).first;
    }
    SLUICE_RETURN_IF_ERROR(month->second->CheckFiles());
    SLUICE_RETURN_IF_ERROR(month->second->Add(batch.rows));
    next_ = batch.end;
    for (const IndexRow& row : batch.rows)
      to_move_ += kMovedForEach * static_cast<int64_t>(row.detail_terms.size());
    return absl::OkStatus();
  }

  void KeepUp(Log& log) {
    LowerThisThread();
    std::string told;
    while (!stopping_) {
      absl::Status status;
      while (!stopping_ && status.ok() && size() < log.size()) {
        status = Step(log, log.size());
        if (status.ok()) status = PutInOrder();
      }
      if (status.ok() && size() > log.size()) status = Rebuild(OtherLog());
      bool more = status.ok();
      while (!stopping_ && more && size() >= log.size()) {
        const auto sliced = Slice(/*called_for=*/false);
        status = sliced.status();
        more = sliced.ok() && *sliced;
      }
      if (status.ok() && !stopping_) status = Look();
      // Once for each trouble.
      const std::string trouble(status.message());
      if (trouble != told) Tell(status);
      told = trouble;
      MutexLock lock(keeper_mutex_);
      if (!stopping_) keeper_wakes_.WaitFor(keeper_mutex_, kKeepEvery);
    }
  }

  // Once a second: what was dropped, what is gone, and whether one month more is sound, which makes
  // way for whoever asks.
  absl::Status Look() {
    FairLock lock(mutex_);
    absl::Status status = CheckFiles();
    for (auto& [name, month] : months_) {
      if (!status.ok()) break;
      if (checked_.count(name) > 0) continue;
      status = month->CheckWhole([this] { return stopping_ || mutex_.Awaited(); });
      if (absl::IsCancelled(status)) return absl::OkStatus();
      checked_.insert(name);
      break;
    }
    return status.ok() ? status : BeginAnew(status);
  }

  void StopKeeping() {
    {
      MutexLock lock(keeper_mutex_);
      stopping_ = true;
      keeper_wakes_.NotifyAll();
    }
    if (keeper_.joinable()) keeper_.join();
    keeping_ = stopping_ = false;
  }

  const std::string directory_, format_;
  const SearchIndexParts parts_;
  const std::unique_ptr<FileSystem> files_;

  FairMutex adding_;  // one batch at a time; taken before mutex_
  IndexTerms terms_to_add_ SLUICE_GUARDED_BY(adding_);
  uint64_t failed_at_ SLUICE_GUARDED_BY(adding_) = ~uint64_t{0};

  mutable FairMutex mutex_;
  FilterRoom filter_room_ SLUICE_GUARDED_BY(mutex_);
  std::optional<Micros> keys_changed_ SLUICE_GUARDED_BY(mutex_);  // and all was dropped since
  IndexTerms terms_to_find_ SLUICE_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<IndexMonth>> months_ SLUICE_GUARDED_BY(mutex_);
  std::set<std::string> checked_ SLUICE_GUARDED_BY(mutex_);
  std::atomic<uint64_t> next_{0};  // set under mutex_
  uint64_t generation_ SLUICE_GUARDED_BY(mutex_) = 0;
  int64_t to_move_ SLUICE_GUARDED_BY(mutex_) = 0;  // postings

  std::atomic<bool> keeping_{false}, stopping_{false};
  Mutex keeper_mutex_;
  Condition keeper_wakes_;
  std::thread keeper_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SearchIndex>> SearchIndex::Open(const std::string& directory,
                                                               SearchIndexParts parts) {
  auto index = std::make_unique<SqliteSearchIndex>(directory, std::move(parts));
  SLUICE_RETURN_IF_ERROR(index->Load());
  return index;
}

}  // namespace sluice::audit
