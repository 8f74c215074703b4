// From a TLS peer to a Principal: at the handshake and again for every call. Metadata and body are
// never looked at.
#pragma once

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/base/snapshot_cell.h"
#include "gateway/exchange/broker.h"
#include "gateway/rpc/handshake.h"

namespace sluice::rpc {

// Any thread.
class Authenticator : public HandshakeCheck {
 public:
  Authenticator(const SnapshotCell<policy::Snapshot>& snapshots, exchange::Denials& denials,
                const Clock& clock, RandomSource& random)
      : snapshots_(snapshots), denials_(denials), clock_(clock), random_(random) {}

  // At every handshake, resumed or not. A refusal is recorded.
  absl::Status Handshake(std::string_view leaf_pem) override;

  // For each call. The status of a refusal is fit for the peer; RecordRefusal records it.
  absl::StatusOr<exchange::Call> Identify(const grpc::CallbackServerContext& context,
                                          std::string_view method, Micros deadline);
  // Records that a call was refused, for whatever reason, and tells `done` the status with the
  // record's index.
  void RecordRefusal(const exchange::Call& call, absl::Status refused,
                     std::function<void(absl::Status)> done);

 private:
  // Says who calls by that certificate.
  absl::Status Recognise(std::string_view leaf_pem, exchange::Call& call);

  const SnapshotCell<policy::Snapshot>& snapshots_;
  exchange::Denials& denials_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace sluice::rpc
