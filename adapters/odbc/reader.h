// A scan in keyed ranges: each Next is one statement of bounded length, run to its end or dropped,
// so that a session is held while somebody reads and no longer, and memory stays bounded however
// the driver keeps its rows. A scan that nothing orders is one statement, whose session stays with
// the reader.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/odbc/plan.h"
#include "adapters/odbc/pool.h"
#include "adapters/odbc/watch.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::odbc {

class OdbcReader : public RecordReader {
 public:
  OdbcReader(std::shared_ptr<Pool> pool, ScanRequest request, CallContext context);
  ~OdbcReader() override;

  absl::StatusOr<std::optional<records::RecordBatch>> Next() override;
  void Cancel() override;
  SourceVersion version() const override { return version_; }
  int64_t bad_values() const override { return bad_values_; }
  const std::vector<BadCell>& bad_cells() const override { return bad_cells_; }

 private:
  // The rows that become one batch.
  struct Gathered {
    std::vector<records::ColumnBuilder> columns;
    int64_t rows = 0;
    int64_t bytes = 0;
    std::vector<BadCell> bad_cells;
    bool cut = false;  // a value was longer than its column says
  };

  absl::StatusOr<std::optional<records::RecordBatch>> NextBatch();
  absl::StatusOr<std::optional<records::RecordBatch>> Read(const Watch& watch);
  absl::Status StartRange(const Watch& watch);
  absl::Status TryRange(const Watch& watch);
  // How a statement that is not cut into ranges goes: its rows as they come, or held by the driver,
  // where they are few.
  absl::Status PlanWhole(const Watch& watch, bool& streaming);
  absl::StatusOr<int64_t> BytesOfAll(const Watch& watch);
  int64_t MostRows() const;
  absl::Status Gather(const Watch& watch, Gathered& gathered);
  absl::Status AppendRow(size_t row, Gathered& gathered);
  absl::Status BadValue(const ResultColumn& result, bool null, int64_t row) const;
  absl::Status Located(absl::Status status, int64_t row) const;
  absl::StatusOr<std::optional<records::RecordBatch>> Finish(Gathered gathered);
  absl::Status CheckKey(const records::RecordBatch& rows, int64_t first);
  void EndRange(const Watch& watch, const Gathered& gathered);
  void DropStatement(const Watch& watch);
  PositionShape CurrentPosition() const;
  absl::StatusOr<std::vector<Parameter>> Parameters(const Dialect& dialect) const;
  int64_t SizeOf(size_t row) const;
  bool ranges() const { return !plan_.key.empty() && has_limit_; }

  const std::shared_ptr<Pool> pool_;
  const ScanRequest request_;
  const CallContext context_;
  const records::SchemaPtr schema_;
  std::vector<const records::Predicate*> leaves_;

  absl::Status failed_;  // what every Next says from then on
  bool started_ = false;
  bool at_end_ = false;
  SourceVersion version_;
  int64_t rows_read_ = 0;
  int64_t bad_values_ = 0;
  std::vector<BadCell> bad_cells_;
  std::optional<KeyPosition> position_;  // of the last row that was given
  int64_t limit_ = 0;                    // of the next range; 0 before the first
  bool row_by_row_ = false;              // no value is bound: some are longer than they should be

  // The range at work.
  std::shared_ptr<const TableInfo> table_;
  Plan plan_;
  bool has_limit_ = false;
  std::shared_ptr<Statement> statement_;
  size_t next_row_ = 0;  // of what the statement fetched
  int64_t rows_in_range_ = 0;
  bool repeats_ = false;  // the range begins at the row that was given last
  // Where the key's uniqueness is not the source's: the last row's key.
  std::optional<records::RecordBatch> last_key_;

  std::atomic<bool> cancelled_{false};
  Mutex mutex_;
  // While nobody reads, Cancel may use the lease; while somebody does, only that thread.
  bool reading_ SLUICE_GUARDED_BY(mutex_) = false;
  std::optional<Lease> lease_;
};

}  // namespace sluice::adapters::odbc
