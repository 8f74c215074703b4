#include "adapters/xlsx/table_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "adapters/xlsx/row_record.h"
#include "adapters/xlsx/values.h"
#include "gateway/base/error.h"

namespace sluice::adapters::xlsx {
namespace {

constexpr size_t kMostTableColumns = 4'096;
constexpr size_t kMostMerged = 1'024;  // in a header
constexpr size_t kWriteBytes = 64 << 10;

}  // namespace

std::vector<std::string> HeaderNames(const std::vector<std::vector<Cell>>& rows, int64_t first_row,
                                     const std::vector<Area>& merged) {
  const auto height = static_cast<int64_t>(rows.size());
  size_t width = 0;
  for (const auto& cells : rows)
    for (const Cell& cell : cells)
      if (!cell.value.empty()) width = std::max<size_t>(width, cell.column + 1);
  const auto begins = [&](const Area& area) {
    return area.first_row >= first_row && area.first_row < first_row + height &&
           area.last_column >= area.first_column;
  };
  for (const Area& area : merged)
    if (begins(area) && area.first_column < width)
      width = std::max<size_t>(width, area.last_column + 1);
  if (width > kMostTableColumns) return std::vector<std::string>(width);
  // What stands in each place, by the cell that says it.
  std::vector<const Cell*> grid(width * rows.size(), nullptr);
  for (size_t row = 0; row < rows.size(); ++row)
    for (const Cell& cell : rows[row])
      if (!cell.value.empty()) grid[row * width + cell.column] = &cell;
  for (const Area& area : merged) {
    if (!begins(area) || area.first_column >= width) continue;
    const auto top = static_cast<size_t>(area.first_row - first_row);
    const Cell* const cell = grid[top * width + area.first_column];
    for (int64_t row = area.first_row; row <= std::min(area.last_row, first_row + height - 1);
         ++row)
      for (uint32_t column = area.first_column; column <= area.last_column; ++column)
        grid[static_cast<size_t>(row - first_row) * width + column] = cell;
  }
  std::vector<std::string> names(width);
  for (size_t column = 0; column < width; ++column) {
    const Cell* last = nullptr;
    for (size_t row = 0; row < rows.size(); ++row) {
      const Cell* const cell = grid[row * width + column];
      // Merged from top to bottom, it is one name.
      if (cell == nullptr || cell == last) continue;
      last = cell;
      names[column] += (names[column].empty() ? "" : " ") + cell->value;
    }
    if (names[column].empty()) names[column] = ColumnLetters(static_cast<uint32_t>(column));
  }
  return names;
}

absl::StatusOr<const Sheet*> FindSheet(const Workbook& workbook, const XlsxSettings& settings,
                                       const files::TableName& table) {
  const std::string said = table.part.empty() ? settings.PlaceOf(table.file).sheet : std::string();
  const Sheet* only = nullptr;
  int visible = 0;
  for (const Sheet& sheet : workbook.sheets) {
    if (!said.empty() && sheet.name == said) return &sheet;
    if (!sheet.visible) continue;
    if (!table.part.empty() && sheet.name == table.part && !settings.SaysSheet(table.file))
      return &sheet;
    only = &sheet;
    ++visible;
  }
  size_t number = 0;
  if (!said.empty() && absl::SimpleAtoi(said, &number) && number >= 1 &&
      number <= workbook.sheets.size())
    return &workbook.sheets[number - 1];
  if (!said.empty())
    return files::BadFile(table.file, "the workbook has no sheet as the setting sheet says");
  if (table.part.empty() && visible == 1) return only;
  return absl::NotFoundError("the workbook has no such sheet");
}

// Header and rows, as they come.
class TableReader::Events : public SheetEvents {
 public:
  explicit Events(TableReader& reader)
      : SheetEvents(reader.workbook_, reader.table_.Full(),
                    static_cast<size_t>(reader.settings_->most_row_bytes)),
        reader_(reader),
        only_layout_(reader.OnlyLayout()),
        first_row_(reader.place_.first_row) {}

  // The header, of which texts may not be resolved yet.
  std::vector<std::vector<Cell>>& header() { return header_; }
  const std::vector<Area>& merged() const { return merged_; }
  int64_t first_row() const { return first_row_; }
  int64_t end_of_header() const { return first_row_ + reader_.place_.header_rows; }

  // What stands in columns that the table turned out not to have.
  absl::Status CheckWidth(size_t width) const {
    if (widest_ <= width || reader_.settings_->ignores_extra_cells) return absl::OkStatus();
    return files::BadRecord(
        {table(), "row", {0, widest_row_}},
        absl::StrCat("a cell in column ", ColumnLetters(static_cast<uint32_t>(widest_ - 1)),
                     ", which the header does not name (extra_cells: ignore leaves those out)"));
  }

  absl::Status Flush() {
    const absl::Status status = reader_.rows_->Append(pending_);
    pending_.clear();
    return status;
  }

 protected:
  void TakeRow(int64_t number, std::vector<Cell>& cells, size_t count) override {
    if (first_row_ == 0) first_row_ = number;
    if (number < first_row_) return;
    if (number < end_of_header()) {
      header_.resize(static_cast<size_t>(number - first_row_) + 1);
      header_.back().assign(cells.begin(), cells.begin() + static_cast<ptrdiff_t>(count));
      last_ = number;
      return HeaderDone(number);
    }
    if (only_layout_) return;
    const int64_t expected = std::max(last_ + 1, end_of_header());
    if (number > expected && !reader_.settings_->skips_blank_rows)
      return Stop(files::BadRecord({table(), "row", {0, expected}},
                                   "an empty row amid the table (blank_rows: skip)"));
    last_ = number;
    if (cells[count - 1].column >= widest_) {
      widest_ = cells[count - 1].column + 1;
      widest_row_ = number;
    }
    for (size_t i = 0; i < count; ++i)
      if (!Resolve(cells[i])) return;
    AppendRecord(number, cells, count, kMostTableColumns, pending_);
    if (pending_.size() >= kWriteBytes) {
      if (absl::Status status = Flush(); !status.ok()) Stop(std::move(status));
    }
  }

  void TakeMerged(const Area& area) override {
    if (area.first_row < end_of_header() && area.last_row >= first_row_ &&
        merged_.size() < kMostMerged)
      merged_.push_back(area);
  }

  void EndOfRows() override {}

 private:
  // Nothing else is needed for names; which cells are merged stands behind the rows.
  void HeaderDone(int64_t number) {
    if (only_layout_ && number + 1 == end_of_header() && reader_.place_.header_rows == 1) Stop();
    if (only_layout_) return;
    for (Cell& cell : header_.back())
      if (!Resolve(cell)) return;
  }

  bool Resolve(Cell& cell) {
    if (cell.kind != CellKind::kShared) return true;
    int64_t index = -1;
    absl::Status status;
    if (!absl::SimpleAtoi(cell.value, &index) || index < 0 || reader_.texts_ == nullptr ||
        index >= reader_.texts_->count()) {
      status = files::BadRecord({table(), "row", {0, std::max(last_, first_row_)}},
                                "a cell has a shared text that the workbook does not have");
    } else {
      status = reader_.texts_->Read(index, cell.value);
    }
    if (!status.ok()) Stop(std::move(status));
    cell.kind = CellKind::kText;
    return !stopped();
  }

  TableReader& reader_;
  const bool only_layout_;
  int64_t first_row_;
  int64_t last_ = 0;  // the last row that was not empty
  std::vector<std::vector<Cell>> header_;
  std::vector<Area> merged_;
  size_t widest_ = 0;
  int64_t widest_row_ = 0;
  std::string pending_;
};

TableReader::TableReader(std::shared_ptr<const files::Content> file, files::TableName table,
                         std::shared_ptr<const XlsxSettings> settings, std::string work_folder)
    : file_(std::move(file)),
      table_(std::move(table)),
      settings_(std::move(settings)),
      work_folder_(std::move(work_folder)),
      place_(settings_->PlaceOf(table_.Full())) {}

TableReader::~TableReader() = default;

absl::Status TableReader::Begin(const files::Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(archive_,
                          Archive::Open(file_, table_.file, settings_->most_unpacked_bytes));
  SLUICE_ASSIGN_OR_RETURN(workbook_, ReadWorkbook(*archive_, table_.file, true, watch));
  SLUICE_ASSIGN_OR_RETURN(const Sheet* const sheet, FindSheet(workbook_, *settings_, table_));
  sheet_part_ = sheet->part;
  if (OnlyLayout() || workbook_.shared_strings.empty()) return BeginSheet();
  return BeginTexts();
}

absl::Status TableReader::BeginTexts() {
  SLUICE_ASSIGN_OR_RETURN(texts_, SharedTexts::Make(work_folder_));
  text_events_ = std::make_unique<SharedTextEvents>(
      table_.file, static_cast<size_t>(settings_->most_row_bytes),
      [this](int64_t, std::string_view text) -> absl::StatusOr<bool> {
        SLUICE_RETURN_IF_ERROR(texts_->Add(text));
        return true;
      });
  part_ = std::make_unique<XmlPart>(workbook_.shared_strings, table_.file, *text_events_);
  phase_ = Phase::kTexts;
  return absl::OkStatus();
}

absl::Status TableReader::BeginSheet() {
  if (!OnlyLayout()) {
    SLUICE_ASSIGN_OR_RETURN(rows_, files::ScratchBytes::Make(work_folder_));
  }
  events_ = std::make_unique<Events>(*this);
  part_ = std::make_unique<XmlPart>(sheet_part_, table_.file, *events_);
  phase_ = Phase::kSheet;
  return absl::OkStatus();
}

absl::Status TableReader::Read(const files::Watch& watch) {
  if (phase_ == Phase::kStart) SLUICE_RETURN_IF_ERROR(Begin(watch));
  if (phase_ == Phase::kTexts) {
    SLUICE_RETURN_IF_ERROR(part_->Read(*archive_, watch));
    SLUICE_RETURN_IF_ERROR(BeginSheet());
  }
  if (phase_ == Phase::kSheet) {
    SLUICE_RETURN_IF_ERROR(part_->Read(*archive_, watch));
    phase_ = Phase::kHeader;
  }
  if (phase_ == Phase::kHeader) {
    if (OnlyLayout()) SLUICE_RETURN_IF_ERROR(PickTexts(watch));
    SLUICE_RETURN_IF_ERROR(Finish());
    phase_ = Phase::kDone;
  }
  return absl::OkStatus();
}

// Of the shared texts, the few that the header has.
absl::Status TableReader::PickTexts(const files::Watch& watch) {
  std::multimap<int64_t, Cell*> wanted;
  for (auto& cells : events_->header()) {
    for (Cell& cell : cells) {
      int64_t index = -1;
      if (cell.kind == CellKind::kShared && absl::SimpleAtoi(cell.value, &index))
        wanted.insert({index, &cell});
    }
  }
  if (!wanted.empty() && !workbook_.shared_strings.empty()) {
    const int64_t last = wanted.rbegin()->first;
    SharedTextEvents events(table_.file, static_cast<size_t>(settings_->most_row_bytes),
                            [&](int64_t number, std::string_view text) {
                              const auto [from, to] = wanted.equal_range(number);
                              for (auto one = from; one != to; ++one) {
                                one->second->kind = CellKind::kText;
                                one->second->value = text;
                              }
                              return number < last;
                            });
    SLUICE_RETURN_IF_ERROR(
        ReadXml(*archive_, workbook_.shared_strings, table_.file, events, watch));
  }
  for (const auto& [index, cell] : wanted)
    if (cell->kind == CellKind::kShared)
      return files::BadRecord({table_.Full(), "row", {0, events_->first_row()}},
                              "a cell has a shared text that the workbook does not have");
  return absl::OkStatus();
}

absl::Status TableReader::Finish() {
  const std::string table = table_.Full();
  auto& header = events_->header();
  for (auto& cells : header)
    for (Cell& cell : cells) cell.value = TextOfCell({cell.kind, cell.value}, workbook_.from_1904);
  auto names = HeaderNames(header, events_->first_row(), events_->merged());
  if (names.empty())
    return files::BadRecord({table, "row", {0, std::max<int64_t>(events_->first_row(), 1)}},
                            "the sheet has no header");
  if (names.size() > kMostTableColumns)
    return files::BadRecord({table, "row", {0, events_->first_row()}},
                            "over 4096 columns, which is the most");
  if (!OnlyLayout()) {
    SLUICE_RETURN_IF_ERROR(events_->CheckWidth(names.size()));
    SLUICE_RETURN_IF_ERROR(events_->Flush());
  }
  auto layout = std::make_shared<XlsxLayout>();
  layout->from_1904 = workbook_.from_1904;
  layout->rows = {0, events_->end_of_header()};
  for (std::string& name : names) {
    const auto type = settings_->rules.TypeOf(table, name);
    layout->columns.push_back(
        {std::move(name), type.value_or(records::DataType{records::TypeId::kUtf8}), true, "cell"});
  }
  layout_ = std::move(layout);
  // What reading took is given back.
  part_.reset();
  events_.reset();
  text_events_.reset();
  texts_.reset();
  archive_.reset();
  return absl::OkStatus();
}

}  // namespace sluice::adapters::xlsx
