// Where the rows of one version of a file stand in the order of a key. A file that is in that order
// needs marks only, as long as memory may hold them; more of them, and of any other file the places
// of all rows, are kept sorted in a Scratch.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/files/budgets.h"
#include "adapters/files/folder.h"
#include "adapters/files/format.h"
#include "adapters/files/job.h"
#include "adapters/files/key.h"
#include "adapters/files/key_run.h"
#include "adapters/files/key_sorter.h"
#include "adapters/files/marks.h"
#include "adapters/files/reject_file.h"

namespace sluice::adapters::files {

// Immutable once built; any thread.
struct KeyIndex {
  explicit KeyIndex(const Budgets& budgets) : marks(budgets.mark_bytes, budgets.mark_step) {}

  int64_t rows = 0;
  int64_t rejected = 0;  // records that are no rows
  bool file_order = true;
  Marks marks;  // places in the file, or blocks of the run where there is one
  std::unique_ptr<Scratch> scratch;
  KeyRun run;  // of all rows; of some, that are marks, where the file is in order
};

// What an index is made of.
struct IndexedTable {
  std::shared_ptr<const Format> format;
  std::shared_ptr<const Content> content;
  std::shared_ptr<const Layout> layout;
  TableName name;
  std::vector<ColumnRequest> key;  // the key's columns, in its order
  std::string work_folder;
  // Where records that are no rows are left for their owner; they are mistakes where it is empty.
  std::string reject_folder;
  std::string version;  // of the file, for the reject file's name
};

// Reads the whole table: every row has a key, and no key comes twice. What is wrong is what Finish
// says. Of a table without a key the records are only looked at.
class IndexBuild : public Job {
 public:
  // `file` is what the content was made from.
  IndexBuild(IndexedTable table, std::shared_ptr<const SourceFile> file, const Budgets& budgets);

  // Once done.
  std::shared_ptr<const KeyIndex> index() const { return index_; }

 protected:
  absl::Status Work(const Watch& watch) override;
  void Restart() override;

 private:
  enum class Phase { kStart, kLooking, kSorting, kMerging };

  absl::Status Build(const Watch& watch);
  absl::Status Start();
  absl::Status Open();
  absl::StatusOr<bool> NextKey(const Watch& watch);
  absl::Status Look(const Watch& watch);
  absl::Status Mark(const Place& place);
  absl::Status MoveMarks();
  absl::Status Sort(const Watch& watch);

  IndexedTable table_;
  const std::string full_name_;
  const Budgets budgets_;

  std::shared_ptr<const SourceFile> file_;  // until done
  Phase phase_ = Phase::kStart;
  int64_t rows_ = 0;
  std::optional<RejectFile> rejects_;
  std::unique_ptr<Rows> reader_;
  std::optional<KeyReader> keys_;
  std::string key_, last_key_;
  Place last_place_;
  std::optional<KeyRunWriter> marks_;  // where they are more than memory may hold
  int64_t last_mark_ = 0;
  std::unique_ptr<KeySorter> sorter_;
  std::shared_ptr<KeyIndex> index_;
};

}  // namespace sluice::adapters::files
