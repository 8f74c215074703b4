// What the tests of streams share: a broker over a source in memory whose rows are made as they are
// asked for, a real audit log on a fake file system, a clock that the test moves, and consumers
// that take messages when the test says so.
//
//   ReadWorld world;
//   world.source.rows = 5000;
//   auto consumer = world.Read(ReadWorld::Request());
//   ASSERT_TRUE(consumer->AwaitEnd().ok());
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/audit/record_testing.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/consumer_testing.h"
#include "gateway/exchange/counting_source_testing.h"
#include "gateway/exchange/gated_log_testing.h"
#include "gateway/exchange/usage_history.h"

namespace sluice::exchange {

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
  std::string closed;  // hours of the source, in UTC
  // Makes dataset, grant and hours the state of the world, as a change does.
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
  std::unique_ptr<Tokens> tokens;
  std::unique_ptr<Denials> denials;
  std::unique_ptr<Broker> broker;

 private:
  Call MakeCall(const std::string& method);
  void Register(const v1::SourceLimits& limits);
  identity::Directory directory_;
  int calls_ = 0;
};

}  // namespace sluice::exchange
