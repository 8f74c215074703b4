// One Read on its way: a stream of batches to a consumer that may be slow, stop or vanish.
//
// The source's pool encodes a step (some batches) at a time. A step is recorded (PROGRESS), and
// only when that record is durable do its batches go, one by one, as the consumer takes them:
//
//   encoding ──▶ ready ──▶ recording ──▶ leaving ──▶ handed over
//
// A step is recorded once the one before has been handed over whole, so that at any moment what may
// have left is what the last PROGRESS says, and what has left for sure lacks one step of that at
// most. The next step is encoded meanwhile. So a stream holds three steps at most, and no thread
// ever waits: each event (a step encoded, a record durable, a batch taken) comes to Pump, which
// does what can be done next.
//
// With each batch goes a token, where the source has an order: another Read that names it goes on
// behind that batch, as a further part of the same stream (docs/formats/stream.md).
//
// The end, for whatever reason, is one decision (RunningExchange::Advance); from then on no batch
// is handed over, CLOSED is recorded with the totals of what was, and then the consumer is told.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/exchange/access.h"
#include "gateway/exchange/read_writer.h"
#include "gateway/exchange/released_subjects.h"
#include "gateway/exchange/stream_batches.h"

namespace sluice::exchange {

// Kept alive by whoever works on it.
class ReadRun : public std::enable_shared_from_this<ReadRun> {
 public:
  ReadRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
          const v1::ReadRequest& request, std::shared_ptr<ReadWriter> writer);
  ~ReadRun();

  // Decides, reserves, hands over. On the caller's thread; takes microseconds.
  void Start();
  // Ends the stream, by whoever watches over it, with this status, unless it has ended already. Any
  // thread.
  void End(absl::Status why) { End(std::move(why), v1::RECORD_KIND_FAILED); }

 private:
  struct Step {
    std::vector<StreamBatch> batches;
    int64_t rows = 0, bytes = 0;
    SubjectList::Pseudonyms released;
    v1::SubjectScope scope = v1::SUBJECT_SCOPE_NONE;
  };
  struct Message {
    v1::ReadResponse head;
    Pieces payload;
  };
  struct Ending {
    absl::Status status;
    std::optional<v1::ReadResponse> last;
  };

  // `kind` is of the record where nothing was opened yet.
  void End(absl::Status why, v1::RecordKind kind);
  absl::Status Reserve();
  void Refuse(absl::Status why, audit::Draft draft);
  // Does what can be done next. Any thread, without the lock.
  void Pump();
  Message NextMessage() SLUICE_REQUIRES(mutex_);
  std::string TokenBehind(const StreamBatch& batch) const SLUICE_REQUIRES(mutex_);
  // Whether a stream can go on behind a batch.
  bool resumable() const { return access_.plan->ordered && !access_.plan->dataset->key.empty(); }
  void Taken(bool ok);
  RunningExchange::Progress ProgressSoFar() const;
  // By the clock: consumers that take nothing, sources that give nothing.
  void Watch(Micros now);
  // After the end: records it, once nothing else is being recorded.
  void Conclude();
  void Tell(Ending ending);

  // On the source's pool: read_scan.cc. One task at a time.
  void SubmitTask();
  absl::Status Work(absl::StatusOr<adapters::Adapter*> adapter);
  absl::Status FillStep(adapters::Adapter& adapter, Step& step);
  absl::Status ReadOn(adapters::Adapter& adapter);
  absl::Status TakeRows(const records::RecordBatch& scanned);
  // Says where a stream goes on behind the batches made from `first` on.
  void NameKeys(const records::RecordBatch& scanned, const std::vector<int64_t>& kept,
                size_t first);
  absl::Status Gather(records::RecordBatch output, RowFacts facts);
  absl::Status Shuffle();
  // How many of these rows the quota allows.
  int64_t ReserveRows(int64_t rows);
  bool Fits(const Step& step, const StreamBatch& batch) const;
  void EndOfRows(absl::Status why);
  void ListReleased(Step& step) const;
  void DropReader();

  // What is recorded: read_record.cc.
  void RecordOpened();
  void RecordProgress(Step step);
  void RecordClosed();
  void NotRecorded(absl::Status why);
  void Opened(const v1::Receipt& receipt);
  void Recorded(const v1::Receipt& receipt, Step step);
  void Closed(const absl::StatusOr<v1::Receipt>& receipt);
  v1::ReadResponse LastMessage(const v1::Receipt& receipt) const SLUICE_REQUIRES(mutex_);
  absl::Status ErrorWith(const v1::Receipt& receipt) const SLUICE_REQUIRES(mutex_);
  audit::Draft DraftOf(v1::RecordKind kind) const;
  // PROGRESS or CLOSED: the stream up to these totals.
  audit::Draft DraftWith(v1::RecordKind kind, const StreamTotals& totals) const
      SLUICE_REQUIRES(mutex_);

  const BrokerParts& parts_;
  const BrokerLimits& limits_;
  Access access_;  // constant once started
  const std::string media_type_, read_digest_, resume_token_;
  std::optional<StreamPosition> position_;  // where it goes on; constant once started
  const std::shared_ptr<ReadWriter> writer_;
  std::shared_ptr<SourceAtWork> source_;
  std::shared_ptr<RunningExchange> running_;

  // The task's alone.
  std::unique_ptr<adapters::RecordReader> reader_;
  std::unique_ptr<BatchMaker> maker_;
  std::deque<StreamBatch> encoded_;  // complete, and in no step yet
  std::vector<StreamBatch> made_;
  std::optional<adapters::KeyPosition> last_key_;  // of the last row that was taken
  bool at_end_ = false;                            // no more rows come, for end_why_
  absl::Status end_why_;
  int64_t available_ = 0;                       // rows reserved and not yet used
  std::vector<records::RecordBatch> gathered_;  // where the key is hidden
  RowFacts gathered_facts_;
  int64_t gathered_rows_ = 0, gathered_bytes_ = 0;
  std::atomic<Micros> asked_source_{0};  // since when it is waited for; 0: it is not

  mutable Mutex mutex_;
  // Of the source, once the first step is encoded.
  bool begun_ SLUICE_GUARDED_BY(mutex_) = false;
  adapters::SourceVersion version_ SLUICE_GUARDED_BY(mutex_);
  bool snapshot_ SLUICE_GUARDED_BY(mutex_) = false;

  bool encoding_ SLUICE_GUARDED_BY(mutex_) = false;
  bool exhausted_ SLUICE_GUARDED_BY(mutex_) = false;  // no further step comes
  absl::Status cut_ SLUICE_GUARDED_BY(mutex_);        // why, where it is not the source's end
  std::optional<Step> ready_ SLUICE_GUARDED_BY(mutex_);
  bool recording_ SLUICE_GUARDED_BY(mutex_) = false;  // an OPENED or PROGRESS
  std::deque<StreamBatch> leaving_ SLUICE_GUARDED_BY(mutex_);
  std::optional<v1::ReadResponse> first_
      SLUICE_GUARDED_BY(mutex_);                                  // the opening, until handed over
  std::optional<v1::StreamStep> step_ SLUICE_GUARDED_BY(mutex_);  // goes with the next batch
  bool writing_ SLUICE_GUARDED_BY(mutex_) = false;
  Micros write_began_ SLUICE_GUARDED_BY(mutex_) = 0;

  int64_t opened_ SLUICE_GUARDED_BY(mutex_) = -1;
  google::protobuf::Timestamp opened_time_ SLUICE_GUARDED_BY(mutex_);
  int64_t steps_ SLUICE_GUARDED_BY(mutex_) = 0;
  StreamTotals sent_ SLUICE_GUARDED_BY(mutex_);                              // handed over
  BatchLengths lengths_ SLUICE_GUARDED_BY(mutex_);                           // of that
  std::deque<QuotaLedger::Reservation> reserved_ SLUICE_GUARDED_BY(mutex_);  // of rows to come

  bool ended_ SLUICE_GUARDED_BY(mutex_) = false;
  absl::Status why_ SLUICE_GUARDED_BY(mutex_);
  v1::RecordKind refusal_ SLUICE_GUARDED_BY(mutex_) = v1::RECORD_KIND_FAILED;
  Micros ended_at_ SLUICE_GUARDED_BY(mutex_) = 0;
  bool closing_ SLUICE_GUARDED_BY(mutex_) = false;          // CLOSED is being recorded, or is
  std::optional<Ending> ending_ SLUICE_GUARDED_BY(mutex_);  // told once nothing is being written
};

}  // namespace sluice::exchange
