#include "bench/bare_lookups.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sluice::bench {

Lookups::Lookups(const LookupTable& table) : columns_(table.columns) {
  if (sqlite3_open_v2(table.database.c_str(), &database_,
                      SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK)
    return;
  const std::string sql = absl::StrCat("SELECT ", absl::StrJoin(columns_, ", "), " FROM ",
                                       table.table, " WHERE ", table.key, " = ?1");
  sqlite3_prepare_v3(database_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
}

Lookups::~Lookups() {
  sqlite3_finalize(statement_);
  sqlite3_close(database_);
}

absl::Status Lookups::Find(const std::string& key, v1::RowBatch& reply) {
  if (statement_ == nullptr) return Failed();
  for (const std::string& name : columns_) {
    v1::Column* column = reply.add_columns();
    column->set_name(name);
    column->mutable_type()->set_type(v1::FIELD_TYPE_UTF8);
  }
  sqlite3_bind_text(statement_, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
  int result = sqlite3_step(statement_);
  for (; result == SQLITE_ROW; result = sqlite3_step(statement_)) AddRow(reply);
  sqlite3_reset(statement_);
  return result == SQLITE_DONE ? absl::OkStatus() : Failed();
}

void Lookups::AddRow(v1::RowBatch& reply) {
  v1::Row* row = reply.add_rows();
  for (int i = 0; i < sqlite3_column_count(statement_); ++i) {
    v1::Value* value = row->add_values();
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, i));
    if (text != nullptr)
      value->set_string_value(text, static_cast<size_t>(sqlite3_column_bytes(statement_, i)));
  }
}

absl::Status Lookups::Failed() const { return absl::InternalError(sqlite3_errmsg(database_)); }

}  // namespace sluice::bench
