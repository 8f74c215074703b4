// The append-only log. One writer; whatever gathered while the last sync ran is the next batch.
//
// Threads: Append from any thread; callbacks come on the log's own release thread, one after the
// other in index order, and must not block. While that thread signs and releases batch n, the
// writer thread writes and syncs n+1; one batch is in flight on disk.
//
// After one failed write or sync the log is poisoned: every append, waiting or later, fails with
// AUDIT_UNAVAILABLE, the sync is never retried, and only a new process recovers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/base/file_system.h"
#include "gateway/base/histogram.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

// A record as it is stored: serialised AuditEnvelope (at most 65,535 bytes) and sealed detail (at
// most 1 MiB and the seal's own bytes).
struct SealedRecord {
  std::string envelope;
  std::string sealed_detail;
};

// What is called when the record is durable, or never will be.
using AppendCallback = std::function<void(absl::StatusOr<v1::Receipt>)>;

// What a log tells of itself while it works. Any thread.
struct LogMeters {
  Histogram syncs;                     // write and sync of each batch
  std::atomic<uint64_t> refused{0};    // appends that were not taken, or not written
  std::atomic<uint64_t> head_size{0};  // of the newest head that this process signed
  std::atomic<Micros> head_time{0};    // when; 0 before the first
};

struct LogOptions {
  std::string directory;              // of the log itself: segments/, heads/; nothing derived
  std::string kept_head;              // file elsewhere that keeps the last signed head as well
  std::string origin;                 // "gw1.gov.example/log"
  uint64_t segment_bytes = 64 << 20;  // zero-filled in advance
  size_t batch_bytes = 4 << 20;       // a batch closes at this size, or
  size_t batch_records = 4096;        // this many records
  size_t waiting_bytes =
      64 << 20;                    // appends beyond this many waiting bytes are refused: OVERLOADED
  Micros head_interval = kSecond;  // heads are signed at most this often
  LogMeters* meters = nullptr;     // outlive the log; may be null
};

// What was found at start.
struct RecoveryReport {
  uint64_t records = 0;
  uint64_t torn_bytes = 0;         // of a torn batch that was set aside
  bool clean = true;               // the log was empty, or the last record is STOPPED
  std::optional<Checkpoint> head;  // the newest kept head
};

class Log {
 public:
  virtual ~Log() = default;

  // RESOURCE_EXHAUSTED (OVERLOADED) where too much waits; RESULT_TOO_LARGE where the record is over
  // its bounds; AUDIT_UNAVAILABLE once poisoned or closed. The callback is called exactly once,
  // also on refusal.
  virtual void Append(SealedRecord record, AppendCallback callback) = 0;

  // Records that are synced. Any thread, no lock.
  virtual uint64_t size() const = 0;
  virtual bool poisoned() const = 0;
  // Called once when it becomes so, from the writer's thread.
  virtual void OnPoison(std::function<void(const absl::Status&)> callback) = 0;
  // Called whenever more records are synced, from the writer's thread; must not block. One for a
  // log; it may still be called for a moment after another was set.
  virtual void OnGrowth(std::function<void()> /*callback*/) {}
  // The newest signed head, as a note; empty before the first. Signs one over all that is synced
  // first where `fresh` is asked for (still at most one per head_interval: it waits).
  virtual absl::StatusOr<std::string> Head(bool fresh) = 0;

  // Reads synced records back, in order, from `begin` on, until the function returns false or the
  // synced end is reached. Blocking; for pool threads and start-up.
  struct Entry {
    uint64_t index = 0;
    SealedRecord record;
  };
  virtual absl::Status Read(uint64_t begin, const std::function<bool(const Entry&)>& each) = 0;
  virtual absl::StatusOr<Entry> ReadOne(uint64_t index) = 0;

  // An inclusion proof under the newest signed head, which is made fresh where it does not cover
  // the index.
  virtual absl::StatusOr<TlogProof> Prove(uint64_t index) = 0;

  // Hashes of complete subtrees of 2^level leaves, side by side: those numbered from `first` on,
  // `count` of them, all over synced records. Blocking.
  virtual absl::StatusOr<std::vector<Hash>> Subtrees(uint64_t first, int level, size_t count) = 0;

  // Takes no more; all that was appended is synced, a last head is signed and kept.
  virtual absl::Status Close() = 0;
};

// Recovers and opens, or says why not: DATA_LOSS where the log is corrupt (place and next command
// in the message). Creates an empty log where the directory is empty. The file system, clock and
// key outlive the log.
absl::StatusOr<std::unique_ptr<Log>> OpenLog(const LogOptions& options, FileSystem& files,
                                             const Clock& clock, const SigningKey& key,
                                             RecoveryReport* report);

}  // namespace sluice::audit
