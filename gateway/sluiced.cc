#include "gateway/sluiced.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "absl/synchronization/mutex.h"
#include "gateway/adapter_daemon.h"
#include "gateway/daemon.h"
#include "gateway/rpc/server.h"

namespace sluice {
namespace {

// Signals are taken by one thread that waits for them; everything else has them blocked.
sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

// What another thread asked to end with, told to the waiting thread by SIGUSR1.
std::atomic<int> asked_to_end{-1};

void AskToEnd(ExitCode code) {
  int none = -1;
  if (asked_to_end.compare_exchange_strong(none, code)) kill(getpid(), SIGUSR1);
}

void Reload(Served& served, OperationalLog& operations) {
  const auto result = served.Reload();
  if (!result.ok()) {
    operations.Write(Severity::kError, "reload_refused",
                     "the configuration is bad; the old one stays in force",
                     {{"mistakes", std::string(result.status().message())}});
    return;
  }
  for (const std::string& change : *result) operations.Write(Severity::kInfo, "reloaded", change);
}

// Ends the process if draining does not: a shutdown must not hang for ever.
void EndAtTheLatest(Micros time) {
  std::thread([time] {
    std::this_thread::sleep_for(std::chrono::microseconds(time));
    _exit(kExitStuck);
  }).detach();
}

int Serve(Served& served, OperationalLog& operations, const sigset_t& signals) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      Reload(served, operations);
      continue;
    }
    const bool asked_to_drain = signal == SIGUSR1 && asked_to_end == kExitDrained;
    if (signal == SIGUSR1 && asked_to_end > kExitDrained) {
      // Poisoned or deaf: what could be answered was; nothing more can be recorded or accepted.
      operations.Write(Severity::kError, "ending", "ending for the supervisor to restart",
                       {{"code", std::to_string(asked_to_end)}});
      _exit(asked_to_end);
    }
    if (signal == SIGUSR1 && !asked_to_drain) continue;
    EndAtTheLatest(served.drain_limit());
    served.Drain();
    return kExitDrained;
  }
}

}  // namespace

int RunSluiced(int argc, char** argv, const std::vector<adapters::Kind>& kinds) {
  CLI::App app("The Sluice gateway: lends records between government departments.", "sluiced");
  std::string config, adapter;
  bool check = false;
  CLI::Option_group* const what = app.add_option_group("what to serve");
  what->add_option("--config", config, "a gateway, as in sluiced.yaml");
  what->add_option("--adapter", adapter, "an adapter of other gateways, as in adapter.yaml");
  what->require_option(1);
  app.add_flag("--check", check, "check configuration, keys and files, and end");
  app.set_version_flag("--version", std::string(Version()));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    std::cerr << "error: USAGE: " << error.what() << "\n  next  sluiced --help\n";
    return kExitUsage;
  }
  // Debian's Abseil aborts on lock orders that gRPC uses.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  // These two for good: gRPC's threads may have something to say until the process is gone.
  static const auto& clock = *new auto(MakeSystemClock());
  static auto& operations = *new OperationalLog(STDERR_FILENO, *clock);
  rpc::WriteGrpcLogTo(operations);
  std::unique_ptr<Served> served;
  if (adapter.empty()) {
    served = std::make_unique<Daemon>(config, kinds, operations, *clock, AskToEnd);
  } else {
    served = std::make_unique<AdapterDaemon>(adapter, kinds, operations, *clock, AskToEnd);
  }
  if (check) {
    const absl::Status status = served->Check();
    if (status.ok()) {
      std::cout << (adapter.empty() ? config : adapter) << ": ok\n";
      return 0;
    }
    std::cerr << "error: CONFIGURATION: " << status.message() << "\n";
    return kExitConfiguration;
  }
  if (const auto failure = served->Start()) {
    operations.Write(Severity::kError, "start_refused", failure->message,
                     {{"code", std::to_string(failure->code)}});
    std::cerr << "error: START_REFUSED: " << failure->message << "\n";
    // Nothing is in progress that would need ordered ends.
    _exit(failure->code);
  }
  return Serve(*served, operations, signals);
}

}  // namespace sluice
