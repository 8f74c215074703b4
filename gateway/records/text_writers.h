// Batches as JSON lines and CSV.
#pragma once

#include <string>
#include <vector>

#include "gateway/records/types.h"

namespace sluice::records {

// One object a line, keys in schema order. bool, int64 and finite float64 as JSON numbers, other
// floats null; decimals, dates and timestamps as strings; binary as base64. int64 beyond 2^53 stays
// a number: JSON sets no bound, and its digits are exact.
void AppendJsonLines(const RecordBatch& batch, std::string& out);

// RFC 4180 with CRLF. Null is an empty field, empty text is "". Header by AppendCsvHeader. Binary
// as base64; floats that are no numbers as NaN, Infinity, -Infinity. No value is altered, so one
// that begins with "=" is a formula to a spreadsheet.
void AppendCsvHeader(const Schema& schema, std::string& out);
void AppendCsv(const RecordBatch& batch, std::string& out);

// The same bytes row by row, for whoever cuts text into pieces. Immutable.
class RowTextWriter {
 public:
  enum class Format { kJsonLines, kCsv };
  RowTextWriter(Format format, const Schema& schema);
  // What stands before the first row; nothing in JSON lines.
  const std::string& header() const { return header_; }
  // The batch has the schema.
  void AppendRow(const RecordBatch& batch, int64_t row, std::string& out) const;

 private:
  const Format format_;
  std::string header_;
  std::vector<std::string> keys_;  // what stands before each value, escaped once
};

// The value as a table shows it ("" for null). Text as it is: whoever writes to a terminal makes
// control characters harmless.
std::string DisplayValue(const Column& column, int64_t row);

}  // namespace sluice::records
