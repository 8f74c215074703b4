// ListFlights on its way: the datasets that a system may stream now, one FlightInfo each, found as
// the client takes them, so that it holds one of them and no state of the world. Kept alive by the
// write that is outstanding.
#pragma once

#include <grpcpp/alarm.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrow/flight/Flight.pb.h"
#include "gateway/exchange/broker.h"
#include "gateway/rpc/stream.h"

namespace sluice::rpc {

// The first dataset behind the one named `after`, in the order of names, that the system may stream
// now and whose description holds all words. Moves `after` there.
std::optional<arrow::flight::protocol::FlightInfo> NextFlight(const policy::Snapshot& snapshot,
                                                              const identity::Principal& principal,
                                                              Micros now,
                                                              const std::vector<std::string>& words,
                                                              std::string& after);

class FlightListing : public std::enable_shared_from_this<FlightListing> {
 public:
  FlightListing(const exchange::BrokerParts& parts, identity::Principal principal,
                std::vector<std::string> words, std::shared_ptr<ServerStream::Writer> writer)
      : parts_(parts),
        principal_(std::move(principal)),
        words_(std::move(words)),
        writer_(std::move(writer)) {}

  // Until then a client may take its time.
  void Start(std::chrono::system_clock::time_point deadline);

 private:
  void Next();

  const exchange::BrokerParts& parts_;
  const identity::Principal principal_;
  const std::vector<std::string> words_;
  const std::shared_ptr<ServerStream::Writer> writer_;
  grpc::Alarm alarm_;
  std::string after_;  // of whoever writes
};

}  // namespace sluice::rpc
