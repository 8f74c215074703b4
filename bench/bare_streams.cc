#include "bench/bare_streams.h"

#include <deque>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "adapters/registry.h"
#include "bench/permits.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"
#include "gateway/records/arrow_writer.h"
#include "gateway/records/text_writers.h"

namespace sluice::bench {
namespace {

// Serialised once: no message is copied on its way to the transport.
class MemoryReactor : public BytesReactor {
 public:
  explicit MemoryReactor(const StreamRequest& request) : left_(request.batches()) {
    Batch batch;
    batch.mutable_payload()->assign(static_cast<size_t>(request.batch_bytes()), 'x');
    const grpc::Slice slice(batch.SerializeAsString());
    message_ = grpc::ByteBuffer(&slice, 1);
    Go();
  }
  void OnWriteDone(bool ok) override { ok ? Go() : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void Go() { left_-- > 0 ? StartWrite(&message_) : Finish(grpc::Status::OK); }

  int64_t left_;
  grpc::ByteBuffer message_;
};

// What the grant in bench/permits/ says: all fields but the remark, all districts but one.
adapters::ScanRequest PermitsScan() {
  adapters::ScanRequest scan;
  scan.table = "permit";
  for (const records::Field& field : Permits::Schema()->fields())
    if (field.name != "remark") scan.fields.push_back({field.name, field});
  scan.key = {0};
  scan.predicate.op = records::Op::kNotEqual;
  scan.predicate.field = 3;
  scan.predicate.values = {std::string("D-07")};
  return scan;
}

// A scan's rows as messages of about the gateway's sizes: text is cut, Arrow comes as it was read.
class Encoder {
 public:
  using Hand = std::function<bool(std::string)>;  // false: no more is wanted

  Encoder(const std::string& media_type, const records::Schema& schema)
      : arrow_(media_type == records::kArrowStreamMediaType),
        writer_(media_type == "text/csv" ? Format::kCsv : Format::kJsonLines, schema) {}

  bool Encode(const records::RecordBatch& batch, const Hand& hand) const {
    std::string out;
    if (arrow_) {
      records::AppendArrowBatch(batch, out);
      return hand(std::move(out));
    }
    for (int64_t row = 0; row < batch.rows(); ++row) {
      if (out.empty()) out.reserve(kTextBytes + 4096);
      writer_.AppendRow(batch, row, out);
      if (out.size() >= kTextBytes && !hand(std::exchange(out, std::string()))) return false;
    }
    return out.empty() || hand(std::move(out));
  }

 private:
  using Format = records::RowTextWriter::Format;
  static constexpr size_t kTextBytes = 256 << 10;

  const bool arrow_;
  const records::RowTextWriter writer_;
};

// One thread scans and encodes, one hands messages to gRPC: what that costs, encryption above all,
// falls on whoever starts a write.
class ScanReactor : public BatchReactor {
 public:
  explicit ScanReactor(const ScannedTable& table)
      : table_(table),
        scanning_([this] { Scanned(ScanAll()); }),
        writing_thread_([this] { WriteAll(); }) {}
  ~ScanReactor() override {
    scanning_.join();
    writing_thread_.join();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    writing_ = false;
    stopped_ = stopped_ || !ok;
    changed_.NotifyAll();
  }
  void OnCancel() override {
    MutexLock lock(mutex_);
    stopped_ = true;
    changed_.NotifyAll();
  }
  // On a thread of gRPC's own, so that both of ours can be waited for.
  void OnDone() override { delete this; }

 private:
  static constexpr size_t kAhead = 4;

  absl::Status ScanAll() {
    const auto clock = MakeSystemClock();
    SLUICE_ASSIGN_OR_RETURN(const auto adapter,
                            adapters::FindKind("sqlite")->open({{"file", table_.database}}));
    adapters::CallContext context;
    context.clock = clock.get();
    SLUICE_ASSIGN_OR_RETURN(const auto reader, adapter->Scan(PermitsScan(), context));
    std::optional<Encoder> encoder;
    for (;;) {
      SLUICE_ASSIGN_OR_RETURN(const auto batch, reader->Next());
      if (!batch) return absl::OkStatus();
      if (!encoder) encoder.emplace(table_.media_type, *batch->schema());
      if (!encoder->Encode(*batch, [this](std::string out) { return Hand(std::move(out)); }))
        return absl::CancelledError();
    }
  }

  // Waits for room. False where the peer is gone.
  bool Hand(std::string payload) {
    Batch message;
    message.set_payload(std::move(payload));
    MutexLock lock(mutex_);
    while (ready_.size() >= kAhead && !stopped_) changed_.Wait(mutex_);
    if (stopped_) return false;
    ready_.push_back(std::move(message));
    changed_.NotifyAll();
    return true;
  }

  void Scanned(absl::Status status) {
    MutexLock lock(mutex_);
    at_end_ = true;
    status_ = std::move(status);
    changed_.NotifyAll();
  }

  void WriteAll() {
    for (;;) {
      {
        MutexLock lock(mutex_);
        while (writing_ || (ready_.empty() && !at_end_ && !stopped_)) changed_.Wait(mutex_);
        if (stopped_ || ready_.empty()) break;
        writing_ = true;
        leaving_ = std::move(ready_.front());
        ready_.pop_front();
        changed_.NotifyAll();
      }
      StartWrite(&leaving_);
    }
    Finish(EndStatus());
  }

  grpc::Status EndStatus() {
    MutexLock lock(mutex_);
    if (stopped_) return grpc::Status::CANCELLED;
    return status_.ok() ? grpc::Status::OK
                        : grpc::Status(static_cast<grpc::StatusCode>(status_.code()),
                                       std::string(status_.message()));
  }

  const ScannedTable table_;
  Mutex mutex_;
  Condition changed_;
  std::deque<Batch> ready_ SLUICE_GUARDED_BY(mutex_);
  bool writing_ SLUICE_GUARDED_BY(mutex_) = false;
  bool stopped_ SLUICE_GUARDED_BY(mutex_) = false;
  bool at_end_ SLUICE_GUARDED_BY(mutex_) = false;
  absl::Status status_ SLUICE_GUARDED_BY(mutex_);
  Batch leaving_;  // of the one write at a time
  std::thread scanning_, writing_thread_;
};

}  // namespace

BytesReactor* StreamFromMemory(const StreamRequest& request) { return new MemoryReactor(request); }

BatchReactor* StreamOfScan(const ScannedTable& table) { return new ScanReactor(table); }

}  // namespace sluice::bench
