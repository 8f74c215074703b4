#include "gateway/exchange/running.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

// OK while the exchange may go on under this snapshot.
absl::Status StillPermitted(const RunningExchange& exchange, const policy::Snapshot& snapshot,
                            Micros now) {
  if (snapshot.verifier != nullptr)
    SLUICE_RETURN_IF_ERROR(snapshot.verifier->CheckAgain(*exchange.peer, now));
  if (const auto principal = snapshot.directory->Resolve(*exchange.peer); !principal.ok())
    return principal.status();
  const v1::Grant& held = exchange.grant->definition;
  if (held.id().empty()) return absl::OkStatus();  // a preview of what is no grant yet
  const auto found = snapshot.grants.find(held.id());
  if (found != snapshot.grants.end() &&
      found->second->definition.state() == v1::GRANT_STATE_SUSPENDED) {
    return Error(v1::REASON_GRANT_SUSPENDED, absl::StrCat("grant ", held.id(), " was suspended."),
                 {{"grant", held.id()}, {"dataset", held.dataset()}});
  }
  if (found == snapshot.grants.end() ||
      found->second->definition.state() != v1::GRANT_STATE_IN_FORCE) {
    return Error(v1::REASON_GRANT_REVOKED, absl::StrCat("grant ", held.id(), " was revoked."),
                 {{"grant", held.id()}, {"dataset", held.dataset()}});
  }
  const auto& expires = found->second->definition.expires();
  if (now >= expires.seconds() * kSecond + expires.nanos() / 1000)
    return Error(v1::REASON_GRANT_EXPIRED, absl::StrCat("grant ", held.id(), " has expired."),
                 {{"grant", held.id()}, {"dataset", held.dataset()}});
  const auto dataset = snapshot.datasets.find(held.dataset());
  if (dataset == snapshot.datasets.end())
    return Error(v1::REASON_DATASET_UNKNOWN, absl::StrCat("there is no dataset ", held.dataset()));
  const v1::Dataset& offered = dataset->second->definition;
  if (offered.state() == v1::DATASET_STATE_SUSPENDED ||
      offered.state() == v1::DATASET_STATE_RETIRED) {
    const bool suspended = offered.state() == v1::DATASET_STATE_SUSPENDED;
    return Error(suspended ? v1::REASON_DATASET_SUSPENDED : v1::REASON_DATASET_RETIRED,
                 absl::StrCat(held.dataset(), suspended ? " was suspended." : " was retired."),
                 {{"grant", held.id()}, {"dataset", held.dataset()}});
  }
  if (!catalogue::InAudience(offered, exchange.principal->agency))
    return Error(v1::REASON_DATASET_UNKNOWN, absl::StrCat("there is no dataset ", held.dataset()));
  const policy::Grant& now_held = *found->second;
  if (exchange.stream &&
      (now_held.definition.revision() != held.revision() ||
       now_held.dataset->definition.revision() != exchange.grant->dataset->definition.revision())) {
    return Error(v1::REASON_GRANT_REVOKED,
                 absl::StrCat("grant ", held.id(), " or its dataset was amended; read again."),
                 {{"grant", held.id()}, {"dataset", held.dataset()}});
  }
  return absl::OkStatus();
}

}  // namespace

void RunningExchange::SetReader(adapters::RecordReader* reader) {
  MutexLock lock(mutex_);
  reader_ = reader;
  if (reader_ != nullptr && stop->stopped()) reader_->Cancel();
}

void RunningExchange::CancelReader() {
  stop->Stop();
  MutexLock lock(mutex_);
  if (reader_ != nullptr) reader_->Cancel();
}

void RunningExchange::Withdraw(absl::Status why) {
  MutexLock lock(mutex_);
  if (withdrawn_.ok()) withdrawn_ = std::move(why);
}

absl::Status RunningExchange::withdrawn() const {
  MutexLock lock(mutex_);
  return withdrawn_;
}

absl::Status RunningExchanges::Add(const std::shared_ptr<RunningExchange>& exchange,
                                   const policy::SnapshotPtr& decided,
                                   const SnapshotCell<policy::Snapshot>& snapshots) {
  SLUICE_RETURN_IF_ERROR(Admit(exchange));
  // Looked at after it can be found: a swap before this is seen here, one after it checks all.
  const policy::SnapshotPtr newest = snapshots.Get();
  if (newest == decided) return absl::OkStatus();
  absl::Status status = StillPermitted(*exchange, *newest, clock_.Now());
  if (!status.ok()) Remove(exchange);
  return status;
}

absl::Status RunningExchanges::Admit(const std::shared_ptr<RunningExchange>& exchange) {
  const identity::Principal& who = *exchange->principal;
  const int most = who.max_running_calls > 0 ? std::min(who.max_running_calls, limits_.per_system)
                                             : limits_.per_system;
  absl::Status refused;
  {
    MutexLock lock(mutex_);
    int& count = by_system_[who.path];
    if (draining_) {
      refused = Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining.");
    } else if (count >= most) {
      refused = Error(v1::REASON_TOO_MANY_CALLS, absl::StrCat(who.QualifiedName(), " has ", count,
                                                              " calls running, the most it may."));
    } else if (running_.size() >= static_cast<size_t>(limits_.all)) {
      refused = Error(v1::REASON_OVERLOADED, "the gateway has as many calls running as it takes.");
    } else if (exchange->stream && streams_ >= limits_.streams) {
      refused = Error(v1::REASON_OVERLOADED, "the gateway has as many streams open as it takes.");
    } else {
      ++count;
      if (exchange->stream) ++streams_;
      running_.insert(exchange);
      ++count_;
      return absl::OkStatus();
    }
    if (count == 0) by_system_.erase(who.path);
  }
  AddRetryDelay(refused, kSecond / 5);
  return refused;
}

void RunningExchanges::Remove(const std::shared_ptr<RunningExchange>& exchange) {
  MutexLock lock(mutex_);
  if (running_.erase(exchange) == 0) return;
  --count_;
  if (exchange->stream) --streams_;
  const auto count = by_system_.find(exchange->principal->path);
  if (--count->second == 0) by_system_.erase(count);
}

void RunningExchanges::Check(const policy::Snapshot& snapshot, Micros now) {
  EndWhere(
      [&](const RunningExchange& exchange) { return StillPermitted(exchange, snapshot, now); });
}

void RunningExchanges::CheckDeadlines() {
  const Micros now = clock_.Monotonic();
  EndWhere([now](const RunningExchange& exchange) {
    if (exchange.deadline == 0 || now < exchange.deadline) return absl::OkStatus();
    return Error(v1::REASON_DEADLINE_EXCEEDED, "the call's deadline passed. Nothing was released.");
  });
  for (const auto& exchange : All())
    if (exchange->watch) exchange->watch(now);
}

std::vector<std::shared_ptr<RunningExchange>> RunningExchanges::All() const {
  MutexLock lock(mutex_);
  return {running_.begin(), running_.end()};
}

void RunningExchanges::EndAll(const absl::Status& why) {
  EndWhere([&why](const RunningExchange&) { return why; });
}

v1::RunningExchange RunningExchanges::Describe(const RunningExchange& exchange) const {
  const auto at = [](Micros time, google::protobuf::Timestamp* out) {
    out->set_seconds(time / kSecond);
    out->set_nanos(static_cast<int32_t>(time % kSecond * 1000));
  };
  // From the monotonic clock to that of people.
  const auto wall = [this](Micros monotonic) {
    return clock_.Now() + monotonic - clock_.Monotonic();
  };
  v1::RunningExchange told;
  told.set_call_id(exchange.call_id);
  told.set_principal(exchange.principal->path);
  told.set_method(exchange.method);
  told.set_dataset(exchange.grant->definition.dataset());
  told.set_grant(exchange.grant->definition.id());
  at(exchange.started, told.mutable_started());
  if (exchange.deadline > 0) at(wall(exchange.deadline), told.mutable_deadline());
  told.set_stream(exchange.stream);
  if (!exchange.progress) return told;
  const RunningExchange::Progress progress = exchange.progress();
  told.set_rows(progress.rows);
  told.set_payload_bytes(progress.bytes);
  if (progress.waits_since > 0) at(wall(progress.waits_since), told.mutable_waits_since());
  return told;
}

std::vector<v1::RunningExchange> RunningExchanges::List() const {
  std::vector<v1::RunningExchange> list;
  for (const auto& exchange : All()) list.push_back(Describe(*exchange));
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return std::pair(a.started().seconds(), a.started().nanos()) <
           std::pair(b.started().seconds(), b.started().nanos());
  });
  return list;
}

std::optional<v1::RunningExchange> RunningExchanges::Find(std::string_view call_id) const {
  for (const auto& exchange : All())
    if (exchange->call_id == call_id) return Describe(*exchange);
  return std::nullopt;
}

bool RunningExchanges::End(std::string_view call_id, const absl::Status& why) {
  bool found = false;
  EndWhere([&](const RunningExchange& exchange) {
    if (exchange.call_id != call_id) return absl::OkStatus();
    found = true;
    return why;
  });
  return found;
}

void RunningExchanges::EndWhere(const Reason& reason) {
  for (const auto& exchange : All()) {
    absl::Status why = reason(*exchange);
    if (why.ok()) continue;
    // A deadline does not take back what is durable already; a revocation does.
    if (ReasonOf(why) != v1::REASON_DEADLINE_EXCEEDED) exchange->Withdraw(why);
    if (exchange->state() == RunningExchange::State::kRunning) exchange->end(std::move(why));
  }
}

}  // namespace sluice::exchange
