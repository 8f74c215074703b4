#include "adapters/postgres/schema.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "adapters/postgres/errors.h"
#include "adapters/postgres/identifiers.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::postgres {
namespace {

constexpr char kTablesSql[] =
    "SELECT c.relname FROM pg_catalog.pg_class AS c"
    " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT') ORDER BY c.relname COLLATE \"C\"";

constexpr char kTableSql[] =
    "SELECT c.oid FROM pg_catalog.pg_class AS c"
    " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

// A domain is read as the type that it stands on.
constexpr char kColumnsSql[] =
    "SELECT a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " b.oid, b.typtype = 'e', b.modifier, a.atttypid = b.oid, co.collname"
    " FROM pg_catalog.pg_attribute AS a CROSS JOIN LATERAL ("
    "  WITH RECURSIVE d AS ("
    "   SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, a.atttypmod AS modifier"
    "   FROM pg_catalog.pg_type AS t WHERE t.oid = a.atttypid"
    "   UNION ALL"
    "   SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, d.typtypmod"
    "   FROM d JOIN pg_catalog.pg_type AS t ON d.typtype = 'd' AND t.oid = d.typbasetype)"
    "  SELECT d.oid, d.typtype, d.modifier FROM d WHERE d.typtype <> 'd') AS b"
    " LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = a.attcollation"
    " WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " ORDER BY a.attnum";

constexpr char kIndexesSql[] =
    "SELECT i.indisprimary, i.indisunique AND i.indpred IS NULL,"
    " am.amname = 'btree' AND i.indpred IS NULL, i.indnkeyatts,"
    " pg_catalog.array_to_string(i.indkey, ','), pg_catalog.array_to_string(i.indoption, ','),"
    " (SELECT pg_catalog.string_agg(CASE WHEN oc.opcdefault THEN coalesce(co.collname, '') ELSE "
    "'?' END, ',' ORDER BY k.place) FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) AS "
    "k(place)"
    "  JOIN pg_catalog.pg_opclass AS oc ON oc.oid = i.indclass[k.place]"
    "  LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = i.indcollation[k.place])"
    " FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid"
    " JOIN pg_catalog.pg_am AS am ON am.oid = c.relam"
    " WHERE i.indrelid = $1::pg_catalog.oid AND i.indisvalid"
    " ORDER BY i.indisprimary DESC, c.relname COLLATE \"C\"";

constexpr char kTypesSql[] =
    "SELECT q.place, pg_catalog.format_type(t.oid, q.modifier), t.typtype = 'e'"
    " FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]),"
    "  pg_catalog.unnest($2::pg_catalog.int4[])) WITH ORDINALITY AS q(oid, modifier, place) JOIN "
    "pg_catalog.pg_type AS t ON t.oid = q.oid"
    " ORDER BY q.place";

bool Is(const ResultPtr& rows, int row, int column) { return ValueAt(rows, row, column) == "t"; }

template <class Number>
Number NumberAt(const ResultPtr& rows, int row, int column) {
  Number number = 0;
  if (!absl::SimpleAtoi(View(ValueAt(rows, row, column)), &number)) return 0;
  return number;
}

bool IsBytes(std::string_view collation, const ServerFacts& facts) {
  return collation == "C" || collation == "POSIX" || (collation == "default" && facts.c_collation);
}

absl::Status ReadColumns(Connection& connection, const std::string& oid, const Watch& watch,
                         TableInfo& table, std::vector<int>& places) {
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr rows, connection.Query(kColumnsSql, {oid}, watch));
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    ColumnInfo column;
    column.name = ValueAt(rows, i, 1);
    column.declared = ValueAt(rows, i, 2);
    column.not_null = Is(rows, i, 3);
    const auto base = NumberAt<uint32_t>(rows, i, 4);
    column.type = SourceTypeOf(base, Is(rows, i, 5));
    column.modifier = NumberAt<int32_t>(rows, i, 6);
    column.needs_cast = !Is(rows, i, 7) || base != ResultOid(column.type);
    column.c_order = IsBytes(ValueAt(rows, i, 8), connection.facts());
    const auto place = NumberAt<size_t>(rows, i, 0);
    places.resize(std::max(places.size(), place + 1), -1);
    places[place] = static_cast<int>(table.columns.size());
    table.columns.push_back(std::move(column));
  }
  return absl::OkStatus();
}

// How many of an index's first columns are in our own order: ascending, nulls last (which no longer
// matters where there are none), of the type's usual operators, text by bytes.
size_t OrderedColumns(const TableInfo& table, const std::vector<int>& columns,
                      const std::vector<std::string>& options,
                      const std::vector<std::string>& collations, const ServerFacts& facts) {
  size_t ordered = 0;
  for (; ordered < columns.size(); ++ordered) {
    if (columns[ordered] < 0 || options[ordered] != "0" || collations[ordered] == "?") break;
    const ColumnInfo& column = table.columns[columns[ordered]];
    if (!IsText(column.type)) continue;
    // Behind COLLATE "C" another one is not found, though its order may be the same.
    const bool found =
        column.c_order ? IsBytes(collations[ordered], facts) : collations[ordered] == "C";
    if (!found) break;
  }
  return ordered;
}

absl::Status ReadIndexes(Connection& connection, const std::string& oid, const Watch& watch,
                         const std::vector<int>& places, TableInfo& table) {
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr rows, connection.Query(kIndexesSql, {oid}, watch));
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    const auto size = NumberAt<size_t>(rows, i, 3);
    const auto split = [&](int column) {
      std::vector<std::string> parts = absl::StrSplit(View(ValueAt(rows, i, column)), ',');
      parts.resize(size);
      return parts;
    };
    std::vector<int> columns;
    for (const std::string& part : split(4)) {
      size_t place = 0;
      const bool named = absl::SimpleAtoi(part, &place) && place > 0 && place < places.size();
      columns.push_back(named ? places[place] : -1);  // an expression has the place 0
    }
    const bool plain = std::find(columns.begin(), columns.end(), -1) == columns.end();
    if (Is(rows, i, 1) && plain && !columns.empty()) {
      table.has_primary_key = table.has_primary_key || Is(rows, i, 0);
      table.unique_keys.push_back(columns);
    }
    if (!Is(rows, i, 2)) continue;
    columns.resize(OrderedColumns(table, columns, split(5), split(6), connection.facts()));
    if (!columns.empty()) table.ordered_by.push_back(std::move(columns));
  }
  return absl::OkStatus();
}

// The columns of an owner's query: the server parses it, and runs nothing.
absl::Status ReadQueryColumns(Connection& connection, const Watch& watch, TableInfo& table) {
  const std::string sql = absl::StrCat("SELECT * FROM ", table.from, " AS t");
  SLUICE_RETURN_IF_ERROR(connection.Parse("", sql, watch));
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr described, connection.DescribeStatement("", watch));
  std::vector<std::string> oids, modifiers;
  for (int i = 0; i < PQnfields(described.get()); ++i) {
    oids.push_back(absl::StrCat(PQftype(described.get(), i)));
    modifiers.push_back(absl::StrCat(PQfmod(described.get(), i)));
  }
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr types,
                          connection.Query(kTypesSql,
                                           {absl::StrCat("{", absl::StrJoin(oids, ","), "}"),
                                            absl::StrCat("{", absl::StrJoin(modifiers, ","), "}")},
                                           watch));
  if (PQntuples(types.get()) != PQnfields(described.get()))
    return Drift("a query's columns are of types that are changing");
  for (int i = 0; i < PQnfields(described.get()); ++i) {
    ColumnInfo column;
    column.name = PQfname(described.get(), i);
    column.declared = ValueAt(types, i, 1);
    column.type = SourceTypeOf(PQftype(described.get(), i), Is(types, i, 2));
    column.modifier = PQfmod(described.get(), i);
    column.needs_cast = PQftype(described.get(), i) != ResultOid(column.type);
    table.columns.push_back(std::move(column));
  }
  return absl::OkStatus();
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

absl::StatusOr<std::vector<std::string>> ReadTableNames(Connection& connection,
                                                        const PostgresSettings& settings,
                                                        const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr rows,
                          connection.Query(kTablesSql, {settings.schema}, watch));
  std::vector<std::string> names;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    std::string name(ValueAt(rows, i, 0));
    if (!settings.queries.contains(name)) names.push_back(std::move(name));
  }
  for (const auto& [name, sql] : settings.queries) names.push_back(name);
  return names;
}

absl::StatusOr<std::shared_ptr<const TableInfo>> ReadTable(Connection& connection,
                                                           const PostgresSettings& settings,
                                                           const std::string& name,
                                                           const Watch& watch) {
  auto table = std::make_shared<TableInfo>();
  table->name = name;
  table->utf8 = connection.facts().utf8;
  if (const auto query = settings.queries.find(name); query != settings.queries.end()) {
    // On lines of its own: it may end in a comment.
    table->from = absl::StrCat("(\n", query->second, "\n)");
    SLUICE_RETURN_IF_ERROR(ReadQueryColumns(connection, watch, *table));
    return std::shared_ptr<const TableInfo>(std::move(table));
  }
  // No name of the server's holds a NUL, and none goes down with one.
  if (name.find('\0') != std::string::npos) return std::shared_ptr<const TableInfo>();
  SLUICE_ASSIGN_OR_RETURN(const ResultPtr found,
                          connection.Query(kTableSql, {settings.schema, name}, watch));
  if (PQntuples(found.get()) == 0) return std::shared_ptr<const TableInfo>();
  const std::string oid(ValueAt(found, 0, 0));
  table->from = absl::StrCat(Quoted(settings.schema), ".", Quoted(name));
  std::vector<int> places;
  SLUICE_RETURN_IF_ERROR(ReadColumns(connection, oid, watch, *table, places));
  SLUICE_RETURN_IF_ERROR(ReadIndexes(connection, oid, watch, places, *table));
  return std::shared_ptr<const TableInfo>(std::move(table));
}

TableDescription Describe(const TableInfo& table) {
  TableDescription description;
  description.table = table.name;
  for (const ColumnInfo& column : table.columns) {
    description.columns.push_back({column.name, DescribedType(column.type, column.modifier),
                                   !column.not_null, column.declared});
  }
  for (const auto& key : table.unique_keys) {
    auto& names = description.unique_keys.emplace_back();
    for (const int column : key) names.push_back(table.columns[column].name);
  }
  return description;
}

}  // namespace sluice::adapters::postgres
