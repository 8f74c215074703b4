// The listener: TLS with our own verifier, the table of limits, health, draining.
#pragma once

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/base/operational_log.h"
#include "gateway/rpc/handshake.h"
#include "gateway/rpc/listener_watch.h"
#include "gateway/rpc/server_limits.h"

namespace sluice::rpc {

struct ServerOptions {
  std::string listen;  // "host:port", port 0 for any
  // Key and certificate are read from here, both swapped at once with the folder's link:
  // certs::StagePair keeps it.
  std::string pair_folder;
  std::string authorities_file;  // PEM of all configured authorities
  ServerLimits limits;
  Micros self_call_interval = 200 * kMillisecond;
  std::string ready_service = "sluice.v1.Exchange";  // whose health says that it is ready
};

// What gRPC itself has to say, as lines of the operational log (event "grpc"), which is there until
// the process ends. Once, before anything of gRPC.
void WriteGrpcLogTo(OperationalLog& operations);

class Server {
 public:
  // The services and the check outlive the server. UNAVAILABLE where the port cannot be bound.
  // `lost` is called once where the listener accepts no more.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options,
                                                       HandshakeCheck* callers,
                                                       const std::vector<grpc::Service*>& services,
                                                       std::function<void()> lost);
  ~Server();

  // "127.0.0.1:41733": where it listens, with the real port.
  const std::string& address() const { return address_; }

  // Health of the service named for that (ready) and of "" (live).
  void SetReady(bool ready);
  void SetLive(bool live);

  // Refuses new calls, waits for those that run until the deadline, then cancels them. Returns when
  // all are finished. Not on a gRPC thread.
  void Shutdown(Micros wait);

 private:
  Server() = default;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ListenerWatch> watch_;
  std::unique_ptr<SelfCall> self_call_;
  std::string address_, ready_service_;
};

}  // namespace sluice::rpc
