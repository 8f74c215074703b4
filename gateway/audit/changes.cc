#include "gateway/audit/changes.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/audit/outbox.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {
namespace {

// Changes are rare; whoever meets so many waiting should come again.
constexpr size_t kMostWaiting = 256;
constexpr std::chrono::milliseconds kPauseWhenLogIsFull(20);

// What one append came to, handed from the log's thread to the one that waits.
struct Answer {
  Mutex mutex;
  Condition arrived;
  std::optional<absl::StatusOr<v1::Receipt>> result SLUICE_GUARDED_BY(mutex);
};

Draft DraftOf(const ChangeActor& actor, const ChangeOutcome& outcome) {
  Draft draft = NewDraft(v1::RECORD_KIND_CHANGED);
  v1::AuditEnvelope& envelope = draft.envelope;
  *envelope.mutable_actor() = actor.actor;
  envelope.set_dataset(outcome.dataset);
  envelope.set_owner_agency(outcome.owner_agency);
  envelope.set_resource_kind(outcome.resource_kind);
  envelope.set_resource_name(outcome.resource_name);
  envelope.set_action(outcome.action);
  envelope.set_resource_revision(outcome.resource_revision);
  if (outcome.resource_kind == "grant") {
    envelope.set_grant(outcome.resource_name);
    envelope.set_grant_revision(outcome.resource_revision);
  } else if (outcome.resource_kind == "dataset") {
    envelope.set_dataset_revision(outcome.resource_revision);
  }
  v1::AuditDetail& detail = draft.detail;
  detail.set_call_id(actor.call_id);
  detail.set_peer(actor.peer);
  detail.set_method(actor.method);
  detail.set_certificate_serial(actor.certificate_serial);
  detail.set_certificate_digest(actor.certificate_digest);
  detail.set_before_json(outcome.before_json);
  detail.set_after_json(outcome.after_json);
  detail.set_change_reason(outcome.reason);
  return draft;
}

class OutboxChanges : public Changes {
 public:
  OutboxChanges(store::Store& store, Log& log, RecordSealer& sealer,
                std::function<absl::Status()> publish)
      : store_(store), log_(log), sealer_(sealer), publish_(std::move(publish)), thread_([this] {
          Run();
        }) {}
  ~OutboxChanges() override { Close(); }

  void Submit(ChangeActor actor, Effect effect, Mutation mutation,
              std::function<void(absl::Status)> done) override;
  absl::Status Recover() override;
  void Close() override;

 private:
  struct Waiting {
    ChangeActor actor;
    Effect effect;
    Mutation mutation;
    std::function<void(absl::Status)> done;
  };
  // A change that is committed, its record made ready.
  struct Committed {
    int64_t change_id = 0;
    SealedRecord record;
  };

  void Run();
  absl::Status Carry(const Waiting& change);
  absl::StatusOr<std::vector<Committed>> Commit(const Waiting& change);
  absl::StatusOr<uint64_t> Append(const SealedRecord& record);
  absl::StatusOr<uint64_t> AppendOnce(const SealedRecord& record);
  absl::Status Publish();
  absl::Status Refuse(absl::Status status);
  absl::Status RecoverEntries(const std::vector<OutboxEntry>& entries);
  absl::Status Mark(int64_t change_id, uint64_t index);

  store::Store& store_;
  Log& log_;
  RecordSealer& sealer_;
  const std::function<absl::Status()> publish_;
  Mutex close_mutex_;  // held for a whole Close, so that two do not join one thread
  Mutex mutex_;
  Condition changed_;
  std::deque<Waiting> waiting_ SLUICE_GUARDED_BY(mutex_);
  bool closed_ SLUICE_GUARDED_BY(mutex_) = false;
  // Why nothing more is taken; OK while all is well.
  absl::Status refusal_ SLUICE_GUARDED_BY(mutex_);
  std::thread thread_;
};

void OutboxChanges::Submit(ChangeActor actor, Effect effect, Mutation mutation,
                           std::function<void(absl::Status)> done) {
  absl::Status refused;
  {
    MutexLock lock(mutex_);
    if (closed_) {
      refused = Error(v1::REASON_SHUTTING_DOWN, "The gateway is draining.");
    } else if (!refusal_.ok()) {
      refused = refusal_;
    } else if (waiting_.size() >= kMostWaiting) {
      refused = Error(v1::REASON_OVERLOADED, "Too many changes wait.");
    } else {
      waiting_.push_back({std::move(actor), effect, std::move(mutation), std::move(done)});
      changed_.NotifyAll();
    }
  }
  if (!refused.ok()) done(refused);
}

void OutboxChanges::Run() {
  while (true) {
    std::optional<Waiting> next;
    absl::Status refused;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !closed_) changed_.Wait(mutex_);
      if (waiting_.empty()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
      refused = closed_ ? Error(v1::REASON_SHUTTING_DOWN, "The gateway is draining.") : refusal_;
    }
    next->done(refused.ok() ? Carry(*next) : refused);
  }
}

absl::Status OutboxChanges::Carry(const Waiting& change) {
  SLUICE_ASSIGN_OR_RETURN(const auto committed, Commit(change));
  if (committed.empty()) return absl::OkStatus();  // nothing was changed

  absl::Status published;
  if (change.effect == Effect::kAtCommit) published = Publish();
  for (const Committed& one : committed) {
    const auto index = Append(one.record);
    // Not in effect, and not taken back either: the next start appends it (Recover).
    if (!index.ok()) return Refuse(index.status());
    // The mark only spares Recover a search. Where it fails, the store refuses the next change
    // itself.
    Mark(one.change_id, *index).IgnoreError();
  }
  if (change.effect == Effect::kAfterRecord) published = Publish();
  return published;
}

// Empty where nothing was changed.
absl::StatusOr<std::vector<OutboxChanges::Committed>> OutboxChanges::Commit(const Waiting& change) {
  std::vector<Committed> committed;
  bool unchanged = false;
  const absl::Status status = store_.Write([&](store::Transaction& transaction) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(ChangeOutcome outcome, change.mutation(transaction));
    unchanged = outcome.unchanged;
    if (unchanged) return absl::AbortedError("nothing was changed");
    std::vector<ChangeOutcome> outcomes = std::exchange(outcome.also, {});
    outcomes.insert(outcomes.begin(), std::move(outcome));
    for (const ChangeOutcome& one : outcomes) {
      Draft draft = DraftOf(change.actor, one);
      Committed& made = committed.emplace_back();
      SLUICE_ASSIGN_OR_RETURN(made.change_id, InsertOutbox(transaction, draft, log_.size()));
      // Sealed before the commit, so that a record that cannot be made undoes its change.
      SLUICE_ASSIGN_OR_RETURN(made.record, sealer_.Seal(std::move(draft)));
    }
    return absl::OkStatus();
  });
  if (unchanged) return std::vector<Committed>();
  SLUICE_RETURN_IF_ERROR(status);
  return committed;
}

absl::StatusOr<uint64_t> OutboxChanges::AppendOnce(const SealedRecord& record) {
  auto answer = std::make_shared<Answer>();
  log_.Append(record, [answer](absl::StatusOr<v1::Receipt> receipt) {
    MutexLock lock(answer->mutex);
    answer->result = std::move(receipt);
    answer->arrived.NotifyAll();
  });
  MutexLock lock(answer->mutex);
  while (!answer->result) answer->arrived.Wait(answer->mutex);
  const absl::StatusOr<v1::Receipt>& receipt = *answer->result;
  if (!receipt.ok()) return receipt.status();
  return static_cast<uint64_t>(receipt->index());
}

// A full log is a matter of moments, a broken one is not.
absl::StatusOr<uint64_t> OutboxChanges::Append(const SealedRecord& record) {
  while (true) {
    auto index = AppendOnce(record);
    if (index.ok() || ReasonOf(index.status()) != v1::REASON_OVERLOADED) return index;
    MutexLock lock(mutex_);
    if (closed_) return index;
    changed_.WaitFor(mutex_, kPauseWhenLogIsFull);
  }
}

absl::Status OutboxChanges::Mark(int64_t change_id, uint64_t index) {
  return store_.Write(
      [&](store::Transaction& transaction) { return MarkAppended(transaction, change_id, index); });
}

absl::Status OutboxChanges::Publish() {
  const absl::Status status = publish_();
  if (status.ok()) return status;
  absl::Status refusal = Error(v1::REASON_INTERNAL,
                               "The change is recorded, but the gateway cannot put it in effect.");
  MutexLock lock(mutex_);
  if (refusal_.ok()) refusal_ = refusal;
  return refusal;
}

absl::Status OutboxChanges::Refuse(absl::Status status) {
  if (ReasonOf(status) != v1::REASON_AUDIT_UNAVAILABLE)
    status = Error(v1::REASON_AUDIT_UNAVAILABLE, "The change could not be recorded.");
  MutexLock lock(mutex_);
  if (refusal_.ok()) refusal_ = status;
  return status;
}

absl::Status OutboxChanges::Recover() {
  SLUICE_RETURN_IF_ERROR(CheckLogIsWhole(store_, log_));
  std::vector<OutboxEntry> entries;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(entries, PendingOutbox(reader));
    return absl::OkStatus();
  }));
  return entries.empty() ? absl::OkStatus() : RecoverEntries(entries);
}

absl::Status OutboxChanges::RecoverEntries(const std::vector<OutboxEntry>& entries) {
  std::map<int64_t, uint64_t> found;
  std::set<int64_t> missing;
  uint64_t begin = entries.front().log_size_before;
  for (const auto& entry : entries) {
    missing.insert(entry.change_id);
    begin = std::min(begin, entry.log_size_before);
  }
  absl::Status unreadable;
  SLUICE_RETURN_IF_ERROR(log_.Read(begin, [&](const Log::Entry& entry) {
    v1::AuditEnvelope envelope;
    if (!envelope.ParseFromString(entry.record.envelope)) {
      unreadable = absl::DataLossError(absl::StrCat("record #", entry.index, " cannot be read"));
      return false;
    }
    if (envelope.kind() == v1::RECORD_KIND_CHANGED && missing.erase(envelope.change_id()) > 0)
      found[envelope.change_id()] = entry.index;
    return !missing.empty();
  }));
  SLUICE_RETURN_IF_ERROR(unreadable);
  for (const auto& entry : entries) {
    if (const auto known = found.find(entry.change_id); known != found.end()) {
      SLUICE_RETURN_IF_ERROR(Mark(entry.change_id, known->second));
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(const SealedRecord record, sealer_.Seal(entry.draft));
    const auto index = Append(record);
    if (!index.ok()) return Refuse(index.status());
    SLUICE_RETURN_IF_ERROR(Mark(entry.change_id, *index));
  }
  return absl::OkStatus();
}

void OutboxChanges::Close() {
  MutexLock closing(close_mutex_);
  {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace

absl::Status CheckLogIsWhole(store::Store& store, const Log& log) {
  uint64_t least_size = 0;
  SLUICE_RETURN_IF_ERROR(store.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(least_size, LeastLogSize(reader));
    return absl::OkStatus();
  }));
  if (log.size() >= least_size) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the log has ", log.size(), " records, the control store knows of ", least_size,
      ": the log is an older copy, or belongs to another gateway; restore the newest log"));
}

std::unique_ptr<Changes> MakeChanges(store::Store& store, Log& log, RecordSealer& sealer,
                                     std::function<absl::Status()> publish) {
  return std::make_unique<OutboxChanges>(store, log, sealer, std::move(publish));
}

}  // namespace sluice::audit
