#include "tests/conformance/postgres_under_test.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/postgres/identifiers.h"
#include "adapters/postgres/push_down.h"
#include "adapters/postgres/server_testing.h"
#include "adapters/registry.h"

namespace sluice::adapters::conformance {
namespace {

using postgres::TestSchema;
using postgres::TestServer;
using records::TypeId;

std::string Identifier(std::string_view name) { return postgres::Quoted(name); }

std::string DeclaredType(const records::DataType& type, PostgresVariant variant) {
  switch (type.id) {
    case TypeId::kBool:
      return "boolean";
    case TypeId::kInt64:
      return "bigint";
    case TypeId::kFloat64:
      return "double precision";
    case TypeId::kDecimal128:
      return absl::StrCat("numeric(", static_cast<int>(type.precision), ",",
                          static_cast<int>(type.scale), ")");
    case TypeId::kDate32:
      return "date";
    case TypeId::kTimestamp:
      return type.utc ? "timestamptz" : "timestamp";
    case TypeId::kUtf8:
      return variant == PostgresVariant::kIcu ? "text COLLATE \"zh-x-icu\"" : "text";
    case TypeId::kBinary:
      return "bytea";
  }
  return "";
}

// The column as one that can hold a value that does not fit, and that value. PostgreSQL itself
// holds only values of their type.
struct Spoilt {
  const char* type;
  const char* cast;
  const char* value;
};
Spoilt SpoiltAs(const records::DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return {"integer", "::integer", "7"};
    case TypeId::kInt64:
      return {"numeric", "", "'NaN'"};
    case TypeId::kFloat64:
      return {"text", "", "'abc'"};
    case TypeId::kDecimal128:
      return {"numeric", "", "'1.234'"};
    default:
      return {nullptr, "", "'infinity'"};
  }
}

class PostgresUnderTest : public AdapterUnderTest {
 public:
  explicit PostgresUnderTest(PostgresVariant variant) : variant_(variant) {}

  void Make(const TableData& table) override {
    schema_.Exec(
        absl::StrCat("CREATE TABLE ", Identifier(Stored(table)), " (", Columns(table), ")"));
    Insert(table);
    Show(table);
  }

  std::unique_ptr<Adapter> Open() override {
    auto adapter = FindKind("postgres")->open(AsSource().settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }

  Source AsSource() const override {
    Settings settings = schema_.settings();
    for (const auto& [name, query] : queries_) settings["query." + name] = query;
    return {"postgres", settings};
  }

  void SpoilValue(const TableData& table, int field, int64_t row) override {
    const records::Field& spoilt = table.fields[field];
    const Spoilt as = SpoiltAs(spoilt.type);
    const std::string stored = Identifier(Stored(table)), column = Identifier(spoilt.name);
    if (variant_ == PostgresVariant::kView)
      schema_.Exec("DROP VIEW IF EXISTS " + Identifier(table.name));
    if (as.type != nullptr)
      schema_.Exec(absl::StrCat("ALTER TABLE ", stored, " ALTER COLUMN ", column, " TYPE ", as.type,
                                " USING ", column, as.cast));
    schema_.Exec(absl::StrCat("UPDATE ", stored, " SET ", column, " = ", as.value, " WHERE ",
                              Identifier(table.fields[table.key[0]].name), " = ",
                              std::get<int64_t>(table.rows[row][table.key[0]])));
    Show(table);
  }

  void Break() override { TestServer::Shared().Stop(); }

 private:
  bool Indirect() const {
    return variant_ == PostgresVariant::kView || variant_ == PostgresVariant::kQuery;
  }
  std::string Stored(const TableData& table) const {
    return Indirect() ? table.name.substr(0, 40) + " stored" : table.name;
  }

  // What the adapter reads, where that is not the table itself.
  void Show(const TableData& table) {
    if (variant_ == PostgresVariant::kView)
      schema_.Exec(absl::StrCat("CREATE OR REPLACE VIEW ", Identifier(table.name),
                                " AS SELECT * FROM ", Identifier(Stored(table))));
    if (variant_ == PostgresVariant::kQuery)
      queries_[table.name] = absl::StrCat("SELECT * FROM ", Identifier(Stored(table)), " -- all");
  }

  static bool HasNullInKey(const TableData& table) {
    return std::any_of(table.rows.begin(), table.rows.end(), [&](const Row& row) {
      return std::any_of(table.key.begin(), table.key.end(), [&](int field) {
        return std::holds_alternative<std::monostate>(row[field]);
      });
    });
  }

  std::string Columns(const TableData& table) const {
    std::vector<std::string> parts, key;
    for (const records::Field& field : table.fields)
      parts.push_back(
          absl::StrCat(Identifier(field.name), " ", DeclaredType(field.type, variant_)));
    for (const int field : table.key) key.push_back(Identifier(table.fields[field].name));
    parts.push_back(absl::StrCat(HasNullInKey(table) ? "UNIQUE (" : "PRIMARY KEY (",
                                 absl::StrJoin(key, ","), ")"));
    return absl::StrJoin(parts, ", ");
  }

  void Insert(const TableData& table) {
    PGconn* const owner = TestServer::Shared().owner();
    PGresult* result = PQexec(
        owner, absl::StrCat("COPY ", schema_.name(), ".", Identifier(Stored(table)), " FROM STDIN")
                   .c_str());
    ASSERT_EQ(PQresultStatus(result), PGRES_COPY_IN) << PQerrorMessage(owner);
    PQclear(result);
    for (const Row& row : table.rows) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        if (i > 0) line.push_back('\t');
        line += CopyText(row[i], table.fields[i].type);
      }
      line.push_back('\n');
      ASSERT_EQ(PQputCopyData(owner, line.data(), static_cast<int>(line.size())), 1);
    }
    PQputCopyEnd(owner, nullptr);
    while ((result = PQgetResult(owner)) != nullptr) {
      EXPECT_EQ(PQresultStatus(result), PGRES_COMMAND_OK) << PQerrorMessage(owner);
      PQclear(result);
    }
  }

  // https://www.postgresql.org/docs/15/sql-copy.html, "Text Format".
  static std::string CopyText(const records::Scalar& value, const records::DataType& type) {
    if (std::holds_alternative<std::monostate>(value)) return "\\N";
    std::string text;
    for (const char c : postgres::TextOf(value, type)) {
      switch (c) {
        case '\\':
          text += "\\\\";
          break;
        case '\t':
          text += "\\t";
          break;
        case '\n':
          text += "\\n";
          break;
        case '\r':
          text += "\\r";
          break;
        default:
          text.push_back(c);
      }
    }
    return text;
  }

  const PostgresVariant variant_;
  TestSchema schema_;
  std::map<std::string, std::string> queries_;
};

}  // namespace

KindUnderTest PostgresKind(std::string name, PostgresVariant variant) {
  KindUnderTest kind;
  kind.name = std::move(name);
  kind.make = [variant] { return std::make_unique<PostgresUnderTest>(variant); };
  kind.nul_in_text = false;
  if (!TestServer::Installed()) kind.not_here = TestServer::kNotInstalled;
  if (variant == PostgresVariant::kView || variant == PostgresVariant::kQuery) {
    kind.deviations["DescribesTablesWithColumnsAndKeys"] =
        "a view or query has no key of its own, and stands beside its table";
  }
  return kind;
}

}  // namespace sluice::adapters::conformance
