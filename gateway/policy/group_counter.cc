#include "gateway/policy/group_counter.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/predicate.h"

namespace sluice::policy {
namespace {

// Whole numbers of any width as bytes in their order.
template <class T>
void AppendOrdered(T value, std::string& out) {
  using U = std::conditional_t<sizeof(T) == 16, unsigned __int128,
                               std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>>;
  U bits = static_cast<U>(value) ^ (U{1} << (sizeof(T) * 8 - 1));
  for (int shift = static_cast<int>(sizeof(T) * 8) - 8; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<uint8_t>(bits >> shift));
}

void AppendOrdered(double value, std::string& out) {
  int64_t bits = 0;
  if (value != value) value = std::numeric_limits<double>::quiet_NaN();  // one NaN
  if (value == 0) value = 0;                                             // one zero
  std::memcpy(&bits, &value, sizeof(bits));
  if (bits < 0) bits ^= std::numeric_limits<int64_t>::max();
  AppendOrdered(bits, out);
}

void AppendOrdered(const std::string& value, std::string& out) {
  for (const char c : value) {
    out += c;
    if (c == '\0') out += '\xff';
  }
  out.append(2, '\0');
}

// A value as bytes that compare as values do; null comes first.
void AppendValue(const records::Scalar& value, std::string& out) {
  std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          out += '\0';
        } else if constexpr (std::is_same_v<T, bool>) {
          out.append({'\1', static_cast<char>(held)});
        } else {
          out += '\1';
          AppendOrdered(held, out);
        }
      },
      value);
}

std::string NameOfCount(const records::Schema& schema) {
  std::string name = "rows";
  while (schema.IndexOf(name)) name += '_';
  return name;
}

}  // namespace

absl::Status GroupCounter::Take(const records::RecordBatch& rows) {
  std::string key;
  for (int64_t row = 0; row < rows.rows(); ++row) {
    key.clear();
    for (const records::Column& column : rows.columns())
      AppendValue(records::ScalarAt(column, row), key);
    const auto found = groups_.find(key);
    if (found != groups_.end()) {
      ++found->second.count;
      continue;
    }
    if (static_cast<int64_t>(groups_.size()) >= kMostGroups)
      return Error(v1::REASON_RESULT_TOO_LARGE,
                   absl::StrCat("there are more than ", kMostGroups,
                                " groups; group by fewer fields, or by fields of fewer values."));
    groups_.emplace(key, Group{1, rows.Take({row})});
  }
  return absl::OkStatus();
}

GroupRows GroupCounter::rows() const {
  GroupRows rows;
  for (const auto& [key, group] : groups_) rows[key] = group.count;
  // All rows together are a group though there be none.
  if (schema_->size() == 0 && rows.empty()) rows[""] = 0;
  return rows;
}

GroupCounter::Told GroupCounter::Tell(const GroupRows& rows, int64_t least) const {
  const std::map<std::string, bool> suppressed = Suppressed(rows, least);
  std::vector<records::Field> fields = schema_->fields();
  fields.push_back({NameOfCount(*schema_), {.id = records::TypeId::kInt64}, true});
  std::vector<records::ColumnBuilder> builders;
  for (const records::Field& field : fields) builders.emplace_back(field.type);
  Told told{.batch = records::RecordBatch(nullptr, {}, 0),
            .suppressed = static_cast<int64_t>(suppressed.size())};
  int64_t count = 0;
  for (const auto& [key, number] : rows) {
    const auto hidden = suppressed.find(key);
    // The value of a small group tells that somebody has it.
    if (hidden != suppressed.end() && hidden->second && schema_->size() > 0) continue;
    const auto group = groups_.find(key);
    for (size_t i = 0; i < schema_->size(); ++i)
      builders[i].AppendFrom(group->second.values.column(i), 0);
    if (hidden != suppressed.end())
      builders.back().AppendNull();
    else
      builders.back().AppendInt64(number);
    ++count;
  }
  std::vector<records::Column> columns;
  for (records::ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
  told.batch = records::RecordBatch(std::make_shared<const records::Schema>(std::move(fields)),
                                    std::move(columns), count);
  return told;
}

std::map<std::string, bool> Suppressed(const GroupRows& rows, int64_t least) {
  std::map<std::string, bool> suppressed;
  std::vector<std::pair<int64_t, std::string>> others;
  int64_t together = 0;
  for (const auto& [key, number] : rows) {
    if (number < least) {
      suppressed[key] = true;
      together += number;
    } else {
      others.emplace_back(number, key);
    }
  }
  if (suppressed.empty()) return suppressed;
  std::sort(others.begin(), others.end());
  for (const auto& [number, key] : others) {
    if (suppressed.size() >= 2 && together >= least) break;
    suppressed[key] = false;
    together += number;
  }
  return suppressed;
}

}  // namespace sluice::policy
