#include "gateway/rpc/authenticator.h"

#include <grpc/grpc_security_constants.h>

#include <unordered_map>

#include "gateway/base/error.h"
#include "gateway/exchange/refusals.h"

namespace sluice::rpc {
namespace {

// Certificates seen by this thread, by their PEM text: parsing one costs more than a call.
constexpr size_t kMostRemembered = 512;

}  // namespace

absl::Status Authenticator::Handshake(std::string_view leaf_pem) {
  const policy::SnapshotPtr snapshot = snapshots_.Get();
  const auto peer = snapshot->verifier->Verify(leaf_pem, clock_.Now());
  absl::Status refused = peer.status();
  if (peer.ok()) refused = snapshot->directory->Resolve(*peer).status();
  if (refused.ok()) return refused;

  exchange::Call call;
  call.call_id = exchange::MakeCallId(random_);
  call.method = "handshake";
  call.principal = exchange::UnknownPeer(leaf_pem);
  denials_.Record(exchange::RefusalDraft(call, refused), [](absl::StatusOr<int64_t>) {});
  return refused;
}

// What depends on the state of the world is made anew when that has changed; what depends on the
// time is checked each time.
absl::Status Authenticator::Recognise(std::string_view leaf_pem, exchange::Call& call) {
  struct Seen {
    std::shared_ptr<const certs::VerifiedPeer> peer;
    uint64_t snapshot = 0;  // in which it was
    std::shared_ptr<const identity::Principal> principal;
  };
  thread_local std::unordered_map<std::string, Seen> all_seen;
  thread_local std::string key;
  const policy::SnapshotPtr snapshot = snapshots_.Get();
  const Micros now = clock_.Now();
  key.assign(leaf_pem);
  auto found = all_seen.find(key);
  if (found == all_seen.end()) {
    SLUICE_ASSIGN_OR_RETURN(certs::VerifiedPeer peer, snapshot->verifier->Verify(leaf_pem, now));
    if (all_seen.size() >= kMostRemembered) all_seen.clear();
    found = all_seen.try_emplace(key).first;
    found->second.peer = std::make_shared<const certs::VerifiedPeer>(std::move(peer));
  } else {
    SLUICE_RETURN_IF_ERROR(snapshot->verifier->CheckAgain(*found->second.peer, now));
  }
  Seen& seen = found->second;
  if (seen.snapshot != snapshot->id) {
    SLUICE_ASSIGN_OR_RETURN(identity::Principal principal,
                            snapshot->directory->Resolve(*seen.peer));
    seen.principal = std::make_shared<const identity::Principal>(std::move(principal));
    seen.snapshot = snapshot->id;
  }
  call.principal = seen.principal;
  call.certificate = seen.peer;
  return absl::OkStatus();
}

absl::StatusOr<exchange::Call> Authenticator::Identify(const grpc::CallbackServerContext& context,
                                                       std::string_view method, Micros deadline) {
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated())
    return Error(v1::REASON_CERTIFICATE_INVALID, "the connection carries no verified certificate.");
  const auto leaf = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (leaf.size() != 1)
    return Error(v1::REASON_CERTIFICATE_INVALID, "the connection carries no verified certificate.");

  exchange::Call call;
  call.call_id = exchange::MakeCallId(random_);
  call.method = std::string(method);
  call.peer = context.peer();
  call.deadline = deadline;
  SLUICE_RETURN_IF_ERROR(Recognise(std::string_view(leaf[0].data(), leaf[0].size()), call));
  return call;
}

void Authenticator::RecordRefusal(const exchange::Call& call, absl::Status refused,
                                  std::function<void(absl::Status)> done) {
  exchange::RecordRefusal(denials_, call, std::move(refused), std::move(done));
}

}  // namespace sluice::rpc
