#include "bench/bare_streams.h"

#include <deque>
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

class MemoryReactor : public BatchReactor {
 public:
  explicit MemoryReactor(const StreamRequest& request) : left_(request.batches()) {
    batch_.mutable_payload()->assign(static_cast<size_t>(request.batch_bytes()), 'x');
    Go();
  }
  void OnWriteDone(bool ok) override { ok ? Go() : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void Go() { left_-- > 0 ? StartWrite(&batch_) : Finish(grpc::Status::OK); }

  int64_t left_;
  Batch batch_;
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

void Encode(const records::RecordBatch& batch, const std::string& media_type, std::string& out) {
  if (media_type == "text/csv") return records::AppendCsv(batch, out);
  if (media_type == records::kArrowStreamMediaType) return records::AppendArrowBatch(batch, out);
  records::AppendJsonLines(batch, out);
}

// The reading thread and the reactor's two reactions hand batches over under the mutex.
class ScanReactor : public BatchReactor {
 public:
  explicit ScanReactor(const ScannedTable& table)
      : table_(table), thread_([this] { Finished(ReadAll()); }) {}
  ~ScanReactor() override { thread_.join(); }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
      stopped_ = stopped_ || !ok;
    }
    changed_.NotifyAll();
    Go();
  }
  void OnCancel() override {
    {
      MutexLock lock(mutex_);
      stopped_ = true;
    }
    changed_.NotifyAll();
  }
  void OnDone() override {
    // Not on the thread itself: gRPC calls it on one of its own.
    delete this;
  }

 private:
  static constexpr size_t kAhead = 4;

  absl::Status ReadAll() {
    const auto clock = MakeSystemClock();
    SLUICE_ASSIGN_OR_RETURN(const auto adapter,
                            adapters::FindKind("sqlite")->open({{"file", table_.database}}));
    adapters::CallContext context;
    context.clock = clock.get();
    SLUICE_ASSIGN_OR_RETURN(const auto reader, adapter->Scan(PermitsScan(), context));
    for (;;) {
      SLUICE_ASSIGN_OR_RETURN(const auto batch, reader->Next());
      if (!batch) return absl::OkStatus();
      Batch message;
      Encode(*batch, table_.media_type, *message.mutable_payload());
      if (!Hand(std::move(message))) return absl::CancelledError();
    }
  }

  // Waits for room. False where the peer is gone.
  bool Hand(Batch message) {
    {
      MutexLock lock(mutex_);
      while (ready_.size() >= kAhead && !stopped_) changed_.Wait(mutex_);
      if (stopped_) return false;
      ready_.push_back(std::move(message));
    }
    Go();
    return true;
  }

  void Finished(absl::Status status) {
    {
      MutexLock lock(mutex_);
      at_end_ = true;
      status_ = std::move(status);
    }
    Go();
  }

  // The next write, or the end, unless one is on its way.
  void Go() {
    bool finish = false;
    {
      MutexLock lock(mutex_);
      if (writing_ || finished_) return;
      if (!ready_.empty() && !stopped_) {
        writing_ = true;
        leaving_ = std::move(ready_.front());
        ready_.pop_front();
      } else if (at_end_) {
        finish = finished_ = true;
      } else {
        return;
      }
    }
    changed_.NotifyAll();
    if (!finish) return StartWrite(&leaving_);
    Finish(status_.ok() ? grpc::Status::OK
                        : grpc::Status(static_cast<grpc::StatusCode>(status_.code()),
                                       std::string(status_.message())));
  }

  const ScannedTable table_;
  Mutex mutex_;
  Condition changed_;
  std::deque<Batch> ready_ SLUICE_GUARDED_BY(mutex_);
  bool writing_ SLUICE_GUARDED_BY(mutex_) = false;
  bool stopped_ SLUICE_GUARDED_BY(mutex_) = false;
  bool at_end_ SLUICE_GUARDED_BY(mutex_) = false;
  bool finished_ SLUICE_GUARDED_BY(mutex_) = false;
  Batch leaving_;        // of the one write at a time
  absl::Status status_;  // set once, before at_end_
  std::thread thread_;
};

}  // namespace

BatchReactor* StreamFromMemory(const StreamRequest& request) { return new MemoryReactor(request); }

BatchReactor* StreamOfScan(const ScannedTable& table) { return new ScanReactor(table); }

}  // namespace sluice::bench
