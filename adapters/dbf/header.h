// The header of a table: which dialect of dBase or FoxPro it is, its columns and how long its
// records are. dBase II, III, IV, 5 and 7, FoxBase, FoxPro 2, Visual FoxPro, Clipper.
// docs/adapters/dbf.md has the types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/dbf/code_pages.h"
#include "adapters/files/content.h"
#include "gateway/records/types.h"

namespace sluice::adapters::dbf {

inline constexpr size_t kMostColumns = 4'096;
inline constexpr char kLive = ' ';
inline constexpr char kDeleted = '*';
inline constexpr char kEndOfFile = '\x1A';

// What the bytes of a field are.
enum class FieldKind : uint8_t {
  kText,         // padded with blanks
  kVarchar,      // its length in its last byte where a bit of the null flags says so
  kNumber,       // digits
  kDate,         // YYYYMMDD
  kLogical,      // T F Y N
  kInt32,        // little-endian
  kInt32Lifted,  // dBase 7: big-endian, the sign's bit turned
  kCurrency,     // ten-thousandths, 64 bits
  kDateTime,     // Julian day, milliseconds
  kDouble,
  kDoubleLifted,  // dBase 7
  kMemoText,
  kMemoBytes,
  kVarbinary,
  kBytes,  // whatever they are
};

struct Column {
  std::string name;  // UTF-8, unique but for the case of letters where the file's are not
  char type = 'C';
  FieldKind kind = FieldKind::kText;
  size_t offset = 0;  // in the record, behind the mark of deletion
  size_t length = 0;
  int decimals = 0;
  std::optional<size_t> null_bit;    // in the null flags
  std::optional<size_t> length_bit;  // says that the last byte is a length
  bool memo() const { return kind == FieldKind::kMemoText || kind == FieldKind::kMemoBytes; }
};

enum class MemoForm : uint8_t { kDbase3, kDbase4, kFoxPro };

struct Header {
  uint8_t version = 0;
  int64_t records = 0;
  int64_t length = 0;        // bytes before the first record
  size_t record_length = 0;  // with the mark of deletion
  std::vector<Column> columns;
  size_t null_flags = 0;  // where they stand in the record; 0 where there are none
  size_t null_flag_bytes = 0;
  const CodePage* page = nullptr;  // of names and text; null where it is not known
  bool has_memos() const;
  bool fox_pro() const;  // memos are FoxPro's, whatever the name of their file
};

// SOURCE_BAD_VALUE naming the table. `page` is what the settings say; null for what the header
// does.
absl::StatusOr<Header> ReadHeader(const files::Content& content, const std::string& table,
                                  const CodePage* page);

// What a column's values are where nobody says it.
records::DataType TypeOf(const Column& column);
// "C(20)", "N(8,2)".
std::string SourceTypeOf(const Column& column);

}  // namespace sluice::adapters::dbf
