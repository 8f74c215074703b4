// Changes without a log, for tests of the rooms that make them: each runs at once, on the calling
// thread, and is kept to be looked at. A change that fails or changes nothing leaves no entry.
#pragma once

#include <functional>
#include <vector>

#include "gateway/audit/changes.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {

class FakeChanges : public Changes {
 public:
  struct Made {
    ChangeActor actor;
    Effect effect;
    ChangeOutcome outcome;
  };
  explicit FakeChanges(store::Store& store, std::function<absl::Status()> publish = nullptr)
      : store_(store), publish_(std::move(publish)) {}

  void Submit(ChangeActor actor, Effect effect, Mutation mutation,
              std::function<void(absl::Status)> done) override;
  absl::Status Recover() override { return absl::OkStatus(); }
  void Close() override {}

  std::vector<Made> made() const;
  // The newest; there must be one.
  Made last() const;

 private:
  store::Store& store_;
  const std::function<absl::Status()> publish_;
  mutable Mutex mutex_;
  std::vector<Made> made_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::audit
