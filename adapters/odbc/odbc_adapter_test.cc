// Values of each system's own types, and what goes down to it.
#include "adapters/odbc/odbc_adapter.h"

#include <bit>
#include <cmath>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/odbc/fixture_testing.h"
#include "adapters/sqlite/statement.h"
#include "gateway/records/predicate.h"

namespace sluice::adapters::odbc {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::TypeId;
using Texts = std::vector<std::string>;

constexpr DataType kInt = {TypeId::kInt64};
constexpr DataType kReal = {TypeId::kFloat64};
constexpr DataType kText = {TypeId::kUtf8};
constexpr DataType kUtc = {TypeId::kTimestamp, 0, 0, true};
constexpr DataType kLocal = {TypeId::kTimestamp};

class MariadbTypes : public OnMariadb {
 protected:
  // A table `t` with `id` from 1 and a column `v`.
  void Make(const std::string& type, const std::string& values) {
    database_->Exec("DROP TABLE IF EXISTS t");
    database_->Exec("CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, v " + type + ")");
    database_->Exec("INSERT INTO t (v) VALUES " + values);
  }
  Texts Is(DataType type, const Settings& more = {}) { return Read(*OpenSource(more), "t", type); }
  absl::Status Fails(DataType type, const Settings& more = {}) {
    return ScanStatus(*OpenSource(more), Values("t", type));
  }
};

TEST_F(MariadbTypes, EachKeepsItsExtremes) {
  Make("tinyint", "(-128), (127), (NULL)");
  EXPECT_EQ(Is(kInt), (Texts{"-128", "127", "null"}));
  Make("smallint unsigned", "(0), (65535)");
  EXPECT_EQ(Is(kInt), (Texts{"0", "65535"}));
  Make("mediumint", "(-8388608), (8388607)");
  EXPECT_EQ(Is(kInt), (Texts{"-8388608", "8388607"}));
  Make("int unsigned", "(0), (4294967295)");
  EXPECT_EQ(Is(kInt), (Texts{"0", "4294967295"}));
  Make("bigint unsigned", "(0), (18446744073709551615)");
  EXPECT_EQ(Is({TypeId::kDecimal128, 20, 0}), (Texts{"0", "18446744073709551615"}));
  EXPECT_EQ(ReasonOf(Fails(kInt)), v1::REASON_SOURCE_BAD_VALUE) << "beyond 64 bits with a sign";
  Make("float", "(0.1), (-3.4028234e38)");
  EXPECT_EQ(Is(kReal), (Texts{"0.10000000149011612", "-3.4028234663852886e+38"}))
      << "its exact value";
  Make("decimal(65,30)", "(99999999.5), (123456789012345678901234567890.1)");
  EXPECT_EQ(ReasonOf(Fails({TypeId::kDecimal128, 20, 2})), v1::REASON_SOURCE_BAD_VALUE);
  Make("bit(9)", "(b'0'), (b'111111111')");
  EXPECT_EQ(Is(kInt), (Texts{"0", "511"}));
  Make("bit(1)", "(b'0'), (b'1')");
  EXPECT_EQ(Is({TypeId::kBool}), (Texts{"false", "true"}));
  Make("year", "(1901), (2155)");
  EXPECT_EQ(Is(kInt), (Texts{"1901", "2155"}));
  Make("enum('北京', 'b')", "('b'), ('北京')");
  EXPECT_EQ(Is(kText), (Texts{"'b'", "'北京'"}));
  Make("char(5)", "('ab'), ('')");
  EXPECT_EQ(Is(kText), (Texts{"'ab'", "''"}));
  Make("binary(3)", "(x'00'), (x'ffffff')");
  EXPECT_EQ(Is({TypeId::kBinary}), (Texts{"000000", "ffffff"}));
  Make("json", "('{\"a\": \"龘\"}')");
  EXPECT_EQ(Is(kText), (Texts{"'{\"a\": \"龘\"}'"}));
  Make("varchar(20)", "(''), (NULL), ('a\\0b'), ('𠮷')");
  EXPECT_EQ(Is(kText), (Texts{"''", "null", std::string("'a\0b'", 5), "'𠮷'"}));
}

TEST_F(MariadbTypes, TimesAreOfTheZoneThatTheBlockSays) {
  Make("datetime(6)", "('1000-01-01 00:00:00'), ('9999-12-31 23:59:59.999999')");
  EXPECT_EQ(Is(kUtc), (Texts{"1000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"}));
  const Settings none = {{"times_without_zone", ""}};
  EXPECT_EQ(ReasonOf(Fails(kUtc, none)), v1::REASON_SCHEMA_DRIFT);
  EXPECT_EQ(Is(kLocal, none), (Texts{"1000-01-01T00:00:00", "9999-12-31T23:59:59.999999"}));
  // The owner's session is in a zone of its own.
  server_->Exec("SET SESSION time_zone = '+08:00'");
  Make("timestamp(3) NULL", "('2026-01-01 08:00:00.125'), ('1970-01-01 08:00:01')");
  server_->Exec("SET SESSION time_zone = DEFAULT");
  EXPECT_EQ(Is(kUtc, none), (Texts{"2026-01-01T00:00:00.125Z", "1970-01-01T00:00:01Z"}));
  EXPECT_EQ(ReasonOf(Fails(kLocal)), v1::REASON_SCHEMA_DRIFT) << "an instant has a zone";
  Make("date", "('1000-01-01'), ('1899-12-31')");
  EXPECT_EQ(Is({TypeId::kDate32}), (Texts{"1000-01-01", "1899-12-31"}));
  Make("time", "('10:00:00')");
  EXPECT_EQ(ReasonOf(Fails(kText)), v1::REASON_SCHEMA_DRIFT) << "is not lent";
}

Predicate Compared(Op op, std::vector<records::Scalar> values) {
  return {op, 1, std::move(values), {}};
}

TEST_F(MariadbTypes, OtherCharactersSetsGiveAndFindTheirText) {
  for (const char* charset : {"gbk", "gb2312", "utf8mb3", "utf16", "latin1"}) {
    const bool chinese = std::string(charset) != "latin1";
    Make(absl::StrCat("varchar(20) CHARACTER SET ", charset),
         chinese ? "('北京'), ('a'), ('')" : "('é'), ('a'), ('')");
    const auto adapter = OpenSource();
    const std::string first = chinese ? "北京" : "é";
    EXPECT_EQ(Read(*adapter, "t", kText), (Texts{"'" + first + "'", "'a'", "''"})) << charset;
    for (const std::string& value : {first, std::string("a"), std::string("𠮷")}) {
      for (const Op op : {Op::kEqual, Op::kGreaterOrEqual, Op::kStartsWith, Op::kNotEqual}) {
        ScanRequest request = Values("t", kText);
        request.predicate = Compared(op, {value});
        const absl::Status status = ScanStatus(*adapter, request);
        EXPECT_TRUE(status.ok()) << charset << " " << value << " " << status;
      }
    }
    ScanRequest request = Values("t", kText);
    request.predicate = Compared(Op::kEqual, {first});
    EXPECT_EQ(Count(*Scan(*adapter, request)), 1) << charset;
    request = Values("t", kText);
    request.key = {1};
    int64_t rows = 0;
    Texts ordered;
    for (const auto& batch : All(*Scan(*adapter, request)))
      for (; rows < batch.rows(); ++rows) ordered.emplace_back(batch.column(1).Bytes(rows));
    EXPECT_EQ(ordered, (Texts{"", "a", first})) << charset;
  }
}

TEST_F(MariadbTypes, WhatGoesDownComesBackFiltered) {
  Make("varchar(20)", "('a'), ('A'), ('a '), ('b'), (NULL)");
  const auto adapter = OpenSource();
  const auto rows = [&](Predicate predicate) {
    ScanRequest request = Values("t", kText);
    request.predicate = std::move(predicate);
    return Count(*Scan(*adapter, request));
  };
  // Under its own collation more are equal; none that is wanted is missing.
  EXPECT_EQ(rows(Compared(Op::kEqual, {std::string("a")})), 3);
  EXPECT_EQ(rows(Compared(Op::kNotEqual, {std::string("a")})), 3);
  EXPECT_EQ(rows(Compared(Op::kLess, {std::string("a")})), 1) << "by code point: A";
  EXPECT_EQ(rows(Compared(Op::kStartsWith, {std::string("a")})), 2);
  EXPECT_EQ(rows(Compared(Op::kIsNull, {})), 1);
  EXPECT_EQ(rows({Op::kFalse, -1, {}, {}}), 0);
}

// Whoever reads the server's own log: statements have question marks, values come apart from them.
TEST_F(MariadbTypes, ValuesReachTheServerAsParameters) {
  Make("varchar(60)", "('x')");
  const auto adapter = OpenSource();
  const std::string hostile = "zq1' OR '1'='1'; DROP TABLE t; -- \\";
  const size_t mark = server_->LogMark();
  for (const Op op : {Op::kEqual, Op::kGreater, Op::kStartsWith, Op::kIn}) {
    ScanRequest request = Values("t", kText);
    request.predicate = Compared(op, {hostile});
    request.key = {1};
    request.after = KeyPosition{hostile};
    Count(*Scan(*adapter, request));
  }
  int prepared = 0, executed = 0;
  for (const absl::string_view line : absl::StrSplit(server_->LogSince(mark), '\n')) {
    if (absl::StrContains(line, "Prepare") && absl::StrContains(line, " ORDER BY ")) {
      ++prepared;
      EXPECT_TRUE(absl::StrContains(line, "?")) << line;
    }
    if (!absl::StrContains(line, "zq1") && !absl::StrContains(line, "7A7131")) continue;
    // As the log writes out what was bound.
    EXPECT_TRUE(absl::StrContains(line, "Execute")) << line;
    ++executed;
  }
  EXPECT_GE(prepared, 4);
  EXPECT_GE(executed, 4);
  EXPECT_EQ(Count(*Scan(*adapter, Ids("t"))), 1) << "the table is there";
}

class PostgresTypes : public OnPostgres {
 protected:
  void Make(const std::string& type, const std::string& values) {
    schema_->Exec("DROP TABLE IF EXISTS t; CREATE TABLE t (id serial PRIMARY KEY, v " + type +
                  "); INSERT INTO t (v) VALUES " + values);
  }
  Texts Is(DataType type) { return Read(*OpenSource(), "t", type); }
  absl::Status Fails(DataType type) { return ScanStatus(*OpenSource(), Values("t", type)); }
};

TEST_F(PostgresTypes, EachKeepsItsExtremes) {
  Make("smallint", "(-32768), (32767), (NULL)");
  EXPECT_EQ(Is(kInt), (Texts{"-32768", "32767", "null"}));
  Make("oid", "(4294967295)");
  EXPECT_EQ(Is(kInt), (Texts{"4294967295"}));
  Make("real", "(0.1), ('NaN'), ('-Infinity')");
  EXPECT_EQ(Is(kReal)[0], "0.10000000149011612");
  EXPECT_EQ(Is(kReal)[2], "-inf");
  Make("numeric", "(1.50000000), (-0.001)");
  EXPECT_EQ(Is({TypeId::kDecimal128, 38, 3}), (Texts{"1.500", "-0.001"}));
  Make("numeric", "('NaN')");
  EXPECT_EQ(ReasonOf(Fails({TypeId::kDecimal128, 38, 3})), v1::REASON_SOURCE_BAD_VALUE);
  Make("timestamptz", "('2026-01-01 08:00+08'), ('0001-01-01 00:00:00+00')");
  EXPECT_EQ(Is(kUtc), (Texts{"2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z"}));
  EXPECT_EQ(ReasonOf(Fails(kLocal)), v1::REASON_SCHEMA_DRIFT);
  Make("timestamptz", "('infinity')");
  EXPECT_EQ(ReasonOf(Fails(kUtc)), v1::REASON_SOURCE_BAD_VALUE);
  Make("date", "('0001-01-01 BC')");
  EXPECT_EQ(ReasonOf(Fails({TypeId::kDate32})), v1::REASON_SOURCE_BAD_VALUE);
  Make("uuid", "('00000000-0000-0000-0000-00000000000A')");
  EXPECT_EQ(Is(kText), (Texts{"'00000000-0000-0000-0000-00000000000a'"}));
  Make("jsonb", "('{\"a\": 1}')");
  EXPECT_EQ(Is(kText), (Texts{"'{\"a\": 1}'"}));
  Make("char(5)", "('ab')");
  EXPECT_EQ(Is(kText), (Texts{"'ab'"})) << "without the blanks that fill it up";
  Make("varchar", absl::StrCat("(''), (repeat('x', 9000)), ('𠮷')"));
  EXPECT_EQ(Is(kText), (Texts{"''", "'" + std::string(9000, 'x') + "'", "'𠮷'"}));
  schema_->Exec("CREATE TYPE mood AS ENUM ('好', 'b'); CREATE DOMAIN code AS varchar(4)");
  Make("mood", "('b'), ('好')");
  EXPECT_EQ(Is(kText), (Texts{"'b'", "'好'"}));
  Make("code", "('b'), ('好')");
  EXPECT_EQ(Is(kText), (Texts{"'b'", "'好'"}));
  Make("int[]", "('{1}')");
  EXPECT_EQ(ReasonOf(Fails(kText)), v1::REASON_SCHEMA_DRIFT) << "is not lent";
}

TEST_F(PostgresTypes, ValuesReachTheServerAsParameters) {
  Make("varchar(60)", "('x')");
  const auto adapter = OpenSource({{"query.stored", "SELECT id, v FROM t -- all"}});
  const std::string hostile = "zq1' OR '1'='1'; DROP TABLE t; -- \\";
  const size_t mark = server_->LogMark();
  for (const char* table : {"t", "stored"}) {
    for (const Op op : {Op::kEqual, Op::kGreater, Op::kStartsWith, Op::kIn}) {
      ScanRequest request = Values(table, kText);
      request.predicate = Compared(op, {hostile});
      // Also in a statement that nothing orders, which goes by a cursor.
      if (std::string(table) == "stored") request.key.clear();
      Count(*Scan(*adapter, request));
    }
  }
  int told = 0;
  for (const absl::string_view line : absl::StrSplit(server_->LogSince(mark), '\n')) {
    if (!absl::StrContains(line, "zq1") && !absl::StrContains(line, "7a7131")) continue;
    EXPECT_TRUE(absl::StrContains(line, "DETAIL:  parameters:")) << line;
    ++told;
  }
  EXPECT_GE(told, 8);
}

class SqliteTypes : public OnSqlite {};

TEST_F(SqliteTypes, ADoubleOfAnySizeComesAsItWas) {
  std::mt19937_64 random(7);
  std::string values;
  std::vector<double> expected;
  database_->Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v REAL)");
  auto insert = sqlite::Prepare(database_->db(), "INSERT INTO t (v) VALUES (?)");
  ASSERT_TRUE(insert.ok());
  database_->Exec("BEGIN");
  while (expected.size() < 20'000) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    expected.push_back(value);
    sqlite3_bind_double(insert->get(), 1, value);
    ASSERT_EQ(sqlite3_step(insert->get()), SQLITE_DONE);
    sqlite3_reset(insert->get());
  }
  database_->Exec("COMMIT");
  const auto adapter = OpenSource();
  size_t row = 0;
  for (const auto& batch : All(*Scan(*adapter, Values("t", kReal))))
    for (int64_t i = 0; i < batch.rows(); ++i, ++row)
      ASSERT_EQ(batch.column(1).Float64(i), expected[row]);
  EXPECT_EQ(row, expected.size());
}

TEST_F(SqliteTypes, AValueSaysItselfWhatItIs) {
  database_->Exec(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, v);"
      "INSERT INTO t (v) VALUES ('龘𠮷'), (''), (NULL), (CAST(x'610062' AS TEXT))");
  const auto adapter = OpenSource();
  EXPECT_EQ(Read(*adapter, "t", kText), (Texts{"'龘𠮷'", "''", "null", std::string("'a\0b'", 5)}));
  for (const char* bad : {"5", "1.5", "x'00'", "CAST(x'ff' AS TEXT)"}) {
    database_->Exec(absl::StrCat("UPDATE t SET v = ", bad, " WHERE id = 2"));
    const absl::Status status = ScanStatus(*adapter, Values("t", kText));
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE) << bad;
    EXPECT_EQ(ErrorInfoOf(status)->metadata().at("row"), "2");
  }
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, Values("t", {TypeId::kBinary}))),
            v1::REASON_SOURCE_BAD_VALUE)
      << "text is no binary";
}

TEST_F(SqliteTypes, WhatHasNoOrderThereIsNoKey) {
  database_->Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, '1')");
  ScanRequest request = Values("t", {TypeId::kDecimal128, 10, 2});
  request.key = {1};
  const absl::Status status = ScanStatus(*OpenSource(), request);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT);
  EXPECT_TRUE(absl::StrContains(status.message(), "cannot be part of a key")) << status;
}

// The generic dialect knows nothing but standard SQL: what it cannot promise it does not do.
TEST_F(OnMariadb, TheGenericDialectReadsAndSaysWhatItCannot) {
  database_->Exec("CREATE TABLE t (id int PRIMARY KEY, v varchar(20))");
  database_->Exec("INSERT INTO t VALUES (2, '北京'), (1, 'a')");
  const auto adapter = OpenSource({{"dialect", "generic"}});
  EXPECT_EQ(Read(*adapter, "t", kText), (Texts{"'a'", "'北京'"}));
  ScanRequest request = Values("t", kText);
  request.key = {1};
  EXPECT_TRUE(absl::StrContains(ScanStatus(*adapter, request).message(), "dialect generic"));
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, Ids("nobody"))), v1::REASON_SCHEMA_DRIFT);
}

}  // namespace
}  // namespace sluice::adapters::odbc
