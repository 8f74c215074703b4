// The way to one adapter process: a channel over mutual TLS that takes nobody else for it. Verifies
// more than gRPC does: the chain with its revocation lists (certs::FileVerifier), and that the
// certificate's SPIFFE ID is the very adapter that the source names.
//
// Renewed key pairs and authorities are taken over a second after their files were written; calls
// that run go on. Any thread.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/remote/settings.h"
#include "certs/file_verifier.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::remote {

class Channel {
 public:
  // DEFINITION_INVALID for files that cannot be read or do not fit together. Files and clock
  // outlive it.
  static absl::StatusOr<std::unique_ptr<Channel>> Open(const RemoteSettings& settings,
                                                       FileSystem& files, const Clock& clock);
  ~Channel();

  // For the next call.
  std::shared_ptr<grpc::Channel> Get();
  // The next call makes a new connection: this one leads nowhere.
  void Reconnect();
  // Why the other side's certificate was last refused; OK where it was not.
  absl::Status Refused() const;

 private:
  class Verifier;
  struct Verdict;
  Channel(const RemoteSettings& settings, FileSystem& files, const Clock& clock);
  absl::Status Connect() SLUICE_REQUIRES(mutex_);
  std::string Stamp() const;

  const RemoteSettings settings_;
  FileSystem& files_;
  const Clock& clock_;
  std::shared_ptr<certs::FileVerifier> verifier_;
  const std::shared_ptr<Verdict> verdict_;
  Mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_ SLUICE_GUARDED_BY(mutex_);
  std::string stamp_ SLUICE_GUARDED_BY(mutex_);
  Micros looked_ SLUICE_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::adapters::remote
