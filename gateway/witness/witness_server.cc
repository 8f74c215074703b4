#include "gateway/witness/witness_server.h"

#include "absl/strings/str_cat.h"
#include "certs/pair.h"
#include "gateway/audit/signing_key.h"
#include "gateway/base/error.h"

namespace sluice::witness {
namespace {

constexpr char kAddPath[] = "/add-checkpoint";
constexpr std::string_view kCheckpointSuffix = "/checkpoint";
// The longest that a request can be: 63 hashes and a note with as many signatures as one has.
constexpr uint64_t kMostBody = 128 << 10;
constexpr Micros kLookAtFilesEvery = kSecond;

absl::StatusOr<audit::NamedSigningKey> ReadKey(const std::string& path, FileSystem& files) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, files.ReadAll(path, 4096));
  auto key = audit::ParseSigningKey(text, audit::KeyType::kCosignatureV1);
  if (!key.ok()) return Annotate(key.status(), path);
  return key;
}

absl::StatusOr<std::shared_ptr<const http::TlsContext>> ReadPair(const WitnessConfig::Tls& tls,
                                                                 FileSystem& files,
                                                                 const Clock& clock) {
  certs::PairExpectation expected;
  expected.trust_domain = tls.trust_domain;
  expected.kind = certs::Kind::kWitness;
  SLUICE_ASSIGN_OR_RETURN(const certs::Pair pair,
                          certs::LoadPair(files, tls.certificate, tls.key, expected, clock.Now()));
  if (pair.identity.name != tls.witness)
    return absl::InvalidArgumentError(absl::StrCat(tls.certificate, ": is of witness ",
                                                   pair.identity.name, ", not of ", tls.witness));
  return http::TlsContext::Make(pair.certificate_pem, pair.key_pem);
}

std::string StampOf(const WitnessConfig::Tls& tls, FileSystem& files) {
  std::string stamp;
  for (const std::string& path : {tls.certificate, tls.key}) {
    const auto info = files.Stat(path);
    absl::StrAppend(&stamp, info.ok() ? info->modified_us : 0, " ", info.ok() ? info->size : 0,
                    "\n");
  }
  return stamp;
}

http::HttpResponse Text(int status, std::string text) {
  http::HttpResponse response;
  response.status = status;
  response.body = std::move(text);
  return response;
}

}  // namespace

absl::Status WitnessServer::Check(const std::string& config_file, FileSystem& files,
                                  const Clock& clock) {
  SLUICE_ASSIGN_OR_RETURN(const WitnessConfig config, LoadWitnessConfig(config_file, files));
  SLUICE_RETURN_IF_ERROR(ReadKey(config.key, files).status());
  if (!config.tls) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(ReadPair(*config.tls, files, clock).status());
  if (!config.tls->clients) return absl::OkStatus();
  return certs::FileVerifier::Open(config.tls->clients->authorities, files, clock).status();
}

absl::StatusOr<std::unique_ptr<WitnessServer>> WitnessServer::Start(const std::string& config_file,
                                                                    FileSystem& files,
                                                                    const Clock& clock,
                                                                    OperationalLog& operations) {
  SLUICE_ASSIGN_OR_RETURN(WitnessConfig config, LoadWitnessConfig(config_file, files));
  std::unique_ptr<WitnessServer> server(
      new WitnessServer(std::move(config), files, clock, operations));
  SLUICE_RETURN_IF_ERROR(server->Begin());
  return server;
}

absl::Status WitnessServer::Begin() {
  SLUICE_ASSIGN_OR_RETURN(audit::NamedSigningKey key, ReadKey(config_.key, files_));
  http::HttpServer::TlsSource tls;
  if (config_.tls) {
    MutexLock lock(mutex_);
    stamp_ = StampOf(*config_.tls, files_);
    SLUICE_ASSIGN_OR_RETURN(tls_, ReadPair(*config_.tls, files_, clock_));
    tls = [this] { return Tls(); };
    if (config_.tls->clients) {
      SLUICE_ASSIGN_OR_RETURN(
          callers_, certs::FileVerifier::Open(config_.tls->clients->authorities, files_, clock_));
    }
  }
  SLUICE_ASSIGN_OR_RETURN(witness_, Witness::Open({config_.state, config_.logs}, std::move(key),
                                                  files_, clock_, operations_));
  http::HttpLimits limits;
  limits.body_bytes = kMostBody;
  SLUICE_ASSIGN_OR_RETURN(
      listener_, http::HttpServer::Start(
                     config_.listen, limits,
                     [this](const http::HttpRequest& request) { return Answer(request); }, tls));
  operations_.Write(Severity::kInfo, "witness_ready", "cosigns heads",
                    {{"address", listener_->address()},
                     {"key", audit::FormatVerifierKey(witness_->key())},
                     {"logs", absl::StrCat(config_.logs.size())}});
  return absl::OkStatus();
}

WitnessServer::~WitnessServer() { Stop(); }

void WitnessServer::Stop() {
  if (listener_ != nullptr) listener_->Stop();
}

std::shared_ptr<const http::TlsContext> WitnessServer::Tls() {
  MutexLock lock(mutex_);
  const Micros now = clock_.Monotonic();
  if (now - looked_ < kLookAtFilesEvery) return tls_;
  looked_ = now;
  std::string stamp = StampOf(*config_.tls, files_);
  if (stamp == stamp_) return tls_;
  stamp_ = std::move(stamp);
  // A pair that is half written does not fit; it is written to once more, and looked at again.
  auto renewed = ReadPair(*config_.tls, files_, clock_);
  if (renewed.ok())
    tls_ = *std::move(renewed);
  else
    operations_.Write(Severity::kWarning, "pair_refused", std::string(renewed.status().message()));
  return tls_;
}

absl::Status WitnessServer::Allowed(const http::HttpRequest& request) {
  if (callers_ == nullptr) return absl::OkStatus();
  if (request.leaf_pem.empty())
    return absl::UnauthenticatedError("a gateway's certificate is asked for");
  SLUICE_ASSIGN_OR_RETURN(const certs::VerifiedPeer peer,
                          callers_->Get()->Verify(request.leaf_pem, clock_.Now()));
  if (peer.identity.kind == certs::Kind::kGateway &&
      config_.tls->clients->gateways.contains(peer.identity.name))
    return absl::OkStatus();
  return absl::UnauthenticatedError("the certificate is not that of a gateway that may hand in");
}

http::HttpResponse WitnessServer::Answer(const http::HttpRequest& request) {
  if (request.path == kAddPath) {
    if (!request.is_post) {
      http::HttpResponse refused = Text(405, "heads are handed in by POST\n");
      refused.headers.emplace_back("Allow", "POST");
      return refused;
    }
    if (const absl::Status allowed = Allowed(request); !allowed.ok()) {
      operations_.Write(Severity::kWarning, "caller_refused", std::string(allowed.message()),
                        {{"peer", request.peer}});
      return Text(401, absl::StrCat(allowed.message(), "\n"));
    }
    WitnessAnswer answer = witness_->Add(request.body);
    http::HttpResponse response = Text(answer.status, std::move(answer.body));
    response.content_type = std::move(answer.type);
    return response;
  }
  const std::string_view path = request.path;
  if (request.is_post) return Text(404, "there is /add-checkpoint\n");
  if (path == "/healthz") return Text(200, "alive\n");
  if (path.size() > kCheckpointSuffix.size() && path.ends_with(kCheckpointSuffix)) {
    if (auto note = witness_->Newest(
            std::string(path.substr(1, path.size() - 1 - kCheckpointSuffix.size()))))
      return Text(200, *std::move(note));
    return Text(404, "no head of that log was cosigned here\n");
  }
  return Text(404, "there are /add-checkpoint and /<hex of SHA-256 of the origin>/checkpoint\n");
}

}  // namespace sluice::witness
