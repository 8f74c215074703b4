#include "gateway/rpc/adapter_scan.h"

#include <utility>

#include "adapters/remote/messages.h"
#include "gateway/base/error.h"
#include "gateway/exchange/broker.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/rpc/wire.h"

namespace sluice::rpc {
namespace {

constexpr int64_t kMostPiece = 2 << 20;
constexpr int64_t kSmall = 64 << 10;

// An Arrow stream of one batch, which keeps what it borrows.
struct ArrowStream {
  explicit ArrowStream(records::RecordBatch rows) : batch(std::move(rows)) {
    records::AppendArrowSchema(*batch.schema(), schema);
    message = records::EncodeArrowBatch(batch);
    records::AppendArrowEnd(end);
  }
  std::vector<std::string_view> Parts() const {
    std::vector<std::string_view> parts = {schema, message.metadata};
    parts.insert(parts.end(), message.body.begin(), message.body.end());
    parts.emplace_back(end);
    return parts;
  }

  const records::RecordBatch batch;
  records::ArrowMessage message;
  std::string schema, end;
};

Pieces ToArrow(records::RecordBatch batch) {
  auto stream = std::make_shared<const ArrowStream>(std::move(batch));
  std::vector<std::string_view> parts = stream->Parts();
  return Pieces(std::move(parts), std::move(stream));
}

}  // namespace

std::vector<BatchPiece> SplitBatch(records::RecordBatch batch,
                                   std::vector<adapters::BadCell> bad_cells, int64_t most_bytes) {
  std::vector<BatchPiece> pieces;
  if (batch.bytes() <= most_bytes || batch.rows() <= 1) {
    pieces.push_back({std::move(batch), std::move(bad_cells)});
    return pieces;
  }
  const int64_t half = batch.rows() / 2;
  std::vector<adapters::BadCell> above, below;
  for (adapters::BadCell cell : bad_cells) {
    if (cell.row < half) {
      above.push_back(cell);
    } else {
      below.push_back({cell.row - half, cell.field});
    }
  }
  const records::SchemaPtr schema = batch.schema();
  for (BatchPiece& piece :
       SplitBatch(records::Join(schema, {{batch, 0, half}}), std::move(above), most_bytes))
    pieces.push_back(std::move(piece));
  for (BatchPiece& piece : SplitBatch(records::Join(schema, {{batch, half, batch.rows() - half}}),
                                      std::move(below), most_bytes))
    pieces.push_back(std::move(piece));
  return pieces;
}

void AdapterScan::Cancel() {
  context_.stop->Stop();
  MutexLock lock(mutex_);
  if (reader_ != nullptr) reader_->Cancel();
}

void AdapterScan::Submit(exchange::SourceAtWork::Part part) {
  absl::Status taken = source_->Submit(
      [self = shared_from_this()](absl::StatusOr<adapters::Adapter*> adapter) {
        return self->Step(std::move(adapter));
      },
      part);
  if (!taken.ok()) Finish(taken, std::nullopt);
}

// A batch that is small is probably the last one: whether it is is asked at once, so that a lookup
// is one task and one message.
absl::Status AdapterScan::Step(absl::StatusOr<adapters::Adapter*> adapter) {
  absl::StatusOr<adapters::RecordReader*> reader =
      adapter.ok() ? Reader(**adapter) : absl::StatusOr<adapters::RecordReader*>(adapter.status());
  if (!reader.ok()) end_ = reader.status();
  while (!end_ && Few()) {
    const absl::StatusOr<bool> more = ReadBatch(**reader);
    if (!more.ok() || !*more) end_ = more.status();
  }
  const absl::Status outcome = end_.value_or(absl::OkStatus());
  WriteOn();
  // The deadline is the caller's own, and says nothing against the source.
  if (ReasonOf(outcome) == v1::REASON_DEADLINE_EXCEEDED)
    return Error(v1::REASON_CANCELLED, "the caller's own deadline passed.");
  return outcome;
}

bool AdapterScan::Few() const {
  int64_t bytes = 0, rows = 0;
  for (const BatchPiece& piece : pieces_) bytes += piece.batch.bytes(), rows += piece.batch.rows();
  return bytes < kSmall && (rows_wanted_ == 0 || rows < rows_wanted_);
}

absl::StatusOr<adapters::RecordReader*> AdapterScan::Reader(adapters::Adapter& adapter) {
  {
    MutexLock lock(mutex_);
    if (reader_ != nullptr) return reader_.get();
  }
  SLUICE_ASSIGN_OR_RETURN(auto made, adapter.Scan(std::move(request_), context_));
  MutexLock lock(mutex_);
  reader_ = std::move(made);
  if (context_.stop->stopped()) reader_->Cancel();
  return reader_.get();
}

// The reader is ended by Finish alone, which is not called before the task is over.
absl::StatusOr<bool> AdapterScan::ReadBatch(adapters::RecordReader& reader) {
  SLUICE_ASSIGN_OR_RETURN(std::optional<records::RecordBatch> batch, reader.Next());
  if (!batch) return false;
  for (BatchPiece& piece : SplitBatch(*std::move(batch), reader.bad_cells(), kMostPiece))
    pieces_.push_back(std::move(piece));
  return true;
}

v1::ScanResponse AdapterScan::Head() {
  v1::ScanResponse head;
  if (std::exchange(told_version_, true)) return head;
  MutexLock lock(mutex_);
  if (reader_ == nullptr) return head;
  *head.mutable_version() = adapters::remote::ToProto(reader_->version());
  head.set_snapshot(reader_->snapshot());
  return head;
}

void AdapterScan::WriteOn() {
  if (pieces_.empty()) {
    if (end_) return Finish(*end_, std::nullopt);
    return Submit(exchange::SourceAtWork::Part::kStream);
  }
  v1::ScanResponse head = Head();
  BatchPiece piece = std::move(pieces_.front());
  pieces_.pop_front();
  for (const adapters::BadCell& cell : piece.bad_cells) {
    v1::BadCell& told = *head.add_bad_cells();
    told.set_row(cell.row);
    told.set_field(cell.field);
  }
  grpc::ByteBuffer message =
      ToBuffer(head, v1::ScanResponse::kArrowFieldNumber, ToArrow(std::move(piece.batch)));
  if (pieces_.empty() && end_ && end_->ok()) return Finish(*end_, std::move(message));
  writer_->Write(std::move(message), [self = shared_from_this()](bool taken) {
    if (taken) return self->WriteOn();
    self->Finish(Error(v1::REASON_CANCELLED, "the caller is gone."), std::nullopt);
  });
}

void AdapterScan::Finish(const absl::Status& status, std::optional<grpc::ByteBuffer> last) {
  if (status.ok() && !told_version_) last = ToBuffer(Head());
  std::unique_ptr<adapters::RecordReader> reader;
  {
    MutexLock lock(mutex_);
    reader = std::move(reader_);
  }
  reader.reset();
  writer_->Finish(exchange::PublicStatus(status, "", operations_), std::move(last));
}

}  // namespace sluice::rpc
