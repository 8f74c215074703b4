#include "adapters/xlsx/sheet.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::xlsx {

bool ParseReference(std::string_view text, uint32_t* column, int64_t* row) {
  size_t at = 0;
  uint32_t letters = 0;
  for (; at < text.size() && absl::ascii_isalpha(static_cast<unsigned char>(text[at])); ++at) {
    if (letters > kMostSheetColumns) return false;
    letters = letters * 26 + (absl::ascii_toupper(static_cast<unsigned char>(text[at])) - 'A' + 1u);
  }
  if (letters == 0 || letters > kMostSheetColumns || at == text.size()) return false;
  int64_t number = 0;
  for (; at < text.size(); ++at) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) return false;
    number = number * 10 + (text[at] - '0');
    if (number > kMostSheetRows) return false;
  }
  if (number == 0) return false;
  *column = letters - 1;
  *row = number;
  return true;
}

std::string ColumnLetters(uint32_t column) {
  std::string letters;
  for (int64_t left = int64_t{column} + 1; left > 0; left = (left - 1) / 26)
    letters.insert(letters.begin(), static_cast<char>('A' + (left - 1) % 26));
  return letters;
}

absl::Status SheetEvents::BadRow(std::string_view what) const {
  return files::BadRecord({table_, "row", {0, std::max<int64_t>(row_, 1)}}, what);
}

void SheetEvents::Start(std::string_view element, const Attributes& attributes) {
  if (element == "sheetData") {
    in_rows_ = true;
  } else if (element == "row" && in_rows_ && !in_row_) {
    StartRow(attributes);
  } else if (element == "c" && in_row_ && !in_cell_) {
    StartCell(attributes);
  } else if (in_cell_ && element == "v") {
    in_value_ = has_value_ = true;
  } else if (in_cell_ && element == "f") {
    has_formula_ = true;
  } else if (in_cell_ && element == "is") {
    in_inline_ = has_value_ = true;
    run_.Begin();
  } else if (in_inline_) {
    run_.Start(element);
  } else if (element == "mergeCell" && !in_rows_) {
    const char* const reference = attributes.Find("ref");
    const std::string_view text = reference == nullptr ? "" : reference;
    const size_t colon = text.find(':');
    Area area;
    if (colon != text.npos &&
        ParseReference(text.substr(0, colon), &area.first_column, &area.first_row) &&
        ParseReference(text.substr(colon + 1), &area.last_column, &area.last_row))
      TakeMerged(area);
  }
}

void SheetEvents::StartRow(const Attributes& attributes) {
  const int64_t before = row_;
  ++row_;
  if (const char* const number = attributes.Find("r"); number != nullptr) {
    int64_t said = 0;
    if (!absl::SimpleAtoi(number, &said) || said <= before || said > kMostSheetRows)
      return Stop(BadRow("a row behind it has a number that does not follow"));
    row_ = said;
  }
  in_row_ = true;
  next_column_ = 0;
  row_bytes_ = 0;
  count_ = 0;
}

void SheetEvents::StartCell(const Attributes& attributes) {
  int64_t column = next_column_;
  if (const char* const reference = attributes.Find("r"); reference != nullptr) {
    uint32_t said = 0;
    int64_t row = 0;
    if (!ParseReference(reference, &said, &row) || row != row_ || said < next_column_)
      return Stop(BadRow("a cell stands where its reference does not say"));
    column = said;
  }
  if (column >= kMostSheetColumns)
    return Stop(BadRow("the row has over 16384 columns, which is the most"));
  next_column_ = column + 1;
  if (count_ == cells_.size()) cells_.emplace_back();
  cell_ = &cells_[count_];
  cell_->column = static_cast<uint32_t>(column);
  cell_->value.clear();
  const char* const type = attributes.Find("t");
  type_text_ = type == nullptr ? "n" : type;
  style_ = 0;
  if (const char* const style = attributes.Find("s"); style != nullptr)
    (void)absl::SimpleAtoi(style, &style_);
  in_cell_ = true;
  has_value_ = has_formula_ = false;
}

void SheetEvents::End(std::string_view element) {
  if (element == "sheetData") {
    in_rows_ = false;
    EndOfRows();
  } else if (element == "row" && in_row_ && !in_cell_) {
    in_row_ = false;
    if (count_ > 0) TakeRow(row_, cells_, count_);
  } else if (element == "c" && in_cell_) {
    EndCell();
  } else if (element == "v") {
    in_value_ = false;
  } else if (element == "is" && in_inline_) {
    in_inline_ = false;
    if (in_cell_) cell_->value = run_.text();
  } else if (in_inline_) {
    run_.End(element);
  }
}

void SheetEvents::EndCell() {
  in_cell_ = in_value_ = in_inline_ = false;
  std::string& value = cell_->value;
  const std::string_view type = type_text_;
  if (type == "s") {
    cell_->kind = has_value_ ? CellKind::kShared : CellKind::kEmpty;
  } else if (type == "str" || type == "inlineStr") {
    cell_->kind = has_value_ ? CellKind::kText : CellKind::kEmpty;
    TakeEscapesBack(value);
  } else if (type == "b") {
    cell_->kind = value.empty() ? CellKind::kEmpty : CellKind::kBool;
  } else if (type == "e") {
    cell_->kind = CellKind::kError;
  } else if (type == "d") {
    cell_->kind = value.empty() ? CellKind::kEmpty : CellKind::kIso;
  } else if (value.empty()) {
    cell_->kind = CellKind::kEmpty;
  } else {
    const NumberKind number = workbook_.KindOfStyle(style_);
    cell_->kind = number == NumberKind::kDate   ? CellKind::kDate
                  : number == NumberKind::kTime ? CellKind::kTime
                                                : CellKind::kNumber;
  }
  if (cell_->kind == CellKind::kEmpty && has_formula_) cell_->kind = CellKind::kUnknown;
  if (cell_->kind != CellKind::kEmpty) ++count_;
}

void SheetEvents::Text(std::string_view text) {
  if (!in_value_ && !in_inline_) return;
  row_bytes_ += text.size();
  if (row_bytes_ > most_row_bytes_)
    return Stop(BadRow(absl::StrCat("a row of over ", most_row_bytes_, " bytes (most_row_bytes)")));
  if (in_inline_) {
    run_.Text(text);
  } else {
    cell_->value.append(text);
  }
}

}  // namespace sluice::adapters::xlsx
