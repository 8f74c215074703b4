#include "gateway/audit/outbox.h"

#include "absl/strings/str_cat.h"
#include "gateway/audit/changes.h"
#include "gateway/base/error.h"

namespace sluice::audit {

store::Migrations OutboxMigrations() {
  return {"outbox", {R"sql(
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
      reader.Query("SELECT max(coalesce((SELECT max(log_index) + 1 FROM outbox), 0),"
                   " coalesce((SELECT max(log_size_before) FROM outbox), 0))"));
  return static_cast<uint64_t>(rows.at(0).Int(0));
}

}  // namespace sluice::audit
