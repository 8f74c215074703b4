#include "gateway/audit/generated_log_testing.h"

#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

class GivenTime : public Clock {
 public:
  explicit GivenTime(Micros now) : now_(now) {}
  Micros Now() const override { return now_; }
  Micros Monotonic() const override { return now_; }
  ClockState State() const override { return ClockState::kSynchronised; }

 private:
  const Micros now_;
};

absl::Status NotOfThisLog() { return absl::UnimplementedError("a generated log is only read"); }

}  // namespace

void GeneratedLog::Append(SealedRecord, AppendCallback callback) { callback(NotOfThisLog()); }

absl::StatusOr<std::string> GeneratedLog::Head(bool) { return NotOfThisLog(); }

absl::StatusOr<TlogProof> GeneratedLog::Prove(uint64_t) { return NotOfThisLog(); }

absl::StatusOr<std::vector<Hash>> GeneratedLog::Subtrees(uint64_t, int, size_t) {
  return NotOfThisLog();
}

absl::StatusOr<Log::Entry> GeneratedLog::ReadOne(uint64_t index) {
  if (index >= size_) return absl::OutOfRangeError("no such record");
  Micros time = 0;
  Draft draft = make_(index, &time);
  const GivenTime clock(time);
  RecordSealer sealer(keys_, clock, random_);
  Entry entry;
  entry.index = index;
  SLUICE_ASSIGN_OR_RETURN(entry.record, sealer.Seal(std::move(draft)));
  return entry;
}

absl::Status GeneratedLog::Read(uint64_t begin, const std::function<bool(const Entry&)>& each) {
  for (uint64_t index = begin; index < size_; ++index) {
    SLUICE_ASSIGN_OR_RETURN(const Entry entry, ReadOne(index));
    if (!each(entry)) break;
  }
  return absl::OkStatus();
}

}  // namespace sluice::audit
