// Asks the witnesses of a policy to cosign a log's heads, some time after they are signed and never
// while anybody waits for it; keeps the newest head that enough of them cosigned.
//
// One round asks all witnesses for one head, side by side, at most once an interval; a witness that
// is slow costs a round its timeout and no more. A head that was cosigned is asked for again after
// a while, so that an idle log's cosignatures stay young. What a witness cosigned last is learnt
// from its 409.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/log_proofs.h"
#include "gateway/audit/tlog_policy.h"
#include "gateway/base/executor.h"
#include "gateway/base/file_system.h"
#include "gateway/base/http_client.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "gateway/base/snapshot_cell.h"

namespace sluice::witness {

struct CosignerOptions {
  audit::TlogPolicy policy;
  std::string file;  // keeps the newest cosigned head between runs
  Micros interval = 10 * kSecond;
  Micros timeout = 5 * kSecond;  // of one answer
  Micros refresh = kMinute;      // a head that was cosigned is asked for again
  Micros late = kMinute;         // cosignatures older than this are shown to nobody
  HttpTls tls;
};

// Of one witness.
struct WitnessState {
  std::string name, key;  // in the policy; of its key
  uint64_t records = 0;   // of the newest head that it cosigned for us
  Micros cosigned = 0;    // when we got that, UTC; 0: not in this run
  std::string failure;    // why it did not when it was last asked
};

// Any thread.
class Cosigner {
 public:
  // What asks a witness; a test's, or HttpSend.
  using Send = std::function<absl::StatusOr<HttpReply>(const HttpCall&)>;

  // INVALID_ARGUMENT where the policy does not name the log. All but the options outlive it.
  static absl::StatusOr<std::unique_ptr<Cosigner>> Make(CosignerOptions options, audit::Log& log,
                                                        const audit::VerifierKey& log_key,
                                                        FileSystem& files, const Clock& clock,
                                                        OperationalLog& operations,
                                                        SnapshotCell<audit::CosignedHead>& shown,
                                                        Send send = HttpSend);
  ~Cosigner();

  // Rounds from now on, on a thread of its own, until Stop.
  void Start();
  // Returns when no witness is being asked any more; a second at most.
  void Stop();
  // One round, on this thread; for tests, and for Start.
  void Round();
  // Hides what has become too old.
  void HideWhatIsLate();

  std::vector<WitnessState> Witnesses() const;
  // How long ago enough of them had cosigned; since this object was made where they never did.
  Micros Age() const;
  // The newest head that enough of them cosigned, late or not; empty before the first.
  std::shared_ptr<const audit::CosignedHead> Newest() const;
  // When that was, UTC; 0 before the first.
  Micros Time() const;

 private:
  Cosigner(CosignerOptions options, audit::Log& log, audit::VerifierKey log_key, FileSystem& files,
           const Clock& clock, OperationalLog& operations, SnapshotCell<audit::CosignedHead>& shown,
           Send send);
  void LoadKept();
  void Run();
  bool Due(const std::string& head) const;
  // Signature lines of one witness for that head.
  absl::StatusOr<std::vector<audit::NoteSignature>> AskOne(size_t witness, const std::string& head,
                                                           const audit::Checkpoint& checkpoint);
  void Note(size_t witness, const audit::Checkpoint& checkpoint, const absl::Status& outcome);
  void Take(const std::string& head, const audit::Checkpoint& checkpoint,
            const std::vector<audit::NoteSignature>& signatures);

  const CosignerOptions options_;
  audit::Log& log_;
  const audit::VerifierKey log_key_;
  FileSystem& files_;
  const Clock& clock_;
  OperationalLog& operations_;
  SnapshotCell<audit::CosignedHead>& shown_;
  const Send send_;
  const Micros made_;  // monotonic
  std::atomic<bool> stop_{false};
  std::unique_ptr<ThreadPool> pool_;

  mutable Mutex mutex_;
  Condition changed_;
  std::vector<WitnessState> states_ SLUICE_GUARDED_BY(mutex_);
  std::shared_ptr<const audit::CosignedHead> newest_ SLUICE_GUARDED_BY(mutex_);
  Micros newest_monotonic_ SLUICE_GUARDED_BY(mutex_) = 0, newest_time_
                                                          SLUICE_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace sluice::witness
