#include "gateway/rpc/handshake.h"

#include <string>

namespace sluice::rpc {

bool HandshakeVerifier::Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
                               std::function<void(grpc::Status)>, grpc::Status* sync_status) {
  const grpc::string_ref leaf = request->peer_cert();
  const absl::Status status = check_->Handshake(std::string_view(leaf.data(), leaf.size()));
  *sync_status =
      status.ok() ? grpc::Status::OK
                  : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(status.message()));
  return true;
}

}  // namespace sluice::rpc
