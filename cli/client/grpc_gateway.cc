#include "cli/client/grpc_gateway.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "certs/pair.h"
#include "cli/client/diagnosis.h"
#include "cli/client/server_check.h"
#include "cli/failure.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"
#include "google/rpc/error_details.pb.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kMostPem = 1 << 20;
// No message of the API is larger; room for the receipt and the details beside it.
constexpr int kMostMessage = 4 << 20;

// gRPC tells the caller of a refused handshake nothing; what we said stays here.
struct Verdict {
  Mutex mutex;
  absl::Status refused SLUICE_GUARDED_BY(mutex);

  absl::Status Get() {
    MutexLock lock(mutex);
    return refused;
  }
  void Set(absl::Status status) {
    MutexLock lock(mutex);
    refused = std::move(status);
  }
};

class ServerVerifier : public grpc::experimental::ExternalCertificateVerifier {
 public:
  ServerVerifier(ExpectedServer expected, std::shared_ptr<Verdict> verdict)
      : expected_(std::move(expected)), verdict_(std::move(verdict)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* sync_status) override {
    const grpc::string_ref leaf = request->peer_cert();
    const absl::Status status = CheckServer({leaf.data(), leaf.size()}, expected_);
    verdict_->Set(status);
    *sync_status = status.ok() ? grpc::Status::OK
                               : grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                                              std::string(status.message()));
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const ExpectedServer expected_;
  const std::shared_ptr<Verdict> verdict_;
};

// The details of a reply's status, as the gateway made them.
absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return result;
  for (const auto& detail : details.details())
    result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  return result;
}

class GrpcGateway : public Gateway {
 public:
  GrpcGateway(const Profile& profile, Credentials credentials, Micros deadline)
      : profile_(profile), credentials_(std::move(credentials)), deadline_(deadline) {
    using grpc::experimental::ExternalCertificateVerifier;
    grpc::experimental::TlsChannelCredentialsOptions options;
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
            credentials_.authorities_pem,
            std::vector<grpc::experimental::IdentityKeyCertPair>{
                {credentials_.key_pem, credentials_.certificate_pem}}));
    options.watch_root_certs();
    options.watch_identity_key_cert_pairs();
    options.set_verify_server_certs(true);
    // Our verifier checks the name, once a connection; calls name no other host.
    options.set_check_call_host(false);
    options.set_certificate_verifier(ExternalCertificateVerifier::Create<ServerVerifier>(
        ExpectedServer{profile_.server_name, profile_.trust_domain}, verdict_));
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMostMessage);
    arguments.SetSslTargetNameOverride(profile_.server_name);
    // A command is over sooner than a retry would help, and none is made behind its back.
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    // For streams: room for some batches and frames of a batch each. The window that gRPC would
    // find by probing is often one that halves the speed.
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 4 << 20);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 1 << 20);
    channel_ = grpc::CreateCustomChannel(profile_.gateway,
                                         grpc::experimental::TlsCredentials(options), arguments);
  }

  absl::Status Invoke(const char* path, const google::protobuf::Message& request,
                      google::protobuf::Message& response) override {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(deadline_));
    const std::string bytes = request.SerializeAsString();
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer sent(&slice, 1);
    grpc::CompletionQueue queue;
    auto call = grpc::GenericStub(channel_).PrepareUnaryCall(&context, path, sent, &queue);
    call->StartCall();
    grpc::ByteBuffer received;
    grpc::Status status;
    call->Finish(&received, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);  // ends at the deadline at the latest
    queue.Shutdown();
    if (!status.ok()) return Told(FromGrpc(status));
    return Parse(received, response) ? absl::OkStatus() : Unreadable(path);
  }

  absl::Status Stream(const char* path, const google::protobuf::Message& request,
                      google::protobuf::Message& response, Micros deadline,
                      const std::function<absl::Status()>& each) override {
    grpc::ClientContext context;
    if (deadline > 0)
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(deadline));
    const std::string bytes = request.SerializeAsString();
    const grpc::Slice slice(bytes);
    grpc::CompletionQueue queue;
    const auto done = [&queue] {  // of the one operation that was begun
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    auto call = grpc::GenericStub(channel_).PrepareCall(&context, path, &queue);
    call->StartCall(this);
    absl::Status stopped;
    if (done()) {
      call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), this);
      done();
      for (grpc::ByteBuffer received; stopped.ok(); received.Clear()) {
        call->Read(&received, this);
        if (!done()) break;
        stopped = Parse(received, response) ? each() : Unreadable(path);
      }
    }
    if (!stopped.ok()) context.TryCancel();
    grpc::Status status;
    call->Finish(&status, this);
    done();
    queue.Shutdown();
    if (!stopped.ok()) return stopped;
    return status.ok() ? absl::OkStatus() : Told(FromGrpc(status));
  }

 private:
  static absl::Status Unreadable(const char* path) {
    return LocalError("ANSWER_UNREADABLE", absl::StrCat("the answer to ", path, " cannot be read."),
                      {}, "is the gateway of another version? sluice whoami says");
  }

  static bool Parse(const grpc::ByteBuffer& buffer, google::protobuf::Message& message) {
    std::vector<grpc::Slice> slices;
    if (!buffer.Dump(&slices).ok()) return false;
    std::string bytes;
    for (const grpc::Slice& slice : slices)
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return message.ParseFromString(bytes);
  }

  // What the gateway said stays; what gRPC says for want of a connection is put into words.
  absl::Status Told(absl::Status status) {
    if (ErrorInfoOf(status)) return status;
    if (const absl::Status refused = verdict_->Get(); !refused.ok()) return refused;
    const std::string message(status.message());
    if (status.code() == absl::StatusCode::kUnavailable)
      return Diagnose(profile_, credentials_, message);
    if (status.code() == absl::StatusCode::kDeadlineExceeded &&
        channel_->GetState(false) != GRPC_CHANNEL_READY)
      return Diagnose(profile_, credentials_, message);
    if (status.code() == absl::StatusCode::kDeadlineExceeded)
      return LocalError("DEADLINE_EXCEEDED", "no answer came in time.",
                        {{"gateway", profile_.gateway}}, "sluice --timeout 2m …", kTryLater);
    if (status.code() == absl::StatusCode::kUnimplemented)
      return LocalError("NOT_SERVED", absl::StrCat(profile_.gateway, " does not know this call."),
                        {{"said", message}},
                        "is the gateway of another version? sluice whoami says");
    return status;
  }

  const Profile profile_;
  const Credentials credentials_;
  const Micros deadline_;
  const std::shared_ptr<Verdict> verdict_ = std::make_shared<Verdict>();
  std::shared_ptr<grpc::Channel> channel_;
};

// What is wrong with a file that the profile names; `next` where the error says nothing better.
absl::Status OwnFile(const absl::Status& status, const Profile& profile, std::string next) {
  const v1::Reason reason = ReasonOf(status);
  if (const auto info = ErrorInfoOf(status)) {
    if (const auto said = info->metadata().find("next"); said != info->metadata().end())
      next = said->second;
  }
  // What is to be applied elsewhere is a file of the profile's here.
  const bool plain = reason == v1::REASON_UNSPECIFIED || reason == v1::REASON_DEFINITION_INVALID;
  return LocalError(plain ? "PROFILE_INVALID" : ReasonName(reason), std::string(status.message()),
                    {{"profile", profile.place}}, next,
                    reason == v1::REASON_CERTIFICATE_EXPIRED ? kDenied : kWrongUsage);
}

}  // namespace

Connector MakeGrpcConnector(FileSystem& files, Clock& clock) {
  return [&files, &clock](const Profile& profile,
                          Micros deadline) -> absl::StatusOr<std::unique_ptr<Gateway>> {
    const auto pair = certs::LoadPair(files, profile.certificate, profile.key,
                                      {.trust_domain = profile.trust_domain}, clock.Now());
    if (!pair.ok())
      return OwnFile(pair.status(), profile, "sluice certs show " + profile.certificate);
    const auto authorities = files.ReadAll(profile.authorities, kMostPem);
    const std::string ask = "put the authority's ca.pem there, or name another file in the profile";
    if (!authorities.ok()) return OwnFile(authorities.status(), profile, ask);
    const auto parsed = certs::Certificate::ChainFromPem(*authorities, profile.authorities);
    if (!parsed.ok()) return OwnFile(parsed.status(), profile, ask);
    return std::make_unique<GrpcGateway>(
        profile, Credentials{*authorities, pair->certificate_pem, pair->key_pem}, deadline);
  };
}

}  // namespace sluice::cli
