#include "adapters/sqlite/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/sqlite/errors.h"

namespace sluice::adapters::sqlite {
namespace {

using records::DataType;
using records::TypeId;

// A component of the order of a scan: what ORDER BY says, and what a position is compared with.
struct OrderTerm {
  std::string order;
  std::string operand;
};

// Timestamps and decimals are stored as texts whose order is not that of their values.
bool HasSourceOrder(const DataType& type) {
  return type.id != TypeId::kTimestamp && type.id != TypeId::kDecimal128;
}

std::string CollateFor(const DataType& type, const TableInfo& table) {
  if (type.id != TypeId::kUtf8 && type.id != TypeId::kDate32) return "";
  return absl::StrCat(" COLLATE ", table.utf8_order ? "BINARY" : kCodePointCollation);
}

absl::StatusOr<std::vector<OrderTerm>> KeyTerms(const TableInfo& table, const ScanRequest& request,
                                                const std::vector<const ColumnInfo*>& columns) {
  std::vector<OrderTerm> terms;
  for (const int i : request.key) {
    const DataType& type = request.fields[i].field.type;
    if (!HasSourceOrder(type)) {
      return Drift(absl::StrCat("column '", columns[i]->name, "' of table '", table.name,
                                "' cannot be part of a key: sqlite does not order ",
                                records::ToString(type)));
    }
    const std::string collate = CollateFor(type, table);
    terms.push_back({absl::StrCat("t.", Quoted(columns[i]->name), collate),
                     absl::StrCat(Operand(*columns[i], type, table), collate)});
  }
  return terms;
}

// Where the dataset has no key: the order in which the table is stored.
std::vector<OrderTerm> StorageTerms(const TableInfo& table) {
  std::vector<OrderTerm> terms;
  if (!table.rowid.empty()) {
    terms.push_back({"t." + table.rowid, "t." + table.rowid});
  } else if (table.without_rowid) {
    for (const int column : table.unique_keys.front()) {
      const std::string name = "t." + Quoted(table.columns[column].name);
      terms.push_back({name, name});
    }
  }
  return terms;
}

std::string Operands(const std::vector<OrderTerm>& terms) {
  return absl::StrJoin(terms, ",", [](std::string* out, const OrderTerm& term) {
    absl::StrAppend(out, term.operand);
  });
}

// Nulls come first, so that everything that is not null lies behind a null; a row-value comparison
// says so by itself only where the position has none.
std::string BehindPosition(const std::vector<OrderTerm>& terms, const PositionShape& position,
                           int first) {
  const size_t size = terms.size();
  const auto parameter = [&](size_t i) { return absl::StrCat("?", first + static_cast<int>(i)); };
  if (std::find(position.nulls.begin(), position.nulls.end(), true) == position.nulls.end()) {
    const char* sign = position.inclusive ? " >= " : " > ";
    if (size == 1) return absl::StrCat(terms[0].operand, sign, parameter(0));
    std::vector<std::string> parameters;
    for (size_t i = 0; i < size; ++i) parameters.push_back(parameter(i));
    return absl::StrCat("(", Operands(terms), ")", sign, "(", absl::StrJoin(parameters, ","), ")");
  }
  std::string same;  // all components before this one are the position's
  std::vector<std::string> ways;
  for (size_t i = 0; i < size; ++i) {
    const std::string& operand = terms[i].operand;
    const bool null = position.nulls[i];
    ways.push_back(absl::StrCat("(", same, operand,
                                null ? " IS NOT NULL" : absl::StrCat(" > ", parameter(i)), ")"));
    absl::StrAppend(&same, operand, null ? " IS NULL" : absl::StrCat(" = ", parameter(i)), " AND ");
  }
  if (position.inclusive) ways.push_back(absl::StrCat("(", same, "1)"));
  return absl::StrCat("(", absl::StrJoin(ways, " OR "), ")");
}

bool KeyIsUnique(const TableInfo& table, const ScanRequest& request,
                 const std::vector<const ColumnInfo*>& columns) {
  return std::any_of(
      table.unique_keys.begin(), table.unique_keys.end(), [&](const std::vector<int>& unique) {
        return std::all_of(unique.begin(), unique.end(), [&](int column) {
          const ColumnInfo* const info = &table.columns[column];
          return info->not_null && std::any_of(request.key.begin(), request.key.end(),
                                               [&](int field) { return columns[field] == info; });
        });
      });
}

absl::StatusOr<std::vector<const ColumnInfo*>> FindColumns(const TableInfo& table,
                                                           const ScanRequest& request) {
  std::vector<const ColumnInfo*> columns;
  for (const FieldRequest& field : request.fields) {
    const ColumnInfo* column = table.Find(field.column);
    if (column == nullptr) {
      return Drift(absl::StrCat("table '", table.name, "' has no column '", field.column, "'"));
    }
    columns.push_back(column);
  }
  return columns;
}

}  // namespace

absl::StatusOr<Plan> MakePlan(const TableInfo& table, const ScanRequest& request, FilterPlace place,
                              const PositionShape& position) {
  auto columns = FindColumns(table, request);
  if (!columns.ok()) return columns.status();
  auto terms = KeyTerms(table, request, *columns);
  if (!terms.ok()) return terms.status();
  if (terms->empty()) *terms = StorageTerms(table);

  Plan plan;
  PushedDown pushed =
      PushDown(request.predicate, request.fields, *columns, table, request.on_bad_value);
  plan.bindings = std::move(pushed.bindings);
  plan.first_position_parameter = static_cast<int>(plan.bindings.size()) + 1;
  plan.limit_parameter = plan.first_position_parameter + static_cast<int>(terms->size());
  plan.key_is_unique = request.key.empty() || KeyIsUnique(table, request, *columns);

  std::vector<std::string> results;
  for (const ColumnInfo* column : *columns) results.push_back("t." + Quoted(column->name));
  if (!request.key.empty()) {
    plan.position_columns = request.key;
  } else {
    for (const OrderTerm& term : *terms) {
      plan.position_columns.push_back(static_cast<int>(results.size()));
      results.push_back(term.order);
    }
  }
  std::vector<std::string> conditions;
  if (position.present)
    conditions.push_back(BehindPosition(*terms, position, plan.first_position_parameter));
  if (!pushed.sql.empty() && place == FilterPlace::kColumn) {
    plan.keep_column = static_cast<int>(results.size());
    results.push_back(pushed.sql);
  } else if (!pushed.sql.empty()) {
    plan.filtered = true;
    conditions.push_back(pushed.sql);
  }
  if (results.empty()) results.push_back("NULL");

  plan.sql = absl::StrCat("SELECT ", absl::StrJoin(results, ","), " FROM main.", Quoted(table.name),
                          " AS t");
  if (!conditions.empty())
    absl::StrAppend(&plan.sql, " WHERE ", absl::StrJoin(conditions, " AND "));
  if (!terms->empty()) {
    absl::StrAppend(&plan.sql, " ORDER BY ",
                    absl::StrJoin(*terms, ",", [](std::string* out, const OrderTerm& term) {
                      absl::StrAppend(out, term.order);
                    }));
  }
  absl::StrAppend(&plan.sql, " LIMIT ?", plan.limit_parameter);
  return plan;
}

std::string ShapeOf(const ScanRequest& request) {
  // Names may hold any character; lengths keep two shapes from ever looking alike.
  std::string shape = absl::StrCat(request.table.size(), ":", request.table);
  for (const FieldRequest& field : request.fields) {
    const DataType& type = field.field.type;
    absl::StrAppend(&shape, ",", field.column.size(), ":", field.column, ":",
                    static_cast<int>(type.id), type.utc ? "z" : "");
  }
  absl::StrAppend(&shape, "|", absl::StrJoin(request.key, ","), "|",
                  static_cast<int>(request.on_bad_value), "|");
  AppendShape(request.predicate, request.fields, shape);
  return shape;
}

std::string ShapeOf(FilterPlace place, const PositionShape& position) {
  std::string shape = place == FilterPlace::kWhere ? "|w" : "|c";
  if (!position.present) return shape;
  shape += position.inclusive ? "=" : ">";
  for (const bool null : position.nulls) shape.push_back(null ? '0' : '1');
  return shape;
}

}  // namespace sluice::adapters::sqlite
