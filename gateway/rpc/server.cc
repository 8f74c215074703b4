#include "gateway/rpc/server.h"

#include <grpc/support/log.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server_builder.h>

#include "absl/strings/str_cat.h"
#include "certs/pair.h"
#include "gateway/base/file_system.h"
#include "gateway/base/view.h"

namespace sluice::rpc {
namespace {

constexpr unsigned kLookAtFilesEverySeconds = 1;

std::shared_ptr<grpc::ServerCredentials> Credentials(const ServerOptions& options,
                                                     HandshakeCheck* callers) {
  namespace tls = grpc::experimental;
  const std::string current = JoinPath(options.pair_folder, "current");
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(
      JoinPath(current, certs::kKeyFile), JoinPath(current, certs::kCertificateFile),
      options.authorities_file, kLookAtFilesEverySeconds);
  tls::TlsServerCredentialsOptions credentials(provider);
  credentials.watch_root_certs();
  credentials.watch_identity_key_cert_pairs();
  // The default asks for no certificate at all.
  credentials.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  credentials.set_certificate_verifier(
      tls::ExternalCertificateVerifier::Create<HandshakeVerifier>(callers));
  return tls::TlsServerCredentials(credentials);
}

// What to knock at to see whether the listener lives: a wildcard is reached over loopback.
std::string ProbeAddress(const std::string& host, int port) {
  if (host == "0.0.0.0") return absl::StrCat("127.0.0.1:", port);
  if (host == "[::]") return absl::StrCat("[::1]:", port);
  return absl::StrCat(host, ":", port);
}

OperationalLog* grpc_log = nullptr;

void WriteGrpcLine(gpr_log_func_args* line) {
  const std::string_view file(line->file);
  const Severity severity =
      line->severity == GPR_LOG_SEVERITY_ERROR ? Severity::kWarning : Severity::kInfo;
  grpc_log->Write(severity, "grpc", line->message,
                  {{"at", absl::StrCat(View(file.substr(file.rfind('/') + 1)), ":", line->line)}});
}

}  // namespace

void WriteGrpcLogTo(OperationalLog& operations) {
  grpc_log = &operations;
  gpr_set_log_function(WriteGrpcLine);
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options,
                                                      HandshakeCheck* callers,
                                                      const std::vector<grpc::Service*>& services,
                                                      std::function<void()> lost) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  Apply(options.limits, builder);
  int port = 0;
  builder.AddListeningPort(options.listen, Credentials(options, callers), &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<Server> server(new Server());
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || port == 0)
    return absl::UnavailableError(
        absl::StrCat("listen: cannot bind ", options.listen, "; is another process on it?"));
  const std::string host = options.listen.substr(0, options.listen.rfind(':'));
  server->address_ = absl::StrCat(host, ":", port);
  server->ready_service_ = options.ready_service;
  server->SetReady(false);
  server->self_call_ = std::make_unique<SelfCall>(*server->server_, options.self_call_interval);
  ListenerWatch::Options watch;
  watch.probe.address = ProbeAddress(host, port);
  server->watch_ = std::make_unique<ListenerWatch>(watch, std::move(lost));
  return server;
}

Server::~Server() = default;

void Server::SetReady(bool ready) {
  server_->GetHealthCheckService()->SetServingStatus(ready_service_, ready);
}

void Server::SetLive(bool live) { server_->GetHealthCheckService()->SetServingStatus("", live); }

void Server::Shutdown(Micros wait) {
  watch_.reset();
  self_call_.reset();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::microseconds(wait));
  server_->Wait();
}

}  // namespace sluice::rpc
