// A scan in short keyed ranges: each Next takes a connection, runs one bounded statement to its end
// and gives the connection back, so that no lock is held between batches and the owner's writers
// wait for one short range at most.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/sqlite/plan.h"
#include "adapters/sqlite/pool.h"
#include "adapters/sqlite/watch.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::sqlite {

// Steps of SQLite's machine, roughly 20 to 50 million a second.
struct Budgets {
  // For a statement whose filter stands in WHERE. One that needs more (no index serves) is given
  // up, and the rest of the scan filters range by range.
  int64_t filter = 2'000'000;
  // For one range. More is a sort of the whole table for each range: refused, except in write-ahead
  // mode, where a reader blocks nobody.
  int64_t range = 50'000'000;
};

class SqliteReader : public RecordReader {
 public:
  SqliteReader(std::shared_ptr<Pool> pool, ScanRequest request, CallContext context,
               Budgets budgets);

  absl::StatusOr<std::optional<records::RecordBatch>> Next() override;
  void Cancel() override;
  SourceVersion version() const override { return version_; }
  int64_t bad_values() const override { return bad_values_; }
  const std::vector<BadCell>& bad_cells() const override { return bad_cells_; }

 private:
  // The rows of one statement.
  struct Range {
    std::vector<records::ColumnBuilder> columns;
    int64_t rows = 0;
    int64_t visited = 0;
    int64_t bytes = 0;
    std::vector<BadCell> bad_cells;
    bool more = false;           // there is a row behind it: `next`
    std::vector<ValuePtr> next;  // its position
  };
  enum class Ran { kDone, kSchemaChanged, kOutOfBudget };

  absl::StatusOr<std::optional<records::RecordBatch>> NextRange();
  absl::Status Start(const Lease& lease);
  absl::StatusOr<PreparedScan*> Prepared(Connection& connection);
  absl::Status Bind(const PreparedScan& scan);
  absl::StatusOr<Ran> Run(Lease& lease, const PreparedScan& scan, Watch& watch, Range& range);
  absl::StatusOr<Ran> StepThrough(Lease& lease, const PreparedScan& scan, const Watch& watch,
                                  Range& range);
  // Takes the row; true where the range is full and the row is the next one's first.
  absl::StatusOr<bool> TakeRow(sqlite3_stmt* row, const Plan& plan, Range& range);
  absl::Status AppendRow(sqlite3_stmt* row, Range& range);
  absl::StatusOr<bool> TakeBadValue(size_t field, Range& range);
  absl::Status OutOfBudget(bool filtered, bool write_ahead);
  absl::StatusOr<std::optional<records::RecordBatch>> Finish(Range range, const Plan& plan);
  absl::Status CheckKey(const records::RecordBatch& batch);
  PositionShape CurrentPosition() const;
  Range NewRange() const;
  int64_t RowsInRange() const;

  const std::shared_ptr<Pool> pool_;
  const ScanRequest request_;
  const CallContext context_;
  const Budgets budgets_;
  const records::SchemaPtr schema_;
  const std::string shape_;
  std::vector<const records::Predicate*> leaves_;
  std::vector<bool> in_key_;  // by field

  absl::Status failed_;  // what every Next says from then on
  bool started_ = false;
  bool at_end_ = false;
  FileState file_;
  SourceVersion version_;
  FilterPlace place_ = FilterPlace::kWhere;
  std::vector<ValuePtr> position_;  // the first row of the next range; empty before the second
  int64_t rows_in_range_;
  int64_t rows_read_ = 0;
  int64_t bad_values_ = 0;
  std::vector<BadCell> bad_cells_;
  std::optional<records::RecordBatch> last_row_;  // where the key's uniqueness is not the source's

  std::atomic<bool> cancelled_{false};
  Mutex mutex_;
  sqlite3* running_ SLUICE_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace sluice::adapters::sqlite
