// Notices a listener that accepts no more (running out of descriptors kills Debian's gRPC listener
// for good while the process looks healthy), and keeps gRPC's callback threads awake: after an idle
// second they sleep 100 ms at a time, which every first call would pay.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::rpc {

struct ListenerProbe {
  std::string address;  // "127.0.0.1:8443"
  Micros timeout = 2 * kSecond;
};
// Connects and waits for the first byte of the server's side of a TLS handshake. False where there
// is none in time, or no descriptor to try with. Blocking.
bool ListenerAnswers(const ListenerProbe& probe);

class ListenerWatch {
 public:
  struct Options {
    ListenerProbe probe;
    Micros interval = 2 * kSecond;
    int failures = 3;  // in a row, until it is lost
  };
  // `lost` is called once, from the watch's thread.
  ListenerWatch(Options options, std::function<void()> lost);
  ~ListenerWatch();

 private:
  void Run();

  const Options options_;
  const std::function<void()> lost_;
  Mutex mutex_;
  Condition changed_;
  bool stopped_ SLUICE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Calls the health service within the process, several times a second, over a channel that carries
// no certificate: our own services know nobody who comes that way.
class SelfCall {
 public:
  SelfCall(grpc::Server& server, Micros interval);
  ~SelfCall();

 private:
  void Run(Micros interval);

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  Mutex mutex_;
  Condition changed_;
  bool stopped_ SLUICE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sluice::rpc
