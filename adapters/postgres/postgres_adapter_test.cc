// What is PostgreSQL's own: its types, encodings and collations, its roles, the owner's queries.
#include "adapters/postgres/postgres_adapter.h"

#include <algorithm>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/postgres/fixture_testing.h"

namespace sluice::adapters::postgres {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::RecordBatch;
using records::TypeId;

class PostgresAdapterTest : public OnServer {
 protected:
  // The values that an expression has when it is read as that type, "bad" and "null" where it is
  // none; one row each.
  std::vector<std::string> ReadAs(const std::string& values, const DataType& type) {
    const auto adapter = Open(
        {{"query.q", "SELECT row_number() OVER () AS id, v FROM (VALUES " + values + ") AS x(v)"}});
    ScanRequest request = Ids("q");
    request.fields.push_back({"v", {"v", type}});
    request.on_bad_value = OnBadValue::kNullAndCount;
    const auto reader = Scan(*adapter, request);
    std::vector<std::string> texts;
    absl::Status status;
    for (const RecordBatch& batch : All(*reader, &status)) {
      for (int64_t row = 0; row < batch.rows(); ++row)
        texts.push_back(Text(batch.column(1), row, reader->bad_cells()));
    }
    if (!status.ok()) texts.push_back(ReasonName(ReasonOf(status)));
    return texts;
  }
  using Texts = std::vector<std::string>;

 private:
  static std::string Text(const records::Column& column, int64_t row,
                          const std::vector<BadCell>& bad) {
    if (column.IsNull(row))
      return std::find(bad.begin(), bad.end(), BadCell{row, 1}) == bad.end() ? "null" : "bad";
    switch (column.type().id) {
      case TypeId::kBool:
        return column.Bool(row) ? "true" : "false";
      case TypeId::kInt64:
        return absl::StrCat(column.Int64(row));
      case TypeId::kFloat64:
        return absl::StrCat(column.Float64(row));
      case TypeId::kDecimal128:
        return records::FormatDecimal(column.Decimal(row), column.type().scale);
      case TypeId::kDate32:
        return records::FormatDate(column.Date32(row));
      case TypeId::kTimestamp:
        return records::FormatTimestamp(column.Int64(row), column.type().utc);
      default:
        return std::string(column.Bytes(row));
    }
  }
};

TEST_F(PostgresAdapterTest, NumbersAreExactOrBad) {
  EXPECT_EQ(ReadAs("('-32768'::int2), (32767), (NULL)", {TypeId::kInt64}),
            (Texts{"-32768", "32767", "null"}));
  EXPECT_EQ(ReadAs("(4294967295::oid)", {TypeId::kInt64}), Texts{"4294967295"});
  EXPECT_EQ(ReadAs("(12::numeric), (12.00), (1.5), (9223372036854775808), ('NaN'), ('-Infinity')",
                   {TypeId::kInt64}),
            (Texts{"12", "12", "bad", "bad", "bad", "bad"}));
  EXPECT_EQ(ReadAs("('042'), ('4 2'), ('9223372036854775808'), ('')", {TypeId::kInt64}),
            (Texts{"42", "bad", "bad", "bad"}));
  EXPECT_EQ(ReadAs("(9007199254740992::int8), (9007199254740993)", {TypeId::kFloat64}),
            (Texts{absl::StrCat(9007199254740992.0), "bad"}));
  EXPECT_EQ(ReadAs("('NaN'::float4), ('-Infinity'), (1.5)", {TypeId::kFloat64}),
            (Texts{"nan", "-inf", "1.5"}));
  EXPECT_EQ(ReadAs("(0), (1), (2)", {TypeId::kBool}), (Texts{"false", "true", "bad"}));
}

TEST_F(PostgresAdapterTest, DecimalsKeep38DigitsAndNothingIsRounded) {
  const std::string digits(34, '9');
  EXPECT_EQ(ReadAs("(" + digits + ".9999), (-" + digits + ".9999), (0.0001::numeric), (0)",
                   {TypeId::kDecimal128, 38, 4}),
            (Texts{digits + ".9999", "-" + digits + ".9999", "0.0001", "0.0000"}));
  EXPECT_EQ(ReadAs("(1.230000), (1.235), (12345678.9), (99999999.99), (100000000), ('NaN'), "
                   "('Infinity'), (-0.01), (1e-7), (1e40)",
                   {TypeId::kDecimal128, 10, 2}),
            (Texts{"1.23", "bad", "12345678.90", "99999999.99", "bad", "bad", "bad", "-0.01", "bad",
                   "bad"}));
  EXPECT_EQ(ReadAs("(10000::numeric), (1e20), (12340000)", {TypeId::kDecimal128, 38, 0}),
            (Texts{"10000", "100000000000000000000", "12340000"}));
  EXPECT_EQ(ReadAs("('-12.50'), ('1e3'), ('1.234')", {TypeId::kDecimal128, 5, 2}),
            (Texts{"-12.50", "bad", "bad"}));
  EXPECT_EQ(ReadAs("(7), (1000)", {TypeId::kDecimal128, 4, 1}), (Texts{"7.0", "bad"}));
}

TEST_F(PostgresAdapterTest, DatesOutsideOfTheCalendarAreBad) {
  EXPECT_EQ(ReadAs("('0001-01-01'::date), ('1899-12-31'), ('9999-12-31'), ('0001-12-31 BC'), "
                   "('infinity'), ('-infinity'), ('10000-01-01')",
                   {TypeId::kDate32}),
            (Texts{"0001-01-01", "1899-12-31", "9999-12-31", "bad", "bad", "bad", "bad"}));
  EXPECT_EQ(ReadAs("('2026-11-24'), ('24.11.2026'), ('2026-02-30')", {TypeId::kDate32}),
            (Texts{"2026-11-24", "bad", "bad"}));
  const DataType utc{TypeId::kTimestamp, 0, 0, true}, local{TypeId::kTimestamp};
  EXPECT_EQ(ReadAs("('1890-06-01 12:00:00.000001+08'::timestamptz), ('infinity')", utc),
            (Texts{"1890-06-01T04:00:00.000001Z", "bad"}));
  EXPECT_EQ(
      ReadAs("('9999-12-31 23:59:59.999999'::timestamp), ('-infinity'), ('4713-01-01 BC')", local),
      (Texts{"9999-12-31T23:59:59.999999", "bad", "bad"}));
  EXPECT_EQ(ReadAs("('2026-11-24 02:00:00'::timestamp)", utc), Texts{"SCHEMA_DRIFT"})
      << "a time without zone is no instant";
}

TEST_F(PostgresAdapterTest, TextIsAsTheServersOwnCastGivesIt) {
  EXPECT_EQ(ReadAs("('ab'::char(6)), ('')", {TypeId::kUtf8}), (Texts{"ab", ""}));
  EXPECT_EQ(ReadAs("('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid)", {TypeId::kUtf8}),
            Texts{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"});
  EXPECT_EQ(ReadAs("('{\"a\": [1, 2]}'::jsonb), ('[]')", {TypeId::kUtf8}),
            (Texts{"{\"a\": [1, 2]}", "[]"}));
  EXPECT_EQ(ReadAs("('{\"a\" :1}'::json)", {TypeId::kUtf8}), Texts{"{\"a\" :1}"});
  EXPECT_EQ(ReadAs("('龘𠮷'::name), ('é')", {TypeId::kUtf8}), (Texts{"龘𠮷", "é"}));
  EXPECT_EQ(ReadAs("('x'::\"char\")", {TypeId::kUtf8}), Texts{"x"});
  EXPECT_EQ(ReadAs("('\\x00ff'::bytea), ('')", {TypeId::kBinary}),
            (Texts{std::string("\0\xff", 2), ""}));
}

TEST_F(PostgresAdapterTest, EnumsAndDomainsAreReadAsWhatTheyStandOn) {
  schema_->Exec(
      "CREATE TYPE mood AS ENUM ('sad', 'happy');"
      "CREATE DOMAIN code AS varchar(6); CREATE DOMAIN short AS code CHECK (value <> '');"
      "CREATE DOMAIN cents AS numeric(12,2);"
      "CREATE TABLE t (id int PRIMARY KEY, m mood, c short, n cents);"
      "INSERT INTO t VALUES (1, 'happy', '110101', 1.5), (2, 'sad', 'x', NULL)");
  const auto adapter = Open();
  const auto described = adapter->Describe("t", {});
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ((*described)[0].columns[3].type, (DataType{TypeId::kDecimal128, 12, 2}));
  ScanRequest request = Ids("t");
  request.fields.push_back({"m", {"m", {TypeId::kUtf8}}});
  request.fields.push_back({"c", {"c", {TypeId::kUtf8}}});
  request.fields.push_back({"n", {"n", {TypeId::kDecimal128, 12, 2}}});
  const auto batches = All(*Scan(*adapter, request));
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].column(1).Bytes(0), "happy");
  EXPECT_EQ(batches[0].column(2).Bytes(0), "110101");
  EXPECT_EQ(batches[0].column(3).Decimal(0), 150);
  // By the text of a label that is none, and in the order of texts.
  for (const Op op : {Op::kEqual, Op::kLess}) {
    request.predicate = {op, 1, {std::string("melancholy")}, {}};
    EXPECT_EQ(Count(*Scan(*adapter, request)), op == Op::kEqual ? 0 : 1);
  }
}

TEST_F(PostgresAdapterTest, OtherTypesAreRefusedByTheirNames) {
  schema_->Exec("CREATE TABLE t (id int PRIMARY KEY, tags text[], span interval, place point)");
  const auto adapter = Open();
  for (const char* column : {"tags", "span", "place"}) {
    ScanRequest request = Ids("t");
    request.fields.push_back({column, {column, {TypeId::kUtf8}}});
    const absl::Status status = ScanStatus(*adapter, request);
    EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT);
    EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("column '", column, "'")));
  }
  ScanRequest request = Ids("t");
  request.fields.push_back({"tags", {"tags", {TypeId::kBinary}}});
  EXPECT_TRUE(absl::StrContains(ScanStatus(*adapter, request).message(), "text[]"));
}

TEST_F(PostgresAdapterTest, DescribeTellsTypesNullsKeysAndViews) {
  schema_->Exec(
      "CREATE TABLE t (id bigint PRIMARY KEY, code varchar(18) NOT NULL UNIQUE,"
      " n numeric(20,6), p numeric, flag bool, at timestamptz);"
      "CREATE VIEW v AS SELECT id, code FROM t");
  const auto adapter = Open({{"query.q", "SELECT id AS number FROM t;"}});
  const auto described = adapter->Describe("", {});
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->size(), 3u);
  const TableDescription& q = (*described)[2];
  const TableDescription& t = (*described)[0];
  EXPECT_EQ(t.table, "t");
  EXPECT_EQ(t.columns[0].source_type, "bigint");
  EXPECT_FALSE(t.columns[0].nullable);
  EXPECT_EQ(t.columns[1].source_type, "character varying(18)");
  EXPECT_TRUE(t.columns[2].nullable);
  EXPECT_EQ(t.columns[2].type, (DataType{TypeId::kDecimal128, 20, 6}));
  EXPECT_EQ(t.columns[5].type, (DataType{TypeId::kTimestamp, 0, 0, true}));
  EXPECT_EQ(t.unique_keys, (std::vector<std::vector<std::string>>{{"id"}, {"code"}}));
  EXPECT_EQ((*described)[1].table, "v");
  EXPECT_EQ(q.table, "q");
  EXPECT_EQ(q.columns[0].name, "number");
  EXPECT_TRUE(absl::StartsWith(q.version.version, "PostgreSQL 15")) << q.version.version;
}

TEST_F(PostgresAdapterTest, ARoleThatCanWriteIsRefusedUnlessAllowed) {
  MakePeople(1);
  server_->Exec(
      "CREATE ROLE writer LOGIN PASSWORD 'correct horse'; GRANT reader TO writer;"
      "GRANT INSERT ON " +
      schema_->name() + ".people TO writer");
  const absl::Status refused = OpenStatus({{"user", "writer"}});
  EXPECT_EQ(ReasonOf(refused), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(refused.message(), "may write into a table")) << refused;
  EXPECT_TRUE(OpenStatus({{"user", "writer"}, {"allow_writing_role", "yes"}}).ok());
  server_->Exec("REVOKE INSERT ON " + schema_->name() + ".people FROM writer");
  EXPECT_TRUE(OpenStatus({{"user", "writer"}}).ok());
  server_->Exec("ALTER ROLE writer SUPERUSER");
  EXPECT_TRUE(absl::StrContains(OpenStatus({{"user", "writer"}}).message(), "superuser"));
  server_->Exec("DROP OWNED BY writer; DROP ROLE writer");
}

TEST_F(PostgresAdapterTest, ARoleThatMayWriteStillWritesNothing) {
  MakePeople(1);
  schema_->Exec(
      "CREATE FUNCTION write() RETURNS int LANGUAGE sql AS "
      "'INSERT INTO people VALUES (2) RETURNING id'");
  server_->Exec("ALTER ROLE reader SUPERUSER");
  const auto adapter = Open({{"allow_writing_role", "yes"}, {"query.q", "SELECT write() AS id"}});
  const absl::Status status = ScanStatus(*adapter, Ids("q"));
  server_->Exec("ALTER ROLE reader NOSUPERUSER");
  EXPECT_TRUE(absl::StrContains(status.message(), "tries to write")) << status;
  EXPECT_EQ(server_->Value("SELECT count(*) FROM " + schema_->name() + ".people"), "1");
}

TEST_F(PostgresAdapterTest, ATableThatTheRoleMayNotReadSaysWhatIsMissing) {
  MakePeople(1);
  server_->Exec("REVOKE SELECT ON " + schema_->name() + ".people FROM reader");
  const absl::Status status = ScanStatus(*Open(), Ids("people"));
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(status.message(), "GRANT SELECT")) << status;
}

TEST_F(PostgresAdapterTest, AStoredQueryIsOneStatementAndItsOwn) {
  MakePeople(10);
  const auto adapter = Open({{"query.old", "SELECT id FROM people WHERE id > 7 ORDER BY id; "},
                             {"query.two", "SELECT 1 AS id; DROP TABLE people"},
                             {"query.out", "SELECT 1 AS id) AS t; DROP TABLE people; --"}});
  EXPECT_EQ(Count(*Scan(*adapter, Ids("old"))), 3);
  EXPECT_FALSE(ScanStatus(*adapter, Ids("two")).ok());
  EXPECT_FALSE(ScanStatus(*adapter, Ids("out")).ok());
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
}

TEST_F(PostgresAdapterTest, AKeyThatIsNotUniqueIsDriftAlsoAtTheBorderOfARange) {
  schema_->Exec(
      "CREATE TABLE t (id int NOT NULL); CREATE INDEX ON t (id);"
      "INSERT INTO t SELECT i FROM generate_series(1, 16384) AS i");
  const auto adapter = Open();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("t"))), 16'384);
  schema_->Exec("INSERT INTO t VALUES (16384)");
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, Ids("t"))), v1::REASON_SCHEMA_DRIFT);
  ScanRequest page = Ids("t");
  page.rows_wanted = 1;
  schema_->Exec("DELETE FROM t; INSERT INTO t VALUES (1), (2), (2)");
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, page)), v1::REASON_SCHEMA_DRIFT);
}

TEST_F(PostgresAdapterTest, AUniqueKeyThatNoConstraintStatesIsReadWithoutGapOrRepeat) {
  schema_->Exec(
      "CREATE TABLE t (id int); CREATE INDEX ON t (id);"
      "INSERT INTO t SELECT i FROM generate_series(1, 50000) AS i");
  const auto adapter = Open();
  int64_t next = 1;
  for (const RecordBatch& batch : All(*Scan(*adapter, Ids("t"))))
    for (int64_t row = 0; row < batch.rows(); ++row, ++next)
      ASSERT_EQ(batch.column(0).Int64(row), next);
  EXPECT_EQ(next, 50'001);
}

TEST_F(PostgresAdapterTest, WithoutAKeyATableIsReadByItsPrimaryKeyAndTheRestInOne) {
  schema_->Exec(
      "CREATE TABLE t (code text PRIMARY KEY, id int); CREATE TABLE heap (id int);"
      "INSERT INTO t SELECT to_char(i, '000000'), i FROM generate_series(1, 40000) AS i;"
      "INSERT INTO heap SELECT id FROM t");
  const auto adapter = Open();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("t", false))), 40'000);
  EXPECT_EQ(Count(*Scan(*adapter, Ids("heap", false))), 40'000);
  const auto reader = Scan(*adapter, Ids("t", false));
  EXPECT_EQ((*reader->Next())->columns().size(), 1u) << "the key does not show";
}

TEST_F(PostgresAdapterTest, ADatabaseInEucCnIsReadAsUnicodeInItsOrder) {
  server_->Exec("CREATE DATABASE euc ENCODING 'EUC_CN' LOCALE 'C' TEMPLATE template0");
  schema_.emplace("euc");
  // 啊 is the first of GB 2312 and not of Unicode; its order there is that of Pinyin.
  schema_->Exec(
      "CREATE TABLE t (code text PRIMARY KEY, id int);"
      "INSERT INTO t VALUES ('啊', 1), ('一', 2), ('区', 3), ('丁', 4), ('a', 5)");
  const auto adapter = Open();
  ScanRequest request = Ids("t");
  request.fields.push_back({"code", {"code", {TypeId::kUtf8}}});
  request.key = {1};
  std::string order;
  for (const RecordBatch& batch : All(*Scan(*adapter, request)))
    for (int64_t row = 0; row < batch.rows(); ++row) order += batch.column(1).Bytes(row);
  EXPECT_EQ(order, "a一丁区啊");
  request.rows_wanted = 2;
  request.after = KeyPosition{std::string("丁")};
  EXPECT_EQ(Count(*Scan(*adapter, request)), 2);
  request.after.reset();
  for (const char* text : {"区", "a", "𠮷"}) {
    request.predicate = {Op::kEqual, 1, {std::string(text)}, {}};
    EXPECT_EQ(Count(*Scan(*adapter, request)), text == std::string("𠮷") ? 0 : 1) << text;
  }
  schema_.reset();
}

TEST_F(PostgresAdapterTest, TextThatIsNoUtf8IsABadValue) {
  server_->Exec("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
  schema_.emplace("ascii");
  schema_->Exec(
      "CREATE TABLE t (id int PRIMARY KEY, name text);"
      "INSERT INTO t VALUES (1, 'ok'), (2, convert_from('\\xb0a1', 'SQL_ASCII'))");
  const auto adapter = Open();
  ScanRequest request = Ids("t");
  request.fields.push_back({"name", {"name", {TypeId::kUtf8}}});
  const absl::Status status = ScanStatus(*adapter, request);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE) << status;
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("row"), "2");
  schema_.reset();
}

TEST_F(PostgresAdapterTest, AnExpressionThatFailsIsABadValueWithItsRow) {
  const auto adapter =
      Open({{"query.q", "SELECT i AS id, 10 / (3 - i) AS n FROM generate_series(1, 5) AS i"}});
  ScanRequest request = Ids("q", false);
  request.fields.push_back({"n", {"n", {TypeId::kInt64}}});
  const absl::Status status = ScanStatus(*adapter, request);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_EQ(ErrorInfoOf(status)->metadata().at("row"), "3") << status;
}

TEST_F(PostgresAdapterTest, TheServerSeesValuesAsParametersOnly) {
  MakePeople(10);
  const auto adapter = Open();
  const std::string hostile = "'; DROP TABLE people; -- $1 \\ \" UNIQUEMARK";
  const size_t mark = server_->LogMark();
  for (const int64_t wanted : {0, 5}) {
    ScanRequest request = Ids("people");
    request.fields.push_back({"name", {"name", {TypeId::kUtf8}}});
    request.rows_wanted = wanted;
    request.predicate = {Op::kOr,
                         -1,
                         {},
                         {{Op::kEqual, 1, {hostile}, {}},
                          {Op::kStartsWith, 1, {hostile}, {}},
                          {Op::kIn, 1, {hostile, hostile + "2"}, {}}}};
    EXPECT_EQ(Count(*Scan(*adapter, request)), 0);
    request.key = {1};
    request.after = KeyPosition{hostile};
    EXPECT_EQ(Count(*Scan(*adapter, request)), 0);
  }
  int seen = 0;
  std::istringstream log(server_->LogSince(mark));
  for (std::string line; std::getline(log, line);) {
    if (!absl::StrContains(line, "UNIQUEMARK")) continue;
    ++seen;
    EXPECT_TRUE(absl::StrContains(line, "DETAIL:  parameters:")) << line;
  }
  EXPECT_GE(seen, 4);
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
}

TEST_F(PostgresAdapterTest, TheLastCommitIsToldWhereTheServerKeepsIt) {
  MakePeople(1);
  const auto adapter = Open();
  const auto reader = Scan(*adapter, Ids("people"));
  EXPECT_EQ(Count(*reader), 1);
  EXPECT_FALSE(reader->snapshot());
  EXPECT_TRUE(absl::StartsWith(reader->version().version, "PostgreSQL 15."));
  ASSERT_TRUE(reader->version().as_of.has_value());
  const double now = std::stod(server_->Value("SELECT extract(epoch FROM now())"));
  EXPECT_NEAR(static_cast<double>(*reader->version().as_of) / kSecond, now, 60);
}

}  // namespace
}  // namespace sluice::adapters::postgres
