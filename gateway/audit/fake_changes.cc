#include "gateway/audit/fake_changes.h"

#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {

void FakeChanges::Submit(ChangeActor actor, Effect effect, Mutation mutation,
                         std::function<void(absl::Status)> done) {
  ChangeOutcome outcome;
  const absl::Status status = store_.Write([&](store::Transaction& transaction) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(outcome, mutation(transaction));
    return outcome.unchanged ? absl::AbortedError("nothing was changed") : absl::OkStatus();
  });
  if (outcome.unchanged) return done(absl::OkStatus());
  if (!status.ok()) return done(status);
  {
    MutexLock lock(mutex_);
    made_.push_back({std::move(actor), effect, std::move(outcome)});
  }
  done(publish_ ? publish_() : absl::OkStatus());
}

std::vector<FakeChanges::Made> FakeChanges::made() const {
  MutexLock lock(mutex_);
  return made_;
}

FakeChanges::Made FakeChanges::last() const {
  MutexLock lock(mutex_);
  SLUICE_CHECK(!made_.empty());
  return made_.back();
}

}  // namespace sluice::audit
