#include "gateway/catalogue/schema_drift.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::catalogue {
namespace {

using records::TypeId;

// Column names are compared as SQL compares them.
std::string Folded(const std::string& name) { return absl::AsciiStrToLower(name); }

const adapters::ColumnDescription* Find(const adapters::TableDescription& table,
                                        const std::string& column) {
  for (const auto& candidate : table.columns)
    if (Folded(candidate.name) == Folded(column)) return &candidate;
  return nullptr;
}

bool CoversAUniqueKey(const Dataset& dataset, const adapters::TableDescription& table) {
  std::set<std::string> key;
  for (const int field : dataset.key) key.insert(Folded(ColumnOf(dataset.field(field))));
  return std::any_of(table.unique_keys.begin(), table.unique_keys.end(), [&](const auto& unique) {
    return std::all_of(unique.begin(), unique.end(),
                       [&](const auto& column) { return key.contains(Folded(column)); });
  });
}

}  // namespace

const std::string& ColumnOf(const v1::DatasetField& field) {
  return field.column().empty() ? field.name() : field.column();
}

bool ReadableAs(const records::DataType& from, const records::DataType& to) {
  if (from.id == to.id) return true;
  switch (from.id) {
    case TypeId::kUtf8:
      return to.id != TypeId::kBinary;
    case TypeId::kInt64:
      return to.id == TypeId::kFloat64 || to.id == TypeId::kDecimal128 || to.id == TypeId::kBool ||
             (to.id == TypeId::kTimestamp && to.utc);
    case TypeId::kFloat64:
      return to.id == TypeId::kDecimal128 || to.id == TypeId::kInt64;
    case TypeId::kDecimal128:
      return to.id == TypeId::kFloat64 || to.id == TypeId::kInt64 || to.id == TypeId::kUtf8;
    case TypeId::kBool:
      return to.id == TypeId::kInt64;
    case TypeId::kDate32:
    case TypeId::kTimestamp:
      return to.id == TypeId::kUtf8 || to.id == TypeId::kTimestamp || to.id == TypeId::kDate32;
    case TypeId::kBinary:
      return false;
  }
  return false;
}

absl::Status CheckDrift(const Dataset& dataset, const adapters::TableDescription& table) {
  std::vector<std::pair<std::string, std::string>> mistakes;
  for (int i = 0; i < dataset.definition.fields_size(); ++i) {
    const auto& field = dataset.field(i);
    const std::string path = absl::StrCat("dataset.fields[", i, "].");
    const auto* column = Find(table, ColumnOf(field));
    if (column == nullptr) {
      mistakes.emplace_back(
          path + "column", absl::StrCat("table ", table.table, " has no column ", ColumnOf(field)));
    } else if (const auto& type = dataset.schema->field(static_cast<size_t>(i)).type;
               !ReadableAs(column->type, type)) {
      mistakes.emplace_back(path + "type",
                            absl::StrCat("column ", column->name, " is ", column->source_type,
                                         ", which cannot be read as ", records::ToString(type)));
    }
  }
  if (!dataset.key.empty() && !table.unique_keys.empty() && !CoversAUniqueKey(dataset, table))
    mistakes.emplace_back("dataset.key", absl::StrCat("not unique in table ", table.table,
                                                      ": no key that the source states is in it"));
  if (mistakes.empty()) return absl::OkStatus();
  absl::Status status =
      Error(v1::REASON_SCHEMA_DRIFT,
            absl::StrCat("The source does not fit the description: ", mistakes[0].second),
            {{"dataset", dataset.definition.name()}});
  for (const auto& [path, mistake] : mistakes) AddFieldViolation(status, path, mistake);
  return status;
}

}  // namespace sluice::catalogue
