#include "adapters/remote/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/remote/messages.h"
#include "certs/pair.h"
#include "gateway/base/error.h"

namespace sluice::adapters::remote {
namespace {

constexpr Micros kLookEvery = kSecond;
constexpr uint64_t kMostAuthorities = 1 << 20;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostMessageBytes);
  arguments.SetMaxSendMessageSize(kMostRequestBytes);
  // We ask for nothing compressed; and what comes so all the same is not inflated, which gRPC does
  // without bound and before it looks at the size: it stays what no message is.
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A process that comes back is found within a second.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // A process sends no more than a batch ahead of our asking, and none of it is held here.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 65'535);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20);
  return arguments;
}

}  // namespace

// gRPC tells the caller of a refused handshake nothing; what we said stays here.
struct Channel::Verdict {
  Mutex mutex;
  absl::Status refused SLUICE_GUARDED_BY(mutex);
};

class Channel::Verifier : public grpc::experimental::ExternalCertificateVerifier {
 public:
  Verifier(std::shared_ptr<certs::FileVerifier> chain, certs::SpiffeId expected, const Clock& clock,
           std::shared_ptr<Verdict> verdict)
      : chain_(std::move(chain)),
        expected_(std::move(expected)),
        clock_(clock),
        verdict_(std::move(verdict)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* sync_status) override {
    const grpc::string_ref leaf = request->peer_cert();
    const absl::Status status = Judge({leaf.data(), leaf.size()});
    *sync_status = status.ok() ? grpc::Status::OK
                               : grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                                              std::string(status.message()));
    MutexLock lock(verdict_->mutex);
    verdict_->refused = status;
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  absl::Status Judge(std::string_view leaf_pem) {
    SLUICE_ASSIGN_OR_RETURN(
        const certs::VerifiedPeer peer,
        chain_->Get()->Verify(leaf_pem, clock_.Now(), certs::PeerRole::kServer));
    if (peer.identity == expected_) return absl::OkStatus();
    return absl::UnauthenticatedError(
        absl::StrCat("its certificate is ", peer.identity.Format(), ", not ", expected_.Format()));
  }

  const std::shared_ptr<certs::FileVerifier> chain_;
  const certs::SpiffeId expected_;
  const Clock& clock_;
  const std::shared_ptr<Verdict> verdict_;
};

Channel::Channel(const RemoteSettings& settings, FileSystem& files, const Clock& clock)
    : settings_(settings), files_(files), clock_(clock), verdict_(std::make_shared<Verdict>()) {}

Channel::~Channel() = default;

absl::StatusOr<std::unique_ptr<Channel>> Channel::Open(const RemoteSettings& settings,
                                                       FileSystem& files, const Clock& clock) {
  std::unique_ptr<Channel> channel(new Channel(settings, files, clock));
  certs::FileVerifierOptions options;
  options.trust_domain = settings.adapter.trust_domain;
  options.authorities = {{settings.authorities, settings.revocation_lists}};
  SLUICE_ASSIGN_OR_RETURN(channel->verifier_,
                          certs::FileVerifier::Open(std::move(options), files, clock));
  MutexLock lock(channel->mutex_);
  SLUICE_RETURN_IF_ERROR(channel->Connect());
  return channel;
}

std::shared_ptr<grpc::Channel> Channel::Get() {
  MutexLock lock(mutex_);
  const Micros now = clock_.Monotonic();
  if (now - looked_ >= kLookEvery) {
    looked_ = now;
    // A pair that is half written is passed over, and looked at again.
    if (Stamp() != stamp_) Connect().IgnoreError();
  }
  return channel_;
}

void Channel::Reconnect() {
  MutexLock lock(mutex_);
  Connect().IgnoreError();
}

absl::Status Channel::Refused() const {
  MutexLock lock(verdict_->mutex);
  return verdict_->refused;
}

std::string Channel::Stamp() const {
  std::string stamp;
  for (const std::string* path : {&settings_.certificate, &settings_.key, &settings_.authorities}) {
    const auto info = files_.Stat(*path);
    absl::StrAppend(&stamp, info.ok() ? info->modified_us : -1, ";");
  }
  return stamp;
}

absl::Status Channel::Connect() {
  namespace tls = grpc::experimental;
  std::string stamp = Stamp();
  SLUICE_ASSIGN_OR_RETURN(const certs::Pair pair,
                          certs::LoadPair(files_, settings_.certificate, settings_.key,
                                          {.trust_domain = settings_.adapter.trust_domain,
                                           .kind = certs::Kind::kGateway},
                                          clock_.Now()));
  const auto authorities = files_.ReadAll(settings_.authorities, kMostAuthorities);
  if (!authorities.ok())
    return Error(v1::REASON_DEFINITION_INVALID, std::string(authorities.status().message()));
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<tls::StaticDataCertificateProvider>(
      *authorities, std::vector<tls::IdentityKeyCertPair>{{pair.key_pem, pair.certificate_pem}}));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(true);
  // Whom it is, its SPIFFE ID says; its host name says nothing of that.
  options.set_check_call_host(false);
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<Verifier>(
      verifier_, settings_.adapter, clock_, verdict_));
  channel_ =
      grpc::CreateCustomChannel(settings_.address, tls::TlsCredentials(options), Arguments());
  stamp_ = std::move(stamp);
  looked_ = clock_.Monotonic();
  return absl::OkStatus();
}

}  // namespace sluice::adapters::remote
