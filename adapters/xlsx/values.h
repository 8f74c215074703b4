// Cells as values. Numbers are decimal text as the file has it; dates are numbers that a format
// shows as dates. docs/adapters/xlsx.md has the rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/files/values.h"
#include "adapters/xlsx/row_record.h"

namespace sluice::adapters::xlsx {

// A serial number of a day, with the time as its fraction: microseconds since 1970, to the
// millisecond. Nothing for what is no day: below 1, above 9999-12-31, and the 29th of February of
// 1900, which was none.
std::optional<int64_t> MicrosOfSerial(double serial, bool from_1904);

// The number in plain decimals, as a spreadsheet shows it: what has a fraction or an exponent is
// rounded to 15 significant digits, where it has more. False for what is no number.
bool WriteShownNumber(std::string_view text, std::string& out);

// As text, for names of columns.
std::string TextOfCell(const CellView& cell, bool from_1904);

// How a column's cells are written: those that are text as their owner says, numbers with a point.
struct CellRules {
  explicit CellRules(files::ValueRule rule);
  files::ValueRule of_texts;
  files::ValueRule of_numbers;
};

// One thread. Values borrow from it and from the cell.
class CellReader {
 public:
  explicit CellReader(bool from_1904) : from_1904_(from_1904) {}
  // Nothing where the cell is not of the type; then why() may say more.
  std::optional<files::Value> Read(const CellView& cell, const records::DataType& type,
                                   const CellRules& rules);
  const char* why() const { return why_; }

 private:
  std::optional<files::Value> ReadNumber(std::string_view text, const records::DataType& type,
                                         const files::ValueRule& rule);
  std::optional<files::Value> ReadSerial(const CellView& cell, const records::DataType& type);
  std::optional<files::Value> ReadIso(std::string_view text, const records::DataType& type);
  std::optional<files::Value> OfMicros(int64_t micros, const records::DataType& type);

  const bool from_1904_;
  std::string written_, scratch_;
  const char* why_ = "";
};

}  // namespace sluice::adapters::xlsx
