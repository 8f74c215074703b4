// What an HTTPS listener shows, and what it asks of clients: a certificate, which is judged with
// the request, by the same verifier as gRPC's (certs/chain_verifier.h), so that a refusal can be
// told and recorded. No session is resumed: each connection proves its key.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sluice::http {

// Immutable; shared by the connections that began with it.
class TlsContext {
 public:
  // The chain begins with the gateway's own certificate. INVALID_ARGUMENT where they do not fit.
  static absl::StatusOr<std::shared_ptr<const TlsContext>> Make(std::string_view certificate_pem,
                                                                std::string_view key_pem);
  SSL_CTX* native() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

// The certificate that the peer proved to hold the key of, as PEM; empty where it showed none.
std::string PeerLeaf(const SSL* connection);

}  // namespace sluice::http
