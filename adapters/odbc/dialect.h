// What differs between systems that are reached through ODBC, as data: one table of dialects (what
// a system's SQL is like) and one of drivers (how a driver is to be spoken to). dialects.cc holds
// both and nothing else. To add a system is to add a line there, and a row in the conformance
// suite.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/odbc/types.h"

namespace sluice::adapters::odbc {

// How a cell's bytes come from the driver.
enum class Fetch : uint8_t {
  kInteger,  // SQL_C_SBIGINT
  kDouble,   // SQL_C_DOUBLE
  kAscii,    // SQL_C_CHAR, of what is ASCII in every encoding
  kText,     // SQL_C_CHAR as UTF-8, or SQL_C_WCHAR: see Driver::wide
  kBinary,   // SQL_C_BINARY
};

// How a value is bound.
enum class Form : uint8_t {
  kNone,  // not at all: nothing of this type goes down, and no key has it
  kInteger,
  kDouble,
  kAscii,    // as text: "12.50", "2026-11-24 02:00:00"
  kText,     // of text, as text
  kBytes,    // of text and binary: its bytes
  kHex,      // of text and binary: its bytes as hexadecimal digits, upper case
  kByteaHex  // the same as PostgreSQL reads it: "\x00ff"
};

// How a column stands in a statement's results. {c} is the column.
struct Result {
  const char* sql = nullptr;  // null: such a column is not lent
  Fetch fetch = Fetch::kText;
};

// What a column and a value are compared as. {c} is the column, {s} a decimal's scale.
struct Comparison {
  Form form = Form::kNone;
  const char* parameter = "?";
  const char* operand = "{c}";
};

enum class Cancel : uint8_t {
  kSqlCancel,  // SQLCancel from another thread
  kKill,       // a second connection sends kill_sql
};

struct Dialect {
  const char* name = "";
  bool tested = false;
  std::vector<const char*> dbms_names;  // how SQL_DBMS_NAME begins

  const char* quote_begin = "\"";
  const char* quote_end = "\"";  // doubled within
  const char* limit = "";        // behind the statement; {n} is the number of rows
  const char* nulls_first = "";  // behind an ORDER BY term that may be null
  const char* never = "1=0";
  const char* probe = "SELECT 1";

  // Run for each new session. {ms} and {s} are the statement timeout, {lock_ms} and {lock_s} the
  // lock timeout, {schema} the schema's name, quoted.
  std::vector<const char*> session;
  bool ends_statements = false;  // the session's statement timeout is the server's own
  // One row: version; '1' where texts are stored as UTF-8; '1' where the session is read-only or
  // cannot be more; this session's number, for kill.
  const char* facts = "";
  // One row, one value: null, or what the account may do that is more than reading: "may …". Empty:
  // the system cannot be asked.
  const char* writer = "";
  Cancel cancel = Cancel::kSqlCancel;
  const char* kill = "";  // {id} is the session's number
  const char* as_of = "";

  // The catalogue. Parameters are in order: {schema} and {table} are replaced by ? and bound.
  const char* default_schema = "";
  const char* tables = "";  // names
  const char* table = "";   // a row where there is that table
  // name, type as declared, '1' where NOT NULL, '1' where text is compared by code point as it
  // stands, '1' where text holds every character, a name of the type for `type_names`.
  const char* columns = "";
  // index, '1' of the primary key, column: of unique keys, ordered by index and place.
  const char* keys = "";
  // By the type's name, in lower case; then by ODBC's code.
  struct TypeName {
    const char* name;
    SourceType type;
  };
  std::vector<TypeName> type_names;
  bool dynamic = false;  // every column is kDynamic

  Result results[kSourceTypes];
  bool sizes_hold = false;  // a column's text is never longer than it says

  Comparison boolean, integer, floating, decimal, date, timestamp, timestamp_zone, text, binary;
  // Of text by code point, whatever the column's collation is.
  Comparison text_order;
  // Of text that is not stored as UTF-8, or not in a type that is compared by itself.
  Comparison other_text;
  // How many bytes a value has, or null; empty where that cannot be asked.
  const char* bytes_of = "";
  bool infinities = false;   // its floating point has them
  bool nul_in_text = false;  // text with U+0000 can be bound
};

// By the name of the settings; null where there is none.
const Dialect* FindDialect(std::string_view name);
// By what SQL_DBMS_NAME says; the generic one where none fits.
const Dialect& DialectOf(std::string_view dbms_name);
std::vector<std::string> DialectNames();

struct Driver {
  // Found in the driver's name or in its file's name, in lower case.
  const char* found_in = "";
  struct Attribute {
    const char* name;
    const char* value;
  };
  // Put into the connection string, unless the settings name the same attribute.
  std::vector<Attribute> attributes;
  // The same where the server is another machine: none but the one meant, over TLS.
  std::vector<Attribute> remote;
  bool wide = true;  // text goes as SQL_C_WCHAR; else as SQL_C_CHAR in UTF-8
  // Of SQLSetConnectAttr: for a statement that cannot be cut into ranges and has no parameters.
  // Without, the driver holds its rows whole.
  struct Streaming {
    int32_t attribute;
    uint64_t on, off;
  };
  std::vector<Streaming> streaming;
  // It holds a statement's rows whole, and cannot be told otherwise.
  bool keeps_rows = false;
  bool block = true;  // SQL_ATTR_ROW_ARRAY_SIZE works
};

// By the setting `driver`.
const Driver& DriverOf(std::string_view driver);

// Replaces each {name} in a form of the table.
std::string Filled(std::string_view form,
                   const std::vector<std::pair<std::string_view, std::string>>& values);
std::string Quoted(const Dialect& dialect, std::string_view name);

}  // namespace sluice::adapters::odbc
