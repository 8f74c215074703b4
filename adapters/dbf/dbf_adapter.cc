#include "adapters/dbf/dbf_adapter.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/dbf/rows.h"
#include "adapters/files/errors.h"
#include "adapters/files/files_adapter.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace dbf {
namespace {

using files::Content;
using files::Watch;

// The name of the memo file beside a table of that name: .dbf has .dbt or .fpt; FoxPro's forms,
// reports and databases (.scx, .frx, .dbc) have theirs with a t at the end.
std::vector<std::string> MemoNames(const Header& header, std::string_view file_name) {
  const size_t dot = file_name.rfind('.');
  const std::string stem(file_name.substr(0, dot == 0 ? std::string::npos : dot));
  std::vector<std::string> names = {stem + ".dbt", stem + ".fpt"};
  if (header.fox_pro()) std::swap(names[0], names[1]);
  if (dot == file_name.npos || dot == 0 || file_name.size() - dot != 4) return names;
  std::string ending = absl::AsciiStrToLower(std::string(file_name.substr(dot)));
  ending.back() = 't';
  if (ending != ".dbt") names.insert(names.begin(), stem + ending);
  return names;
}

// The version of the table tells; the memo file itself does not.
MemoForm FormOf(const Header& header) {
  if (header.fox_pro()) return MemoForm::kFoxPro;
  const bool third = header.version == 0x83 || header.version == 0x87 || header.version == 0x03;
  return third ? MemoForm::kDbase3 : MemoForm::kDbase4;
}

class DbfFormat : public files::Format {
 public:
  explicit DbfFormat(DbfSettings settings)
      : settings_(std::make_shared<const DbfSettings>(std::move(settings))) {}

  const char* counted() const override { return "record"; }

  absl::StatusOr<std::vector<std::string>> Companions(const Content& content,
                                                      std::string_view file_name) const override {
    // What is wrong with the header is said where it is read for its columns.
    const auto header = ReadHeader(content, "", settings_->page);
    if (!header.ok() && ReasonOf(header.status()) != v1::REASON_SOURCE_BAD_VALUE)
      return header.status();
    if (!header.ok() || !header->has_memos()) return std::vector<std::string>();
    return MemoNames(*header, file_name);
  }

  absl::StatusOr<std::shared_ptr<const files::Layout>> ReadLayout(
      const std::shared_ptr<const Content>& content, const files::TableName& table,
      const Watch&) const override {
    if (!table.part.empty()) return absl::NotFoundError("a dbf file is one table");
    auto layout = std::make_shared<DbfLayout>();
    SLUICE_ASSIGN_OR_RETURN(layout->header, ReadHeader(*content, table.file, settings_->page));
    const Header& header = layout->header;
    for (const Column& column : header.columns) {
      const auto type = settings_->rules.TypeOf(table.file, column.name);
      layout->columns.push_back(
          {column.name, type.value_or(TypeOf(column)), true, SourceTypeOf(column)});
    }
    SLUICE_ASSIGN_OR_RETURN(layout->records, CountRecords(*content, header, table.file));
    layout->rows = {header.length, 1};
    layout->memo_form = FormOf(header);
    return layout;
  }

  absl::StatusOr<std::unique_ptr<files::Rows>> Open(
      std::shared_ptr<const Content> content, std::shared_ptr<const files::Layout> layout,
      const files::TableName& table, std::vector<files::ColumnRequest> columns) const override {
    return DbfRows::Make(settings_, std::move(content),
                         std::static_pointer_cast<const DbfLayout>(std::move(layout)), table.file,
                         columns);
  }

 private:
  // How many the file has. A file that is shorter than its header says may have been cut; one that
  // goes on with whole records may have rows that its header forgot.
  absl::StatusOr<int64_t> CountRecords(const Content& content, const Header& header,
                                       const std::string& table) const {
    const auto length = static_cast<int64_t>(header.record_length);
    const int64_t there = (content.size() - header.length) / length;
    if (there < header.records) {
      if (settings_->reads_short) return there;
      return files::BadFile(
          table,
          absl::StrCat("its header says ", header.records, " records, and the file has ", there,
                       ": it may have been cut short (short_file: read takes those)"));
    }
    const int64_t end = header.length + header.records * length;
    if (there > header.records && !settings_->reads_rest) {
      char mark = 0;
      size_t read = 0;
      SLUICE_RETURN_IF_ERROR(content.Read(end, 1, &mark, &read));
      if (mark != kEndOfFile)
        return files::BadFile(
            table, absl::StrCat("its header says ", header.records, " records, and the file has ",
                                there, " (records_behind: ignore leaves the rest out)"));
    }
    return header.records;
  }

  const std::shared_ptr<const DbfSettings> settings_;
};

}  // namespace

std::shared_ptr<const files::Format> MakeFormat(DbfSettings settings) {
  return std::make_shared<const DbfFormat>(std::move(settings));
}

}  // namespace dbf

absl::StatusOr<std::unique_ptr<Adapter>> OpenDbf(const Settings& settings,
                                                 const files::Budgets& budgets) {
  SLUICE_ASSIGN_OR_RETURN(auto parsed, dbf::ParseSettings(settings));
  return files::OpenFiles(dbf::MakeFormat(std::move(parsed.format)), std::move(parsed.files),
                          budgets);
}

absl::StatusOr<std::unique_ptr<Adapter>> OpenDbf(const Settings& settings) {
  return OpenDbf(settings, files::Budgets());
}

absl::Status CheckDbfSettings(const Settings& settings) {
  return dbf::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
