// Workbooks made part by part, and archives of any parts. For tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::adapters::xlsx {

// An archive of those parts, deflated.
std::string TestArchive(const std::vector<std::pair<std::string, std::string>>& parts);

// Text as XML.
std::string Escaped(std::string_view text);

// Cells, without where they stand. `style`: an index into the workbook's formats, 0 for none.
std::string TextCell(std::string_view text);
std::string SharedCell(int number);
std::string NumberCell(std::string_view number, int style = 0);
std::string TypedCell(std::string_view type, std::string_view value);  // "b", "e", "str", "d"
std::string NoCell();

class TestSheet {
 public:
  // The next row, or that of this number, from 1.
  void Row(const std::vector<std::string>& cells, int64_t number = 0);
  void Merge(std::string_view reference) { merged_.emplace_back(reference); }
  std::string Xml() const;

 private:
  std::string rows_;
  int64_t last_ = 0;
  std::vector<std::string> merged_;
};

struct TestWorkbook {
  std::vector<std::pair<std::string, std::string>> sheets;  // names, and their XML
  std::vector<std::string> hidden;                          // names of those
  std::string shared;                                       // of <si>…</si>
  std::vector<std::string> formats;                         // codes: styles from 1
  bool from_1904 = false;
  std::vector<std::pair<std::string, std::string>> Parts() const;
  std::string Bytes() const { return TestArchive(Parts()); }
};

}  // namespace sluice::adapters::xlsx
