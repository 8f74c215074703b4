// The table of dialect.h. Each line is what the system's own manual says, or what its tests here
// show; `tested` says which.
#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "adapters/odbc/dialect.h"
#include "gateway/base/view.h"

namespace sluice::adapters::odbc {
namespace {

using T = SourceType;

// Index by SourceType: other, bool, integer, unsigned, bit, float, double, decimal, date,
// timestamp, timestamp with zone, text, other text, binary, dynamic.
constexpr Result kNotLent = {};

Dialect Postgresql() {
  Dialect d;
  d.name = "postgresql";
  d.tested = true;
  d.dbms_names = {"PostgreSQL"};
  d.limit = " LIMIT {n}";
  d.nulls_first = " NULLS FIRST";
  d.never = "FALSE";
  d.probe = "SELECT TRUE";
  d.session = {
      "SET default_transaction_read_only = on",
      "SET statement_timeout = {ms}",
      "SET lock_timeout = {lock_ms}",
      "SET idle_in_transaction_session_timeout = 60000",
      "SET search_path = pg_catalog, {schema}",
      "SET TimeZone = 'UTC'",
      "SET DateStyle = 'ISO, YMD'",
      "SET extra_float_digits = 1",
      "SET bytea_output = 'hex'",
      "SELECT pg_catalog.set_config(s.name, '1000', false) FROM pg_catalog.pg_settings AS s"
      " WHERE s.name = 'client_connection_check_interval'"
      " AND pg_catalog.version() LIKE '%linux%'",
  };
  d.ends_statements = true;
  d.facts =
      "SELECT pg_catalog.current_setting('server_version'),"
      " CASE pg_catalog.current_setting('server_encoding') WHEN 'UTF8' THEN '1' ELSE '0' END,"
      " CASE pg_catalog.current_setting('default_transaction_read_only') WHEN 'on' THEN '1' ELSE"
      " '0' END, CAST(pg_catalog.pg_backend_pid() AS pg_catalog.text)";
  d.writer =
      "SELECT CASE"
      " WHEN r.rolsuper THEN 'is a superuser'"
      " WHEN r.rolcreaterole OR r.rolcreatedb THEN 'may create roles or databases'"
      " WHEN EXISTS (SELECT FROM pg_catalog.pg_roles AS w WHERE w.rolname IN"
      "  ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program')"
      "  AND pg_catalog.pg_has_role(w.oid, 'MEMBER')) THEN 'is a member of a role that may write'"
      " WHEN EXISTS (SELECT FROM pg_catalog.pg_class AS c"
      "  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
      "  WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^(pg_|information_schema$)'"
      "  AND (pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
      "   OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE')))"
      "  THEN 'may write into a table'"
      " WHEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')"
      "  OR EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname !~ '^pg_'"
      "   AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')) THEN 'may create tables'"
      " END FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user";
  d.cancel = Cancel::kSqlCancel;
  d.default_schema = "public";
  d.tables =
      "SELECT c.relname FROM pg_catalog.pg_class AS c"
      " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
      " WHERE n.nspname = {schema} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
      " AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')"
      " ORDER BY c.relname COLLATE pg_catalog.\"C\"";
  d.table =
      "SELECT c.relname FROM pg_catalog.pg_class AS c"
      " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
      " WHERE n.nspname = {schema} AND c.relname = {table}"
      " AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
  // A domain is read as the type that it stands on.
  d.columns =
      "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),"
      " CASE WHEN a.attnotnull THEN '1' ELSE '0' END,"
      " CASE WHEN co.collname IN ('C', 'POSIX') OR (co.collname = 'default' AND EXISTS"
      "  (SELECT FROM pg_catalog.pg_database AS d"
      "   WHERE d.datname = pg_catalog.current_database() AND d.datcollate IN ('C', 'POSIX')))"
      "  THEN '1' ELSE '0' END,"
      " CASE pg_catalog.current_setting('server_encoding') WHEN 'UTF8' THEN '1' ELSE '0' END,"
      " CASE b.typtype WHEN 'e' THEN 'enum' ELSE CAST(b.typname AS pg_catalog.text) END"
      " FROM pg_catalog.pg_attribute AS a"
      " JOIN pg_catalog.pg_class AS t ON t.oid = a.attrelid"
      " JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace"
      " CROSS JOIN LATERAL (WITH RECURSIVE d AS ("
      "   SELECT y.oid, y.typname, y.typtype, y.typbasetype FROM pg_catalog.pg_type AS y"
      "   WHERE y.oid = a.atttypid UNION ALL"
      "   SELECT y.oid, y.typname, y.typtype, y.typbasetype"
      "   FROM d JOIN pg_catalog.pg_type AS y ON d.typtype = 'd' AND y.oid = d.typbasetype)"
      "  SELECT d.typname, d.typtype FROM d WHERE d.typtype <> 'd') AS b"
      " LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = a.attcollation"
      " WHERE n.nspname = {schema} AND t.relname = {table} AND a.attnum > 0"
      " AND NOT a.attisdropped ORDER BY a.attnum";
  d.keys =
      "SELECT c.relname, CASE WHEN i.indisprimary THEN '1' ELSE '0' END, a.attname"
      " FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid"
      " JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid"
      " JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace"
      " CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k(place)"
      " LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0"
      "  AND a.attnum = i.indkey[k.place]"
      " WHERE n.nspname = {schema} AND t.relname = {table} AND i.indisunique AND i.indisvalid"
      " AND i.indpred IS NULL"
      " ORDER BY i.indisprimary DESC, c.relname COLLATE pg_catalog.\"C\", k.place";
  d.type_names = {
      {"bool", T::kBool},
      {"int2", T::kInteger},
      {"int4", T::kInteger},
      {"int8", T::kInteger},
      {"oid", T::kInteger},
      {"serial", T::kInteger},  // what psqlodbc calls a whole number that counts itself
      {"bigserial", T::kInteger},
      {"float4", T::kFloat},
      {"float8", T::kDouble},
      {"numeric", T::kDecimal},
      {"date", T::kDate},
      {"timestamp", T::kTimestamp},
      {"timestamp without time zone", T::kTimestamp},
      {"timestamptz", T::kTimestampZone},
      {"text", T::kText},
      {"varchar", T::kText},
      {"char", T::kOtherText},
      {"bpchar", T::kOtherText},
      {"name", T::kOtherText},
      {"enum", T::kOtherText},
      {"json", T::kOtherText},
      {"jsonb", T::kOtherText},
      {"uuid", T::kOtherText},
      {"bytea", T::kBinary},
      {"", T::kOther},
  };
  const Result as_text = {"CAST({c} AS pg_catalog.text)", Fetch::kAscii};
  const Result results[] = {
      kNotLent,
      as_text,
      {"{c}", Fetch::kAscii},
      {"{c}", Fetch::kAscii},
      {"{c}", Fetch::kAscii},
      {"CAST(CAST({c} AS pg_catalog.float8) AS pg_catalog.text)", Fetch::kAscii},
      as_text,
      {"{c}", Fetch::kAscii},
      as_text,
      as_text,
      {"CAST({c} AT TIME ZONE 'UTC' AS pg_catalog.text)", Fetch::kAscii},
      {"{c}", Fetch::kText},
      {"CAST({c} AS pg_catalog.text)", Fetch::kText},
      {"{c}", Fetch::kBinary},
      kNotLent,
  };
  std::copy(std::begin(results), std::end(results), d.results);
  d.sizes_hold = true;
  d.boolean = {Form::kAscii, "CAST(? AS pg_catalog.bool)"};
  d.integer = {Form::kAscii, "CAST(? AS pg_catalog.int8)"};
  d.floating = {Form::kAscii, "CAST(? AS pg_catalog.float8)"};
  d.decimal = {Form::kAscii, "CAST(? AS pg_catalog.numeric)"};
  d.date = {Form::kAscii, "CAST(? AS pg_catalog.date)"};
  d.timestamp = {Form::kAscii, "CAST(? AS pg_catalog.timestamp)"};
  d.timestamp_zone = {Form::kAscii, "CAST(? AS pg_catalog.timestamptz)"};
  d.text = {Form::kText, "CAST(? AS pg_catalog.text)"};
  d.text_order = {Form::kText, "CAST(? AS pg_catalog.text)", "{c} COLLATE pg_catalog.\"C\""};
  d.other_text = {Form::kByteaHex, "CAST(? AS pg_catalog.bytea)",
                  "pg_catalog.convert_to(CAST({c} AS pg_catalog.text), 'UTF8')"};
  d.binary = {Form::kByteaHex, "CAST(? AS pg_catalog.bytea)"};
  d.bytes_of = "pg_catalog.octet_length(CAST({c} AS pg_catalog.text))";
  d.infinities = true;
  return d;
}

Dialect Mariadb() {
  Dialect d;
  d.name = "mariadb";
  d.tested = true;
  d.dbms_names = {"MariaDB", "MySQL"};
  d.quote_begin = d.quote_end = "`";
  d.limit = " LIMIT {n}";
  d.session = {
      "SET SESSION TRANSACTION READ ONLY",
      "SET SESSION max_statement_time = {s}",
      "SET SESSION lock_wait_timeout = {lock_s}",
      "SET SESSION time_zone = '+00:00'",
  };
  d.ends_statements = true;
  d.facts = "SELECT VERSION(), '1', '1', CAST(CONNECTION_ID() AS CHAR)";
  // What the account sees of grants are its own, and its roles'.
  d.writer =
      "SELECT CONCAT('has the privilege ', MIN(p.what)) FROM ("
      " SELECT privilege_type AS what FROM information_schema.user_privileges UNION ALL"
      " SELECT privilege_type FROM information_schema.schema_privileges UNION ALL"
      " SELECT privilege_type FROM information_schema.table_privileges UNION ALL"
      " SELECT privilege_type FROM information_schema.column_privileges) AS p"
      " WHERE p.what NOT IN ('USAGE', 'SELECT', 'SHOW VIEW', 'SHOW DATABASES', 'PROCESS',"
      " 'BINLOG MONITOR', 'SLAVE MONITOR')";
  d.cancel = Cancel::kKill;
  d.kill = "KILL QUERY {id}";
  d.default_schema = "{database}";
  d.tables =
      "SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}"
      " AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')"
      " ORDER BY CAST(table_name AS BINARY)";
  d.table =
      "SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}"
      " AND table_name = {table} AND CAST(table_name AS BINARY) = CAST({table} AS BINARY)"
      " AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')";
  d.columns =
      "SELECT column_name, column_type, IF(is_nullable = 'NO', '1', '0'),"
      " IF(collation_name = 'utf8mb4_nopad_bin', '1', '0'),"
      " IF(character_set_name = 'utf8mb4', '1', '0'),"
      " IF(data_type = 'bigint' AND column_type LIKE '%unsigned%', 'bigint unsigned', data_type)"
      " FROM information_schema.columns WHERE table_schema = {schema} AND table_name = {table}"
      " ORDER BY ordinal_position";
  d.keys =
      "SELECT index_name, IF(index_name = 'PRIMARY', '1', '0'),"
      " IF(sub_part IS NULL, column_name, NULL) FROM information_schema.statistics"
      " WHERE table_schema = {schema} AND table_name = {table} AND non_unique = 0"
      " ORDER BY index_name <> 'PRIMARY', CAST(index_name AS BINARY), seq_in_index";
  d.type_names = {
      {"bigint unsigned", T::kUnsigned},
      {"bit", T::kBit},
      {"timestamp", T::kTimestampZone},
      {"datetime", T::kTimestamp},
      {"year", T::kInteger},
      {"time", T::kOther},
      {"enum", T::kOtherText},
      {"set", T::kOtherText},
      {"uuid", T::kOtherText},
      {"inet4", T::kOtherText},
      {"inet6", T::kOtherText},
      {"geometry", T::kOther},
      {"point", T::kOther},
      {"linestring", T::kOther},
      {"polygon", T::kOther},
      {"multipoint", T::kOther},
      {"multilinestring", T::kOther},
      {"multipolygon", T::kOther},
      {"geometrycollection", T::kOther},
  };
  const Result as_char = {"CAST({c} AS CHAR)", Fetch::kAscii};
  const Result results[] = {
      kNotLent,
      {"CAST({c} AS UNSIGNED)", Fetch::kAscii},
      {"{c}", Fetch::kAscii},
      {"{c}", Fetch::kAscii},
      {"CAST({c} AS UNSIGNED)", Fetch::kAscii},
      {"CAST({c} AS DOUBLE)", Fetch::kDouble},
      {"{c}", Fetch::kDouble},
      {"{c}", Fetch::kAscii},
      as_char,
      as_char,
      as_char,
      {"{c}", Fetch::kText},
      {"{c}", Fetch::kText},
      {"{c}", Fetch::kBinary},
      kNotLent,
  };
  std::copy(std::begin(results), std::end(results), d.results);
  d.sizes_hold = true;
  d.boolean = {Form::kInteger};
  d.integer = {Form::kInteger};
  d.floating = {Form::kDouble};
  // Compared with a text, a decimal would become a double.
  d.decimal = {Form::kAscii, "CAST(? AS DECIMAL(65,{s}))"};
  d.date = {Form::kAscii, "CAST(? AS DATE)"};
  d.timestamp = {Form::kAscii, "CAST(? AS DATETIME(6))"};
  d.timestamp_zone = {Form::kAscii, "CAST(? AS DATETIME(6))"};
  d.text = {Form::kText};
  d.text_order = {Form::kBytes, "?", "CAST(CONVERT({c} USING utf8mb4) AS BINARY)"};
  d.other_text = d.text_order;
  d.binary = {Form::kBytes};
  d.bytes_of = "LENGTH({c})";
  d.nul_in_text = true;
  return d;
}

Dialect Sqlite() {
  Dialect d;
  d.name = "sqlite";
  d.tested = true;
  d.dbms_names = {"SQLite"};
  d.limit = " LIMIT {n}";
  d.never = "0";
  d.probe = "SELECT count(*) FROM sqlite_master";
  d.session = {"PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF"};
  d.facts =
      "SELECT sqlite_version(), CASE encoding WHEN 'UTF-8' THEN '1' ELSE '0' END, '1', '0'"
      " FROM pragma_encoding";
  d.cancel = Cancel::kSqlCancel;
  d.tables =
      "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
      " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name COLLATE BINARY";
  d.table =
      "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name = {table}"
      " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
  // The affinity, by the rules of https://www.sqlite.org/datatype3.html, 3.1; none in a view.
  d.columns =
      "SELECT i.name, i.type, CASE WHEN i.\"notnull\" OR (i.pk = 1 AND upper(i.type) ="
      " 'INTEGER' AND m.type = 'table' AND NOT EXISTS (SELECT 1 FROM pragma_table_info(m.name) AS o"
      "  WHERE o.pk = 2)) THEN '1' ELSE '0' END, '1', '1',"
      " CASE WHEN m.type = 'view' THEN 'view'"
      " WHEN i.type LIKE '%INT%' THEN 'integer'"
      " WHEN i.type LIKE '%CHAR%' OR i.type LIKE '%CLOB%' OR i.type LIKE '%TEXT%' THEN 'text'"
      " WHEN i.type LIKE '%BLOB%' OR i.type = '' THEN 'blob'"
      " WHEN i.type LIKE '%REAL%' OR i.type LIKE '%FLOA%' OR i.type LIKE '%DOUB%' THEN 'real'"
      " ELSE 'numeric' END"
      " FROM sqlite_master AS m, pragma_table_info(m.name) AS i WHERE m.name = {table}"
      " AND m.type IN ('table', 'view') ORDER BY i.cid";
  d.keys =
      "SELECT '', '1', name FROM (SELECT name FROM pragma_table_info({table}) WHERE pk > 0"
      " ORDER BY pk) UNION ALL SELECT l.name, '0', i.name FROM pragma_index_list({table}) AS l,"
      " pragma_index_info(l.name) AS i WHERE l.\"unique\" AND NOT l.partial AND l.origin <> 'pk'";
  d.dynamic = true;
  // Each value with its own type before it, texts and blobs as hexadecimal digits: the driver knows
  // one type a column, ends texts at their first NUL and writes doubles in fifteen digits.
  // SQLite's printf is exact enough below 1e100: what is above comes divided by 2 to the power of
  // 700, which loses nothing.
#define SLUICE_P "/1125899906842624.0/1125899906842624.0"
  d.results[static_cast<int>(T::kDynamic)] = {
      "CASE typeof({c}) WHEN 'integer' THEN 'i' || {c} WHEN 'real' THEN"
      " CASE WHEN abs({c}) < 1e90 THEN 'r' || printf('%!.20g', {c}) ELSE 'p' || printf('%!.20g',"
      " {c}" SLUICE_P SLUICE_P SLUICE_P SLUICE_P SLUICE_P SLUICE_P SLUICE_P
      ") END WHEN 'text' THEN 't' || hex({c}) WHEN 'blob' THEN 'b' || hex({c}) END",
      Fetch::kAscii};
#undef SLUICE_P
  d.boolean = {Form::kInteger};
  d.integer = {Form::kInteger};
  d.floating = {Form::kDouble};
  d.date = {Form::kAscii, "?", "{c} COLLATE BINARY"};
  d.text = {Form::kText, "?", "{c} COLLATE BINARY"};
  d.text_order = d.text;
  d.binary = {Form::kBytes};
  d.infinities = true;
  return d;
}

// Of standard SQL, as far as systems agree on it.
Dialect Generic() {
  Dialect d;
  d.name = "generic";
  const Result results[] = {
      kNotLent,
      {"{c}", Fetch::kInteger},
      {"{c}", Fetch::kInteger},
      {"{c}", Fetch::kAscii},
      {"{c}", Fetch::kInteger},
      {"{c}", Fetch::kDouble},
      {"{c}", Fetch::kDouble},
      {"{c}", Fetch::kAscii},
      {"{c}", Fetch::kAscii},
      {"{c}", Fetch::kAscii},
      kNotLent,
      {"{c}", Fetch::kText},
      {"{c}", Fetch::kText},
      {"{c}", Fetch::kBinary},
      kNotLent,
  };
  std::copy(std::begin(results), std::end(results), d.results);
  d.probe = "";
  d.integer = {Form::kInteger};
  d.floating = {Form::kDouble};
  d.text = {Form::kText};
  return d;
}

Dialect Sqlserver() {
  Dialect d = Generic();
  d.name = "sqlserver";
  d.dbms_names = {"Microsoft SQL Server"};
  d.quote_begin = "[";
  d.quote_end = "]";
  d.limit = " OFFSET 0 ROWS FETCH NEXT {n} ROWS ONLY";
  d.probe = "SELECT 1";
  d.session = {"SET LOCK_TIMEOUT {lock_ms}"};
  d.facts =
      "SELECT CAST(SERVERPROPERTY('ProductVersion') AS varchar(40)), '1', '0',"
      " CAST(@@SPID AS varchar(10))";
  d.writer =
      "SELECT CASE WHEN IS_SRVROLEMEMBER('sysadmin') = 1 THEN 'is a member of sysadmin'"
      " WHEN IS_ROLEMEMBER('db_owner') = 1 OR IS_ROLEMEMBER('db_datawriter') = 1"
      " THEN 'is a member of a role that may write' WHEN EXISTS (SELECT 1 FROM"
      " fn_my_permissions(NULL, 'DATABASE') WHERE permission_name IN"
      " ('INSERT', 'UPDATE', 'DELETE', 'ALTER', 'CONTROL')) THEN 'may write' END";
  d.default_schema = "dbo";
  d.tables =
      "SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}"
      " ORDER BY table_name";
  d.table =
      "SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}"
      " AND table_name = {table}";
  d.columns =
      "SELECT column_name, data_type, CASE is_nullable WHEN 'NO' THEN '1' ELSE '0' END, '0',"
      " CASE WHEN data_type IN ('nchar', 'nvarchar', 'ntext') THEN '1' ELSE '0' END, data_type"
      " FROM information_schema.columns WHERE table_schema = {schema} AND table_name = {table}"
      " ORDER BY ordinal_position";
  d.keys =
      "SELECT i.name, CASE WHEN i.is_primary_key = 1 THEN '1' ELSE '0' END, c.name"
      " FROM sys.indexes AS i JOIN sys.objects AS t ON t.object_id = i.object_id"
      " JOIN sys.schemas AS s ON s.schema_id = t.schema_id JOIN sys.index_columns AS k"
      " ON k.object_id = i.object_id AND k.index_id = i.index_id AND k.key_ordinal > 0"
      " JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id"
      " WHERE s.name = {schema} AND t.name = {table} AND i.is_unique = 1 AND i.has_filter = 0"
      " ORDER BY i.is_primary_key DESC, i.index_id, k.key_ordinal";
  d.type_names = {{"datetimeoffset", T::kTimestampZone},
                  {"time", T::kOther},
                  {"xml", T::kOther},
                  {"sql_variant", T::kOther},
                  {"timestamp", T::kOther},
                  {"rowversion", T::kOther},
                  {"money", T::kDecimal},
                  {"smallmoney", T::kDecimal}};
  d.results[static_cast<int>(T::kTimestampZone)] = {
      "CONVERT(varchar(30), SWITCHOFFSET({c}, '+00:00'), 121)", Fetch::kAscii};
  d.results[static_cast<int>(T::kDate)] = {"CONVERT(varchar(10), {c}, 23)", Fetch::kAscii};
  d.results[static_cast<int>(T::kTimestamp)] = {"CONVERT(varchar(30), {c}, 121)", Fetch::kAscii};
  d.decimal = {Form::kAscii, "CAST(? AS decimal(38,{s}))"};
  d.date = {Form::kAscii, "CAST(? AS date)"};
  d.timestamp = {Form::kAscii, "CAST(? AS datetime2(6))"};
  d.text_order = {Form::kBytes, "?",
                  "CONVERT(varbinary(max), CONVERT(varchar(max), {c} COLLATE"
                  " Latin1_General_100_BIN2_UTF8))"};
  d.other_text = d.text_order;
  d.binary = {Form::kBytes};
  return d;
}

Dialect Oracle() {
  Dialect d = Generic();
  d.name = "oracle";
  d.dbms_names = {"Oracle"};
  d.limit = " FETCH FIRST {n} ROWS ONLY";
  d.nulls_first = " NULLS FIRST";
  d.probe = "SELECT 1 FROM dual";
  d.session = {"ALTER SESSION SET TIME_ZONE = 'UTC'"};
  d.writer =
      "SELECT CASE WHEN EXISTS (SELECT 1 FROM session_privs WHERE privilege LIKE 'INSERT ANY%'"
      " OR privilege LIKE 'UPDATE ANY%' OR privilege LIKE 'DELETE ANY%'"
      " OR privilege LIKE 'CREATE%TABLE') THEN 'may write' END FROM dual";
  d.default_schema = "{user}";
  d.tables =
      "SELECT object_name FROM all_objects WHERE owner = {schema}"
      " AND object_type IN ('TABLE', 'VIEW') ORDER BY object_name";
  d.table =
      "SELECT object_name FROM all_objects WHERE owner = {schema} AND object_name = {table}"
      " AND object_type IN ('TABLE', 'VIEW')";
  d.columns =
      "SELECT column_name, data_type, CASE nullable WHEN 'N' THEN '1' ELSE '0' END, '0', '0',"
      " data_type FROM all_tab_columns WHERE owner = {schema} AND table_name = {table}"
      " ORDER BY column_id";
  d.keys =
      "SELECT k.constraint_name, CASE k.constraint_type WHEN 'P' THEN '1' ELSE '0' END,"
      " c.column_name FROM all_constraints k JOIN all_cons_columns c ON c.owner = k.owner"
      " AND c.constraint_name = k.constraint_name WHERE k.owner = {schema}"
      " AND k.table_name = {table} AND k.constraint_type IN ('P', 'U')"
      " ORDER BY k.constraint_type, k.constraint_name, c.position";
  d.results[static_cast<int>(T::kDate)] = {"TO_CHAR({c}, 'YYYY-MM-DD')", Fetch::kAscii};
  d.results[static_cast<int>(T::kTimestamp)] = {"TO_CHAR({c}, 'YYYY-MM-DD HH24:MI:SS.FF6')",
                                                Fetch::kAscii};
  d.decimal = {Form::kAscii, "TO_NUMBER(?)"};
  d.other_text = d.text_order = {Form::kHex, "?", "RAWTOHEX(UTL_RAW.CAST_TO_RAW({c}))"};
  return d;
}

Dialect Db2() {
  Dialect d = Generic();
  d.name = "db2";
  d.dbms_names = {"DB2"};
  d.limit = " FETCH FIRST {n} ROWS ONLY";
  d.nulls_first = " NULLS FIRST";
  d.probe = "SELECT 1 FROM sysibm.sysdummy1";
  d.default_schema = "{user}";
  d.tables = "SELECT tabname FROM syscat.tables WHERE tabschema = {schema} ORDER BY tabname";
  d.table = "SELECT tabname FROM syscat.tables WHERE tabschema = {schema} AND tabname = {table}";
  d.columns =
      "SELECT colname, typename, CASE nulls WHEN 'N' THEN '1' ELSE '0' END, '0', '0', typename"
      " FROM syscat.columns WHERE tabschema = {schema} AND tabname = {table} ORDER BY colno";
  d.keys =
      "SELECT k.constname, CASE k.type WHEN 'P' THEN '1' ELSE '0' END, c.colname"
      " FROM syscat.tabconst AS k JOIN syscat.keycoluse AS c ON c.constname = k.constname"
      " AND c.tabschema = k.tabschema AND c.tabname = k.tabname WHERE k.tabschema = {schema}"
      " AND k.tabname = {table} AND k.type IN ('P', 'U') ORDER BY k.type, k.constname, c.colseq";
  d.decimal = {Form::kAscii, "CAST(? AS DECIMAL(31,{s}))"};
  d.date = {Form::kAscii, "CAST(? AS DATE)"};
  d.other_text = d.text_order = {Form::kHex, "?", "HEX({c})"};
  return d;
}

const std::vector<Dialect>& Dialects() {
  static const auto* const dialects = new std::vector<Dialect>{
      Postgresql(), Mariadb(), Sqlite(), Sqlserver(), Oracle(), Db2(), Generic()};
  return *dialects;
}

const std::vector<Driver>& Drivers() {
  static const auto* const drivers = new std::vector<Driver>{
      {"psqlodbca", {}, {}, false, {}, true, true},
      // Bools as bits, statements prepared by the server, nothing of the owner's kept from one
      // session to the next. 65539 and 65541 are its own: rows by a cursor, and how many at once.
      {"psql",
       {{"BoolsAsChar", "0"},
        {"UseServerSidePrepare", "1"},
        {"UseDeclareFetch", "0"},
        {"ByteaAsLongVarBinary", "1"},
        {"MaxLongVarcharSize", "0"},
        {"Debug", "0"},
        {"CommLog", "0"},
        {"pqopt", "connect_timeout={connect_s} keepalives=1 keepalives_idle=10"}},
       {{"SSLmode", "verify-full"}},
       true,
       {{65539, 1, 0}, {65541, 64, 100}},
       false,
       true},
      {"maodbc",
       {{"CHARSET", "utf8mb4"}, {"CONN_TIMEOUT", "{connect_s}"}},
       {{"FORCETLS", "1"}, {"SSLVERIFY", "1"}},
       false,
       {},
       true,
       true},
      {"sqlite",
       {{"NoCreat", "1"}, {"StepAPI", "1"}, {"Timeout", "{lock_ms}"}, {"NoTXN", "1"}},
       {},
       true,
       {},
       false,
       false},
      {"tdsodbc", {{"TDS_Version", "7.4"}, {"ClientCharset", "UTF-8"}}, {}, true, {}, false, false},
      {"", {}, {}, true, {}, false, false},
  };
  return *drivers;
}

}  // namespace

const Dialect* FindDialect(std::string_view name) {
  for (const Dialect& dialect : Dialects())
    if (dialect.name == name) return &dialect;
  return nullptr;
}

const Dialect& DialectOf(std::string_view dbms_name) {
  for (const Dialect& dialect : Dialects())
    for (const char* begin : dialect.dbms_names)
      if (absl::StartsWithIgnoreCase(View(dbms_name), begin)) return dialect;
  return Dialects().back();
}

std::vector<std::string> DialectNames() {
  std::vector<std::string> names;
  for (const Dialect& dialect : Dialects()) names.emplace_back(dialect.name);
  return names;
}

const Driver& DriverOf(std::string_view driver) {
  std::string name = absl::AsciiStrToLower(View(driver));
  // As Debian's odbcinst.ini names them.
  constexpr std::array<std::pair<const char*, const char*>, 5> kNames = {
      {{"postgresql ansi", "psqlodbca"},
       {"postgresql unicode", "psqlodbcw"},
       {"mariadb unicode", "maodbc"},
       {"sqlite3", "sqlite3odbc"},
       {"freetds", "tdsodbc"}}};
  for (const auto& [installed, file] : kNames)
    if (name == installed) name = file;
  for (const Driver& known : Drivers())
    if (name.find(known.found_in) != std::string::npos) return known;
  return Drivers().back();
}

std::string Filled(std::string_view form,
                   const std::vector<std::pair<std::string_view, std::string>>& values) {
  std::string filled;
  for (size_t at = 0; at < form.size();) {
    bool replaced = false;
    for (const auto& [name, value] : values) {
      if (form.substr(at, name.size()) != name) continue;
      filled += value;
      at += name.size();
      replaced = true;
      break;
    }
    if (!replaced) filled.push_back(form[at++]);
  }
  return filled;
}

std::string Quoted(const Dialect& dialect, std::string_view name) {
  std::string quoted = dialect.quote_begin;
  for (const char c : name) quoted.append(c == dialect.quote_end[0] ? 2 : 1, c);
  return quoted + dialect.quote_end;
}

}  // namespace sluice::adapters::odbc
