#include "adapters/sqlite/schema.h"

#include <functional>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/errors.h"
#include "adapters/sqlite/statement.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::sqlite {
namespace {

// Runs one of our own statements, `bound` as its only parameter where given.
absl::Status ForEachRow(sqlite3* db, std::string_view sql, std::optional<std::string_view> bound,
                        const std::function<void(sqlite3_stmt*)>& row) {
  SLUICE_ASSIGN_OR_RETURN(StatementPtr statement, Prepare(db, sql));
  if (bound) {
    sqlite3_bind_text64(statement.get(), 1, bound->data(), bound->size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) row(statement.get());
  return code == SQLITE_DONE ? absl::OkStatus() : SqliteError(db, code);
}

bool IsOurs(std::string_view name) { return !absl::StartsWithIgnoreCase(View(name), "sqlite_"); }

absl::Status ReadKind(sqlite3* db, std::string_view name, TableInfo& table, bool& found) {
  return ForEachRow(
      db,
      "SELECT name, type, wr, strict FROM pragma_table_list(?1) WHERE schema = 'main' AND type IN "
      "('table', 'view')",
      name, [&](sqlite3_stmt* row) {
        found = true;
        table.name = std::string(ColumnText(row, 0));
        table.view = ColumnText(row, 1) == "view";
        table.without_rowid = sqlite3_column_int(row, 2) != 0;
        table.strict = sqlite3_column_int(row, 3) != 0;
      });
}

absl::Status ReadColumns(sqlite3* db, TableInfo& table) {
  SLUICE_RETURN_IF_ERROR(ForEachRow(
      db,
      "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1, 'main') WHERE hidden <> 1",
      table.name, [&](sqlite3_stmt* row) {
        ColumnInfo column;
        column.name = std::string(ColumnText(row, 0));
        column.declared = std::string(ColumnText(row, 1));
        column.affinity = AffinityOf(column.declared, table.strict);
        column.not_null = sqlite3_column_int(row, 2) != 0;
        column.primary_key = sqlite3_column_int(row, 3);
        table.columns.push_back(std::move(column));
      }));
  if (table.view) return absl::OkStatus();
  for (ColumnInfo& column : table.columns) {
    const char* collation = nullptr;
    const int code =
        sqlite3_table_column_metadata(db, "main", table.name.c_str(), column.name.c_str(), nullptr,
                                      &collation, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return SqliteError(db, code);
    const absl::string_view name = collation == nullptr ? "BINARY" : collation;
    column.plain_collation = absl::EqualsIgnoreCase(name, "BINARY") ||
                             absl::EqualsIgnoreCase(name, "NOCASE") ||
                             absl::EqualsIgnoreCase(name, "RTRIM");
  }
  return absl::OkStatus();
}

std::vector<int> PrimaryKey(TableInfo& table) {
  std::vector<int> key;
  for (int place = 1;; ++place) {
    const size_t before = key.size();
    for (size_t i = 0; i < table.columns.size(); ++i)
      if (table.columns[i].primary_key == place) key.push_back(static_cast<int>(i));
    if (key.size() == before) break;
  }
  // SQLite lets nulls into a primary key, except where it is the rowid or the table has none.
  const bool is_rowid = key.size() == 1 && !table.without_rowid &&
                        absl::EqualsIgnoreCase(table.columns[key[0]].declared, "INTEGER");
  if (is_rowid || table.without_rowid)
    for (const int column : key) table.columns[column].not_null = true;
  return key;
}

absl::Status ReadUniqueKeys(sqlite3* db, TableInfo& table) {
  std::vector<int> primary = PrimaryKey(table);
  if (!primary.empty()) table.unique_keys.push_back(primary);
  std::vector<std::string> indices;
  SLUICE_RETURN_IF_ERROR(ForEachRow(
      db,
      "SELECT name FROM pragma_index_list(?1, 'main') WHERE \"unique\" = 1 AND partial = 0 AND "
      "origin <> 'pk' ORDER BY name",
      table.name, [&](sqlite3_stmt* row) { indices.emplace_back(ColumnText(row, 0)); }));
  for (const std::string& index : indices) {
    std::vector<int> key;
    bool plain = true;  // no expression in it
    SLUICE_RETURN_IF_ERROR(ForEachRow(
        db, "SELECT name, cid FROM pragma_index_info(?1, 'main') ORDER BY seqno", index,
        [&](sqlite3_stmt* row) {
          const int place = sqlite3_column_int(row, 1) < 0 ? -1 : table.IndexOf(ColumnText(row, 0));
          plain = plain && place >= 0;
          key.push_back(place);
        }));
    if (plain && !key.empty() && key != primary) table.unique_keys.push_back(std::move(key));
  }
  return absl::OkStatus();
}

absl::Status ReadDatabaseTraits(sqlite3* db, TableInfo& table) {
  SLUICE_RETURN_IF_ERROR(ForEachRow(db, "PRAGMA encoding", std::nullopt, [&](sqlite3_stmt* row) {
    table.utf8_order = ColumnText(row, 0) == "UTF-8";
  }));
  if (!table.view) return absl::OkStatus();
  // A view may stand on any other, so that one with a compound anywhere puts all in doubt.
  return ForEachRow(db, "SELECT sql FROM sqlite_schema WHERE type = 'view'", std::nullopt,
                    [&](sqlite3_stmt* row) {
                      const std::string sql = absl::AsciiStrToUpper(View(ColumnText(row, 0)));
                      for (const char* word : {"UNION", "EXCEPT", "INTERSECT"})
                        if (absl::StrContains(sql, word)) table.affinity_holds = false;
                    });
}

void NameRowid(TableInfo& table) {
  if (table.view || table.without_rowid) return;
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    if (table.Find(name) != nullptr) continue;
    table.rowid = name;
    return;
  }
}

}  // namespace

int TableInfo::IndexOf(std::string_view column) const {
  for (size_t i = 0; i < columns.size(); ++i)
    if (absl::EqualsIgnoreCase(columns[i].name, View(column))) return static_cast<int>(i);
  return -1;
}

const ColumnInfo* TableInfo::Find(std::string_view column) const {
  const int i = IndexOf(column);
  return i < 0 ? nullptr : &columns[i];
}

absl::StatusOr<std::vector<std::string>> ReadTableNames(sqlite3* db) {
  std::vector<std::string> names;
  SLUICE_RETURN_IF_ERROR(
      ForEachRow(db,
                 "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', "
                 "'view') ORDER BY name",
                 std::nullopt, [&](sqlite3_stmt* row) {
                   if (IsOurs(ColumnText(row, 0))) names.emplace_back(ColumnText(row, 0));
                 }));
  return names;
}

absl::StatusOr<std::shared_ptr<const TableInfo>> ReadTable(sqlite3* db, std::string_view name) {
  auto table = std::make_shared<TableInfo>();
  bool found = false;
  if (!IsOurs(name)) return std::shared_ptr<const TableInfo>();
  SLUICE_RETURN_IF_ERROR(ReadKind(db, name, *table, found));
  if (!found) return std::shared_ptr<const TableInfo>();
  SLUICE_RETURN_IF_ERROR(ReadColumns(db, *table));
  SLUICE_RETURN_IF_ERROR(ReadUniqueKeys(db, *table));
  SLUICE_RETURN_IF_ERROR(ReadDatabaseTraits(db, *table));
  NameRowid(*table);
  return std::shared_ptr<const TableInfo>(std::move(table));
}

absl::StatusOr<int64_t> ReadSchemaCookie(sqlite3* db) {
  int64_t cookie = 0;
  SLUICE_RETURN_IF_ERROR(
      ForEachRow(db, "PRAGMA main.schema_version", std::nullopt,
                 [&](sqlite3_stmt* row) { cookie = sqlite3_column_int64(row, 0); }));
  return cookie;
}

TableDescription Describe(const TableInfo& table) {
  TableDescription description;
  description.table = table.name;
  for (const ColumnInfo& column : table.columns) {
    description.columns.push_back({column.name, DescribedType(column.declared, column.affinity),
                                   !column.not_null, column.declared});
  }
  for (const auto& key : table.unique_keys) {
    auto& names = description.unique_keys.emplace_back();
    for (const int column : key) names.push_back(table.columns[column].name);
  }
  return description;
}

std::string Quoted(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) quoted.append(c == '`' ? 2 : 1, c);
  return quoted + "`";
}

}  // namespace sluice::adapters::sqlite
