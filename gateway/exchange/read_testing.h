// What the tests of streams share: a broker over a source in memory whose rows are made as they are
// asked for, a real audit log on a fake file system, a clock that the test moves, and consumers
// that take messages when the test says so.
//
//   ReadWorld world;
//   world.source.rows = 5000;
//   auto consumer = world.Read(ReadWorld::Request());
//   ASSERT_TRUE(consumer->AwaitEnd().ok());
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/audit/record_testing.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/usage_history.h"

namespace sluice::exchange {

// Row i: number i, name "Name i", person the i-th resident number of some.
class CountingSource {
 public:
  std::atomic<int64_t> rows{0};
  std::atomic<int64_t> batch_rows{1000};
  // The Next of this number (from 0) in each scan fails.
  std::atomic<int> fails_at{-1};
  // Nexts of this number and later wait until LetGo, or until the scan is cancelled.
  std::atomic<int> hangs_at{-1};
  std::atomic<int> nexts{0};
  std::atomic<int> cancels{0};
  std::atomic<int> open_readers{0};

  void LetGo();
  std::unique_ptr<adapters::Adapter> Open();

 private:
  friend class CountingReader;
  Mutex mutex_;
  Condition changed_;
};

// The consumer's end of a stream.
class Consumer : public ReadWriter {
 public:
  // Takes each message at once; or else only by Take.
  explicit Consumer(bool eager) : eager_(eager) {}

  void Write(v1::ReadResponse message, std::function<void(bool)> taken) override;
  void Finish(absl::Status status, std::optional<v1::ReadResponse> last) override;
  void Abort() override;

  // Called before each message is kept.
  std::function<void(const v1::ReadResponse&)> on_write;

  // Takes the message that is being written, when there is one; waits for it.
  void Take();
  // From now on takes each at once.
  void TakeAll();
  // Vanishes: what is being written, or is written next, fails.
  void Vanish();
  // Returns when this many messages were written.
  bool AwaitMessages(size_t count);
  // Waits for the end.
  absl::Status AwaitEnd();

  std::vector<v1::ReadResponse> messages() const;
  std::string payload() const;  // of all
  int64_t rows() const;
  int finishes() const;
  bool aborted() const;

 private:
  bool Await(const std::function<bool()>& condition) const SLUICE_REQUIRES(mutex_);
  void TakeOne(bool ok);

  mutable Mutex mutex_;
  mutable Condition changed_;
  bool eager_ SLUICE_GUARDED_BY(mutex_);
  bool vanished_ SLUICE_GUARDED_BY(mutex_) = false;
  bool aborted_ SLUICE_GUARDED_BY(mutex_) = false;
  std::function<void(bool)> taken_ SLUICE_GUARDED_BY(mutex_);
  std::vector<v1::ReadResponse> messages_ SLUICE_GUARDED_BY(mutex_);
  int finishes_ SLUICE_GUARDED_BY(mutex_) = 0;
  absl::Status status_ SLUICE_GUARDED_BY(mutex_);
};

// A log before which records can be held.
class GatedLog : public audit::Log {
 public:
  explicit GatedLog(audit::Log& log) : log_(log) {}
  // Holds what comes from now on.
  void Hold();
  // Returns when one is held.
  void AwaitHeld();
  // Lets the first that is held go; waits for it.
  void PassOne();
  void PassAll();
  // Refuses appends, as a log does that has too much to do.
  void Overload(bool on) { overloaded_ = on; }

  void Append(audit::SealedRecord record, audit::AppendCallback callback) override;
  uint64_t size() const override { return log_.size(); }
  bool poisoned() const override { return log_.poisoned(); }
  void OnPoison(std::function<void(const absl::Status&)> callback) override {
    log_.OnPoison(std::move(callback));
  }
  absl::StatusOr<std::string> Head(bool fresh) override { return log_.Head(fresh); }
  absl::Status Read(uint64_t begin, const std::function<bool(const Entry&)>& each) override {
    return log_.Read(begin, each);
  }
  absl::StatusOr<Entry> ReadOne(uint64_t index) override { return log_.ReadOne(index); }
  absl::StatusOr<audit::TlogProof> Prove(uint64_t index) override { return log_.Prove(index); }
  absl::Status Close() override { return log_.Close(); }

 private:
  audit::Log& log_;
  std::atomic<bool> overloaded_{false};
  Mutex mutex_;
  Condition changed_;
  bool hold_ SLUICE_GUARDED_BY(mutex_) = false;
  std::deque<std::pair<audit::SealedRecord, audit::AppendCallback>> held_ SLUICE_GUARDED_BY(mutex_);
};

struct LoggedRecord {
  int64_t index = 0;
  v1::AuditEnvelope envelope;
  v1::AuditDetail detail;
};

class ReadWorld {
 public:
  struct Options {
    BrokerLimits broker;
    RunningExchanges::Limits running;
    v1::SourceLimits source;
  };
  ReadWorld() : ReadWorld(Options()) {}
  explicit ReadWorld(const Options& options);
  // On this storage.
  ReadWorld(const Options& options, std::unique_ptr<FakeFileSystem> storage);
  ~ReadWorld();

  static v1::ReadRequest Request();
  std::shared_ptr<Consumer> Read(const v1::ReadRequest& request, bool eager = true,
                                 Micros timeout = 0);
  std::shared_ptr<Consumer> ReadInto(const v1::ReadRequest& request,
                                     std::shared_ptr<Consumer> consumer, Micros timeout = 0);
  absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request);
  // Gives up the newest stream.
  std::function<void()> cancel;

  v1::Dataset dataset;
  v1::Grant grant;
  // Makes dataset and grant the state of the world, as a change does.
  void Publish();
  std::vector<LoggedRecord> Records() const;
  std::vector<v1::RecordKind> Kinds() const;
  LoggedRecord Last() const;
  // Returns when nothing runs; fails the test after half a minute.
  void AwaitIdle();

  FakeClock clock;
  const std::unique_ptr<FakeFileSystem> files;
  audit::CountingRandom random;
  CountingSource source;
  audit::Pseudonyms pseudonyms{std::string(32, 'p')};
  OperationalLog operations{-1, clock};
  std::unique_ptr<audit::DetailKeys> keys;
  std::unique_ptr<audit::RecordSealer> sealer;
  std::unique_ptr<audit::Log> file_log;
  std::unique_ptr<GatedLog> log;
  SnapshotCell<policy::Snapshot> snapshots;
  std::unique_ptr<DriftWatch> drift;  // outlives the looks that run on sources
  std::unique_ptr<Sources> sources;
  std::unique_ptr<RunningExchanges> running;
  QuotaLedger quotas;
  RequestIds request_ids;
  UsageHistory usage;
  std::unique_ptr<PageTokens> tokens;
  std::unique_ptr<Denials> denials;
  std::unique_ptr<Broker> broker;

 private:
  Call MakeCall(const std::string& method);
  void Register(const v1::SourceLimits& limits);
  identity::Directory directory_;
  int calls_ = 0;
};

// The i-th valid resident number of some.
std::string PersonOf(int64_t i);

}  // namespace sluice::exchange
