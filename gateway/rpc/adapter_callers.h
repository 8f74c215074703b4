// Who may call an adapter that this process serves: the gateways that its configuration names, and
// nobody else. The chain is checked at each handshake, its lists again at each call.
#pragma once

#include <grpcpp/server_context.h>

#include <set>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "certs/file_verifier.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "gateway/rpc/handshake.h"

namespace sluice::rpc {

// Any thread.
class AdapterCallers : public HandshakeCheck {
 public:
  // `gateways` are names: "gw1" of spiffe://<trust domain>/gateway/gw1.
  AdapterCallers(certs::FileVerifier& verifier, std::set<std::string> gateways, const Clock& clock,
                 OperationalLog& operations)
      : verifier_(verifier),
        gateways_(std::move(gateways)),
        clock_(clock),
        operations_(operations) {}

  absl::Status Handshake(std::string_view leaf_pem) override;
  // For each call.
  absl::Status Check(const grpc::CallbackServerContext& context);

 private:
  absl::StatusOr<certs::VerifiedPeer> Verified(std::string_view leaf_pem) const;

  certs::FileVerifier& verifier_;
  const std::set<std::string> gateways_;
  const Clock& clock_;
  OperationalLog& operations_;
  Mutex mutex_;
  // By the certificate's text: parsing one costs more than a call.
  std::unordered_map<std::string, certs::VerifiedPeer> seen_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::rpc
