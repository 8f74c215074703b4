// A gateway's exchange in memory for tests: a broker over two fake sources, a real audit log on a
// fake file system, and a clock that the test moves.
//
// Two agencies lend: public-security its persons (source "ps", one person a row, ids are CN-RID),
// and transport its vehicles (source "tr"). Two borrow: civil-affairs with the systems relief and
// pensions (grant "persons1" and "vehicle1"), and health with the system clinic (grant "clinic01").
//
//   Exchange exchange;
//   exchange.ps.SetRows(Persons(3));
//   const auto answer = exchange.Query(PersonsRequest());
//   EXPECT_EQ(answer->rows(), 3);
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/record_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/fake_source_testing.h"
#include "gateway/exchange/gated_log_testing.h"
#include "gateway/exchange/usage_history.h"

namespace sluice::exchange {

// An operational log that keeps its lines.
class KeptLines : public OperationalLog {
 public:
  explicit KeptLines(const Clock& clock) : OperationalLog(-1, clock) {}
  std::string text() const;

 protected:
  void WriteLine(const std::string& line) override;

 private:
  mutable Mutex mutex_;
  std::string text_ SLUICE_GUARDED_BY(mutex_);
};

// One answer that is still to come.
template <class Response>
class Pending {
 public:
  using Answer = absl::StatusOr<Response>;
  Pending() : state_(std::make_shared<State>()) {}

  std::function<void(Answer)> Done() const {
    return [state = state_](Answer answer) {
      MutexLock lock(state->mutex);
      ++state->times;
      if (!state->answer) state->answer = std::move(answer);
      state->changed.NotifyAll();
    };
  }
  // Waits; an error where nothing comes within half a minute.
  Answer Wait() const {
    MutexLock lock(state_->mutex);
    while (!state_->answer) {
      if (!state_->changed.WaitFor(state_->mutex, std::chrono::seconds(30)) && !state_->answer)
        return absl::DeadlineExceededError("no answer came within half a minute");
    }
    return *state_->answer;
  }
  // How often it was answered.
  int times() const {
    MutexLock lock(state_->mutex);
    return state_->times;
  }
  // Gives the call up.
  std::function<void()> cancel;

 private:
  struct State {
    mutable Mutex mutex;
    Condition changed;
    std::optional<Answer> answer SLUICE_GUARDED_BY(mutex);
    int times SLUICE_GUARDED_BY(mutex) = 0;
  };
  std::shared_ptr<State> state_;
};
using PendingQuery = Pending<v1::QueryResponse>;

// One record as an auditor reads it.
struct ReadRecord {
  int64_t index = 0;
  v1::AuditEnvelope envelope;
  v1::AuditDetail detail;
};

struct ExchangeOptions {
  RunningExchanges::Limits running;
  BrokerLimits broker;
  v1::SourceLimits source;
};

class Exchange {
 public:
  using Options = ExchangeOptions;
  // On what the one before has in its storage, with its world and time: the log is recovered, usage
  // and request ids are restored.
  explicit Exchange(const Options& options = {}, const Exchange* before = nullptr);
  ~Exchange();

  PendingQuery Start(const v1::QueryRequest& request, Micros timeout = 0,
                     const std::string& system = "civil-affairs/relief");
  absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request,
                                          const std::string& system = "civil-affairs/relief");
  Call CallBy(const std::string& system) const;
  // A person of the agency, with these roles.
  Call CallByPerson(const std::string& agency, const std::vector<v1::Role>& roles) const;

  FakeClock clock;
  const std::unique_ptr<FakeFileSystem> files;

  // What the next Publish makes the state of the world. Grants by id, datasets by name.
  identity::Directory directory;
  std::map<std::string, v1::Dataset> datasets;
  std::map<std::string, v1::Grant> grants;
  // As a change does: snapshot, sources, and what runs.
  void Publish();

  // What the log has, with details opened.
  std::vector<ReadRecord> Records() const;
  // Those of one kind.
  std::vector<ReadRecord> Records(v1::RecordKind kind) const;
  // Returns when no exchange runs and no source works; fails the test after half a minute.
  void AwaitIdle();
  v1::QuotaLeft Left(const std::string& grant) const;
  // Ends, and begins anew on what it wrote (after a clean close).
  std::unique_ptr<Exchange> Restart();

  FakeSource ps, tr;
  audit::CountingRandom random;
  KeptLines operations{clock};
  audit::Pseudonyms pseudonyms{std::string(32, 'p')};
  std::unique_ptr<audit::DetailKeys> keys;
  std::unique_ptr<audit::RecordSealer> sealer;
  std::unique_ptr<audit::Log> file_log;
  std::unique_ptr<GatedLog> log;
  SnapshotCell<policy::Snapshot> snapshots;
  ReleaseGate gate;
  std::unique_ptr<DriftWatch> drift;  // outlives the looks that run on sources
  std::unique_ptr<Sources> sources;
  std::unique_ptr<RunningExchanges> running;
  QuotaLedger quotas;
  RequestIds request_ids;
  std::unique_ptr<Tokens> tokens;
  std::unique_ptr<Denials> denials;
  std::unique_ptr<UsageHistory> usage;
  std::unique_ptr<Broker> broker;

 private:
  void Register(const v1::SourceLimits& limits);
  const Options options_;
  int calls_ = 0;
};

// A valid resident number, another for each n (0 to 999), ascending with it.
std::string ResidentNumber(int n);
std::vector<FakeSource::Row> Persons(int count);
std::vector<FakeSource::Row> Vehicles(int count);
// All persons or vehicles that a page holds.
v1::QueryRequest PersonsRequest(int page_size = 0);
v1::QueryRequest VehiclesRequest(int page_size = 0);
// One person: id_number = $id.
v1::QueryRequest PersonRequest(const std::string& id);

}  // namespace sluice::exchange
