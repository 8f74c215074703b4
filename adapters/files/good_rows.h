// The rows of a table without the records that are none: those go into a reject file, or are only
// left out where that was done before. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/files/format.h"
#include "adapters/files/key.h"
#include "adapters/files/reject_file.h"

namespace sluice::adapters::files {

class GoodRows : public Rows {
 public:
  // With `key`, whose columns are indices into `columns`, a record without it is none. `rejects`
  // may be null.
  GoodRows(std::unique_ptr<Rows> rows, std::vector<ColumnRequest> columns, std::vector<int> key,
           std::string table, const char* counted, RejectFile* rejects)
      : rows_(std::move(rows)),
        has_key_(!key.empty()),
        keys_(*rows_, std::move(columns), std::move(key), std::move(table), counted),
        rejects_(rejects) {}

  void Seek(const Place& place) override { rows_->Seek(place); }
  absl::StatusOr<bool> Next(const Watch& watch) override;
  const Place& place() const override { return rows_->place(); }
  std::optional<Value> Read(size_t i) override { return rows_->Read(i); }
  const char* why() const override { return rows_->why(); }
  int64_t MostBytes() const override { return rows_->MostBytes(); }
  std::string_view raw() const override { return rows_->raw(); }

 private:
  const std::unique_ptr<Rows> rows_;
  const bool has_key_;
  KeyReader keys_;
  RejectFile* const rejects_;
  std::string key_;
};

}  // namespace sluice::adapters::files
