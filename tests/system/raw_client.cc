#include "tests/system/raw_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <filesystem>

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace sluice::system_test {
namespace {

absl::Status FromGrpc(const grpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details())
      result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return result;
}

}  // namespace

RawClient::RawClient(const std::string& address, const std::string& authorities_pem,
                     Identity identity) {
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = authorities_pem;
  ssl.pem_cert_chain = identity.certificate;
  ssl.pem_private_key = identity.key;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  channel_ = grpc::CreateCustomChannel(address, grpc::SslCredentials(ssl), arguments);
}

absl::Status RawClient::Call(const char* path, const google::protobuf::Message& request,
                             google::protobuf::Message& response,
                             const std::function<void(grpc::ClientContext&)>& change) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  if (change) change(context);
  const grpc::Slice slice(request.SerializeAsString());
  const grpc::ByteBuffer sent(&slice, 1);
  grpc::CompletionQueue queue;
  auto call = grpc::GenericStub(channel_).PrepareUnaryCall(&context, path, sent, &queue);
  call->StartCall();
  grpc::ByteBuffer received;
  grpc::Status status;
  call->Finish(&received, &status, this);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  if (!status.ok()) return FromGrpc(status);
  grpc::ProtoBufferReader reader(&received);
  EXPECT_TRUE(response.ParseFromZeroCopyStream(&reader));
  return absl::OkStatus();
}

Identity IdentityOf(const Deployment& gateway, const std::string& party) {
  return {gateway.Read("profiles/" + party + "/certificate.pem"),
          gateway.Read("profiles/" + party + "/key.pem")};
}

OpensslOutcome Openssl(const Deployment& gateway, const Identity& identity,
                       std::vector<std::string> more) {
  std::vector<std::string> arguments = {
      "timeout",         "2",     "openssl", "s_client", "-connect",
      gateway.address(), "-alpn", "h2",      "-CAfile",  gateway.Path("tls/authority.pem"),
      "-ign_eof"};
  if (!identity.certificate.empty()) {
    gateway.Write("openssl-certificate.pem", identity.certificate);
    gateway.Write("openssl-key.pem", identity.key);
    arguments.insert(arguments.end(), {"-cert", gateway.Path("openssl-certificate.pem"), "-key",
                                       gateway.Path("openssl-key.pem")});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Finished finished = Execute(std::move(arguments));
  OpensslOutcome outcome;
  outcome.said = finished.all();
  outcome.resumed = finished.output.find("Reused, ") != std::string::npos;
  // A SETTINGS frame, the first thing that an HTTP/2 server says: length, type 4, no flags.
  const size_t settings = finished.output.find(std::string("\0\0", 2));
  outcome.served = settings != std::string::npos && settings + 4 < finished.output.size() &&
                   finished.output[settings + 3] == 4;
  return outcome;
}

}  // namespace sluice::system_test
