// The configured sources at work: each with its adapter, its own pool of threads, its queue and its
// circuit breaker, so that one slow or broken source harms no other.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/registry.h"
#include "gateway/base/executor.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "gateway/exchange/breaker.h"
#include "gateway/identity/closed_hours.h"
#include "sluice/v1/operations.pb.h"
#include "sluice/v1/registry.pb.h"

namespace sluice::exchange {

// Opens the system behind a source. Any thread; may take long.
using OpenAdapter =
    std::function<absl::StatusOr<std::unique_ptr<adapters::Adapter>>(const v1::Source&)>;
// By the adapter of the source's kind, of a table that outlives it (adapters/registry.h).
OpenAdapter OpenByKind(const std::vector<adapters::Kind>& kinds);

// Hears once of what a source's operator should know of it though it answers (Adapter::Notes). Any
// thread.
using TellNote = std::function<void(std::string_view source, std::string_view note)>;
// Into the operational log, which outlives it.
TellNote NotesInto(OperationalLog& operations);

// One source at work. Shared by the calls that use it, but never ended by one of them: its pool
// would have to wait for itself. Sources::Reap ends those that are retired and idle.
class SourceAtWork {
 public:
  SourceAtWork(v1::Source definition, OpenAdapter open, const Clock& clock,
               TellNote tell_note = nullptr);

  // A call's whole reading, or a part of a stream's, which gives way to the former.
  enum class Part { kCall, kStream };
  // Runs `task` on the source's pool: SOURCE_CLOSED within its closed hours, SOURCE_BUSY where its
  // queue is full, SOURCE_UNAVAILABLE while the breaker is open. The task gets the adapter, opened
  // on first use, and answers how the source did: its status counts for the breaker.
  using Task = std::function<absl::Status(absl::StatusOr<adapters::Adapter*>)>;
  absl::Status Submit(Task task, Part part = Part::kCall);

  const v1::Source& definition() const { return definition_; }
  // Health by probe. Asks the source whether it can be read, where nothing else has for a minute,
  // or the breaker waits for a trial, which then costs no consumer a failed call. Does not block.
  static void ProbeWhereDue(const std::shared_ptr<SourceAtWork>& source);
  v1::SourceStatus Status() const;
  // Takes no more; returns when what was taken has ended.
  void Close() { pool_.Close(); }
  // Whether calls wait for the pool behind those that it works on.
  bool others_wait() const { return waiting_ > 0; }
  bool idle() const { return running_ == 0 && waiting_ == 0; }
  Micros statement_limit() const { return definition_.limits().statement_ms() * kMillisecond; }

 private:
  absl::StatusOr<adapters::Adapter*> Open();
  // OK, or SOURCE_CLOSED with the time that it opens.
  absl::Status CheckOpen() const;
  bool ProbeIsDue() const;
  void Judge(const absl::Status& outcome);
  void TakeNotes(std::vector<std::string> notes);

  const v1::Source definition_;
  const OpenAdapter open_;
  const Clock& clock_;
  const TellNote tell_note_;
  const absl::StatusOr<identity::ClosedHours> closed_;
  CircuitBreaker breaker_;
  std::atomic<int> running_{0}, waiting_{0};
  // Opening may take long: whoever only asks how the source is doing does not wait for it.
  Mutex opening_;
  std::unique_ptr<adapters::Adapter> adapter_ SLUICE_GUARDED_BY(opening_);
  mutable Mutex mutex_;
  std::string last_failure_ SLUICE_GUARDED_BY(mutex_);
  Micros last_answer_ SLUICE_GUARDED_BY(mutex_) = 0;  // for people
  std::vector<std::string> notes_ SLUICE_GUARDED_BY(mutex_);
  std::atomic<bool> has_notes_{false};
  std::atomic<bool> probing_{false};
  std::atomic<Micros> last_asked_{-kHour};  // when a task ended, on the monotonic clock
  ThreadPool pool_;                         // last: ends before what its tasks use
};

// All of them. Any thread.
class Sources {
 public:
  Sources(const Clock& clock, OpenAdapter open, TellNote tell_note = nullptr)
      : clock_(clock), open_(std::move(open)), tell_note_(std::move(tell_note)) {}
  // Waits for what works on them: the last to let go of a source may be a task in its own pool.
  ~Sources();
  // Takes over the definitions; a source whose definition did not change goes on as it is.
  void Update(const std::map<std::string, v1::Source, std::less<>>& definitions);
  std::shared_ptr<SourceAtWork> Find(std::string_view id) const;
  std::vector<v1::SourceStatus> Status() const;
  // Now and then; does not block.
  void ProbeWhereDue();
  // Ends what was taken out of service and is idle. Called now and then, never from a source's
  // pool.
  void Reap();

 private:
  std::vector<std::shared_ptr<SourceAtWork>> All() const;

  const Clock& clock_;
  const OpenAdapter open_;
  const TellNote tell_note_;
  mutable Mutex mutex_;
  std::vector<std::shared_ptr<SourceAtWork>> retired_ SLUICE_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<SourceAtWork>, std::less<>> sources_
      SLUICE_GUARDED_BY(mutex_);
};

// Limits with the defaults filled in: 4 connections, queue 64, statements 10 s, breaker after 5
// failures for 30 s.
v1::SourceLimits WithDefaults(v1::SourceLimits limits);

}  // namespace sluice::exchange
