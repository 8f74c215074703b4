#include "gateway/audit/outbox.h"

#include "absl/strings/str_cat.h"
#include "gateway/audit/changes.h"
#include "gateway/base/error.h"

namespace sluice::audit {

store::Migrations OutboxMigrations() {
  return {"outbox",
          {R"sql(
            CREATE TABLE outbox (
              change_id INTEGER PRIMARY KEY AUTOINCREMENT,
              envelope BLOB,
              detail BLOB,
              log_size_before INTEGER NOT NULL,
              log_index INTEGER,
              CHECK ((log_index IS NULL) = (envelope IS NOT NULL))
            ) STRICT;
            CREATE INDEX outbox_pending ON outbox (change_id) WHERE log_index IS NULL;
            CREATE INDEX outbox_index ON outbox (log_index);
          )sql",
           // A log that continues one that was sealed holds none of the changes before.
           R"sql(
            CREATE TABLE outbox_log (
              origin TEXT PRIMARY KEY,
              after_change INTEGER NOT NULL
            ) STRICT;
          )sql"}};
}

absl::StatusOr<int64_t> InsertOutbox(store::Transaction& transaction, Draft& draft,
                                     uint64_t log_size) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      transaction.Query("INSERT INTO outbox (envelope, detail, log_size_before)"
                        " VALUES (CAST(?1 AS BLOB), CAST(?2 AS BLOB), ?3) RETURNING change_id",
                        {store::SqlValue(draft.envelope.SerializeAsString()),
                         store::SqlValue(draft.detail.SerializeAsString()),
                         store::SqlValue(static_cast<int64_t>(log_size))}));
  const int64_t change_id = rows.at(0).Int(0);
  draft.envelope.set_change_id(change_id);
  return change_id;
}

absl::Status MarkAppended(store::Transaction& transaction, int64_t change_id, uint64_t index) {
  return transaction.Execute(
      "UPDATE outbox SET log_index = ?2, envelope = NULL, detail = NULL WHERE change_id = ?1",
      {store::SqlValue(change_id), store::SqlValue(static_cast<int64_t>(index))});
}

absl::StatusOr<std::vector<OutboxEntry>> PendingOutbox(store::Reader& reader) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      reader.Query("SELECT change_id, envelope, detail, log_size_before FROM outbox"
                   " WHERE log_index IS NULL ORDER BY change_id"));
  std::vector<OutboxEntry> entries;
  for (const auto& row : rows) {
    OutboxEntry entry;
    entry.change_id = row.Int(0);
    if (!entry.draft.envelope.ParseFromString(row.Text(1)) ||
        !entry.draft.detail.ParseFromString(row.Text(2)))
      return absl::DataLossError(
          absl::StrCat("the control store's outbox cannot be read: change ", entry.change_id));
    entry.draft.envelope.set_change_id(entry.change_id);
    entry.log_size_before = static_cast<uint64_t>(row.Int(3));
    entries.push_back(std::move(entry));
  }
  return entries;
}

absl::StatusOr<uint64_t> LeastLogSize(store::Reader& reader) {
  SLUICE_ASSIGN_OR_RETURN(
      const auto rows,
      reader.Query("SELECT coalesce(max(max(coalesce(log_index + 1, 0), log_size_before)), 0)"
                   " FROM outbox WHERE change_id >"
                   " (SELECT coalesce(max(after_change), 0) FROM outbox_log)"));
  return static_cast<uint64_t>(rows.at(0).Int(0));
}

absl::Status BeginSuccessor(store::Store& store, const std::string& origin) {
  return store.Write([&](store::Transaction& transaction) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(
        const auto known,
        transaction.Query("SELECT 1 FROM outbox_log WHERE origin = ?1", {store::SqlValue(origin)}));
    if (!known.empty()) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(
        transaction.Execute("INSERT INTO outbox_log (origin, after_change) SELECT ?1,"
                            " coalesce(max(change_id), 0) FROM outbox WHERE log_index IS NOT NULL",
                            {store::SqlValue(origin)}));
    // What waits goes into the new log, wherever it may stand in the old one.
    return transaction.Execute("UPDATE outbox SET log_size_before = 0 WHERE log_index IS NULL");
  });
}

}  // namespace sluice::audit
