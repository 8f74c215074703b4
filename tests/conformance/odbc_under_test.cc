#include "tests/conformance/odbc_under_test.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/odbc/server_testing.h"
#include "adapters/postgres/server_testing.h"
#include "adapters/registry.h"
#include "gateway/base/crypto.h"
#include "gateway/base/sanitized_testing.h"
#include "tests/conformance/postgres_under_test.h"
#include "tests/conformance/sqlite_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using odbc::MariadbDatabase;
using odbc::MariadbServer;
using records::TypeId;

constexpr size_t kRowsInInsert = 1'000;
constexpr size_t kMostInsertBytes = 8 << 20;

std::unique_ptr<Adapter> OpenOdbcSource(const AdapterUnderTest::Source& source) {
  auto adapter = FindKind(source.kind)->open(source.settings);
  EXPECT_TRUE(adapter.ok()) << adapter.status();
  return adapter.ok() ? *std::move(adapter) : nullptr;
}

// A source that another kind made, over ODBC.
class OverAnother : public AdapterUnderTest {
 public:
  using Translate = Settings (*)(const Settings& settings);
  OverAnother(std::unique_ptr<AdapterUnderTest> behind, Translate translate)
      : behind_(std::move(behind)), translate_(translate) {}

  void Make(const TableData& table) override { behind_->Make(table); }
  void SpoilValue(const TableData& table, int field, int64_t row) override {
    behind_->SpoilValue(table, field, row);
  }
  void Break() override { behind_->Break(); }
  Source AsSource() const override { return {"odbc", translate_(behind_->AsSource().settings)}; }
  std::unique_ptr<Adapter> Open() override { return OpenOdbcSource(AsSource()); }

 private:
  const std::unique_ptr<AdapterUnderTest> behind_;
  const Translate translate_;
};

Settings SqliteOverOdbc(const Settings& settings) {
  return {{"driver", odbc::kSqliteDriver}, {"database", settings.at("file")}};
}

std::string MariadbName(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) quoted.append(c == '`' ? 2 : 1, c);
  return quoted + "`";
}

std::string MariadbType(const records::DataType& type, bool in_key) {
  switch (type.id) {
    case TypeId::kBool:
      return "BOOLEAN";
    case TypeId::kInt64:
      return "BIGINT";
    case TypeId::kFloat64:
      return "DOUBLE";
    case TypeId::kDecimal128:
      return absl::StrCat("DECIMAL(", static_cast<int>(type.precision), ",",
                          static_cast<int>(type.scale), ")");
    case TypeId::kDate32:
      return "DATE";
    case TypeId::kTimestamp:
      return "DATETIME(6)";
    case TypeId::kUtf8:
      // Others take 'a' and 'A', or 'a' and 'a ', for the same key.
      return in_key ? "VARCHAR(100) COLLATE utf8mb4_nopad_bin" : "LONGTEXT";
    case TypeId::kBinary:
      return in_key ? "VARBINARY(100)" : "LONGBLOB";
  }
  return "";
}

// The column as one that can hold a value that does not fit, and that value.
struct MariadbSpoilt {
  const char* type;
  const char* value;
};
MariadbSpoilt MariadbSpoiltAs(const records::DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return {nullptr, "7"};
    case TypeId::kInt64:
      return {"DECIMAL(40,5)", "9.5"};
    case TypeId::kFloat64:
      return {"VARCHAR(100)", "'abc'"};
    case TypeId::kDecimal128:
      return {"DECIMAL(20,3)", "1.234"};
    default:
      return {nullptr, "'0000-00-00'"};
  }
}

std::string MariadbLiteral(const records::Scalar& value, const records::DataType& type) {
  if (std::holds_alternative<std::monostate>(value)) return "NULL";
  switch (type.id) {
    case TypeId::kBool:
      return std::get<bool>(value) ? "1" : "0";
    case TypeId::kInt64:
      return absl::StrCat(std::get<int64_t>(value));
    case TypeId::kFloat64: {
      char text[40];
      const auto [end, error] = std::to_chars(text, text + sizeof(text), std::get<double>(value),
                                              std::chars_format::scientific);
      return {text, end};
    }
    case TypeId::kDecimal128:
      return records::FormatDecimal(std::get<records::Decimal128>(value), type.scale);
    case TypeId::kDate32:
      return absl::StrCat("'", records::FormatDate(std::get<int32_t>(value)), "'");
    case TypeId::kTimestamp:
      return absl::StrCat("'", records::FormatTimestamp(std::get<int64_t>(value), false), "'");
    case TypeId::kUtf8:
      return absl::StrCat("_utf8mb4 X'", HexEncode(std::get<std::string>(value)), "'");
    case TypeId::kBinary:
      return absl::StrCat("X'", HexEncode(std::get<std::string>(value)), "'");
  }
  return "";
}

class MariadbUnderTest : public AdapterUnderTest {
 public:
  explicit MariadbUnderTest(bool view) : view_(view) {}

  void Make(const TableData& table) override {
    database_.Exec(
        absl::StrCat("CREATE TABLE ", MariadbName(Stored(table)), " (", Columns(table), ")"));
    Insert(table);
    if (view_)
      database_.Exec(absl::StrCat("CREATE VIEW ", MariadbName(table.name), " AS SELECT * FROM ",
                                  MariadbName(Stored(table))));
  }

  std::unique_ptr<Adapter> Open() override { return OpenOdbcSource(AsSource()); }
  Source AsSource() const override { return {"odbc", database_.settings()}; }

  void SpoilValue(const TableData& table, int field, int64_t row) override {
    const records::Field& spoilt = table.fields[field];
    const MariadbSpoilt as = MariadbSpoiltAs(spoilt.type);
    const std::string stored = MariadbName(Stored(table)), column = MariadbName(spoilt.name);
    if (as.type != nullptr)
      database_.Exec(absl::StrCat("ALTER TABLE ", stored, " MODIFY ", column, " ", as.type));
    database_.Exec("SET SESSION sql_mode = ''");
    database_.Exec(absl::StrCat("UPDATE ", stored, " SET ", column, " = ", as.value, " WHERE ",
                                MariadbName(table.fields[table.key[0]].name), " = ",
                                std::get<int64_t>(table.rows[row][table.key[0]])));
    database_.Exec("SET SESSION sql_mode = DEFAULT");
    // A view keeps the columns' types of its beginning.
    if (view_ && as.type != nullptr)
      database_.Exec(absl::StrCat("CREATE OR REPLACE VIEW ", MariadbName(table.name),
                                  " AS SELECT * FROM ", stored));
  }

  void Break() override { MariadbServer::Shared().Stop(); }

 private:
  std::string Stored(const TableData& table) const {
    return view_ ? table.name.substr(0, 40) + " stored" : table.name;
  }

  static std::string Columns(const TableData& table) {
    std::vector<std::string> parts, key;
    bool nulls = false;
    for (int i = 0; i < static_cast<int>(table.fields.size()); ++i) {
      const bool in_key = std::find(table.key.begin(), table.key.end(), i) != table.key.end();
      const records::Field& field = table.fields[i];
      parts.push_back(
          absl::StrCat(MariadbName(field.name), " ", MariadbType(field.type, in_key), " NULL"));
      if (!in_key) continue;
      for (const Row& row : table.rows)
        nulls = nulls || std::holds_alternative<std::monostate>(row[i]);
    }
    for (const int field : table.key) {
      key.push_back(MariadbName(table.fields[field].name));
      std::string& part = parts[field];
      if (!nulls) part = part.substr(0, part.size() - 5) + " NOT NULL";
    }
    parts.push_back(
        absl::StrCat(nulls ? "UNIQUE (" : "PRIMARY KEY (", absl::StrJoin(key, ","), ")"));
    return absl::StrJoin(parts, ", ");
  }

  void Insert(const TableData& table) {
    const std::string begin = absl::StrCat("INSERT INTO ", MariadbName(Stored(table)), " VALUES ");
    std::string sql;
    size_t rows = 0;
    const auto send = [&] {
      if (!sql.empty()) database_.Exec(begin + sql);
      sql.clear();
      rows = 0;
    };
    for (const Row& row : table.rows) {
      absl::StrAppend(&sql, sql.empty() ? "(" : ",(");
      for (size_t i = 0; i < row.size(); ++i)
        absl::StrAppend(&sql, i == 0 ? "" : ",", MariadbLiteral(row[i], table.fields[i].type));
      sql += ")";
      if (++rows >= kRowsInInsert || sql.size() > kMostInsertBytes) send();
    }
    send();
  }

  const bool view_;
  MariadbDatabase database_;
};

std::unique_ptr<AdapterUnderTest> MakeOdbc(OdbcVariant variant) {
  switch (variant) {
    case OdbcVariant::kPostgres:
      return std::make_unique<OverAnother>(PostgresKind("", PostgresVariant::kPlain).make(),
                                           &odbc::OverOdbc);
    case OdbcVariant::kPostgresView:
      return std::make_unique<OverAnother>(PostgresKind("", PostgresVariant::kView).make(),
                                           &odbc::OverOdbc);
    case OdbcVariant::kSqlite:
      return std::make_unique<OverAnother>(SqliteKind("", SqliteVariant::kPlain).make(),
                                           &SqliteOverOdbc);
    default:
      return std::make_unique<MariadbUnderTest>(variant == OdbcVariant::kMariadbView);
  }
}

std::string OdbcNotHere(OdbcVariant variant) {
  switch (variant) {
    case OdbcVariant::kPostgres:
    case OdbcVariant::kPostgresView:
      if (!postgres::TestServer::Installed()) return postgres::TestServer::kNotInstalled;
      return odbc::DriverInstalled(odbc::kPostgresDriver)
                 ? ""
                 : "SKIPPED: odbc-postgresql is not installed";
    case OdbcVariant::kSqlite:
      return odbc::DriverInstalled(odbc::kSqliteDriver) ? ""
                                                        : "SKIPPED: libsqliteodbc is not installed";
    default:
      return MariadbServer::Installed() ? "" : MariadbServer::kNotInstalled;
  }
}

}  // namespace

KindUnderTest OdbcKind(std::string name, OdbcVariant variant) {
  const bool mariadb = variant == OdbcVariant::kMariadb || variant == OdbcVariant::kMariadbView;
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [variant] { return MakeOdbc(variant); };
  kind.nul_in_text = mariadb;
  kind.infinities = !mariadb;
  kind.not_here = OdbcNotHere(variant);
  kind.predicates = 300;
  if (variant == OdbcVariant::kPostgresView || variant == OdbcVariant::kMariadbView) {
    kind.deviations["DescribesTablesWithColumnsAndKeys"] =
        "a view has no key of its own, and stands beside its table";
  }
  return kind;
}

std::vector<KindUnderTest> OdbcKinds() {
  if (kSanitized) return {OdbcKind("Mariadb", OdbcVariant::kMariadb)};
  return {OdbcKind("Postgres", OdbcVariant::kPostgres),
          OdbcKind("PostgresView", OdbcVariant::kPostgresView),
          OdbcKind("Mariadb", OdbcVariant::kMariadb),
          OdbcKind("MariadbView", OdbcVariant::kMariadbView),
          OdbcKind("Sqlite", OdbcVariant::kSqlite)};
}

}  // namespace sluice::adapters::conformance
