#include "tests/conformance/sqlite_under_test.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/registry.h"
#include "adapters/sqlite/database_testing.h"
#include "adapters/sqlite/push_down.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/sqlite_adapter.h"
#include "adapters/sqlite/statement.h"

namespace sluice::adapters::conformance {
namespace {

using records::TypeId;
using sqlite::Quoted;

// As an owner would declare it. Fractions in text: a DECIMAL column would make doubles of them.
const char* DeclaredType(const records::DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "BOOLEAN";
    case TypeId::kInt64:
      return "INTEGER";
    case TypeId::kFloat64:
      return "REAL";
    case TypeId::kDecimal128:
      return "TEXT";
    case TypeId::kDate32:
      return "DATE";
    case TypeId::kTimestamp:
      return type.utc ? "TEXT" : "DATETIME";
    case TypeId::kUtf8:
      return "TEXT";
    case TypeId::kBinary:
      return "BLOB";
  }
  return "";
}

const char* BadValue(const records::DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "7";
    case TypeId::kDecimal128:
      return "'1.234'";
    case TypeId::kDate32:
      return "'2026-02-30'";
    case TypeId::kTimestamp:
      return "'yesterday'";
    case TypeId::kUtf8:
      return "CAST(x'ff' AS TEXT)";
    case TypeId::kBinary:
      return "'text'";
    default:
      return "'abc'";
  }
}

class SqliteUnderTest : public AdapterUnderTest {
 public:
  explicit SqliteUnderTest(SqliteVariant variant) : variant_(variant) {
    if (variant == SqliteVariant::kUtf16) database_.Exec("PRAGMA encoding = 'UTF-16le'");
    if (variant == SqliteVariant::kWriteAhead) database_.Exec("PRAGMA journal_mode = WAL");
  }

  void Make(const TableData& table) override {
    const bool view = variant_ == SqliteVariant::kView;
    const std::string stored = Stored(table);
    database_.Exec(absl::StrCat("CREATE TABLE ", stored, " (", Columns(table), ")",
                                IsWithoutRowid(table) ? " WITHOUT ROWID" : ""));
    if (view)
      database_.Exec(
          absl::StrCat("CREATE VIEW ", Quoted(table.name), " AS SELECT * FROM ", stored));
    Insert(table);
  }

  std::unique_ptr<Adapter> Open() override {
    const Settings settings = AsSource().settings;
    auto adapter = variant_ == SqliteVariant::kShortRanges
                       ? OpenSqlite(settings, sqlite::Budgets{.filter = 0})
                       : FindKind("sqlite")->open(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }

  Source AsSource() const override {
    return {"sqlite", {{"file", database_.path()}, {"busy_timeout_ms", "1000"}}};
  }

  void SpoilValue(const TableData& table, int field, int64_t row) override {
    const records::Field& spoilt = table.fields[field];
    database_.Exec(absl::StrCat("UPDATE ", Stored(table), " SET ", Quoted(spoilt.name), " = ",
                                BadValue(spoilt.type), " WHERE ",
                                Quoted(table.fields[table.key[0]].name), " = ",
                                std::get<int64_t>(table.rows[row][table.key[0]])));
  }

  void Break() override {
    const size_t size = database_.ReadFile().size();
    // A clean end would bring the log home into the file.
    if (variant_ == SqliteVariant::kWriteAhead) {
      const std::string log = database_.path() + "-wal";
      const auto log_size = std::filesystem::file_size(log);
      std::ofstream(log, std::ios::binary | std::ios::trunc) << std::string(log_size, 'x');
    } else {
      database_.Close();
    }
    database_.WriteFile(std::string(size, 'x'));
  }

 private:
  std::string Stored(const TableData& table) const {
    return Quoted(variant_ == SqliteVariant::kView ? table.name + " stored" : table.name);
  }

  static bool HasNullInKey(const TableData& table) {
    return std::any_of(table.rows.begin(), table.rows.end(), [&](const Row& row) {
      return std::any_of(table.key.begin(), table.key.end(), [&](int field) {
        return std::holds_alternative<std::monostate>(row[field]);
      });
    });
  }

  bool IsWithoutRowid(const TableData& table) const {
    return variant_ == SqliteVariant::kWithoutRowid && !HasNullInKey(table);
  }

  std::string Columns(const TableData& table) const {
    std::vector<std::string> parts, key;
    for (const records::Field& field : table.fields)
      parts.push_back(absl::StrCat(Quoted(field.name), " ", DeclaredType(field.type)));
    for (const int field : table.key) key.push_back(Quoted(table.fields[field].name));
    // A null in an INTEGER PRIMARY KEY would become a number.
    const bool nulls = HasNullInKey(table);
    parts.push_back(
        absl::StrCat(nulls ? "UNIQUE (" : "PRIMARY KEY (", absl::StrJoin(key, ","), ")"));
    return absl::StrJoin(parts, ", ");
  }

  void Insert(const TableData& table) {
    std::vector<std::string> marks(table.fields.size(), "?");
    auto statement = sqlite::Prepare(
        database_.db(),
        absl::StrCat("INSERT INTO ", Stored(table), " VALUES (", absl::StrJoin(marks, ","), ")"));
    ASSERT_TRUE(statement.ok()) << statement.status();
    database_.Exec("BEGIN");
    for (const Row& row : table.rows) {
      for (size_t i = 0; i < row.size(); ++i)
        Bind(statement->get(), i, row[i], table.fields[i].type);
      ASSERT_EQ(sqlite3_step(statement->get()), SQLITE_DONE) << sqlite3_errmsg(database_.db());
      sqlite3_reset(statement->get());
    }
    database_.Exec("COMMIT");
  }

  static void Bind(sqlite3_stmt* statement, size_t i, const records::Scalar& value,
                   const records::DataType& type) {
    const int parameter = static_cast<int>(i) + 1;
    std::string text;
    if (std::holds_alternative<std::monostate>(value)) {
      sqlite3_bind_null(statement, parameter);
      return;
    }
    if (type.id == TypeId::kDecimal128) {
      text = records::FormatDecimal(std::get<records::Decimal128>(value), type.scale);
    } else if (type.id == TypeId::kTimestamp) {
      text = records::FormatTimestamp(std::get<int64_t>(value), type.utc);
    } else {
      ASSERT_TRUE(sqlite::BindScalar(statement, parameter, value, type).ok());
      return;
    }
    sqlite3_bind_text(statement, parameter, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
  }

  const SqliteVariant variant_;
  sqlite::TestDatabase database_;
};

}  // namespace

KindUnderTest SqliteKind(std::string name, SqliteVariant variant) {
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [variant] { return std::make_unique<SqliteUnderTest>(variant); };
  if (variant == SqliteVariant::kView) {
    kind.deviations["DescribesTablesWithColumnsAndKeys"] =
        "a view has no key of its own, and stands beside its table";
  }
  return kind;
}

}  // namespace sluice::adapters::conformance
