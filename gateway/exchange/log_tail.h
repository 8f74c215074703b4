// Who reads the log as a stream: those that follow it get the records that they may see and asked
// for, from some index on, as they are synced; others get an export, or the log's entries
// (log_feed.h). One thread reads for all; nothing is held for anybody but the one message that is
// on its way to it, so a slow reader falls behind by itself, and one that takes nothing for too
// long is ended. Recorded when it begins, before its first message; a tail also when it ends.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/exchange/log_feed.h"

namespace sluice::exchange {

// To one reader. Any thread; after a Write no other, and no Finish, before `taken` was called.
class TailWriter {
 public:
  virtual ~TailWriter() = default;
  // `taken` is called once, from any thread: true when flow control let the message pass.
  virtual void Write(const google::protobuf::Message& message, std::function<void(bool)> taken) = 0;
  // Once. The status has not passed PublicStatus yet.
  virtual void Finish(absl::Status status) = 0;
  // Gives up a Write that is not taken: its `taken` comes soon, with false.
  virtual void Abort() = 0;
};

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
  // The same for a feed, whose record of the beginning is `reading`.
  void Serve(const std::shared_ptr<Follower>& follower, const audit::Scope& scope,
             std::unique_ptr<LogFeed> feed, const Reading& reading);
  // The same for a feed whose reading was recorded, and that was begun.
  void ServeRecorded(const std::shared_ptr<Follower>& follower, const audit::Scope& scope,
                     std::unique_ptr<LogFeed> feed);
  // Those that follow now end like this. Does not wait.
  void EndAll(const absl::Status& why);
  // Ends all (SHUTTING_DOWN), takes no more, and returns when their records are written. Once.
  void Close();

 private:
  struct Shared;

  void Run();
  // False where it was refused.
  bool Enter(const std::shared_ptr<Follower>& follower);
  void Attend(const std::shared_ptr<Follower>& follower, bool look, bool cutting);
  absl::Status StillAllowed(const Follower& follower) const;
  void Conclude(const std::shared_ptr<Follower>& follower, const absl::Status& why);

  const LogReadingParts parts_;
  const LogTailLimits limits_;
  const std::shared_ptr<Shared> shared_;  // outlives the tail in callbacks
  std::thread thread_;
};

}  // namespace sluice::exchange
