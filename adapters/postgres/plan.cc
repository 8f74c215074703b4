#include "adapters/postgres/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/postgres/errors.h"
#include "adapters/postgres/identifiers.h"
#include "gateway/base/error.h"

namespace sluice::adapters::postgres {
namespace {

using records::DataType;

// Which of the table's columns the results are.
absl::StatusOr<std::vector<int>> FindColumns(const TableInfo& table, const ScanRequest& request) {
  std::vector<int> columns;
  for (const FieldRequest& field : request.fields) {
    const int column = table.IndexOf(field.column);
    if (column < 0) {
      return Drift(absl::StrCat("table '", table.name, "' has no column '", field.column, "'"));
    }
    if (const ColumnInfo& info = table.columns[column]; !CanRead(info.type, field.field.type)) {
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

// The primary key's columns as fields behind the others, where each has an order.
void AddPrimaryKey(const TableInfo& table, std::vector<int>& columns, Plan& plan) {
  if (!table.has_primary_key) return;
  std::vector<ResultColumn> added;
  for (const int i : table.unique_keys.front()) {
    const ColumnInfo& column = table.columns[i];
    const DataType type = DescribedType(column.type, column.modifier);
    OrderedAs ordered;
    // A value that does not fit would end the scan for the sake of a field that nobody asked for.
    const bool fits = column.type != SourceType::kNumeric && column.type != SourceType::kDate &&
                      column.type != SourceType::kTimestamp &&
                      column.type != SourceType::kTimestampTz;
    if (!fits || !CanRead(column.type, type) || !FindOrder(column, type, table, ordered)) return;
    added.push_back({&column, {column.name, type, false}, {column.type, type}});
  }
  for (size_t i = 0; i < added.size(); ++i) {
    plan.key.push_back(static_cast<int>(plan.results.size()));
    plan.results.push_back(std::move(added[i]));
    columns.push_back(table.unique_keys.front()[i]);
  }
}

// How the rows are ordered, and what a position is compared with.
absl::StatusOr<std::vector<OrderedAs>> OrderOf(const TableInfo& table, const Plan& plan) {
  std::vector<OrderedAs> terms;
  for (const int i : plan.key) {
    const ResultColumn& result = plan.results[i];
    if (!FindOrder(*result.column, result.field.type, table, terms.emplace_back())) {
      return Drift(absl::StrCat("column '", result.column->name, "' of table '", table.name,
                                "' cannot be part of a key: it is ", result.column->declared,
                                ", which has no order as ", records::ToString(result.field.type)));
    }
  }
  return terms;
}

class Statement {
 public:
  Statement(const Plan& plan, const std::vector<OrderedAs>& terms, const PositionShape& position,
            Passing passing)
      : plan_(plan), terms_(terms), position_(position), passing_(passing) {}

  // Nulls come first, so that everything that is not null lies behind a null; a row-wise comparison
  // says so by itself only where the position has none.
  std::string BehindPosition() const {
    const auto& nulls = position_.nulls;
    if (std::find(nulls.begin(), nulls.end(), true) == nulls.end()) {
      const char* const sign = position_.inclusive ? " >= " : " > ";
      std::vector<std::string> operands, parameters;
      for (size_t i = 0; i < terms_.size(); ++i) {
        operands.push_back(terms_[i].operand);
        parameters.push_back(Value(i));
      }
      if (terms_.size() == 1) return absl::StrCat("(", operands[0], sign, parameters[0], ")");
      return absl::StrCat("((", absl::StrJoin(operands, ","), ")", sign, "(",
                          absl::StrJoin(parameters, ","), "))");
    }
    std::string same;  // all components before this one are the position's
    std::vector<std::string> ways;
    for (size_t i = 0; i < terms_.size(); ++i) {
      const std::string& operand = terms_[i].operand;
      ways.push_back(absl::StrCat("(", same, operand,
                                  nulls[i] ? " IS NOT NULL" : absl::StrCat(" > ", Value(i)), ")"));
      absl::StrAppend(&same, operand, nulls[i] ? " IS NULL" : absl::StrCat(" = ", Value(i)),
                      " AND ");
    }
    if (position_.inclusive) ways.push_back(absl::StrCat("(", same, "TRUE)"));
    return absl::StrCat("(", absl::StrJoin(ways, " OR "), ")");
  }

  std::string OrderBy() const {
    std::vector<std::string> parts;
    for (size_t i = 0; i < terms_.size(); ++i)
      parts.push_back(terms_[i].operand + (NullsMayCome(i) ? " NULLS FIRST" : ""));
    return absl::StrJoin(parts, ",");
  }

  // No index is in the order of nulls first, so that it is asked for only where there may be some:
  // none comes in the first column behind a position without null.
  bool NullsMayCome(size_t i) const {
    if (plan_.results[plan_.key[i]].column->not_null) return false;
    return i > 0 || !position_.present || position_.nulls[0];
  }

 private:
  // A position with nulls leaves out their parameters.
  std::string Value(size_t i) const {
    const auto nulls = std::count(position_.nulls.begin(),
                                  position_.nulls.begin() + static_cast<int64_t>(i), true);
    return Parameter(passing_,
                     plan_.first_position_parameter + static_cast<int>(i) - static_cast<int>(nulls),
                     terms_[i].type);
  }

  const Plan& plan_;
  const std::vector<OrderedAs>& terms_;
  const PositionShape& position_;
  const Passing passing_;
};

std::string Result(const ResultColumn& result) {
  const std::string name = "t." + Quoted(result.column->name);
  if (!result.column->needs_cast) return name;
  return absl::StrCat("CAST(", name, " AS ", ResultTypeName(result.column->type), ")");
}

bool OrderIsFree(const TableInfo& table, const std::vector<int>& key, const Statement& statement) {
  for (size_t i = 0; i < key.size(); ++i)
    if (statement.NullsMayCome(i)) return false;
  return std::any_of(table.ordered_by.begin(), table.ordered_by.end(), [&](const auto& index) {
    return index.size() >= key.size() && std::equal(key.begin(), key.end(), index.begin());
  });
}

}  // namespace

absl::StatusOr<Plan> MakePlan(const TableInfo& table, const ScanRequest& request,
                              const PositionShape& position, Passing passing) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<int> columns, FindColumns(table, request));
  Plan plan;
  std::vector<const ColumnInfo*> field_columns;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnInfo& column = table.columns[columns[i]];
    const records::Field& field = request.fields[i].field;
    field_columns.push_back(&column);
    plan.results.push_back({&column, field, {column.type, field.type}});
  }
  plan.key = request.key;
  if (plan.key.empty()) AddPrimaryKey(table, columns, plan);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<OrderedAs> terms, OrderOf(table, plan));

  PushedDown pushed = PushDown(request.predicate, request.fields, field_columns, table,
                               request.on_bad_value, passing);
  plan.bindings = std::move(pushed.bindings);
  plan.first_position_parameter = static_cast<int>(plan.bindings.size()) + 1;
  plan.limit_parameter = plan.first_position_parameter;
  if (position.present)
    plan.limit_parameter +=
        static_cast<int>(std::count(position.nulls.begin(), position.nulls.end(), false));

  std::vector<int> key_columns;
  for (const int i : plan.key) key_columns.push_back(columns[i]);
  plan.key_is_unique = plan.key.empty() || KeyIsUnique(table, key_columns);
  const Statement statement(plan, terms, position, passing);
  plan.order_is_free = !plan.key.empty() && OrderIsFree(table, key_columns, statement);

  std::vector<std::string> results, conditions;
  for (const ResultColumn& result : plan.results) results.push_back(Result(result));
  if (results.empty()) results.push_back("TRUE");
  if (position.present) conditions.push_back(statement.BehindPosition());
  if (!pushed.sql.empty()) conditions.push_back(pushed.sql);
  plan.sql = absl::StrCat("SELECT ", absl::StrJoin(results, ","), " FROM ", table.from, " AS t");
  if (!conditions.empty())
    absl::StrAppend(&plan.sql, " WHERE ", absl::StrJoin(conditions, " AND "));
  if (!plan.key.empty()) absl::StrAppend(&plan.sql, " ORDER BY ", statement.OrderBy());
  absl::StrAppend(&plan.sql, " LIMIT ", Parameter(passing, plan.limit_parameter, "int8"));
  return plan;
}

std::string ShapeOf(const ScanRequest& request) {
  // Names may hold any character; lengths keep two shapes from ever looking alike.
  std::string shape = absl::StrCat(request.table.size(), ":", request.table);
  for (const FieldRequest& field : request.fields) {
    const DataType& type = field.field.type;
    absl::StrAppend(&shape, ",", field.column.size(), ":", field.column, ":",
                    static_cast<int>(type.id), ".", static_cast<int>(type.precision), ".",
                    static_cast<int>(type.scale), type.utc ? "z" : "",
                    field.field.nullable ? "" : "!");
  }
  absl::StrAppend(&shape, "|", absl::StrJoin(request.key, ","), "|",
                  static_cast<int>(request.on_bad_value), "|");
  AppendShape(request.predicate, request.fields, shape);
  return shape;
}

std::string ShapeOf(const PositionShape& position) {
  if (!position.present) return "";
  std::string shape = position.inclusive ? "|=" : "|>";
  for (const bool null : position.nulls) shape.push_back(null ? '0' : '1');
  return shape;
}

}  // namespace sluice::adapters::postgres
