#include "adapters/sqlite/connection.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "adapters/sqlite/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::sqlite {
namespace {

constexpr size_t kStatementsKept = 64;
constexpr int kHeaderBytes = 100;
constexpr int kHeaderReadVersion = 19;    // 2: write-ahead (fileformat2.html, 1.3)
constexpr int kWalIndexHeaderBytes = 48;  // walformat.html, 2.1
constexpr int kWalIndexBackfillAt = 96;   // behind two copies of the header: nBackfill
constexpr int kWalIndexBackfillBytes = 4;
constexpr int kWalIndexRegionBytes = 32'768;

int CompareBytes(void*, int a_size, const void* a, int b_size, const void* b) {
  const int order = std::memcmp(a, b, std::min(a_size, b_size));
  return order != 0 ? order : a_size - b_size;
}

// Whether this connection has the write-ahead log open; only then is its index mapped already.
bool LogIsOpen(sqlite3* db) {
  sqlite3_file* log = nullptr;
  return sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
         log != nullptr && log->pMethods != nullptr;
}

void SetLimits(sqlite3* db) {
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 64 << 20);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
  sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
}

}  // namespace

Connection::Connection(const SqliteSettings& settings)
    : busy_timeout_ms_(settings.busy_timeout_ms), statements_(kStatementsKept) {}

Connection::~Connection() {
  statements_.Clear();
  begin_.reset();
  commit_.reset();
  sqlite3_close(db_);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const SqliteSettings& settings,
                                                             Watch& watch) {
  std::unique_ptr<Connection> connection(new Connection(settings));
  // Its one thread at a time is our promise; Cancel interrupts from another, which is allowed.
  const int code = sqlite3_open_v2(settings.file.c_str(), &connection->db_,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) return SqliteError(connection->db_, code);
  connection->SetWatch(&watch);
  if (absl::Status status = connection->Harden(); !status.ok()) {
    const absl::Status ended = watch.Check();
    return ended.ok() ? status : ended;
  }
  connection->SetWatch(nullptr);
  return connection;
}

absl::Status Connection::Harden() {
  sqlite3_extended_result_codes(db_, 1);
  SetLimits(db_);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  // The plan must not depend on bound values: a statement would be prepared anew behind our back.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr);
  sqlite3_progress_handler(db_, kStepsPerLook, &Connection::OnProgress, this);
  sqlite3_busy_handler(db_, &Connection::OnBusy, this);
  sqlite3_create_collation_v2(db_, kCodePointCollation, SQLITE_UTF8, nullptr, &CompareBytes,
                              nullptr);
  // No mapping: a file cut short under a mapping ends the process. Temporary tables in memory: rows
  // of the owner's are not written to a disk of the gateway.
  const char* const pragmas =
      "PRAGMA query_only = 1; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; "
      "PRAGMA cell_size_check = 1; PRAGMA cache_size = -4096; SELECT 1 FROM sqlite_schema LIMIT 1";
  const int code = sqlite3_exec(db_, pragmas, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(db_, code);
}

int Connection::OnProgress(void* self) {
  Watch* const watch = static_cast<Connection*>(self)->watch_;
  return watch != nullptr && watch->Look() ? 1 : 0;
}

int Connection::OnBusy(void* self, int attempt) {
  constexpr std::array<int, 9> kDelaysMs = {1, 2, 5, 10, 15, 20, 25, 25, 50};
  auto& connection = *static_cast<Connection*>(self);
  if (attempt == 0) connection.waited_ms_ = 0;
  if (connection.watch_ != nullptr && !connection.watch_->Check().ok()) return 0;
  const int left = connection.busy_timeout_ms_ - connection.waited_ms_;
  if (left <= 0) return 0;
  const int delay = std::min(left, kDelaysMs[std::min<size_t>(attempt, kDelaysMs.size() - 1)]);
  sqlite3_sleep(delay);
  connection.waited_ms_ += delay;
  return 1;
}

absl::StatusOr<std::shared_ptr<const TableInfo>> Connection::Table(const std::string& name) {
  SLUICE_ASSIGN_OR_RETURN(const int64_t cookie, ReadSchemaCookie(db_));
  if (cookie != tables_cookie_) {
    ForgetSchema();
    tables_cookie_ = cookie;
  }
  if (const auto found = tables_.find(name); found != tables_.end()) return found->second;
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<const TableInfo> table, ReadTable(db_, name));
  // Only tables that exist are kept, so that asking for others cannot fill the memory.
  if (table != nullptr) tables_[name] = table;
  return table;
}

void Connection::ForgetSchema() {
  tables_.clear();
  tables_cookie_ = -1;
  statements_.Clear();
}

absl::StatusOr<std::string> Connection::ReadState() {
  // Through SQLite's own descriptor: opening and closing the file by another would drop the locks
  // that this process holds on it (howtocorrupt.html, 2.2).
  sqlite3_file* file = nullptr;
  int code = sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK) return SqliteError(db_, code);
  if (file == nullptr || file->pMethods == nullptr) return SqliteError(db_, SQLITE_CANTOPEN);
  std::string state(kHeaderBytes, '\0');
  code = file->pMethods->xRead(file, state.data(), kHeaderBytes, 0);
  if (code == SQLITE_IOERR_SHORT_READ) return SqliteError(db_, SQLITE_NOTADB);
  if (code != SQLITE_OK) return SqliteError(db_, code);
  write_ahead_ = state[kHeaderReadVersion] == 2;
  if (write_ahead_) state += ReadLogIndex().substr(0, kWalIndexHeaderBytes);
  return state;
}

std::string Connection::ReadLogIndex() {
  std::string index;
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK)
    return index;
  if (file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2) return index;
  if (!LogIsOpen(db_)) return index;
  void volatile* region = nullptr;
  const int code = file->pMethods->xShmMap(file, 0, kWalIndexRegionBytes, 0, &region);
  if ((code != SQLITE_OK && code != SQLITE_READONLY) || region == nullptr) return index;
  const auto* bytes = static_cast<const volatile char*>(region);
  index.reserve(kWalIndexHeaderBytes + kWalIndexBackfillBytes);
  for (int i = 0; i < kWalIndexHeaderBytes; ++i) index.push_back(bytes[i]);
  for (int i = 0; i < kWalIndexBackfillBytes; ++i) index.push_back(bytes[kWalIndexBackfillAt + i]);
  return index;
}

void Connection::LetGoOfOld() {
  if (!held_) return;
  // A statement that failed may have ended the transaction.
  if (sqlite3_get_autocommit(db_) != 0 || ReadLogIndex() != held_at_) LetGo();
}

void Connection::Hold(SourceVersion version) {
  if (!write_ahead_ || held_) return;
  // Before the transaction reads: what is committed in between ends it too early, never too late.
  std::string index = ReadLogIndex();
  if (index.empty()) return;
  if (begin_ == nullptr) {
    auto begin = Prepare(db_, "BEGIN"), commit = Prepare(db_, "COMMIT");
    if (!begin.ok() || !commit.ok()) return;
    begin_ = *std::move(begin);
    commit_ = *std::move(commit);
  }
  const int code = sqlite3_step(begin_.get());
  sqlite3_reset(begin_.get());
  if (code != SQLITE_DONE) return;
  held_ = std::move(version);
  held_at_ = std::move(index);
}

void Connection::LetGo() {
  if (!held_) return;
  held_.reset();
  if (sqlite3_get_autocommit(db_) != 0) return;
  // Nothing was written: there is nothing that could fail.
  sqlite3_step(commit_.get());
  sqlite3_reset(commit_.get());
}

}  // namespace sluice::adapters::sqlite
