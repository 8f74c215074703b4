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
// Beyond this many, how many there are does not matter for where a search begins.
constexpr int kProbe = 2000;

constexpr char kMainTables[] = R"(
  CREATE TABLE meta(format TEXT NOT NULL, records INTEGER NOT NULL, first INTEGER NOT NULL,
                    last INTEGER NOT NULL);
  CREATE TABLE records(idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, progress INTEGER NOT NULL);
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

IndexMonth::IndexMonth(std::string directory, std::string month, std::string format,
                       FileSystem& files)
    : directory_(std::move(directory)),
      month_(std::move(month)),
      format_(std::move(format)),
      path_(JoinPath(directory_, month_ + ".sqlite")),
      files_(files) {}

absl::StatusOr<std::unique_ptr<IndexMonth>> IndexMonth::Open(const std::string& directory,
                                                             const std::string& month,
                                                             const std::string& format,
                                                             const DetailKeys& keys,
                                                             FileSystem& files) {
  std::unique_ptr<IndexMonth> opened(new IndexMonth(directory, month, format, files));
  const bool fresh = !files.Stat(opened->path_).ok();
  if (fresh) SLUICE_RETURN_IF_ERROR(MakeFile(opened->path_, files));
  SLUICE_ASSIGN_OR_RETURN(opened->database_, store::SqliteConnection::Open(opened->path_));
  // Alone on its files, so that no memory is mapped that somebody else could truncate. What a crash
  // takes from the records is made again, so no sync is waited for.
  SLUICE_RETURN_IF_ERROR(opened->database_->Run(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA "
      "cache_size=-4000;"));
  SLUICE_RETURN_IF_ERROR(opened->Load(fresh, keys));
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
  SLUICE_RETURN_IF_ERROR(
      database_->Run(absl::StrCat("PRAGMA ", schema, ".journal_mode=WAL; PRAGMA ", schema,
                                  ".synchronous=FULL; PRAGMA ", schema, ".cache_size=-4000;")));
  if (fresh) {
    return InTransaction([&]() -> absl::Status {
      SLUICE_RETURN_IF_ERROR(database_->Run(
          absl::StrCat("CREATE TABLE ", schema,
                       ".meta(format TEXT NOT NULL, last INTEGER NOT "
                       "NULL); CREATE TABLE ",
                       schema,
                       ".postings(term INTEGER, idx INTEGER, PRIMARY KEY(term, idx)) WITHOUT "
                       "ROWID;")));
      return database_
          ->Query(absl::StrCat("INSERT INTO ", schema, ".meta VALUES(?1, -1)"), {format_})
          .status();
    });
  }
  SLUICE_ASSIGN_OR_RETURN(const auto meta, database_->Query(absl::StrCat(
                                               "SELECT format, last FROM ", schema, ".meta")));
  if (meta.size() != 1 || meta[0].Text(0) != format_ || meta[0].Int(1) < details.last)
    return Damaged(path, "does not fit the month that it belongs to");
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
  std::map<std::string, std::vector<std::pair<int64_t, int64_t>>> by_key;
  std::map<std::string, int64_t> last;
  for (const IndexRow& row : rows) {
    if (!row.opened) continue;
    auto& postings = by_key[row.detail_key];
    for (const int64_t term : row.detail_terms) postings.emplace_back(term, row.index);
    last[row.detail_key] = row.index;
  }
  for (auto& [key, postings] : by_key) {
    Details& details = details_[key];
    if (details.schema.empty()) SLUICE_RETURN_IF_ERROR(Attach(key, details, true));
    // In the order of the tree.
    std::sort(postings.begin(), postings.end());
    std::vector<store::SqlValue> values;
    values.reserve(2 * postings.size());
    for (const auto& [term, index] : postings) {
      values.emplace_back(term);
      values.emplace_back(index);
    }
    const int64_t newest = last[key];
    SLUICE_RETURN_IF_ERROR(InTransaction([&]() -> absl::Status {
      SLUICE_RETURN_IF_ERROR(Insert(details.schema + ".postings", values, 2));
      return database_
          ->Query(absl::StrCat("UPDATE ", details.schema, ".meta SET last=max(last,?1)"), {newest})
          .status();
    }));
  }
  return absl::OkStatus();
}

absl::Status IndexMonth::AddRecords(const std::vector<IndexRow>& rows) {
  std::vector<std::pair<int64_t, int64_t>> postings;
  std::vector<store::SqlValue> records;
  std::map<int64_t, std::pair<int64_t, int64_t>> slots;
  std::map<std::string, Details> keys;
  for (const IndexRow& row : rows) {
    for (const int64_t term : row.terms) postings.emplace_back(term, row.index);
    records.insert(records.end(), {row.index, row.time, int64_t{row.progress ? 1 : 0}});
    const auto slot = slots.emplace(row.time / kSlot, std::pair(row.index, row.index)).first;
    slot->second.second = row.index;
    Details& details = keys.emplace(row.detail_key, details_[row.detail_key]).first->second;
    ++details.records;
    if (row.opened) details.last = row.index;
    if (!row.opened) ++details.unread;
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
    SLUICE_RETURN_IF_ERROR(Insert("main.records", records, 3));
    SLUICE_RETURN_IF_ERROR(Insert("main.postings", values, 2));
    for (const auto& [slot, span] : slots)
      SLUICE_RETURN_IF_ERROR(
          database_
              ->Query("INSERT INTO main.slots VALUES(?1,?2,?3) ON CONFLICT(slot) DO UPDATE SET "
                      "first=min(first,excluded.first), last=max(last,excluded.last)",
                      {slot, span.first, span.second})
              .status());
    for (const auto& [key, details] : keys)
      SLUICE_RETURN_IF_ERROR(database_
                                 ->Query("INSERT OR REPLACE INTO main.keys VALUES(?1,?2,?3,?4)",
                                         {key, details.records, details.unread, details.last})
                                 .status());
    return database_
        ->Query("UPDATE main.meta SET records=?1, first=?2, last=?3",
                {all, first, rows.back().index})
        .status();
  }));
  records_ = all;
  first_ = first;
  last_ = rows.back().index;
  for (auto& [key, details] : keys) {
    details.schema = details_[key].schema;
    details_[key] = details;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<IndexMonth::Statement>> IndexMonth::StatementsFor(
    const TermsTogether& terms, const IndexSpan& span) {
  int64_t low = first_, high = last_;
  if (span.before >= 0) high = std::min(high, span.before - 1);
  // Times matter at the edges alone.
  const bool since = span.since && MonthOf(*span.since) >= month_;
  const bool until = span.until && MonthOf(*span.until) <= month_;
  if (since || until) {
    SLUICE_ASSIGN_OR_RETURN(
        const auto rows,
        database_->Query("SELECT ifnull(min(first),0), ifnull(max(last),-1) FROM main.slots WHERE "
                         "slot BETWEEN ?1 AND ?2",
                         {since ? *span.since / kSlot : 0,
                          until ? *span.until / kSlot : std::numeric_limits<int64_t>::max()}));
    low = std::max(low, rows[0].Int(0));
    high = std::min(high, rows[0].Int(1));
  }
  std::vector<Statement> statements;
  if (records_ == 0 || low > high) return statements;

  std::vector<std::string> schemas;
  if (terms.detail_terms.empty()) {
    schemas.emplace_back();
  } else {
    for (const auto& [key, details] : details_)
      if (!details.schema.empty()) schemas.push_back(details.schema);
  }
  for (const std::string& schema : schemas) {
    struct Posting {
      std::string table;
      int64_t term = 0, count = 0;
    };
    std::vector<Posting> postings;
    for (const int64_t term : terms.detail_terms)
      postings.push_back({schema + ".postings", term, 0});
    for (const int64_t term : terms.terms) postings.push_back({"main.postings", term, 0});
    // The rarest first: it is walked, the others are looked up.
    if (postings.size() > 1) {
      for (Posting& posting : postings) {
        SLUICE_ASSIGN_OR_RETURN(
            const auto rows,
            database_->Query(
                absl::StrCat("SELECT count(*) FROM (SELECT 1 FROM ", posting.table,
                             " WHERE term=?1 AND idx BETWEEN ?2 AND ?3 LIMIT ", kProbe, ")"),
                {posting.term, low, high}));
        posting.count = rows[0].Int(0);
      }
      std::stable_sort(postings.begin(), postings.end(),
                       [](const Posting& a, const Posting& b) { return a.count < b.count; });
    }
    Statement statement;
    const auto bound = [&statement](int64_t value) {
      statement.values.emplace_back(value);
      return absl::StrCat("?", statement.values.size());
    };
    const std::string driver = postings.empty() ? "r" : "p0";
    std::string from, where;
    for (size_t i = 0; i < postings.size(); ++i) {
      absl::StrAppend(&from, i == 0 ? "" : " CROSS JOIN ", postings[i].table, " p", i);
      absl::StrAppend(&where, " AND p", i, ".term=", bound(postings[i].term));
      if (i > 0) absl::StrAppend(&where, " AND p", i, ".idx=p0.idx");
    }
    if (postings.empty() || since || until) {
      absl::StrAppend(&from, from.empty() ? "" : " CROSS JOIN ", "main.records r");
      if (!postings.empty()) absl::StrAppend(&where, " AND r.idx=p0.idx");
      if (postings.empty())
        absl::StrAppend(&where, " AND r.progress=", bound(terms.progress ? 1 : 0));
      if (since) absl::StrAppend(&where, " AND r.time>=", bound(*span.since));
      if (until) absl::StrAppend(&where, " AND r.time<", bound(*span.until));
    }
    statement.sql = absl::StrCat("SELECT ", driver, ".idx FROM ", from, " WHERE ", driver,
                                 ".idx BETWEEN ", bound(low), " AND ", bound(high), where,
                                 " ORDER BY ", driver, ".idx DESC LIMIT ", span.limit);
    statements.push_back(std::move(statement));
  }
  return statements;
}

absl::StatusOr<std::vector<int64_t>> IndexMonth::Find(const TermsTogether& terms,
                                                      const IndexSpan& span) {
  std::vector<int64_t> found;
  SLUICE_ASSIGN_OR_RETURN(const auto statements, StatementsFor(terms, span));
  for (const Statement& statement : statements) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, database_->Query(statement.sql, statement.values));
    for (const store::SqlRow& row : rows) found.push_back(row.Int(0));
  }
  std::sort(found.rbegin(), found.rend());
  if (found.size() > static_cast<size_t>(span.limit)) found.resize(static_cast<size_t>(span.limit));
  return found;
}

absl::StatusOr<std::vector<std::string>> IndexMonth::Plan(const TermsTogether& terms,
                                                          const IndexSpan& span) {
  std::vector<std::string> plan;
  SLUICE_ASSIGN_OR_RETURN(const auto statements, StatementsFor(terms, span));
  for (const Statement& statement : statements) {
    SLUICE_ASSIGN_OR_RETURN(
        const auto rows, database_->Query("EXPLAIN QUERY PLAN " + statement.sql, statement.values));
    for (const store::SqlRow& row : rows) plan.push_back(row.Text(3));
  }
  return plan;
}

absl::StatusOr<int64_t> IndexMonth::Latest(int64_t term) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      database_->Query("SELECT ifnull(max(idx),-1) FROM main.postings WHERE term=?1", {term}));
  return rows.empty() ? -1 : rows[0].Int(0);
}

absl::Status IndexMonth::DropErased(const DetailKeys& keys) {
  for (auto& [key, details] : details_) {
    if (details.schema.empty() || !absl::IsNotFound(keys.ForOpening(key).status())) continue;
    SLUICE_RETURN_IF_ERROR(database_->Run("DETACH " + details.schema));
    details.schema.clear();
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
    if (!details.schema.empty()) note(DetailsPath(key));
}

absl::Status IndexMonth::CheckFiles() const {
  for (const auto& [path, size] : sizes_) {
    const auto info = files_.Stat(path);
    if (!info.ok()) return Damaged(path, "is gone");
    if (info->size < size) return Damaged(path, "has become shorter");
  }
  return absl::OkStatus();
}

absl::Status IndexMonth::CheckWhole() {
  SLUICE_ASSIGN_OR_RETURN(const auto found, database_->Query("PRAGMA quick_check(1)"));
  if (found.size() != 1 || found[0].Text(0) != "ok") return Damaged(path_, "is damaged");
  SLUICE_ASSIGN_OR_RETURN(const int64_t records,
                          database_->Number("SELECT count(*) FROM main.records"));
  if (records != records_) return Damaged(path_, "has another number of records than it says");
  return absl::OkStatus();
}

void IndexMonth::FreeMemory() { database_->Run("PRAGMA shrink_memory").IgnoreError(); }

int64_t IndexMonth::erased() const {
  int64_t erased = 0;
  for (const auto& [key, details] : details_) erased += details.unread;
  return erased;
}

}  // namespace sluice::audit
