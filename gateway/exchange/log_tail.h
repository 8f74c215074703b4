// Who follows the log: each gets the records that it may see and asked for, from some index on, as
// they are synced. One thread reads for all; nothing is held for anybody but the one message that
// is on its way to it, so a slow reader falls behind by itself, and one that takes nothing for too
// long is ended. Recorded when it begins, before its first message, and when it ends.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/audit/log_proofs.h"
#include "gateway/audit/record.h"
#include "gateway/base/snapshot_cell.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/log_question.h"

namespace sluice::exchange {

// To one reader. Any thread; after a Write no other, and no Finish, before `taken` was called.
class TailWriter {
 public:
  virtual ~TailWriter() = default;
  // `taken` is called once, from any thread: true when flow control let the message pass.
  virtual void Write(v1::TailResponse message, std::function<void(bool)> taken) = 0;
  // Once. The status has not passed PublicStatus yet.
  virtual void Finish(absl::Status status) = 0;
  // Gives up a Write that is not taken: its `taken` comes soon, with false.
  virtual void Abort() = 0;
};

// What all that read the log stand on. All outlive it.
struct LogReadingParts {
  audit::Log& log;
  audit::SearchIndex& index;
  const audit::DetailKeys& keys;
  audit::RecordSealer& sealer;
  const audit::Pseudonyms& pseudonyms;
  const Tokens& tokens;
  const SnapshotCell<policy::Snapshot>& snapshots;
  const Clock& clock;
  // The newest head that enough witnesses cosigned; empty, or null, where there is none.
  const SnapshotCell<audit::CosignedHead>* cosigned = nullptr;

  std::shared_ptr<const audit::CosignedHead> Cosigned() const {
    return cosigned == nullptr ? nullptr : cosigned->Get();
  }
};

// Of one reading: what its record says.
struct Reading {
  std::string request_json;
  std::vector<v1::SubjectPseudonym> asked;
  int64_t from = 0, to = 0, shown = 0;
  v1::Reason ended = v1::REASON_UNSPECIFIED;  // of a tail that ended, by its reader or otherwise
};
// Appends the record of a reading; then `answer` with its index, on this thread or the log's.
void RecordReading(const LogReadingParts& parts, const Call& call, const Reading& reading,
                   std::function<void(absl::StatusOr<int64_t>)> answer);

struct LogTailLimits {
  size_t tails = 64, tails_per_principal = 8;
  Micros stall = 30 * kSecond;
};

class LogTail {
 public:
  LogTail(const LogReadingParts& parts, const LogTailLimits& limits);
  // Ends all.
  ~LogTail();

  // One reader. Made on gRPC's thread, so that it can be given up before anything else was done.
  class Follower;
  static std::shared_ptr<Follower> MakeFollower(Call call, std::shared_ptr<TailWriter> writer);
  // Of one that does not follow yet.
  static void Refuse(const std::shared_ptr<Follower>& follower, absl::Status why);
  // The reader went away. Any thread.
  void GiveUp(const std::shared_ptr<Follower>& follower);
  // Records the beginning, then follows. TOO_MANY_CALLS, OVERLOADED, SHUTTING_DOWN go to the
  // writer, as all ends do.
  void Follow(const std::shared_ptr<Follower>& follower, LogQuestion question,
              std::string request_json, int64_t from);
  // Those that follow now end like this. Does not wait.
  void EndAll(const absl::Status& why);
  // Ends all (SHUTTING_DOWN), takes no more, and returns when their records are written. Once.
  void Close();

 private:
  struct Shared;

  void Run();
  void Serve(const std::shared_ptr<Follower>& follower, bool look, bool cutting);
  absl::StatusOr<v1::TailResponse> ReadOn(Follower& follower, bool* more);
  absl::Status StillAllowed(const Follower& follower) const;
  void Conclude(const std::shared_ptr<Follower>& follower, const absl::Status& why);

  const LogReadingParts parts_;
  const LogTailLimits limits_;
  const std::shared_ptr<Shared> shared_;  // outlives the tail in callbacks
  std::thread thread_;
};

}  // namespace sluice::exchange
