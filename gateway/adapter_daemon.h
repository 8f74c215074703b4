// An adapter as one object: sources of this machine, served to gateways elsewhere. It decides and
// records nothing: that is the gateways' part, whose logs say who was given what.
//
// Start: configuration and keys checked · sources (opened at their first use) · listener · ready.
// Drain: unready · notice · new calls refused · running calls end, or are cancelled when their time
// is over.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/registry.h"
#include "gateway/adapter_config.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "gateway/exchange/sources.h"
#include "gateway/listener_keys.h"
#include "gateway/rpc/adapter_service.h"
#include "gateway/rpc/server.h"
#include "gateway/served.h"

namespace sluice {

class AdapterDaemon : public Served {
 public:
  // `kinds`, log and clock outlive it. `end` asks the process to end soon with a code; called from
  // any thread.
  AdapterDaemon(std::string config_file, const std::vector<adapters::Kind>& kinds,
                OperationalLog& operations, const Clock& clock, std::function<void(ExitCode)> end);
  ~AdapterDaemon() override;

  absl::Status Check() override;
  std::unique_ptr<Failure> Start() override;
  // Sources, and the key pair; the rest takes effect at the next start.
  absl::StatusOr<std::vector<std::string>> Reload() override;
  void Drain() override;
  Micros drain_limit() const override;

 private:
  struct Loaded {
    AdapterConfig config;
    std::string authorities_pem;
  };
  absl::StatusOr<Loaded> Load() const;
  absl::Status Serve();
  // Takes over pairs that were renewed.
  void Tick();

  const std::string config_file_;
  const std::vector<adapters::Kind>& kinds_;
  OperationalLog& operations_;
  const Clock& clock_;
  const std::function<void(ExitCode)> end_;
  const std::unique_ptr<FileSystem> files_;

  mutable Mutex mutex_;
  Loaded loaded_ SLUICE_GUARDED_BY(mutex_);
  ListenerKeys listener_keys_ SLUICE_GUARDED_BY(mutex_);
  std::string refused_pair_ SLUICE_GUARDED_BY(mutex_);
  Condition changed_;
  bool ended_ SLUICE_GUARDED_BY(mutex_) = false;

  // In the order of what stands on what; destroyed in reverse.
  std::unique_ptr<certs::FileVerifier> verifier_;
  std::unique_ptr<rpc::AdapterCallers> callers_;
  std::unique_ptr<exchange::Sources> sources_;
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<rpc::Server> server_;
  std::thread ticker_;
};

}  // namespace sluice
