// The store in SQLite: one connection writes, a few others read, all in write-ahead mode, so that a
// read sees one state while the writer goes on. synchronous=FULL: what is committed is on disk.
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"
#include "gateway/store/sqlite_connection.h"
#include "gateway/store/store.h"

namespace sluice::store {
namespace {

constexpr int64_t kApplicationId = 0x536c6331;  // "Slc1": tells our files from others
constexpr int64_t kFormat = 1;                  // of the file itself; rooms count their own steps
constexpr size_t kIdleReaders = 4;

class SqliteTransaction : public Transaction {
 public:
  explicit SqliteTransaction(SqliteConnection& connection) : connection_(connection) {}
  absl::StatusOr<std::vector<SqlRow>> Query(std::string_view sql,
                                            const std::vector<SqlValue>& values) override {
    return connection_.Query(sql, values);
  }
  absl::Status Execute(std::string_view sql, const std::vector<SqlValue>& values) override {
    return connection_.Query(sql, values).status();
  }

 private:
  SqliteConnection& connection_;
};

// Runs the body between BEGIN and COMMIT; rolls back where it fails. `commit_failed` tells a body
// that failed from a commit that did.
absl::Status InTransaction(SqliteConnection& connection, const char* begin, bool* commit_failed,
                           const std::function<absl::Status()>& body) {
  SLUICE_RETURN_IF_ERROR(connection.Run(begin));
  absl::Status status = body();
  if (status.ok()) {
    status = connection.Run("COMMIT");
    *commit_failed = !status.ok();
  }
  // SQLite rolls some failures back by itself.
  if (!status.ok() && connection.in_transaction()) {
    const absl::Status undone = connection.Run("ROLLBACK");
    if (!undone.ok()) *commit_failed = true;
  }
  return status;
}

std::string StepDigest(const std::string& step) {
  return HexEncode(AsBytes(Sha256(step))).substr(0, 32);
}

class SqliteStore : public Store {
 public:
  SqliteStore(std::string path, std::unique_ptr<FileLock> lock,
              std::unique_ptr<SqliteConnection> writer)
      : path_(std::move(path)), lock_(std::move(lock)), writer_(std::move(writer)) {}

  absl::Status Prepare(const std::vector<Migrations>& migrations);
  absl::Status Write(const std::function<absl::Status(Transaction&)>& body) override;
  absl::Status Read(const std::function<absl::Status(Reader&)>& body) override;
  absl::Status CopyTo(const std::string& path) override;

 private:
  absl::Status CheckHeader();
  absl::Status CheckKnown(const std::vector<Migrations>& migrations);
  absl::Status Migrate(const Migrations& room);
  absl::StatusOr<std::unique_ptr<SqliteConnection>> TakeReader();

  const std::string path_;
  const std::unique_ptr<FileLock> lock_;  // declared first: released last
  Mutex write_mutex_;
  const std::unique_ptr<SqliteConnection> writer_;
  absl::Status broken_ SLUICE_GUARDED_BY(write_mutex_);
  Mutex read_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_ SLUICE_GUARDED_BY(read_mutex_);
};

absl::Status SqliteStore::CheckHeader() {
  SLUICE_ASSIGN_OR_RETURN(const int64_t application, writer_->Number("PRAGMA application_id"));
  SLUICE_ASSIGN_OR_RETURN(const int64_t format, writer_->Number("PRAGMA user_version"));
  SLUICE_ASSIGN_OR_RETURN(const int64_t things,
                          writer_->Number("SELECT count(*) FROM sqlite_master"));
  if (application == 0 && format == 0 && things == 0) {
    bool commit_failed = false;
    return InTransaction(*writer_, "BEGIN IMMEDIATE", &commit_failed, [this] {
      return writer_->Run(absl::StrCat(
          "PRAGMA application_id = ", kApplicationId, "; PRAGMA user_version = ", kFormat,
          "; CREATE TABLE store_steps (room TEXT NOT NULL, step INTEGER NOT NULL,"
          " digest TEXT NOT NULL, PRIMARY KEY (room, step)) STRICT, WITHOUT ROWID"));
    });
  }
  if (application != kApplicationId)
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": not a control store of Sluice; name another file"));
  if (format != kFormat)
    return absl::FailedPreconditionError(absl::StrCat(
        path_, ": format ", format, ", this program knows ", kFormat, "; start a newer program"));
  SLUICE_ASSIGN_OR_RETURN(const auto findings, writer_->Query("PRAGMA quick_check(1)"));
  if (findings.size() != 1 || findings[0].Text(0) != "ok")
    return absl::DataLossError(
        absl::StrCat(path_, ": damaged: ", findings.empty() ? "" : findings[0].Text(0),
                     "; restore it from a backup"));
  return absl::OkStatus();
}

// Every step that the file has had is one that this program has, word for word.
absl::Status SqliteStore::CheckKnown(const std::vector<Migrations>& migrations) {
  std::map<std::string, const Migrations*> rooms;
  for (const auto& room : migrations) rooms[room.room] = &room;
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      writer_->Query("SELECT room, step, digest FROM store_steps ORDER BY room, step"));
  std::map<std::string, int64_t> counts;
  for (const auto& row : rows) {
    const auto room = rooms.find(row.Text(0));
    const int64_t step = row.Int(1);
    if (room == rooms.end() || step > static_cast<int64_t>(room->second->steps.size()))
      return absl::FailedPreconditionError(
          absl::StrCat(path_, ": ", row.Text(0), " step ", step,
                       " is unknown: the file was used by a newer program; start that one"));
    if (step != ++counts[row.Text(0)] ||
        StepDigest(room->second->steps[static_cast<size_t>(step - 1)]) != row.Text(2))
      return absl::FailedPreconditionError(absl::StrCat(path_, ": ", row.Text(0), " step ", step,
                                                        " is not the step that this program has"));
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::Migrate(const Migrations& room) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto done,
      writer_->Query("SELECT count(*) FROM store_steps WHERE room = ?1", {SqlValue(room.room)}));
  for (auto step = static_cast<size_t>(done[0].Int(0)); step < room.steps.size(); ++step) {
    bool commit_failed = false;
    const absl::Status status =
        InTransaction(*writer_, "BEGIN IMMEDIATE", &commit_failed, [&]() -> absl::Status {
          SLUICE_RETURN_IF_ERROR(writer_->Run(room.steps[step]));
          return writer_
              ->Query("INSERT INTO store_steps VALUES (?1, ?2, ?3)",
                      {SqlValue(room.room), SqlValue(static_cast<int64_t>(step) + 1),
                       SqlValue(StepDigest(room.steps[step]))})
              .status();
        });
    if (!status.ok()) return Annotate(status, absl::StrCat(room.room, " step ", step + 1));
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::Prepare(const std::vector<Migrations>& migrations) {
  SLUICE_RETURN_IF_ERROR(CheckHeader());
  SLUICE_ASSIGN_OR_RETURN(const auto mode, writer_->Query("PRAGMA journal_mode = WAL"));
  if (mode.empty() || mode[0].Text(0) != "wal")
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": this file system does not allow write-ahead mode"));
  // Drafts of audit records are wiped once the log has them; nothing of them stays in free pages.
  SLUICE_RETURN_IF_ERROR(writer_->Run("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON"));
  SLUICE_RETURN_IF_ERROR(CheckKnown(migrations));
  for (const auto& room : migrations) SLUICE_RETURN_IF_ERROR(Migrate(room));
  return absl::OkStatus();
}

absl::Status SqliteStore::Write(const std::function<absl::Status(Transaction&)>& body) {
  MutexLock lock(write_mutex_);
  if (!broken_.ok()) return broken_;
  bool commit_failed = false;
  SqliteTransaction transaction(*writer_);
  const absl::Status status =
      InTransaction(*writer_, "BEGIN IMMEDIATE", &commit_failed, [&] { return body(transaction); });
  // After a failed commit nobody knows what is on disk: only a new start finds out.
  if (commit_failed) broken_ = Annotate(status, "an earlier commit failed");
  return status;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteStore::TakeReader() {
  {
    MutexLock lock(read_mutex_);
    if (!idle_.empty()) {
      auto reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
  }
  SLUICE_ASSIGN_OR_RETURN(auto reader, SqliteConnection::Open(path_));
  SLUICE_RETURN_IF_ERROR(reader->Run("PRAGMA query_only = ON"));
  return reader;
}

absl::Status SqliteStore::CopyTo(const std::string& path) {
  // Empty, and closed to others, before SQLite writes into it: it would make one that all may read.
  SLUICE_RETURN_IF_ERROR(MakePosixFileSystem()->CreateNew(path).status());
  SLUICE_ASSIGN_OR_RETURN(auto reader, SqliteConnection::Open(path_));
  return reader->Query("VACUUM INTO ?1", {SqlValue(path)}).status();
}

absl::Status SqliteStore::Read(const std::function<absl::Status(Reader&)>& body) {
  SLUICE_ASSIGN_OR_RETURN(auto reader, TakeReader());
  bool commit_failed = false;
  SqliteTransaction transaction(*reader);
  const absl::Status status =
      InTransaction(*reader, "BEGIN", &commit_failed, [&] { return body(transaction); });
  if (commit_failed) return status;  // not used again
  MutexLock lock(read_mutex_);
  if (idle_.size() < kIdleReaders) idle_.push_back(std::move(reader));
  return status;
}

// Makes the file where there is none, for its owner alone. SQLite gives its companions (-wal, -shm)
// the same mode.
absl::Status EnsurePrivateFile(FileSystem& files, const std::string& path) {
  auto created = files.CreateNew(path, 0600);
  if (created.ok()) {
    SLUICE_RETURN_IF_ERROR((*created)->Sync());
    SLUICE_RETURN_IF_ERROR((*created)->Close());
    return files.SyncDirectory(DirectoryOf(path));
  }
  if (!absl::IsAlreadyExists(created.status())) return created.status();
  SLUICE_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(path));
  // By another name the file would have another lock.
  if (std::filesystem::is_symlink(path))
    return absl::FailedPreconditionError(absl::StrCat(path, ": a link; name the file itself"));
  if (info.is_directory) return absl::FailedPreconditionError(absl::StrCat(path, ": a directory"));
  if ((info.mode & 077) != 0)
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": others may open it; run chmod 600 ", path));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::string& path,
                                                   const std::vector<Migrations>& migrations) {
  const auto files = MakePosixFileSystem();
  auto lock = files->Lock(path + ".lock");
  if (!lock.ok()) return Annotate(lock.status(), absl::StrCat(path, ": in use by another gateway"));
  SLUICE_RETURN_IF_ERROR(EnsurePrivateFile(*files, path));
  SLUICE_ASSIGN_OR_RETURN(auto writer, SqliteConnection::Open(path));
  auto store = std::make_unique<SqliteStore>(path, *std::move(lock), std::move(writer));
  SLUICE_RETURN_IF_ERROR(store->Prepare(migrations));
  return store;
}

}  // namespace sluice::store
