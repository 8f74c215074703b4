// Who may connect: asked at every handshake, full or resumed, with the peer's own certificate
// alone.
#pragma once

#include <grpcpp/security/tls_certificate_verifier.h>

#include <string_view>

#include "absl/status/status.h"

namespace sluice::rpc {

// Any thread; quick.
class HandshakeCheck {
 public:
  virtual ~HandshakeCheck() = default;
  // What a refusal says may be read by the peer.
  virtual absl::Status Handshake(std::string_view leaf_pem) = 0;
};

// gRPC's hook for handshakes, over a check.
class HandshakeVerifier : public grpc::experimental::ExternalCertificateVerifier {
 public:
  explicit HandshakeVerifier(HandshakeCheck* check) : check_(check) {}
  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> callback, grpc::Status* sync_status) override;
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  HandshakeCheck* const check_;
};

}  // namespace sluice::rpc
