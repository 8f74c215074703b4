#include "gateway/audit/index_month.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

// One of these for each five minutes of the month: which indices fell into it.
constexpr Micros kSlot = 5 * kMinute;
constexpr size_t kRowsAStatement = 500;

constexpr char kMainTables[] = R"(
  CREATE TABLE meta(format TEXT NOT NULL, records INTEGER NOT NULL, first INTEGER NOT NULL,
                    last INTEGER NOT NULL);
  CREATE TABLE records(idx INTEGER PRIMARY KEY, time INTEGER NOT NULL);
  CREATE TABLE steps(idx INTEGER PRIMARY KEY, time INTEGER NOT NULL);
  CREATE TABLE slots(slot INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
  CREATE TABLE keys(name TEXT PRIMARY KEY, records INTEGER NOT NULL, unread INTEGER NOT NULL,
                    last INTEGER NOT NULL);
  CREATE TABLE postings(term INTEGER, idx INTEGER, PRIMARY KEY(term, idx)) WITHOUT ROWID;
)";

absl::Status Damaged(const std::string& path, std::string_view how) {
  return absl::DataLossError(absl::StrCat(path, ": ", std::string(how)));
}

// SQLite makes no files here: it is given what exists.
absl::Status MakeFile(const std::string& path, FileSystem& files) {
  SLUICE_ASSIGN_OR_RETURN(auto file, files.CreateNew(path));
  return file->Close();
}

}  // namespace

std::string MonthOf(Micros time) {
  return absl::FormatTime("%E4Y-%m", absl::FromUnixMicros(time), absl::UTCTimeZone());
}

// Whether the span begins, or ends, within the month.
bool IndexMonth::Since(const IndexSpan& span) const {
  return span.since && MonthOf(*span.since) >= month_;
}
bool IndexMonth::Until(const IndexSpan& span) const {
  return span.until && MonthOf(*span.until) <= month_;
}

IndexMonth::IndexMonth(std::string directory, std::string month, std::string format,
                       FileSystem& files, FilterRoom& room)
    : directory_(std::move(directory)),
      month_(std::move(month)),
      format_(std::move(format)),
      path_(JoinPath(directory_, month_ + ".sqlite")),
      files_(files),
      room_(room) {}

absl::StatusOr<std::unique_ptr<IndexMonth>> IndexMonth::Open(const std::string& directory,
                                                             const std::string& month,
                                                             const std::string& format,
                                                             const DetailKeys& keys,
                                                             FileSystem& files, FilterRoom& room) {
  std::unique_ptr<IndexMonth> opened(new IndexMonth(directory, month, format, files, room));
  const bool fresh = !files.Stat(opened->path_).ok();
  if (fresh) SLUICE_RETURN_IF_ERROR(MakeFile(opened->path_, files));
  SLUICE_ASSIGN_OR_RETURN(opened->database_, store::SqliteConnection::Open(opened->path_));
  // Alone on its files, so that no memory is mapped that somebody else could truncate. What a crash
  // takes from the records is made again, so no sync is waited for.
  SLUICE_RETURN_IF_ERROR(opened->database_->Run(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"));
  SLUICE_RETURN_IF_ERROR(
      opened->database_->Run(absl::StrCat("PRAGMA cache_size=", opened->CacheSize())));
  SLUICE_RETURN_IF_ERROR(opened->Load(fresh, keys));
  SLUICE_RETURN_IF_ERROR(opened->PrepareAll());
  opened->NoteSizes();
  return opened;
}

std::string IndexMonth::DetailsPath(const std::string& key) const {
  std::string name = key;
  std::replace(name.begin(), name.end(), '/', '-');
  return JoinPath(directory_, name + ".details.sqlite");
}

absl::Status IndexMonth::Load(bool fresh, const DetailKeys& keys) {
  if (fresh) {
    return InTransaction([&]() -> absl::Status {
      SLUICE_RETURN_IF_ERROR(database_->Run(kMainTables));
      return database_->Query("INSERT INTO meta VALUES(?1, 0, -1, -1)", {format_}).status();
    });
  }
  SLUICE_ASSIGN_OR_RETURN(const auto meta,
                          database_->Query("SELECT format, records, first, last FROM meta"));
  if (meta.size() != 1 || meta[0].Text(0) != format_)
    return Damaged(path_, "is no index of this program and log");
  records_ = meta[0].Int(1);
  first_ = meta[0].Int(2);
  last_ = meta[0].Int(3);
  SLUICE_ASSIGN_OR_RETURN(progress_, database_->Number("SELECT count(*) FROM main.steps"));
  SLUICE_ASSIGN_OR_RETURN(const auto rows,
                          database_->Query("SELECT name, records, unread, last FROM keys"));
  for (const store::SqlRow& row : rows) {
    const std::string& key = row.Text(0);
    Details& details = details_[key];
    details.records = row.Int(1);
    details.unread = row.Int(2);
    details.last = row.Int(3);
    if (files_.Stat(DetailsPath(key)).ok()) {
      SLUICE_RETURN_IF_ERROR(Attach(key, details, false));
    } else if (details.records > details.unread) {
      return Damaged(DetailsPath(key), "is missing");
    } else if (keys.ForOpening(key).ok()) {
      return Damaged(DetailsPath(key), "its key is back");
    }
  }
  return absl::OkStatus();
}

absl::Status IndexMonth::Attach(const std::string& key, Details& details, bool fresh) {
  const std::string path = DetailsPath(key);
  const std::string schema = absl::StrCat("d", schemas_++);
  if (fresh) SLUICE_RETURN_IF_ERROR(MakeFile(path, files_));
  SLUICE_RETURN_IF_ERROR(database_->Query(absl::StrCat("ATTACH ?1 AS ", schema), {path}).status());
  details.schema = schema;
  SLUICE_RETURN_IF_ERROR(database_->Run(
      absl::StrCat("PRAGMA ", schema, ".journal_mode=WAL; PRAGMA ", schema,
                   ".synchronous=FULL; PRAGMA ", schema, ".cache_size=", CacheSize())));
  auto runs = fresh ? IndexRuns::Make(*database_, schema, format_, room_)
                    : IndexRuns::Open(*database_, schema, format_, room_);
  if (!runs.ok()) return Annotate(runs.status(), path);
  details.runs = *std::move(runs);
  if (details.runs->newest() < details.last)
    return Damaged(path, "does not fit the month that it belongs to");
  return absl::OkStatus();
}

absl::Status IndexMonth::PrepareAll() {
  for (const bool progress : {false, true}) {
    const std::string table = progress ? "main.steps" : "main.records";
    SLUICE_ASSIGN_OR_RETURN(walk_[progress],
                            database_->Prepare(absl::StrCat("SELECT idx FROM ", table,
                                                            " WHERE idx<=?1 ORDER BY idx DESC")));
    SLUICE_ASSIGN_OR_RETURN(time_of_[progress], database_->Prepare(absl::StrCat(
                                                    "SELECT time FROM ", table, " WHERE idx=?1")));
  }
  SLUICE_ASSIGN_OR_RETURN(
      slots_, database_->Prepare("SELECT ifnull(min(first),0), ifnull(max(last),-1) FROM "
                                 "main.slots WHERE slot BETWEEN ?1 AND ?2"));
  return absl::OkStatus();
}

absl::Status IndexMonth::InTransaction(const std::function<absl::Status()>& body) {
  SLUICE_RETURN_IF_ERROR(database_->Run("BEGIN IMMEDIATE"));
  absl::Status status = body();
  if (status.ok()) status = database_->Run("COMMIT");
  if (!status.ok() && database_->in_transaction()) database_->Run("ROLLBACK").IgnoreError();
  return status;
}

absl::Status IndexMonth::Insert(const std::string& into, const std::vector<store::SqlValue>& values,
                                size_t columns) {
  const size_t most = kRowsAStatement * columns;
  for (size_t begin = 0; begin < values.size(); begin += most) {
    const size_t end = std::min(values.size(), begin + most);
    std::string sql = absl::StrCat("INSERT OR IGNORE INTO ", into, " VALUES");
    for (size_t row = 0; row < (end - begin) / columns; ++row) {
      absl::StrAppend(&sql, row == 0 ? "(?" : ",(?");
      for (size_t i = 1; i < columns; ++i) absl::StrAppend(&sql, ",?");
      absl::StrAppend(&sql, ")");
    }
    SLUICE_RETURN_IF_ERROR(database_
                               ->Query(sql, {values.begin() + static_cast<std::ptrdiff_t>(begin),
                                             values.begin() + static_cast<std::ptrdiff_t>(end)})
                               .status());
  }
  return absl::OkStatus();
}

absl::Status IndexMonth::Add(const std::vector<IndexRow>& rows) {
  if (rows.empty()) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(AddDetails(rows));
  SLUICE_RETURN_IF_ERROR(AddRecords(rows));
  NoteSizes();
  return absl::OkStatus();
}

absl::Status IndexMonth::AddDetails(const std::vector<IndexRow>& rows) {
  std::map<std::string, std::vector<Posting>> by_key;
  std::map<std::string, int64_t> last;
  for (const IndexRow& row : rows) {
    if (!row.opened) continue;
    auto& postings = by_key[row.detail_key];
    for (const int64_t term : row.detail_terms) postings.push_back({term, row.index});
    last[row.detail_key] = row.index;
  }
  for (auto& [key, postings] : by_key) {
    Details& details = details_[key];
    if (details.runs == nullptr) SLUICE_RETURN_IF_ERROR(Attach(key, details, true));
    std::sort(postings.begin(), postings.end());
    SLUICE_RETURN_IF_ERROR(details.runs->Add(postings, last[key]));
  }
  return absl::OkStatus();
}

absl::Status IndexMonth::AddRecords(const std::vector<IndexRow>& rows) {
  std::vector<std::pair<int64_t, int64_t>> postings;
  std::vector<store::SqlValue> records, steps;
  std::map<int64_t, std::pair<int64_t, int64_t>> slots;
  struct Counts {
    int64_t records = 0, unread = 0, last = -1;
  };
  std::map<std::string, Counts> keys;
  for (const IndexRow& row : rows) {
    for (const int64_t term : row.terms) postings.emplace_back(term, row.index);
    std::vector<store::SqlValue>& kind = row.progress ? steps : records;
    kind.insert(kind.end(), {row.index, row.time});
    const auto slot = slots.emplace(row.time / kSlot, std::pair(row.index, row.index)).first;
    slot->second.second = row.index;
    const Details& before = details_[row.detail_key];
    Counts& counts =
        keys.try_emplace(row.detail_key, Counts{before.records, before.unread, before.last})
            .first->second;
    ++counts.records;
    if (row.opened) counts.last = row.index;
    if (!row.opened) ++counts.unread;
  }
  std::sort(postings.begin(), postings.end());
  std::vector<store::SqlValue> values;
  values.reserve(2 * postings.size());
  for (const auto& [term, index] : postings) {
    values.emplace_back(term);
    values.emplace_back(index);
  }
  const int64_t first = first_ < 0 ? rows.front().index : first_;
  const int64_t all = records_ + static_cast<int64_t>(rows.size());
  SLUICE_RETURN_IF_ERROR(InTransaction([&]() -> absl::Status {
    SLUICE_RETURN_IF_ERROR(Insert("main.records", records, 2));
    SLUICE_RETURN_IF_ERROR(Insert("main.steps", steps, 2));
    SLUICE_RETURN_IF_ERROR(Insert("main.postings", values, 2));
    for (const auto& [slot, span] : slots)
      SLUICE_RETURN_IF_ERROR(
          database_
              ->Query("INSERT INTO main.slots VALUES(?1,?2,?3) ON CONFLICT(slot) DO UPDATE SET "
                      "first=min(first,excluded.first), last=max(last,excluded.last)",
                      {slot, span.first, span.second})
              .status());
    for (const auto& [key, counts] : keys)
      SLUICE_RETURN_IF_ERROR(database_
                                 ->Query("INSERT OR REPLACE INTO main.keys VALUES(?1,?2,?3,?4)",
                                         {key, counts.records, counts.unread, counts.last})
                                 .status());
    return database_
        ->Query("UPDATE main.meta SET records=?1, first=?2, last=?3",
                {all, first, rows.back().index})
        .status();
  }));
  records_ = all;
  first_ = first;
  last_ = rows.back().index;
  progress_ += static_cast<int64_t>(steps.size() / 2);
  for (const auto& [key, counts] : keys) {
    Details& details = details_[key];
    details.records = counts.records;
    details.unread = counts.unread;
    details.last = counts.last;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::pair<int64_t, int64_t>> IndexMonth::Bounds(const IndexSpan& span) {
  int64_t low = first_, high = last_;
  if (span.before >= 0) high = std::min(high, span.before - 1);
  if (!Since(span) && !Until(span)) return std::pair(low, high);
  slots_->Bind(1, Since(span) ? *span.since / kSlot : 0);
  slots_->Bind(2, Until(span) ? *span.until / kSlot : std::numeric_limits<int64_t>::max());
  SLUICE_RETURN_IF_ERROR(slots_->Step().status());
  low = std::max(low, slots_->Int(0));
  high = std::min(high, slots_->Int(1));
  slots_->Reset();
  return std::pair(low, high);
}

absl::StatusOr<bool> IndexMonth::IsWithin(int64_t index, bool progress, const IndexSpan& span) {
  store::SqliteStatement& time_of = *time_of_[progress];
  ++steps_;
  time_of.Bind(1, index);
  SLUICE_ASSIGN_OR_RETURN(const bool row, time_of.Step());
  if (!row) return Damaged(path_, "names a record that it has not");
  const Micros time = time_of.Int(0);
  time_of.Reset();
  return (!Since(span) || time >= *span.since) && (!Until(span) || time < *span.until);
}

absl::StatusOr<std::unique_ptr<PostingCursor>> IndexMonth::CursorFor(int64_t term, size_t number) {
  while (find_.size() <= number) {
    SLUICE_ASSIGN_OR_RETURN(auto find,
                            database_->Prepare("SELECT idx FROM main.postings WHERE term=?1 AND "
                                               "idx<=?2 ORDER BY idx DESC"));
    find_.push_back(std::move(find));
  }
  find_[number]->Bind(1, term);
  return std::make_unique<RowCursor>(*find_[number], 2);
}

absl::Status IndexMonth::FindAmong(const TermsTogether& terms, IndexRuns* details,
                                   const IndexSpan& span, std::vector<int64_t>& found) {
  SLUICE_ASSIGN_OR_RETURN(const auto bounds, Bounds(span));
  const auto [low, high] = bounds;
  std::vector<std::unique_ptr<PostingCursor>> cursors;
  // Most often the rarer ones.
  for (const int64_t term : terms.detail_terms) cursors.push_back(details->Find(term));
  for (size_t i = 0; i < terms.terms.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(cursors.emplace_back(), CursorFor(terms.terms[i], i));
  }
  if (cursors.empty()) cursors.push_back(std::make_unique<RowCursor>(*walk_[terms.progress], 1));
  // Times matter at the edges alone.
  const bool edge = Since(span) || Until(span);
  int left = span.limit;
  return WalkTogether(cursors, low, high, steps_, [&](int64_t index) -> absl::StatusOr<bool> {
    if (edge) {
      SLUICE_ASSIGN_OR_RETURN(const bool within, IsWithin(index, terms.progress, span));
      if (!within) return true;
    }
    found.push_back(index);
    return --left > 0;
  });
}

bool IndexMonth::MayHave(const std::vector<TermsTogether>& any) const {
  return std::any_of(any.begin(), any.end(), [this](const TermsTogether& terms) {
    if (terms.progress && progress_ == 0) return false;
    if (terms.detail_terms.empty()) return true;
    return std::any_of(details_.begin(), details_.end(), [&terms](const auto& details) {
      const IndexRuns* const runs = details.second.runs.get();
      return runs != nullptr && std::all_of(terms.detail_terms.begin(), terms.detail_terms.end(),
                                            [runs](int64_t term) { return runs->MayHave(term); });
    });
  });
}

absl::StatusOr<std::vector<int64_t>> IndexMonth::Find(const TermsTogether& terms,
                                                      const IndexSpan& span) {
  std::vector<int64_t> found;
  if (terms.progress && progress_ == 0) return found;
  if (terms.detail_terms.empty()) {
    SLUICE_RETURN_IF_ERROR(FindAmong(terms, nullptr, span, found));
    return found;
  }
  // A record has its details under one key.
  for (const auto& [key, details] : details_)
    if (details.runs != nullptr)
      SLUICE_RETURN_IF_ERROR(FindAmong(terms, details.runs.get(), span, found));
  std::sort(found.rbegin(), found.rend());
  if (found.size() > static_cast<size_t>(span.limit)) found.resize(static_cast<size_t>(span.limit));
  return found;
}

absl::StatusOr<int64_t> IndexMonth::Work(int64_t postings, bool past) {
  for (const auto& [key, details] : details_) {
    if (details.runs == nullptr) continue;
    SLUICE_ASSIGN_OR_RETURN(const int64_t moved, details.runs->Work(postings, past));
    if (moved == 0) continue;
    NoteSizes();
    return moved;
  }
  return 0;
}

absl::StatusOr<int64_t> IndexMonth::Latest(int64_t term) {
  SLUICE_ASSIGN_OR_RETURN(const auto cursor, CursorFor(term, 0));
  return cursor->AtOrBelow(last_, steps_);
}

absl::Status IndexMonth::DropErased(const DetailKeys& keys) {
  for (auto& [key, details] : details_) {
    if (details.runs == nullptr || !keys.Dropped(key)) continue;
    details.runs.reset();
    SLUICE_RETURN_IF_ERROR(database_->Run("DETACH " + details.schema));
    const std::string path = DetailsPath(key);
    for (const char* suffix : {"", "-wal", "-shm"}) {
      sizes_.erase(path + suffix);
      if (absl::Status status = files_.Remove(path + suffix);
          !status.ok() && !absl::IsNotFound(status))
        return status;
    }
    SLUICE_RETURN_IF_ERROR(files_.SyncDirectory(directory_));
    details.unread = details.records;
    SLUICE_RETURN_IF_ERROR(
        database_->Query("UPDATE main.keys SET unread=records WHERE name=?1", {key}).status());
  }
  return absl::OkStatus();
}

void IndexMonth::NoteSizes() {
  const auto note = [this](const std::string& path) {
    if (const auto info = files_.Stat(path); info.ok()) sizes_[path] = info->size;
  };
  note(path_);
  for (const auto& [key, details] : details_)
    if (details.runs != nullptr) note(DetailsPath(key));
}

absl::Status IndexMonth::CheckFiles() const {
  for (const auto& [path, size] : sizes_) {
    const auto info = files_.Stat(path);
    if (!info.ok()) return Damaged(path, "is gone");
    if (info->size < size) return Damaged(path, "has become shorter");
  }
  return absl::OkStatus();
}

absl::Status IndexMonth::CheckFile(const std::string& schema, const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(const auto found,
                          database_->Query(absl::StrCat("PRAGMA ", schema, ".quick_check(1)")));
  return found.size() == 1 && found[0].Text(0) == "ok" ? absl::OkStatus()
                                                       : Damaged(path, "is damaged");
}

absl::Status IndexMonth::CheckWhole(const std::function<bool()>& interrupt) {
  database_->SetInterrupt(interrupt);
  absl::Status status = CheckFile("main", path_);
  for (const auto& [key, details] : details_)
    if (status.ok() && details.runs != nullptr)
      status = interrupt() ? absl::CancelledError("others wait")
                           : CheckFile(details.schema, DetailsPath(key));
  database_->SetInterrupt(nullptr);
  SLUICE_RETURN_IF_ERROR(status);
  SLUICE_ASSIGN_OR_RETURN(const int64_t records,
                          database_->Number("SELECT (SELECT count(*) FROM main.records) + "
                                            "(SELECT count(*) FROM main.steps)"));
  if (records != records_) return Damaged(path_, "has another number of records than it says");
  return absl::OkStatus();
}

void IndexMonth::SetPast(bool past) {
  if (past_ == past) return;
  past_ = past;
  const auto set = [&](const std::string& schema) {
    database_->Run(absl::StrCat("PRAGMA ", schema, ".cache_size=", CacheSize())).IgnoreError();
  };
  set("main");
  for (const auto& [key, details] : details_)
    if (details.runs != nullptr) set(details.schema);
  database_->Run("PRAGMA shrink_memory").IgnoreError();
}

int IndexMonth::CacheSize() const { return past_ ? -100 : -4000; }

int64_t IndexMonth::erased() const {
  int64_t erased = 0;
  for (const auto& [key, details] : details_) erased += details.unread;
  return erased;
}

}  // namespace sluice::audit
