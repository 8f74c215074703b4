// The load client: calls or streams against a gateway, the bare server or a proxy before it, for a
// while; prints one JSON object (unary_load.h, stream_load.h). Work "idle" opens connections, says
// so on one line, and holds them until its input ends.
#include <CLI/CLI.hpp>
#include <iostream>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "bench/stream_load.h"
#include "bench/unary_load.h"

namespace sluice::bench {
namespace {

void HoldConnections(const LoadOptions& options) {
  // So many handshakes at once: the server ends those that wait too long for their turn.
  constexpr int kAtOnce = 16;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < options.connections; ++i) {
    channels.push_back(MakeChannel(options));
    channels.back()->GetState(/*try_to_connect=*/true);
    if (i < kAtOnce) continue;
    if (!channels[static_cast<size_t>(i - kAtOnce)]->WaitForConnected(
            std::chrono::system_clock::now() + std::chrono::seconds(30)))
      Fail("a connection does not come about");
  }
  for (const auto& channel : channels) {
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(30)))
      Fail("a connection does not come about");
  }
  std::cout << nlohmann::json{{"work", "idle"}, {"connections", channels.size()}}.dump()
            << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
  }
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  CLI::App app("Calls or streams, N in flight, against a gateway or the bare server.");
  LoadOptions options;
  app.add_option("--work", options.work)
      ->required()
      ->check(CLI::IsMember({"query", "lookup", "echo", "read", "stream", "scan", "idle"}));
  app.add_option("--target", options.target)->required();
  app.add_option("--server-name", options.server_name);
  app.add_option("--certificate", options.certificate)->required();
  app.add_option("--key", options.key)->required();
  app.add_option("--authorities", options.authorities)->required();
  app.add_option("--in-flight", options.in_flight)->check(CLI::Range(1, 4096));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 4096));
  app.add_option("--seconds", options.seconds);
  app.add_option("--warm-up", options.warm_up);
  app.add_option("--keys", options.keys, "a key a line; for query and lookup");
  app.add_option("--dataset", options.dataset);
  app.add_option("--purpose", options.purpose);
  app.add_option("--case", options.case_reference);
  app.add_option("--user", options.end_user);
  app.add_option("--key-field", options.key_field);
  app.add_option("--media-type", options.media_type, "for read");
  app.add_option("--streams", options.streams, "end after so many whole streams, not by time");
  app.add_option("--request-bytes", options.request_bytes, "for echo");
  app.add_option("--reply-bytes", options.reply_bytes, "for echo");
  app.add_option("--batches", options.batches, "for stream");
  app.add_option("--batch-bytes", options.batch_bytes, "for stream");
  CLI11_PARSE(app, argc, argv);
  // Debian's Abseil aborts on lock orders that gRPC uses.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

  if (options.work == "idle") {
    HoldConnections(options);
    return 0;
  }
  const bool streams = options.work == "read" || options.work == "stream" || options.work == "scan";
  std::cout << (streams ? RunStreamLoad(options) : RunUnaryLoad(options)).dump() << std::endl;
  return 0;
}
