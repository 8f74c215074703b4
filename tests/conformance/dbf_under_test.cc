#include "tests/conformance/dbf_under_test.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "adapters/dbf/dbf_adapter.h"
#include "adapters/dbf/dbf_testing.h"
#include "adapters/files/files_testing.h"
#include "adapters/registry.h"
#include "gateway/records/value_text.h"

namespace sluice::adapters::conformance {
namespace {

using records::TypeId;

constexpr size_t kMostVarchar = 254;

bool Holds(const Row& row, size_t field) {
  return !std::holds_alternative<std::monostate>(row[field]);
}

class DbfUnderTest : public AdapterUnderTest {
 public:
  explicit DbfUnderTest(DbfVariant variant) : variant_(variant) {}

  void Make(const TableData& table) override { Write(table); }

  Source AsSource() const override {
    Settings settings = settings_;
    settings["work_folder"] = work_.path();
    settings["folder"] = folder_.path();
    settings["encoding"] = "utf-8";
    return {"dbf", settings};
  }

  std::unique_ptr<Adapter> Open() override {
    const Settings settings = AsSource().settings;
    const files::Budgets small = {
        .sort_bytes = 4'096, .block_bytes = 4'096, .merge_width = 2, .mark_bytes = 512};
    auto adapter =
        variant_ == DbfVariant::kMemos ? OpenDbf(settings, small) : FindKind("dbf")->open(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }

  void SpoilValue(const TableData& table, int field, int64_t row) override {
    spoilt_.insert({field, row});
    Write(table);
  }

  void Break() override { folder_.Remove(); }

 private:
  dbf::TestColumn ColumnFor(const TableData& table, size_t field) const {
    const records::Field& one = table.fields[field];
    dbf::TestColumn column{one.name, 'C', 27, 0, dbf::kMayBeNull};
    switch (one.type.id) {
      case TypeId::kBool:
        column.type = 'L';
        column.length = 1;
        break;
      case TypeId::kInt64:
        column.type = 'N';
        column.length = 20;
        break;
      case TypeId::kFloat64: {
        const bool finite = std::all_of(table.rows.begin(), table.rows.end(), [&](const Row& row) {
          return !Holds(row, field) || std::isfinite(std::get<double>(row[field]));
        });
        column.type = finite ? 'F' : 'B';
        column.length = finite ? 30 : 8;
        break;
      }
      case TypeId::kDecimal128:
        column.type = 'N';
        column.length = one.type.precision + 3u;
        column.decimals = one.type.scale;
        break;
      case TypeId::kDate32:
        column.type = 'D';
        column.length = 8;
        break;
      case TypeId::kTimestamp:  // in T there is no room for microseconds
        break;
      case TypeId::kUtf8:
      case TypeId::kBinary: {
        const bool fits = std::all_of(table.rows.begin(), table.rows.end(), [&](const Row& row) {
          return !Holds(row, field) || std::get<std::string>(row[field]).size() <= kMostVarchar;
        });
        const bool text = one.type.id == TypeId::kUtf8;
        const bool memo = !fits || variant_ == DbfVariant::kMemos;
        column.type = memo ? 'M' : text ? 'V' : 'Q';
        column.length = memo ? 4 : kMostVarchar;
        if (!text) column.flags |= dbf::kNoText;
        break;
      }
    }
    return column;
  }

  std::string FieldOf(const records::Scalar& value, const records::Field& field,
                      const dbf::TestColumn& column, dbf::TestMemos& memos) const {
    if (std::holds_alternative<std::monostate>(value)) return "";
    switch (field.type.id) {
      case TypeId::kBool:
        return std::get<bool>(value) ? "T" : "F";
      case TypeId::kInt64:
        return absl::StrCat(std::get<int64_t>(value));
      case TypeId::kFloat64: {
        const double number = std::get<double>(value);
        std::string bytes(sizeof(number), '\0');
        std::memcpy(bytes.data(), &number, sizeof(number));
        if (column.type == 'B') return bytes;
        bytes.clear();
        records::AppendFloat64(number, bytes);
        return bytes;
      }
      case TypeId::kDecimal128:
        return records::FormatDecimal(std::get<records::Decimal128>(value), field.type.scale);
      case TypeId::kDate32: {
        std::string date = records::FormatDate(std::get<int32_t>(value));
        std::erase(date, '-');
        return date;
      }
      case TypeId::kTimestamp:
        return records::FormatTimestamp(std::get<int64_t>(value), field.type.utc);
      case TypeId::kUtf8:
      case TypeId::kBinary:
        break;
    }
    const std::string& text = std::get<std::string>(value);
    if (column.type != 'M') return text;
    return dbf::TestMemos::Pointer(memos.Add(text), true);
  }

  static std::string Spoilt(const dbf::TestColumn& column) {
    if (column.type == 'D') return "20260230";
    return column.type == 'L' ? "X" : "abc";
  }

  void Write(const TableData& table) {
    std::vector<dbf::TestColumn> columns;
    for (size_t i = 0; i < table.fields.size(); ++i) columns.push_back(ColumnFor(table, i));
    dbf::TestTable file(columns, dbf::kVisualFoxProTable);
    dbf::TestMemos memos(dbf::TestMemoForm::kFoxPro, 64);
    std::vector<int64_t> order(table.rows.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    if (variant_ == DbfVariant::kMemos) {
      // Neither ascending nor descending, and the same each time.
      std::sort(order.begin(), order.end(),
                [](int64_t a, int64_t b) { return (a * 7'919) % 104'729 < (b * 7'919) % 104'729; });
    }
    for (const int64_t row : order) {
      std::vector<std::string> fields;
      std::vector<bool> nulls;
      for (size_t i = 0; i < columns.size(); ++i) {
        const bool bad = spoilt_.contains({static_cast<int>(i), row});
        const records::Scalar& value = table.rows[row][i];
        fields.push_back(bad ? Spoilt(columns[i])
                             : FieldOf(value, table.fields[i], columns[i], memos));
        nulls.push_back(!bad && std::holds_alternative<std::monostate>(value));
      }
      if (variant_ == DbfVariant::kMemos && row % 5 == 0) file.AddWithNulls(fields, nulls, '*');
      file.AddWithNulls(fields, nulls);
    }
    DescribeInSettings(table);
    folder_.Write(table.name + ".fpt", memos.Bytes());
    folder_.Write(table.name + ".dbf", file.Bytes());
  }

  // As its owner would say of it in the settings.
  void DescribeInSettings(const TableData& table) {
    std::string key;
    for (const int field : table.key)
      absl::StrAppend(&key, key.empty() ? "" : ",", table.fields[field].name);
    for (const records::Field& field : table.fields)
      settings_[absl::StrCat("type.", table.name, "/", field.name)] = records::ToString(field.type);
    settings_["key." + table.name] = key;
  }

  const DbfVariant variant_;
  files::TestFolder folder_;
  files::TestFolder work_;
  Settings settings_;
  std::set<std::pair<int, int64_t>> spoilt_;
};

}  // namespace

KindUnderTest DbfKind(std::string name, DbfVariant variant) {
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [variant] { return std::make_unique<DbfUnderTest>(variant); };
  kind.deviations["HostileNamesOfTablesAndColumnsAreNames"] =
      "a column's name has at most ten bytes in FoxPro; the suite's has twelve";
  return kind;
}

}  // namespace sluice::adapters::conformance
