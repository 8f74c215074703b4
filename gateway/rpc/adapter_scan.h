// A scan served to another gateway: one task of the source's pool for each batch, submitted when
// the batch before was taken, so that no thread waits for the peer.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/adapter.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "gateway/exchange/sources.h"
#include "gateway/rpc/stream.h"
#include "sluice/v1/adapter.pb.h"

namespace sluice::rpc {

// A batch as messages: in pieces where it would be too large for one.
struct BatchPiece {
  records::RecordBatch batch;
  std::vector<adapters::BadCell> bad_cells;
};
std::vector<BatchPiece> SplitBatch(records::RecordBatch batch,
                                   std::vector<adapters::BadCell> bad_cells, int64_t most_bytes);

class AdapterScan : public std::enable_shared_from_this<AdapterScan> {
 public:
  // `operations` outlives it.
  AdapterScan(std::shared_ptr<exchange::SourceAtWork> source, adapters::ScanRequest request,
              adapters::CallContext context, std::shared_ptr<ServerStream::Writer> writer,
              OperationalLog& operations)
      : source_(std::move(source)),
        rows_wanted_(request.rows_wanted),
        request_(std::move(request)),
        context_(std::move(context)),
        writer_(std::move(writer)),
        operations_(operations) {}

  void Start() { Submit(exchange::SourceAtWork::Part::kCall); }
  // Any thread.
  void Cancel();

 private:
  void Submit(exchange::SourceAtWork::Part part);
  // On the pool: reads a batch, or some small ones, and begins to write them; or ends the call.
  absl::Status Step(absl::StatusOr<adapters::Adapter*> adapter);
  absl::StatusOr<adapters::RecordReader*> Reader(adapters::Adapter& adapter);
  // False at the end.
  absl::StatusOr<bool> ReadBatch(adapters::RecordReader& reader);
  // Whether so little is read that more is wanted at once.
  bool Few() const;
  // What is read, message by message; then the end, or the next step.
  void WriteOn();
  void Finish(const absl::Status& status, std::optional<grpc::ByteBuffer> last);
  v1::ScanResponse Head();

  const std::shared_ptr<exchange::SourceAtWork> source_;
  const int64_t rows_wanted_;
  adapters::ScanRequest request_;
  const adapters::CallContext context_;
  const std::shared_ptr<ServerStream::Writer> writer_;
  OperationalLog& operations_;
  // Of whoever works on it, one after the other: the pool's task, then the write's end.
  std::deque<BatchPiece> pieces_;
  std::optional<absl::Status> end_;  // behind them
  bool told_version_ = false;
  Mutex mutex_;
  std::unique_ptr<adapters::RecordReader> reader_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::rpc
