// A scan in keyed ranges. Each range is one statement of bounded length: a lookup's or a page's is
// prepared and its values bound; many rows come by COPY in binary. A range of many rows may last
// over several batches: then its connection stays with the reader, and the server works on while
// the gateway encodes; half of the connections at most are kept so. One that the server's statement
// timeout ended meanwhile is gone on with behind the last row that it gave.
//
// A scan that nothing orders is one statement, since it could not go on.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/postgres/plan.h"
#include "adapters/postgres/pool.h"
#include "adapters/postgres/row_stream.h"
#include "adapters/postgres/watch.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::postgres {

class PostgresReader : public RecordReader {
 public:
  PostgresReader(std::shared_ptr<Pool> pool, ScanRequest request, CallContext context);
  ~PostgresReader() override;

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
  };

  absl::StatusOr<std::optional<records::RecordBatch>> NextBatch();
  absl::StatusOr<std::optional<records::RecordBatch>> Read(const Watch& watch);
  absl::Status StartRange(const Watch& watch);
  absl::Status TryRange(const Watch& watch, std::string& state);
  absl::Status RunPlanned(const Watch& watch, std::string& state);
  absl::Status PlanRange(const Watch& watch);
  absl::Status PlanPrepared(const Watch& watch);
  absl::Status Gather(const Watch& watch, Gathered& gathered);
  absl::Status AppendRow(const RowValues& values, Gathered& gathered);
  absl::Status BadValue(const ResultColumn& result, bool null, int64_t row) const;
  absl::StatusOr<std::optional<records::RecordBatch>> Finish(Gathered gathered);
  absl::Status CheckKey(const records::RecordBatch& rows, int64_t first);
  void EndRange();
  void KeepStream();
  void BreakOff();
  // The server is told to end what still runs, and the connection is let go.
  void DropStream();
  bool CanGoOn(const absl::Status& status) const;
  bool bulk() const { return request_.rows_wanted <= 0; }
  PositionShape CurrentPosition() const;
  std::vector<std::string> Parameters() const;
  int64_t NextLimit() const;
  int64_t SizeOf(const RowValues& values) const;

  const std::shared_ptr<Pool> pool_;
  const ScanRequest request_;
  const CallContext context_;
  const records::SchemaPtr schema_;
  const std::string shape_;
  std::vector<const records::Predicate*> leaves_;

  absl::Status failed_;  // what every Next says from then on
  bool started_ = false;
  bool at_end_ = false;
  SourceVersion version_;
  int64_t rows_read_ = 0;
  int64_t bad_values_ = 0;
  std::vector<BadCell> bad_cells_;
  std::optional<KeyPosition> position_;  // of the last row that was given
  int64_t batch_rows_;                   // what a range of one batch asks for
  int64_t most_rows_;                    // of the next range

  // The range at work.
  std::shared_ptr<const TableInfo> table_;
  Plan plan_;
  std::string statement_;  // the prepared statement's name
  std::unique_ptr<RowStream> stream_;
  const RowValues* pending_ = nullptr;  // the stream's next row
  int64_t limit_ = 0;
  int64_t rows_in_range_ = 0;
  int64_t batches_in_range_ = 0;
  bool repeats_ = false;  // the range begins at the row that was given last
  // Where the key's uniqueness is not the source's: the last row's key.
  std::optional<records::RecordBatch> last_key_;

  std::atomic<bool> cancelled_{false};
  Mutex mutex_;
  // While nobody reads, Cancel may use the lease; while somebody does, only that thread.
  bool reading_ SLUICE_GUARDED_BY(mutex_) = false;
  std::optional<Lease> lease_;
};

}  // namespace sluice::adapters::postgres
