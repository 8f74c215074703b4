#include "adapters/odbc/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/odbc/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::odbc {
namespace {

using records::DataType;
using records::TypeId;

constexpr size_t kNumberText = 48;    // of 64 bits or a double
constexpr size_t kDecimalText = 144;  // longer ones have more digits than any field
constexpr size_t kTimeText = 48;
constexpr int kRowOverhead = 24;      // of a value, and of a row, at the driver
constexpr size_t kMostBound = 4'096;  // of a text: longer ones come by SQLGetData

// Which of the table's columns the results are.
absl::StatusOr<std::vector<int>> FindColumns(const TableInfo& table, const ScanRequest& request,
                                             bool zone_is_utc) {
  std::vector<int> columns;
  for (const FieldRequest& field : request.fields) {
    const int column = table.IndexOf(field.column);
    if (column < 0)
      return Drift(absl::StrCat("table '", table.name, "' has no column '", field.column, "'"));
    const ColumnInfo& info = table.columns[column];
    if (!CanRead(info.type, field.field.type, zone_is_utc)) {
      return Drift(absl::StrCat("column '", info.name, "' of table '", table.name, "' is ",
                                info.declared, ", which is not read as ",
                                records::ToString(field.field.type),
                                ": a view of its owner's can cast it"));
    }
    columns.push_back(column);
  }
  return columns;
}

bool KeyIsUnique(const TableInfo& table, const std::vector<int>& key) {
  return std::any_of(table.unique_keys.begin(), table.unique_keys.end(),
                     [&](const std::vector<int>& unique) {
                       return std::all_of(unique.begin(), unique.end(), [&](int column) {
                         return table.columns[column].not_null &&
                                std::find(key.begin(), key.end(), column) != key.end();
                       });
                     });
}

// How much of a value can be bound; kNoBound where any length may come.
size_t MostBytes(const Dialect& dialect, const ColumnInfo& column, Fetch fetch,
                 const DataType& to) {
  if (fetch == Fetch::kInteger || fetch == Fetch::kDouble) return sizeof(int64_t);
  switch (column.type) {
    case SourceType::kDynamic:
      return to.id == TypeId::kUtf8 || to.id == TypeId::kBinary ? kNoBound : kDecimalText;
    case SourceType::kDecimal:
      return kDecimalText;
    case SourceType::kDate:
    case SourceType::kTimestamp:
    case SourceType::kTimestampZone:
      return kTimeText;
    case SourceType::kText:
    case SourceType::kOtherText:
    case SourceType::kBinary: {
      if (!dialect.sizes_hold || column.size == 0 || column.size > kMostBound) return kNoBound;
      const size_t bytes = column.size * (fetch == Fetch::kBinary ? 1 : 4);
      return bytes > kMostBound ? kNoBound : bytes;
    }
    default:
      return kNumberText;
  }
}

ResultColumn ResultOf(const Dialect& dialect, const Driver& driver, const ColumnInfo& column,
                      const records::Field& field) {
  const Fetch fetch = dialect.results[static_cast<int>(column.type)].fetch;
  return {&column, field, {column.type, fetch, driver.wide, field.type}};
}

// The primary key's columns as fields behind the others, where each has an order and no value of
// its type is bad.
void AddPrimaryKey(const Dialect& dialect, const Driver& driver, const TableInfo& table,
                   std::vector<int>& columns, Plan& plan) {
  if (!table.has_primary_key) return;
  std::vector<ResultColumn> added;
  for (const int i : table.unique_keys.front()) {
    const ColumnInfo& column = table.columns[i];
    const DataType type = column.affinity == "integer"
                              ? DataType{TypeId::kInt64}
                              : DescribedType(column.type, column.size, column.digits, false);
    const bool fits = column.type == SourceType::kInteger || column.type == SourceType::kText ||
                      column.type == SourceType::kOtherText || column.type == SourceType::kBinary ||
                      column.affinity == "integer";
    if (!fits || FindOrder(dialect, column, type).form == Form::kNone) return;
    added.push_back(ResultOf(dialect, driver, column, {column.name, type, false}));
  }
  for (size_t i = 0; i < added.size(); ++i) {
    plan.key.push_back(static_cast<int>(plan.results.size()));
    plan.results.push_back(std::move(added[i]));
    columns.push_back(table.unique_keys.front()[i]);
  }
}

// How the rows are ordered, and what a position is compared with.
absl::StatusOr<std::vector<OrderedAs>> OrderOf(const Dialect& dialect, const TableInfo& table,
                                               const Plan& plan) {
  std::vector<OrderedAs> terms;
  for (const int i : plan.key) {
    const ResultColumn& result = plan.results[i];
    terms.push_back(FindOrder(dialect, *result.column, result.field.type));
    if (terms.back().form != Form::kNone) continue;
    return Drift(absl::StrCat("column '", result.column->name, "' of table '", table.name,
                              "' cannot be part of a key: dialect ", dialect.name,
                              " has no order of ", result.column->declared, " that is that of ",
                              records::ToString(result.field.type)));
  }
  return terms;
}

// Nulls come first, so that everything that is not null lies behind a null.
std::string BehindPosition(const std::vector<OrderedAs>& terms, const PositionShape& position,
                           const char* always, std::vector<Binding>& bindings) {
  const auto value = [&](size_t i) {
    bindings.push_back(
        {.of = Binding::Of::kPosition, .index = static_cast<int>(i), .form = terms[i].form});
    return terms[i].parameter;
  };
  std::vector<std::string> ways;
  const size_t count = terms.size() + (position.inclusive ? 1 : 0);
  for (size_t way = 0; way < count; ++way) {
    std::string all;
    for (size_t i = 0; i < way; ++i) {
      absl::StrAppend(&all, all.empty() ? "" : " AND ", terms[i].operand);
      absl::StrAppend(&all, position.nulls[i] ? " IS NULL" : " = " + value(i));
    }
    if (way < terms.size()) {
      absl::StrAppend(&all, all.empty() ? "" : " AND ", terms[way].operand);
      absl::StrAppend(&all, position.nulls[way] ? " IS NOT NULL" : " > " + value(way));
    }
    ways.push_back(absl::StrCat("(", all.empty() ? always : all.c_str(), ")"));
  }
  return absl::StrCat("(", absl::StrJoin(ways, " OR "), ")");
}

std::string OrderBy(const Dialect& dialect, const Plan& plan, const std::vector<OrderedAs>& terms) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < terms.size(); ++i) {
    const bool nulls = !plan.results[plan.key[i]].column->not_null;
    parts.push_back(terms[i].operand + (nulls ? dialect.nulls_first : ""));
  }
  return absl::StrJoin(parts, ",");
}

std::string Selected(const Dialect& dialect, const ResultColumn& result) {
  return Filled(dialect.results[static_cast<int>(result.column->type)].sql,
                {{"{c}", result.column->quoted}});
}

std::string SumOfBytes(const Dialect& dialect, const Plan& plan) {
  std::string row = absl::StrCat(kRowOverhead * (plan.results.size() + 1));
  for (const ResultColumn& result : plan.results)
    absl::StrAppend(&row, "+COALESCE(", Filled(dialect.bytes_of, {{"{c}", result.column->quoted}}),
                    ",0)");
  return absl::StrCat("COALESCE(SUM(", row, "),0)");
}

}  // namespace

absl::StatusOr<Plan> MakePlan(const Dialect& dialect, const Driver& driver, const TableInfo& table,
                              const ScanRequest& request, const PositionShape& position,
                              bool zone_is_utc) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<int> columns, FindColumns(table, request, zone_is_utc));
  Plan plan;
  std::vector<const ColumnInfo*> field_columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnInfo& column = table.columns[columns[i]];
    if (dialect.results[static_cast<int>(column.type)].sql == nullptr)
      return Drift(absl::StrCat("column '", column.name, "' of table '", table.name, "' is ",
                                column.declared, ", which dialect ", dialect.name,
                                " does not read: a view of its owner's can cast it"));
    field_columns.push_back(&column);
    plan.results.push_back(ResultOf(dialect, driver, column, request.fields[i].field));
  }
  plan.key = request.key;
  if (plan.key.empty()) AddPrimaryKey(dialect, driver, table, columns, plan);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<OrderedAs> terms, OrderOf(dialect, table, plan));

  PushedDown pushed =
      PushDown(dialect, request.predicate, request.fields, field_columns, request.on_bad_value);
  plan.bindings = std::move(pushed.bindings);
  std::vector<int> key_columns;
  for (const int i : plan.key) key_columns.push_back(columns[i]);
  plan.key_is_unique = plan.key.empty() || KeyIsUnique(table, key_columns);

  std::vector<std::string> results, conditions;
  for (const ResultColumn& result : plan.results) {
    results.push_back(Selected(dialect, result));
    plan.readings.push_back(
        {result.reading.fetch,
         MostBytes(dialect, *result.column, result.reading.fetch, result.field.type)});
  }
  if (results.empty()) {
    results.push_back("1");
    plan.readings.push_back({Fetch::kInteger, sizeof(int64_t)});
  }
  if (!pushed.sql.empty()) conditions.push_back(pushed.sql);
  if (position.present) conditions.push_back(BehindPosition(terms, position, "1=1", plan.bindings));
  std::string rows = absl::StrCat(" FROM ", table.from, " t");
  if (!conditions.empty()) absl::StrAppend(&rows, " WHERE ", absl::StrJoin(conditions, " AND "));
  plan.sql = absl::StrCat("SELECT ", absl::StrJoin(results, ","), rows);
  if (*dialect.bytes_of != '\0')
    plan.size_sql = absl::StrCat("SELECT ", SumOfBytes(dialect, plan), rows);
  if (!plan.key.empty()) absl::StrAppend(&plan.sql, " ORDER BY ", OrderBy(dialect, plan, terms));
  return plan;
}

}  // namespace sluice::adapters::odbc
