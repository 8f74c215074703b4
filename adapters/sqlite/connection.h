// One read-only connection to the owner's database, hardened: it cannot write, attach, load code or
// trust what the schema would have it run. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/settings.h"
#include "adapters/sqlite/statement.h"
#include "adapters/sqlite/statement_cache.h"
#include "adapters/sqlite/watch.h"
#include "sqlite3.h"

namespace sluice::adapters::sqlite {

class Connection {
 public:
  // `watch` ends the waiting for locks; it must outlive the call.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const SqliteSettings& settings,
                                                          Watch& watch);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* db() const { return db_; }
  // What may end the statements that run from now on; null for none.
  void SetWatch(Watch* watch) { watch_ = watch; }

  // As the schema is now: read again when it has changed. Null where there is no such table.
  absl::StatusOr<std::shared_ptr<const TableInfo>> Table(const std::string& name);
  StatementCache& statements() { return statements_; }
  // The schema changed under the prepared statements.
  void ForgetSchema();

  // The start of the file's first page (100 bytes) and, in write-ahead mode, the state of the log
  // as all connections share it. Together they change with every commit.
  absl::StatusOr<std::string> ReadState();
  // Whether the database was in write-ahead mode when its state was last read.
  bool write_ahead() const { return write_ahead_; }

  // A read transaction that outlasts its statement, so that the next lookup takes no locks, makes
  // no calls to the system and reads the same state. In write-ahead mode only, where it keeps no
  // writer waiting; and given up as soon as anything was committed, or moved from the log into the
  // file, so that it keeps no log from being used again either.
  //
  // What Hold was told, where such a transaction stands; null otherwise.
  const SourceVersion* held() const { return held_ ? &*held_ : nullptr; }
  // Begins it; it reads from the next statement on. `version` is that of the state just read. Has
  // no effect where it cannot.
  void Hold(SourceVersion version);
  void LetGo();
  // Lets go where it no longer shows what a new transaction would.
  void LetGoOfOld();

 private:
  explicit Connection(const SqliteSettings& settings);
  absl::Status Harden();
  // The log's index as all connections share it, where this one has it open: its header, and how
  // much of the log is in the file already. Empty otherwise.
  std::string ReadLogIndex();
  static int OnProgress(void* self);
  static int OnBusy(void* self, int attempt);

  const int busy_timeout_ms_;
  sqlite3* db_ = nullptr;
  Watch* watch_ = nullptr;
  int waited_ms_ = 0;
  bool write_ahead_ = false;
  StatementPtr begin_, commit_;
  std::optional<SourceVersion> held_;
  std::string held_at_;  // the log's index then
  std::map<std::string, std::shared_ptr<const TableInfo>> tables_;
  int64_t tables_cookie_ = -1;
  StatementCache statements_;
};

}  // namespace sluice::adapters::sqlite
