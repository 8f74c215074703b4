#include "adapters/odbc/schema.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/odbc/errors.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::odbc {
namespace {

std::string SchemaName(const Dialect& dialect, const OdbcSettings& settings) {
  if (!settings.schema.empty()) return settings.schema;
  return Filled(dialect.default_schema,
                {{"{database}", settings.database}, {"{user}", settings.user}});
}

// A statement of the catalogue, with its parameters where it wants them.
absl::StatusOr<std::vector<TextRow>> Ask(Session& session, const OdbcSettings& settings,
                                         std::string_view form, const std::string& table,
                                         const Watch& watch) {
  std::string sql;
  std::vector<std::string> parameters;
  const std::vector<std::pair<std::string_view, std::string>> values = {
      {"{schema}", SchemaName(session.dialect(), settings)}, {"{table}", table}};
  for (size_t at = 0; at < form.size();) {
    const auto found = std::find_if(values.begin(), values.end(), [&](const auto& value) {
      return form.substr(at, value.first.size()) == value.first;
    });
    if (found == values.end()) {
      sql.push_back(form[at++]);
      continue;
    }
    sql.push_back('?');
    parameters.push_back(found->second);
    at += found->first.size();
  }
  return session.Query(sql, parameters, watch);
}

std::string Name(const Session& session, std::string_view name) {
  if (session.dialect().dbms_names.empty() && session.facts().quote == "`") {
    std::string quoted = "`";
    for (const char c : name) quoted.append(c == '`' ? 2 : 1, c);
    return quoted + "`";
  }
  return Quoted(session.dialect(), name);
}

SourceType TypeOf(const Dialect& dialect, const std::string& name, const ColumnFacts& facts) {
  if (dialect.dynamic) return SourceType::kDynamic;
  const std::string lower = absl::AsciiStrToLower(View(name));
  for (const Dialect::TypeName& known : dialect.type_names)
    if (*known.name == '\0' || lower == known.name) return known.type;
  return SourceTypeOf(facts.sql_type, facts.is_unsigned);
}

std::vector<ColumnInfo> ColumnsOf(const Session& session, const std::vector<ColumnFacts>& facts) {
  const Dialect& dialect = session.dialect();
  std::vector<ColumnInfo> columns;
  for (const ColumnFacts& one : facts) {
    ColumnInfo column;
    column.name = one.name;
    column.quoted = "t." + Name(session, one.name);
    column.declared = one.type_name;
    column.type = TypeOf(dialect, one.type_name, one);
    column.size = one.size;
    column.digits = one.digits;
    if (dialect.dynamic) column.affinity = "view";
    columns.push_back(std::move(column));
  }
  return columns;
}

absl::Status AddCatalogue(Session& session, const OdbcSettings& settings, const Watch& watch,
                          const std::vector<ColumnFacts>& facts, TableInfo& table) {
  const Dialect& dialect = session.dialect();
  if (*dialect.columns == '\0') return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TextRow> rows,
                          Ask(session, settings, dialect.columns, table.name, watch));
  for (const TextRow& row : rows) {
    if (row.size() != 6 || !row[0]) continue;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      ColumnInfo& column = table.columns[i];
      if (column.name != *row[0]) continue;
      column.declared = row[1].value_or(column.declared);
      column.not_null = row[2] == "1";
      column.code_point_order = row[3] == "1" && session.facts().utf8;
      column.every_character = row[4] == "1" && session.facts().utf8;
      column.type = TypeOf(dialect, row[5].value_or(""), facts[i]);
      if (dialect.dynamic) column.affinity = row[5].value_or("view");
    }
  }
  return absl::OkStatus();
}

absl::Status AddKeys(Session& session, const OdbcSettings& settings, const Watch& watch,
                     TableInfo& table) {
  if (*session.dialect().keys == '\0') return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TextRow> rows,
                          Ask(session, settings, session.dialect().keys, table.name, watch));
  for (size_t i = 0; i < rows.size();) {
    std::vector<int> key;
    const TextRow& first = rows[i];
    bool plain = true;
    for (; i < rows.size() && rows[i][0] == first[0]; ++i) {
      const int column = rows[i][2] ? table.IndexOf(*rows[i][2]) : -1;
      plain = plain && column >= 0;
      key.push_back(column);
    }
    if (!plain) continue;
    table.has_primary_key = table.has_primary_key || first[1] == "1";
    table.unique_keys.push_back(std::move(key));
  }
  return absl::OkStatus();
}

// As a column of SQLite is declared: what its values probably are.
records::DataType DeclaredType(const ColumnInfo& column) {
  using records::TypeId;
  const std::string declared = absl::AsciiStrToLower(View(column.declared));
  const auto has = [&](const char* part) { return declared.find(part) != std::string::npos; };
  if (has("bool")) return {TypeId::kBool};
  if (has("datetime") || has("timestamp")) return {TypeId::kTimestamp};
  if (has("date")) return {TypeId::kDate32};
  if (has("int")) return {TypeId::kInt64};
  if (has("char") || has("clob") || has("text")) return {TypeId::kUtf8};
  if (has("blob")) return {TypeId::kBinary};
  if (has("real") || has("floa") || has("doub")) return {TypeId::kFloat64};
  if (has("dec") || has("num")) return {TypeId::kDecimal128, 38, 10};
  return {TypeId::kUtf8};
}

}  // namespace

int TableInfo::IndexOf(std::string_view column) const {
  int folded = -1;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return static_cast<int>(i);
    if (!absl::EqualsIgnoreCase(columns[i].name, View(column))) continue;
    folded = folded == -1 ? static_cast<int>(i) : -2;
  }
  return std::max(folded, -1);
}

absl::StatusOr<std::vector<std::string>> ReadTableNames(Session& session,
                                                        const OdbcSettings& settings,
                                                        const Watch& watch) {
  std::vector<std::string> names;
  if (*session.dialect().tables != '\0') {
    SLUICE_ASSIGN_OR_RETURN(const std::vector<TextRow> rows,
                            Ask(session, settings, session.dialect().tables, "", watch));
    for (const TextRow& row : rows)
      if (row[0] && !settings.queries.contains(*row[0])) names.push_back(*row[0]);
  }
  for (const auto& [name, sql] : settings.queries) names.push_back(name);
  return names;
}

absl::StatusOr<std::shared_ptr<const TableInfo>> ReadTable(Session& session,
                                                           const OdbcSettings& settings,
                                                           const std::string& name,
                                                           const Watch& watch) {
  const Dialect& dialect = session.dialect();
  auto table = std::make_shared<TableInfo>();
  table->name = name;
  const auto query = settings.queries.find(name);
  const bool stored = query != settings.queries.end();
  if (stored) {
    // On lines of its own: it may end in a comment.
    table->from = absl::StrCat("(\n", query->second, "\n)");
  } else {
    // No name of a source's holds a NUL, and none goes down with one.
    if (name.empty() || name.find('\0') != std::string::npos)
      return std::shared_ptr<const TableInfo>();
    if (*dialect.table != '\0') {
      SLUICE_ASSIGN_OR_RETURN(const std::vector<TextRow> rows,
                              Ask(session, settings, dialect.table, name, watch));
      if (rows.empty()) return std::shared_ptr<const TableInfo>();
    }
    const std::string schema = SchemaName(dialect, settings);
    table->from = schema.empty() ? Name(session, name)
                                 : absl::StrCat(Name(session, schema), ".", Name(session, name));
  }
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<ColumnFacts> facts,
      session.Describe(absl::StrCat("SELECT * FROM ", table->from, " t WHERE 1=0"), watch));
  table->columns = ColumnsOf(session, facts);
  if (!stored) {
    SLUICE_RETURN_IF_ERROR(AddCatalogue(session, settings, watch, facts, *table));
    SLUICE_RETURN_IF_ERROR(AddKeys(session, settings, watch, *table));
  }
  return std::shared_ptr<const TableInfo>(std::move(table));
}

TableDescription Describe(const TableInfo& table, bool zone_is_utc) {
  TableDescription description;
  description.table = table.name;
  for (const ColumnInfo& column : table.columns) {
    const records::DataType type =
        column.type == SourceType::kDynamic
            ? DeclaredType(column)
            : DescribedType(column.type, column.size, column.digits, zone_is_utc);
    description.columns.push_back({column.name, type, !column.not_null, column.declared});
  }
  for (const auto& key : table.unique_keys) {
    auto& names = description.unique_keys.emplace_back();
    for (const int column : key) names.push_back(table.columns[column].name);
  }
  return description;
}

}  // namespace sluice::adapters::odbc
