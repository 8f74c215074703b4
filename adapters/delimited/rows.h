// The rows of a delimited file, as values of the columns asked for. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/delimited/record_stream.h"
#include "adapters/delimited/settings.h"
#include "adapters/files/encoding.h"
#include "adapters/files/format.h"

namespace sluice::adapters::delimited {

// Text of a field without what its quoting added; a view of `text` or of `scratch`. UTF-8.
std::string_view Unescaped(std::string_view text, bool quoted, const Dialect& dialect,
                           std::string& scratch);

class DelimitedRows : public files::Rows {
 public:
  static absl::StatusOr<std::unique_ptr<DelimitedRows>> Make(
      std::shared_ptr<const DelimitedSettings> settings, std::shared_ptr<const Content> content,
      const files::Layout& layout, std::string table,
      const std::vector<files::ColumnRequest>& columns);

  void Seek(const Place& place) override { stream_.Seek(place); }
  // A row has as many fields as the table has columns.
  absl::StatusOr<bool> Next(const Watch& watch) override;
  const Place& place() const override { return stream_.place(); }
  std::optional<files::Value> Read(size_t i) override;
  const char* why() const override { return why_; }
  // A row of another number of fields has an end of its own; bytes that are no record have none.
  bool can_go_on() const override { return can_go_on_; }
  std::string_view raw() const override { return stream_.record(); }
  int64_t MostBytes() const override;

 private:
  struct Part {
    size_t column;
    records::DataType type;
    files::ValueRule rule;
  };

  DelimitedRows(std::shared_ptr<const DelimitedSettings> settings,
                std::shared_ptr<const Content> content, std::string table, files::Decoder decoder)
      : settings_(std::move(settings)),
        stream_(std::move(content), settings_->dialect, std::move(table)),
        decoder_(std::move(decoder)) {}
  absl::Status Check() const;
  bool IsNull(const FieldSpan& span, std::string_view text) const;

  const std::shared_ptr<const DelimitedSettings> settings_;
  RecordStream stream_;
  size_t columns_ = 0;
  std::vector<Part> parts_;
  files::Decoder decoder_;
  std::string decoded_, unescaped_, scratch_;
  const char* why_ = "";
  bool can_go_on_ = false;
};

}  // namespace sluice::adapters::delimited
