// A scan of one version of a table. Each Next reads what a batch takes and looks whether the file
// is still that version, before anything of the batch is given away.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/files/cursor.h"
#include "adapters/files/drops.h"
#include "adapters/files/settings.h"

namespace sluice::adapters::files {

// What the scans of a source share.
struct Source {
  std::shared_ptr<const Format> format;
  FileSettings settings;
  Budgets budgets;
  std::unique_ptr<Drops> drops;
};

class FileReader : public RecordReader {
 public:
  FileReader(std::shared_ptr<Source> source, ScanRequest request, CallContext context);

  absl::StatusOr<std::optional<records::RecordBatch>> Next() override;
  void Cancel() override { cancelled_.store(true, std::memory_order_release); }
  SourceVersion version() const override { return version_; }
  bool snapshot() const override { return true; }
  int64_t bad_values() const override { return bad_values_; }
  const std::vector<BadCell>& bad_cells() const override { return bad_cells_; }

 private:
  using Builders = std::vector<records::ColumnBuilder>;

  absl::Status ChangesFirst(absl::Status status, const Watch& watch) const;
  absl::Status Start(const Watch& watch);
  absl::StatusOr<std::optional<records::RecordBatch>> ReadBatch(const Watch& watch);
  absl::Status AppendRow(Builders& builders, int64_t row);

  const std::shared_ptr<Source> source_;
  const ScanRequest request_;
  const TableName table_;
  const CallContext context_;
  const records::SchemaPtr schema_;
  std::vector<bool> in_key_;  // by field

  absl::Status failed_;  // what every Next says from then on
  bool started_ = false;
  std::shared_ptr<const SourceFile> file_;
  std::shared_ptr<FileVersion> file_version_;
  SourceVersion version_;
  std::unique_ptr<Rows> rows_;
  std::optional<KeyReader> keys_;
  std::optional<Cursor> cursor_;
  bool pending_ = false;  // the rows stand at one that no batch has
  bool at_end_ = false;
  int64_t batch_rows_;
  int64_t rows_read_ = 0;
  int64_t bad_values_ = 0;
  std::vector<BadCell> bad_cells_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace sluice::adapters::files
