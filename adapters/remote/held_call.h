// The call of a scan between two batches: held for the next one, unless nobody asks for it in time.
// Who holds an open call holds a thread or a cursor in the process, for a consumer that may be
// gone.
#pragma once

#include <map>
#include <memory>
#include <thread>

#include "adapters/remote/call.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::remote {

// Any thread.
class HeldCall {
 public:
  // For a Next: what is held, or null. Not let go of until Put.
  std::shared_ptr<ScanCall> Take();
  // What Cancel reaches from now on. Null: nothing.
  void Use(std::shared_ptr<ScanCall> call);
  // The Next is over; the call is kept.
  void Put(Micros now);
  void Cancel();
  // Where nobody asked since `before`.
  void LetGo(Micros before);

 private:
  Mutex mutex_;
  std::shared_ptr<ScanCall> call_ SLUICE_GUARDED_BY(mutex_);
  bool in_use_ SLUICE_GUARDED_BY(mutex_) = false;
  bool cancelled_ SLUICE_GUARDED_BY(mutex_) = false;
  Micros since_ SLUICE_GUARDED_BY(mutex_) = 0;
};

// Lets go of those that were held for too long. Any thread.
class IdleWatch {
 public:
  IdleWatch(Micros idle, const Clock& clock) : idle_(idle), clock_(clock) {}
  ~IdleWatch();

  void Add(const std::shared_ptr<HeldCall>& held);
  void Remove(const HeldCall* held);

 private:
  void Run();

  const Micros idle_;
  const Clock& clock_;
  Mutex mutex_;
  Condition changed_;
  bool stopped_ SLUICE_GUARDED_BY(mutex_) = false;
  std::map<const HeldCall*, std::weak_ptr<HeldCall>> held_ SLUICE_GUARDED_BY(mutex_);
  std::thread thread_ SLUICE_GUARDED_BY(mutex_);  // from the first Add on
};

}  // namespace sluice::adapters::remote
