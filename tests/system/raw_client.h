// Clients that are not ours: gRPC's own with any certificate at all, and openssl's.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {

// PEM texts; certificate and key empty: none is shown.
struct Identity {
  std::string certificate, key;
};

class RawClient {
 public:
  RawClient(const std::string& address, const std::string& authorities_pem, Identity identity);
  // The status with its google.rpc details.
  absl::Status Call(const char* path, const google::protobuf::Message& request,
                    google::protobuf::Message& response,
                    const std::function<void(grpc::ClientContext&)>& change = {});
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

// The pair of a profile, as files of the deployment.
Identity IdentityOf(const Deployment& gateway, const std::string& party);

// `openssl s_client` speaking TLS and nothing more, until the gateway closes or two seconds are
// over. Served: the gateway began to speak HTTP/2 to it.
struct OpensslOutcome {
  bool served = false;
  bool resumed = false;
  std::string said;
};
OpensslOutcome Openssl(const Deployment& gateway, const Identity& identity,
                       std::vector<std::string> more = {});

}  // namespace sluice::system_test
