#include "gateway/rpc/adapter_callers.h"

#include <grpc/grpc_security_constants.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::rpc {
namespace {

constexpr size_t kMostSeen = 64;

absl::Status NobodyKnown() {
  return Error(v1::REASON_CERTIFICATE_INVALID, "the connection carries no verified certificate.");
}

}  // namespace

absl::StatusOr<certs::VerifiedPeer> AdapterCallers::Verified(std::string_view leaf_pem) const {
  SLUICE_ASSIGN_OR_RETURN(certs::VerifiedPeer peer,
                          verifier_.Get()->Verify(leaf_pem, clock_.Now()));
  if (peer.identity.kind != certs::Kind::kGateway)
    return Error(v1::REASON_CERTIFICATE_KIND_NOT_ALLOWED, "an adapter is called by gateways only.");
  if (!gateways_.contains(peer.identity.name))
    return Error(v1::REASON_NOT_REGISTERED,
                 absl::StrCat("this adapter does not serve gateway ", peer.identity.name, "."));
  return peer;
}

absl::Status AdapterCallers::Handshake(std::string_view leaf_pem) {
  const absl::Status refused = Verified(leaf_pem).status();
  if (!refused.ok())
    operations_.Write(Severity::kWarning, "caller_refused", std::string(refused.message()));
  return refused;
}

absl::Status AdapterCallers::Check(const grpc::CallbackServerContext& context) {
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return NobodyKnown();
  const auto leaf = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (leaf.size() != 1) return NobodyKnown();
  std::string pem(leaf[0].data(), leaf[0].size());
  MutexLock lock(mutex_);
  if (const auto found = seen_.find(pem); found != seen_.end())
    return verifier_.Get()->CheckAgain(found->second, clock_.Now());
  SLUICE_ASSIGN_OR_RETURN(certs::VerifiedPeer peer, Verified(pem));
  if (seen_.size() >= kMostSeen) seen_.clear();
  seen_.emplace(std::move(pem), std::move(peer));
  return absl::OkStatus();
}

}  // namespace sluice::rpc
