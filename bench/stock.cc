#include "bench/stock.h"

#include <sqlite3.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/base/error.h"

namespace sluice::bench {
namespace {

using records::TypeId;

constexpr std::array<const char*, 8> kGoods = {"tent",      "blanket",   "stove",  "lamp",
                                               "water can", "bed frame", "ladder", "rope"};

struct StockRow {
  std::string item;      // 10 digits
  std::string name;      // ASCII, at most 20
  std::string district;  // 6 digits
  std::string counted;   // yyyyMMdd
  int64_t quantity = 0;  // at most 9 digits
  int64_t cents = 0;     // at most 11 digits
};

uint64_t Scattered(uint64_t row) {
  uint64_t x = (row + 1) * 0x9e3779b97f4a7c15U;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9U;
  return x ^ (x >> 32);
}

StockRow RowOf(int64_t row) {
  const uint64_t x = Scattered(static_cast<uint64_t>(row));
  return {.item = StockItem(row),
          .name = absl::StrCat(kGoods[x % kGoods.size()], " no. ", x / 8 % 1'000'000),
          .district = absl::StrFormat("%06d", 110'000 + x / 64 % 540'000),
          .counted = absl::StrFormat("%04d%02d%02d", 1990 + x / 128 % 36, 1 + x / 256 % 12,
                                     1 + x / 4096 % 28),
          .quantity = static_cast<int64_t>(x / 512 % 1'000'000'000),
          .cents = static_cast<int64_t>(x / 1024 % 100'000'000'000)};
}

std::string Price(const StockRow& row) {
  return absl::StrFormat("%d.%02d", row.cents / 100, row.cents % 100);
}

// Appends each row's bytes by `put`, and writes them a megabyte at a time.
absl::Status WriteRows(const std::string& path, int64_t rows, std::string begin,
                       const std::function<void(const StockRow&, std::string&)>& put,
                       std::string_view end = "") {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  std::string bytes = std::move(begin);
  for (int64_t row = 0; row < rows; ++row) {
    put(RowOf(row), bytes);
    if (bytes.size() < (1U << 20U)) continue;
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.clear();
  }
  bytes += end;
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  return file ? absl::OkStatus() : absl::UnavailableError(path + ": could not be written");
}

absl::Status WriteDelimited(const std::string& path, int64_t rows) {
  return WriteRows(path, rows, "item_no,name,district,counted,quantity,price\n",
                   [](const StockRow& row, std::string& to) {
                     // 储备, in GB18030.
                     absl::StrAppend(&to, row.item, ",\xb4\xa2\xb1\xb8 ", row.name, ",",
                                     row.district, ",", row.counted, ",", row.quantity, ",",
                                     Price(row), "\n");
                   });
}

absl::Status WriteFixed(const std::string& path, int64_t rows) {
  return WriteRows(path, rows, "", [](const StockRow& row, std::string& to) {
    absl::StrAppendFormat(&to, "%s%-20s%s%s%9d%13s\n", row.item, row.name, row.district,
                          row.counted, row.quantity, Price(row));
  });
}

// Of letters, digits, blanks and points.
void AppendEbcdic(std::string_view text, size_t width, std::string& to) {
  for (const char c : text) {
    int code = 0x40;
    if (c >= '0' && c <= '9') code = 0xF0 + (c - '0');
    if (c >= 'a' && c <= 'i') code = 0x81 + (c - 'a');
    if (c >= 'j' && c <= 'r') code = 0x91 + (c - 'j');
    if (c >= 's' && c <= 'z') code = 0xA2 + (c - 's');
    if (c == '.') code = 0x4B;
    to += static_cast<char>(code);
  }
  to.append(width - text.size(), '\x40');
}

void AppendPacked(int64_t value, int digits, std::string& to) {
  std::string nibbles = absl::StrFormat("%0*d", digits, value);
  for (int i = 0; i < digits; i += 2) {
    const int high = nibbles[i] - '0', low = i + 1 < digits ? nibbles[i + 1] - '0' : 0xC;
    to += static_cast<char>(high << 4 | low);
  }
}

absl::Status WriteCopybook(const std::string& path, int64_t rows) {
  std::ofstream(path + ".cpy") << "       01  STOCK.\n"
                                  "           05  ITEM-NO   PIC X(10).\n"
                                  "           05  NAME      PIC X(20).\n"
                                  "           05  DISTRICT  PIC X(6).\n"
                                  "           05  COUNTED   PIC X(8).\n"
                                  "           05  QUANTITY  PIC S9(9) COMP-3.\n"
                                  "           05  PRICE     PIC S9(9)V99 COMP-3.\n";
  return WriteRows(path, rows, "", [](const StockRow& row, std::string& to) {
    AppendEbcdic(row.item, 10, to);
    AppendEbcdic(row.name, 20, to);
    AppendEbcdic(row.district, 6, to);
    AppendEbcdic(row.counted, 8, to);
    AppendPacked(row.quantity, 9, to);
    AppendPacked(row.cents, 11, to);
  });
}

std::string DbfField(std::string_view name, char type, int width, int decimals) {
  std::string field(32, '\0');
  field.replace(0, name.size(), name);
  field[11] = type;
  field[16] = static_cast<char>(width);
  field[17] = static_cast<char>(decimals);
  return field;
}

absl::Status WriteDbf(const std::string& path, int64_t rows) {
  constexpr int kWidth = 1 + 10 + 20 + 6 + 8 + 9 + 13;
  std::string header(32, '\0');
  header[0] = 3;
  header.replace(1, 3, "\x7e\x0b\x1a");
  for (int i = 0; i < 4; ++i) header[4 + i] = static_cast<char>(rows >> (8 * i));
  header[8] = static_cast<char>(32 * 7 + 1);
  header[10] = kWidth;
  header += DbfField("ITEM_NO", 'C', 10, 0) + DbfField("NAME", 'C', 20, 0) +
            DbfField("DISTRICT", 'C', 6, 0) + DbfField("COUNTED", 'D', 8, 0) +
            DbfField("QUANTITY", 'N', 9, 0) + DbfField("PRICE", 'N', 13, 2) + "\r";
  return WriteRows(
      path, rows, header,
      [](const StockRow& row, std::string& to) {
        absl::StrAppendFormat(&to, " %s%-20s%s%s%9d%13s", row.item, row.name, row.district,
                              row.counted, row.quantity, Price(row));
      },
      "\x1a");
}

absl::Status Run(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(sql, ": ", sqlite3_errmsg(database)));
}

absl::Status InsertStock(sqlite3* database, int64_t rows) {
  sqlite3_stmt* insert = nullptr;
  if (sqlite3_prepare_v2(database, "INSERT INTO stock VALUES (?,?,?,?,?,?)", -1, &insert,
                         nullptr) != SQLITE_OK)
    return absl::InternalError(sqlite3_errmsg(database));
  bool inserted = true;
  for (int64_t number = 0; inserted && number < rows; ++number) {
    const StockRow row = RowOf(number);
    const std::string day = absl::StrCat(row.counted.substr(0, 4), "-", row.counted.substr(4, 2),
                                         "-", row.counted.substr(6));
    int parameter = 0;
    for (const std::string& text : {row.item, row.name, row.district, day})
      sqlite3_bind_text(insert, ++parameter, text.data(), static_cast<int>(text.size()),
                        SQLITE_TRANSIENT);
    sqlite3_bind_int64(insert, 5, row.quantity);
    const std::string price = Price(row);
    sqlite3_bind_text(insert, 6, price.data(), static_cast<int>(price.size()), SQLITE_TRANSIENT);
    inserted = sqlite3_step(insert) == SQLITE_DONE;
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  return inserted ? absl::OkStatus() : absl::InternalError(sqlite3_errmsg(database));
}

absl::Status FillStock(sqlite3* database, int64_t rows) {
  SLUICE_RETURN_IF_ERROR(Run(
      database,
      "CREATE TABLE stock (item_no TEXT PRIMARY KEY NOT NULL, name TEXT, district TEXT, counted "
      "DATE, quantity INTEGER, price TEXT) WITHOUT ROWID; BEGIN"));
  SLUICE_RETURN_IF_ERROR(InsertStock(database, rows));
  return Run(database, "COMMIT");
}

absl::Status WriteSqlite(const std::string& path, int64_t rows) {
  std::filesystem::remove(path);
  sqlite3* database = nullptr;
  const absl::Status written = sqlite3_open(path.c_str(), &database) == SQLITE_OK
                                   ? FillStock(database, rows)
                                   : absl::UnavailableError(path + ": cannot be made");
  sqlite3_close(database);
  return written;
}

}  // namespace

std::string StockItem(int64_t row) { return absl::StrFormat("%010d", row + 1); }

const std::vector<StockForm>& StockForms() {
  static const std::vector<std::string> lower = {"item_no", "name",     "district",
                                                 "counted", "quantity", "price"};
  static const std::vector<std::string> upper = {"ITEM_NO", "NAME",     "DISTRICT",
                                                 "COUNTED", "QUANTITY", "PRICE"};
  static const auto& forms = *new std::vector<StockForm>{
      {"delimited", WriteDelimited,
       [](const std::string& path) {
         return adapters::Settings{
             {"file", path}, {"encoding", "gb18030"}, {"date_format", "yyyyMMdd"}};
       },
       lower, 68},
      {"fixed", WriteFixed,
       [](const std::string& path) {
         return adapters::Settings{
             {"file", path},
             {"layout", "item_no:10,name:20,district:6,counted:8,quantity:9,price:13"},
             {"date_format", "yyyyMMdd"}};
       },
       lower, 67},
      {"copybook",
       WriteCopybook,
       [](const std::string& path) {
         return adapters::Settings{{"file", path},
                                   {"copybook", path + ".cpy"},
                                   {"encoding", "cp037"},
                                   {"date_format", "yyyyMMdd"}};
       },
       {"ITEM-NO", "NAME", "DISTRICT", "COUNTED", "QUANTITY", "PRICE"},
       55},
      {"dbf", WriteDbf,
       [](const std::string& path) {
         return adapters::Settings{{"file", path}};
       },
       upper, 67},
      {"sqlite", WriteSqlite,
       [](const std::string& path) {
         return adapters::Settings{{"file", path}};
       },
       lower, 75}};
  return forms;
}

adapters::ScanRequest StockScan(const StockForm& form, const std::string& table) {
  const std::vector<records::Field> fields = {
      {"item_no", {TypeId::kUtf8}, false}, {"name", {TypeId::kUtf8}},
      {"district", {TypeId::kUtf8}},       {"counted", {TypeId::kDate32}},
      {"quantity", {TypeId::kInt64}},      {"price", {TypeId::kDecimal128, 12, 2}}};
  adapters::ScanRequest scan;
  scan.table = table;
  for (size_t i = 0; i < fields.size(); ++i) scan.fields.push_back({form.columns[i], fields[i]});
  scan.key = {0};
  return scan;
}

}  // namespace sluice::bench
