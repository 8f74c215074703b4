// How many rows a version of a table has.
#pragma once

#include <cstdint>
#include <memory>

#include "adapters/files/folder.h"
#include "adapters/files/format.h"
#include "adapters/files/job.h"

namespace sluice::adapters::files {

class RowCount : public Job {
 public:
  // `content` is what the format reads, made from `file`.
  RowCount(std::shared_ptr<const Format> format, std::shared_ptr<const Content> content,
           std::shared_ptr<const SourceFile> file, TableName table)
      : format_(std::move(format)),
        content_(std::move(content)),
        file_(std::move(file)),
        table_(std::move(table)) {}
  // Once done.
  int64_t count() const { return count_; }

 protected:
  absl::Status Work(const Watch& watch) override;
  void Restart() override;

 private:
  absl::Status Count(const Watch& watch);

  const std::shared_ptr<const Format> format_;
  std::shared_ptr<const Content> content_;  // until done, as what follows
  std::shared_ptr<const SourceFile> file_;
  const TableName table_;
  std::unique_ptr<Rows> rows_;
  int64_t count_ = 0;
};

}  // namespace sluice::adapters::files
