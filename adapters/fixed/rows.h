// The records of a fixed-width file, as values of the columns asked for. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/code_page.h"
#include "adapters/files/encoding.h"
#include "adapters/files/format.h"
#include "adapters/files/window.h"
#include "adapters/fixed/settings.h"

namespace sluice::adapters::fixed {

class FixedRows : public files::Rows {
 public:
  // `layout` lives as long as the settings.
  static absl::StatusOr<std::unique_ptr<FixedRows>> Make(
      std::shared_ptr<const FixedSettings> settings, const RecordLayout& layout,
      std::shared_ptr<const files::Content> content, std::string table,
      const std::vector<files::ColumnRequest>& columns);

  void Seek(const files::Place& place) override { next_ = place; }
  absl::StatusOr<bool> Next(const files::Watch& watch) override;
  // Takes one line, whatever it holds; false at the end.
  absl::StatusOr<bool> SkipLine(const files::Watch& watch);
  const files::Place& place() const override { return place_; }
  const files::Place& next_place() const { return next_; }
  std::optional<files::Value> Read(size_t i) override;
  const char* why() const override { return why_; }
  bool can_go_on() const override { return next_.offset > place_.offset; }
  std::string_view raw() const override { return record_; }
  int64_t MostBytes() const override { return most_bytes_; }

 private:
  struct Part {
    size_t begin, end;  // as the layout counts
    records::DataType type;
    files::ValueRule rule;
    FieldRule field_rule;
  };

  FixedRows(std::shared_ptr<const FixedSettings> settings, const RecordLayout& layout,
            std::shared_ptr<const files::Content> content, std::string table,
            std::optional<files::Decoder> decoder, std::optional<files::PageDecoder> page)
      : settings_(std::move(settings)),
        layout_(layout),
        table_(std::move(table)),
        window_(std::move(content)),
        decoder_(std::move(decoder)),
        page_(std::move(page)) {}

  files::Spot spot() const { return {table_, "record", place_}; }
  // A line's content and how many bytes it takes with its end; `size` 0 at the end.
  absl::StatusOr<std::string_view> Line(size_t most, const files::Watch& watch, size_t& size);
  absl::StatusOr<bool> NextByLength(const files::Watch& watch);
  absl::StatusOr<bool> NextByLine(const files::Watch& watch);
  bool IsDosEnd(std::string_view bytes) const;
  size_t FindEnd(std::string_view bytes, size_t from) const;
  void FindCharacters();
  absl::Status CheckWidth();
  std::string_view Slice(const Part& part);
  std::string_view Trimmed(std::string_view text) const;
  // The number as records write it, without what fills it up; nothing where it is none.
  std::optional<std::string_view> Number(std::string_view text, const Part& part);

  const std::shared_ptr<const FixedSettings> settings_;
  const RecordLayout& layout_;
  const std::string table_;
  files::Window window_;
  // One of them.
  std::optional<files::Decoder> decoder_;
  std::optional<files::PageDecoder> page_;
  std::vector<Part> parts_;
  int64_t most_bytes_ = 0;
  std::string_view record_;
  std::vector<size_t> characters_;  // where each begins in the record; where characters count
  files::Place place_;
  files::Place next_;
  std::string decoded_, number_, scratch_;
  const char* why_ = "";
};

}  // namespace sluice::adapters::fixed
