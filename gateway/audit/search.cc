#include "gateway/audit/search.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/base/error.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"
#include "gateway/store/sqlite_connection.h"

namespace sluice::audit {
namespace {

constexpr char kFormat[] = "sluice-index/v2";
constexpr uint64_t kRecordsATransaction = 10'000;
constexpr int kMostHits = 1000;

constexpr char kTables[] = R"(
  CREATE TABLE meta(format TEXT NOT NULL, records INTEGER NOT NULL);
  CREATE TABLE records(
    idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL, agency TEXT NOT NULL,
    owner TEXT NOT NULL, dataset TEXT NOT NULL, grant_id TEXT NOT NULL, opened INTEGER);
  CREATE INDEX by_agency ON records(agency, idx);
  CREATE INDEX by_owner ON records(owner, idx);
  CREATE INDEX by_dataset ON records(dataset, idx);
  CREATE INDEX by_grant ON records(grant_id, idx);
  CREATE INDEX by_kind ON records(kind, idx);
  CREATE INDEX by_time ON records(time);
  CREATE INDEX by_opened ON records(opened, idx) WHERE opened IS NOT NULL;
)";

Micros TimeOf(const v1::AuditEnvelope& envelope) {
  return envelope.time().seconds() * kSecond + envelope.time().nanos() / 1000;
}

std::string MonthOf(Micros time) {
  return absl::FormatTime("%E4Y-%m", absl::FromUnixMicros(time), absl::UTCTimeZone());
}

// One month's file.
struct Month {
  std::unique_ptr<store::SqliteConnection> database;
  int64_t records = 0;
};

absl::StatusOr<Month> OpenMonth(const std::string& path, FileSystem& files) {
  const bool fresh = !files.Stat(path).ok();
  if (fresh) {
    SLUICE_ASSIGN_OR_RETURN(auto file, files.CreateNew(path));
    SLUICE_RETURN_IF_ERROR(file->Close());
  }
  Month month;
  SLUICE_ASSIGN_OR_RETURN(month.database, store::SqliteConnection::Open(path));
  // Derived: what a crash takes away is made again, so no sync is waited for.
  SLUICE_RETURN_IF_ERROR(
      month.database->Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"));
  if (fresh) {
    SLUICE_RETURN_IF_ERROR(month.database->Run(kTables));
    SLUICE_RETURN_IF_ERROR(
        month.database->Query("INSERT INTO meta VALUES(?1, 0)", {std::string(kFormat)}).status());
    return month;
  }
  SLUICE_ASSIGN_OR_RETURN(const auto meta,
                          month.database->Query("SELECT format, records FROM meta"));
  if (meta.size() != 1 || meta[0].Text(0) != kFormat)
    return absl::DataLossError(absl::StrCat(path, ": is no index of this program"));
  SLUICE_ASSIGN_OR_RETURN(month.records, month.database->Number("SELECT count(*) FROM records"));
  if (month.records != meta[0].Int(1))
    return absl::DataLossError(absl::StrCat(path, ": has another number of records than it says"));
  return month;
}

// The part of a search that is SQL; every value is bound.
struct Statement {
  std::string where = "1";
  std::vector<store::SqlValue> values;

  void And(std::string_view condition, store::SqlValue value) {
    values.push_back(std::move(value));
    absl::StrAppend(&where, " AND ", absl::string_view(condition.data(), condition.size()), "?",
                    values.size());
  }
};

Statement StatementFor(const SearchQuery& query, const Scope& scope) {
  Statement statement;
  if (query.since) statement.And("time>=", *query.since);
  if (query.until) statement.And("time<", *query.until);
  if (!query.agency.empty()) statement.And("agency=", query.agency);
  if (!query.dataset.empty()) statement.And("dataset=", query.dataset);
  if (!query.grant.empty()) statement.And("grant_id=", query.grant);
  if (query.kind != v1::RECORD_KIND_UNSPECIFIED)
    statement.And("kind=", static_cast<int64_t>(query.kind));
  else
    statement.And("kind<>", static_cast<int64_t>(v1::RECORD_KIND_PROGRESS));
  if (query.before >= 0) statement.And("idx<", query.before);
  if (scope.all) return statement;
  statement.values.push_back(scope.agency);
  const size_t agency = statement.values.size();
  absl::StrAppend(&statement.where, " AND (agency=?", agency,
                  scope.owned_datasets ? absl::StrCat(" OR owner=?", agency) : "", ")");
  return statement;
}

class SqliteSearchIndex : public SearchIndex {
 public:
  explicit SqliteSearchIndex(std::string directory)
      : directory_(std::move(directory)), files_(MakePosixFileSystem()) {}

  absl::Status Load() {
    MutexLock lock(mutex_);
    SLUICE_RETURN_IF_ERROR(files_->CreateDirectories(directory_));
    if (!LoadMonths().ok()) SLUICE_RETURN_IF_ERROR(BeginAnew());
    return absl::OkStatus();
  }

  absl::Status CatchUp(Log& log) override {
    MutexLock lock(mutex_);
    return CatchUpLocked(log);
  }

  absl::StatusOr<SearchResult> Search(Log& log, const SearchQuery& query,
                                      const Scope& scope) override {
    MutexLock lock(mutex_);
    if (absl::Status status = CatchUpLocked(log); !status.ok()) {
      // A file that went bad under us: once more, from the log.
      SLUICE_RETURN_IF_ERROR(BeginAnew());
      SLUICE_RETURN_IF_ERROR(CatchUpLocked(log));
    }
    const int limit = std::clamp(query.limit, 1, kMostHits);
    const Statement statement = StatementFor(query, scope);
    const std::string sql = absl::StrCat("SELECT idx FROM records WHERE ", statement.where,
                                         " ORDER BY idx DESC LIMIT ", limit + 1);
    SearchResult result;
    result.searched_to = next_;
    for (auto& [name, month] : months_) {
      if (query.since && name < MonthOf(*query.since)) continue;
      if (query.until && name > MonthOf(*query.until)) continue;
      SLUICE_ASSIGN_OR_RETURN(const auto rows, month.database->Query(sql, statement.values));
      for (const store::SqlRow& row : rows)
        result.hits.push_back({static_cast<uint64_t>(row.Int(0))});
    }
    std::sort(result.hits.begin(), result.hits.end(),
              [](const SearchHit& a, const SearchHit& b) { return a.index > b.index; });
    result.more = result.hits.size() > static_cast<size_t>(limit);
    if (result.more) result.hits.resize(static_cast<size_t>(limit));
    return result;
  }

  uint64_t size() const override {
    MutexLock lock(mutex_);
    return next_;
  }

  absl::StatusOr<uint64_t> LatestOf(uint64_t opened) override {
    MutexLock lock(mutex_);
    uint64_t latest = opened;
    for (auto& [name, month] : months_) {
      SLUICE_ASSIGN_OR_RETURN(
          const auto rows,
          month.database->Query("SELECT ifnull(max(idx),-1) FROM records WHERE opened=?1",
                                {static_cast<int64_t>(opened)}));
      if (!rows.empty() && rows[0].Int(0) > static_cast<int64_t>(latest))
        latest = static_cast<uint64_t>(rows[0].Int(0));
    }
    return latest;
  }

 private:
  // Opens all months; an error where one is missing, damaged or not ours.
  absl::Status LoadMonths() SLUICE_REQUIRES(mutex_) {
    months_.clear();
    int64_t records = 0;
    SLUICE_ASSIGN_OR_RETURN(const auto names, files_->List(directory_));
    for (const std::string& name : names) {
      if (name.size() != 14 || name.substr(7) != ".sqlite") continue;
      SLUICE_ASSIGN_OR_RETURN(Month month, OpenMonth(JoinPath(directory_, name), *files_));
      records += month.records;
      months_.emplace(name.substr(0, 7), std::move(month));
    }
    // Every record is in exactly one month: as many rows as the log is long so far.
    next_ = static_cast<uint64_t>(records);
    for (auto& [name, month] : months_) {
      SLUICE_ASSIGN_OR_RETURN(const int64_t last,
                              month.database->Number("SELECT ifnull(max(idx),-1) FROM records"));
      if (last >= records)
        return absl::DataLossError(absl::StrCat(name, ": records before #", last, " are missing"));
    }
    return absl::OkStatus();
  }

  // Sets aside whatever is there; the log is read again from its beginning.
  absl::Status BeginAnew() SLUICE_REQUIRES(mutex_) {
    months_.clear();
    next_ = 0;
    SLUICE_ASSIGN_OR_RETURN(const auto names, files_->List(directory_));
    for (const std::string& name : names) {
      if (name.find(".sqlite") == std::string::npos || name.find(".bad") != std::string::npos)
        continue;
      const std::string path = JoinPath(directory_, name);
      SLUICE_RETURN_IF_ERROR(files_->Rename(path, path + ".bad"));
    }
    return absl::OkStatus();
  }

  absl::Status CatchUpLocked(Log& log) SLUICE_REQUIRES(mutex_) {
    const uint64_t goal = log.size();
    if (next_ > goal) SLUICE_RETURN_IF_ERROR(BeginAnew());  // of another log
    while (next_ < goal) {
      std::map<std::string, std::vector<std::vector<store::SqlValue>>> rows;
      absl::Status parsed;
      const uint64_t end = std::min(goal, next_ + kRecordsATransaction);
      SLUICE_RETURN_IF_ERROR(log.Read(next_, [&](const Log::Entry& entry) {
        v1::AuditEnvelope envelope;
        if (!envelope.ParseFromString(entry.record.envelope)) {
          parsed = absl::DataLossError(absl::StrCat("record ", entry.index, " does not parse"));
          return false;
        }
        rows[MonthOf(TimeOf(envelope))].push_back(
            {static_cast<int64_t>(entry.index), TimeOf(envelope),
             static_cast<int64_t>(envelope.kind()), envelope.actor().agency(),
             envelope.owner_agency(), envelope.dataset(), envelope.grant(),
             envelope.has_opened() ? store::SqlValue(envelope.opened()) : store::SqlValue()});
        return entry.index + 1 < end;
      }));
      SLUICE_RETURN_IF_ERROR(parsed);
      for (const auto& [name, records] : rows) SLUICE_RETURN_IF_ERROR(Insert(name, records));
      next_ = end;
    }
    return absl::OkStatus();
  }

  absl::Status Insert(const std::string& name,
                      const std::vector<std::vector<store::SqlValue>>& records)
      SLUICE_REQUIRES(mutex_) {
    auto month = months_.find(name);
    if (month == months_.end()) {
      SLUICE_ASSIGN_OR_RETURN(
          Month opened, OpenMonth(JoinPath(directory_, absl::StrCat(name, ".sqlite")), *files_));
      month = months_.emplace(name, std::move(opened)).first;
    }
    store::SqliteConnection& database = *month->second.database;
    SLUICE_RETURN_IF_ERROR(database.Run("BEGIN IMMEDIATE"));
    absl::Status status;
    for (const auto& record : records) {
      status =
          database.Query("INSERT INTO records VALUES(?1,?2,?3,?4,?5,?6,?7,?8)", record).status();
      if (!status.ok()) break;
    }
    if (status.ok())
      status =
          database
              .Query("UPDATE meta SET records=records+?1", {static_cast<int64_t>(records.size())})
              .status();
    if (status.ok()) status = database.Run("COMMIT");
    if (!status.ok() && database.in_transaction()) database.Run("ROLLBACK").IgnoreError();
    return status;
  }

  const std::string directory_;
  const std::unique_ptr<FileSystem> files_;
  mutable Mutex mutex_;
  std::map<std::string, Month> months_ SLUICE_GUARDED_BY(mutex_);
  uint64_t next_ SLUICE_GUARDED_BY(mutex_) = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SearchIndex>> SearchIndex::Open(const std::string& directory) {
  auto index = std::make_unique<SqliteSearchIndex>(directory);
  SLUICE_RETURN_IF_ERROR(index->Load());
  return index;
}

bool SearchIndex::Allows(const Scope& scope, const v1::AuditEnvelope& envelope) {
  if (scope.all) return true;
  if (scope.agency.empty()) return false;
  return envelope.actor().agency() == scope.agency ||
         (scope.owned_datasets && envelope.owner_agency() == scope.agency);
}

}  // namespace sluice::audit
