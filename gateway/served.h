// What the program sluiced runs: a gateway (daemon.h) or an adapter (adapter_daemon.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"

namespace sluice {

// Exit codes of sluiced (UI.md): what a supervisor acts on.
enum ExitCode {
  kExitDrained = 0,
  kExitUsage = 64,
  kExitLogRefused = 65,
  kExitStuck = 70,  // draining did not end in its time
  kExitLogPoisoned = 74,
  kExitListenerLost = 75,
  kExitConfiguration = 78,
};

class Served {
 public:
  struct Failure {
    ExitCode code;
    std::string message;
  };

  virtual ~Served() = default;
  // Reads and checks configuration, keys and files, without starting anything.
  virtual absl::Status Check() = 0;
  // Until it serves; or says why not.
  virtual std::unique_ptr<Failure> Start() = 0;
  // Reads the configuration again, and says what changed. A bad one changes nothing.
  virtual absl::StatusOr<std::vector<std::string>> Reload() = 0;
  // Takes no more; returns when what ran has ended.
  virtual void Drain() = 0;
  // The longest that Drain may take before the process is to be ended.
  virtual Micros drain_limit() const = 0;
};

}  // namespace sluice
