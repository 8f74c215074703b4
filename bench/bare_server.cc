// A gRPC server over mutual TLS that looks rows up in SQLite, echoes and streams, with neither
// policy nor audit: what the gateway's price is measured against. It serves the same without TLS on
// a second port, as the origin behind a proxy. Prints "listening PORT PLAIN_PORT" when it does;
// ends on SIGTERM.
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "bare.grpc.pb.h"
#include "bench/bare_lookups.h"
#include "bench/bare_streams.h"

namespace sluice::bench {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench_bare_server: " << what << "\n";
  std::exit(1);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Stream's messages are serialised by it.
using BareMethods = Bare::WithCallbackMethod_Lookup<Bare::WithCallbackMethod_Echo<
    Bare::WithRawCallbackMethod_Stream<Bare::WithCallbackMethod_Scan<Bare::Service>>>>;

class BareService : public BareMethods {
 public:
  BareService(LookupTable lookups, ScannedTable scanned)
      : lookups_(std::move(lookups)), scanned_(std::move(scanned)) {}

  // The rows lie in memory: a lookup is over sooner than another thread could be told of it.
  grpc::ServerUnaryReactor* Lookup(grpc::CallbackServerContext* context,
                                   const LookupRequest* request, v1::RowBatch* reply) override {
    thread_local Lookups lookups(lookups_);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::Status found = lookups.Find(request->key(), *reply);
    reactor->Finish(found.ok()
                        ? grpc::Status::OK
                        : grpc::Status(grpc::StatusCode::INTERNAL, std::string(found.message())));
    return reactor;
  }

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoRequest* request,
                                 EchoReply* reply) override {
    reply->mutable_payload()->assign(static_cast<size_t>(request->reply_bytes()), 'x');
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  BytesReactor* Stream(grpc::CallbackServerContext*, const grpc::ByteBuffer* bytes) override {
    grpc::ByteBuffer buffer(*bytes);
    grpc::ProtoBufferReader reader(&buffer);
    StreamRequest request;
    request.ParseFromZeroCopyStream(&reader);
    return StreamFromMemory(request);
  }

  BatchReactor* Scan(grpc::CallbackServerContext*, const ScanRequest*) override {
    return StreamOfScan(scanned_);
  }

 private:
  const LookupTable lookups_;
  const ScannedTable scanned_;
};

// The gateway's own options, but for its verifier.
std::shared_ptr<grpc::ServerCredentials> Credentials(const std::string& certificate,
                                                     const std::string& key,
                                                     const std::string& authorities) {
  namespace tls = grpc::experimental;
  const tls::IdentityKeyCertPair pair{ReadFile(key), ReadFile(certificate)};
  tls::TlsServerCredentialsOptions options(std::make_shared<tls::StaticDataCertificateProvider>(
      ReadFile(authorities), std::vector<tls::IdentityKeyCertPair>{pair}));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return tls::TlsServerCredentials(options);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  CLI::App app("A bare gRPC server over mutual TLS, to measure a gateway against.");
  std::string listen = "127.0.0.1:0", certificate, key, authorities;
  LookupTable lookups;
  ScannedTable scanned;
  app.add_option("--listen", listen);
  app.add_option("--certificate", certificate)->required();
  app.add_option("--key", key)->required();
  app.add_option("--authorities", authorities)->required();
  app.add_option("--database", lookups.database, "of Lookup")->required();
  app.add_option("--table", lookups.table)->required();
  app.add_option("--key-column", lookups.key)->required();
  app.add_option("--columns", lookups.columns)->required()->delimiter(',');
  app.add_option("--permits", scanned.database, "of Scan, made by bench_make_permits");
  app.add_option("--media-type", scanned.media_type, "of Scan, as in Exchange.Read");
  CLI11_PARSE(app, argc, argv);

  // Debian's Abseil aborts on lock orders that gRPC uses.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Before any thread is made, so that all leave the signal to this one.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  BareService service(lookups, scanned);
  grpc::ServerBuilder builder;
  int port = 0, plain_port = 0;
  builder.AddListeningPort(listen, Credentials(certificate, key, authorities), &port);
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &plain_port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0 || plain_port == 0) Fail("cannot listen on " + listen);
  std::cout << "listening " << port << " " << plain_port << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  return 0;
}
