// Where the rows of one version of a file stand in the order of a key. A file that is in that order
// needs marks only; of any other the places of all rows are kept sorted, in a Scratch.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/delimited/budgets.h"
#include "adapters/delimited/job.h"
#include "adapters/delimited/key_sorter.h"
#include "adapters/delimited/marks.h"
#include "adapters/delimited/row.h"

namespace sluice::adapters::delimited {

// Immutable once built; any thread.
struct KeyIndex {
  explicit KeyIndex(const Budgets& budgets) : marks(budgets.mark_bytes, budgets.mark_step) {}

  bool file_order = true;
  Marks marks;  // places in the file, or blocks of the run
  std::unique_ptr<Scratch> scratch;
  KeyRun run;
};

// Reads the whole file: every row has as many fields as there are columns, and a key; no key comes
// twice. What is wrong is what Finish says.
class IndexBuild : public Job {
 public:
  IndexBuild(std::shared_ptr<const SourceFile> file,
             std::shared_ptr<const DelimitedSettings> settings, Layout layout, std::string table,
             const ScanRequest& request, const Budgets& budgets);

  // Once done.
  std::shared_ptr<const KeyIndex> index() const { return index_; }

 protected:
  absl::Status Work(const Watch& watch) override;
  void Restart() override;

 private:
  enum class Phase { kStart, kLooking, kSorting, kMerging };

  absl::Status Build(const Watch& watch);
  absl::Status Start();
  absl::StatusOr<bool> NextKey(const Watch& watch);
  absl::Status Look(const Watch& watch);
  absl::Status Sort(const Watch& watch);

  const std::shared_ptr<const DelimitedSettings> settings_;
  const Layout layout_;
  const std::string table_;
  const std::vector<FieldRequest> fields_;  // the key's alone
  const Budgets budgets_;

  std::shared_ptr<const SourceFile> file_;  // until done
  Phase phase_ = Phase::kStart;
  int64_t rows_ = 0;
  std::unique_ptr<RecordStream> stream_;
  std::unique_ptr<Row> row_;
  std::string key_, last_key_;
  Place last_place_;
  std::unique_ptr<KeySorter> sorter_;
  std::shared_ptr<KeyIndex> index_;
};

}  // namespace sluice::adapters::delimited
