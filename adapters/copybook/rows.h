// The rows of a file of records, as values of the columns asked for. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/copybook/columns.h"
#include "adapters/copybook/field_reader.h"
#include "adapters/copybook/locator.h"
#include "adapters/copybook/record_stream.h"
#include "adapters/files/format.h"

namespace sluice::adapters::copybook {

class CopybookRows : public files::Rows {
 public:
  static absl::StatusOr<std::unique_ptr<CopybookRows>> Make(
      std::shared_ptr<const CopybookSettings> settings, std::shared_ptr<const Content> content,
      std::shared_ptr<const TableLayout> layout, std::string table,
      const std::vector<files::ColumnRequest>& columns);

  void Seek(const Place& place) override;
  absl::StatusOr<bool> Next(const Watch& watch) override;
  const Place& place() const override { return place_; }
  std::optional<Value> Read(size_t i) override;
  const char* why() const override { return why_; }
  bool can_go_on() const override { return stream_.can_go_on(); }
  std::string_view raw() const override { return stream_.record(); }
  int64_t MostBytes() const override { return most_bytes_; }

 private:
  // A condition with what its values are compared with.
  struct Test {
    const Condition* condition = nullptr;
    const Leaf* leaf = nullptr;
    struct Known {
      std::string text;
      std::optional<Number> number;
    };
    std::vector<Known> values;
  };
  struct Part {
    const ColumnPlan* plan = nullptr;
    const Leaf* leaf = nullptr;
    std::optional<FieldReader> reader;
    std::vector<Test> holds;
    std::optional<Test> null_if;
    int64_t fixed = -1;  // where the field lies in every record; -1 where that differs
    bool plain = false;  // nothing but the record's length says whether it is there
  };

  CopybookRows(std::shared_ptr<const CopybookSettings> settings,
               std::shared_ptr<const TableLayout> layout, RecordStream stream,
               std::unique_ptr<TextReader> text)
      : settings_(std::move(settings)),
        layout_(std::move(layout)),
        stream_(std::move(stream)),
        text_(std::move(text)) {}
  void AddPart(const files::ColumnRequest& column, const std::string& table);
  Test TestOf(const Condition& condition) const;
  void FindFixed();
  bool Holds(const Test& test);
  bool Equals(const Leaf& leaf, int64_t at, const Test& test);
  absl::StatusOr<bool> NextRow(const Watch& watch);
  void StumbleAt(const Place& place);
  absl::StatusOr<bool> NextRecord(const Watch& watch);
  absl::StatusOr<bool> BelongsHere();
  absl::Status CheckLength() const;
  bool FirstOccurrence();
  bool NextOccurrence();
  bool Settle(size_t level);
  int64_t CountAt(size_t level) const;
  std::string_view BytesAt(int64_t at, int64_t size) const;
  std::optional<Value> ReadField(Part& part);

  const std::shared_ptr<const CopybookSettings> settings_;
  const std::shared_ptr<const TableLayout> layout_;
  RecordStream stream_;
  std::unique_ptr<TextReader> text_;
  std::optional<Locator> locator_;
  std::vector<Part> parts_;
  std::optional<Test> segment_, other_segment_;
  Condition segment_condition_, other_condition_;
  bool short_is_null_ = false;
  bool checks_size_ = false;  // a record is as long as its counts say
  int64_t most_bytes_ = 0;

  std::string_view record_;
  std::vector<int64_t> path_;  // the row's occurrences, from 0
  bool in_record_ = false;     // rows of the record may follow
  int64_t occurrence_ = 0;     // of the record's rows, from 1
  int32_t wanted_part_ = 0;    // where Seek goes
  bool sought_ = false;
  int64_t wanted_number_ = 0;
  Place place_;
  const char* why_ = "";
};

}  // namespace sluice::adapters::copybook
