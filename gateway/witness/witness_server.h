// A witness as one object: configuration, key, memory, listener.
//
//   POST /add-checkpoint                     what a log hands in, and our signature line
//   GET  /<hex of SHA-256(origin)>/checkpoint   the newest head of it that we cosigned, for anybody
//   GET  /healthz
//
// A certificate that is renewed in place, and newer revocation lists, are taken over within a
// second. Everything else is read at start.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "certs/file_verifier.h"
#include "gateway/base/mutex.h"
#include "gateway/http/http_server.h"
#include "gateway/witness/witness.h"
#include "gateway/witness/witness_config.h"

namespace sluice::witness {

class WitnessServer {
 public:
  // Reads and checks configuration, keys and files, without starting anything.
  static absl::Status Check(const std::string& config_file, FileSystem& files, const Clock& clock);
  // Serves when it returns. Files, clock and log outlive it.
  static absl::StatusOr<std::unique_ptr<WitnessServer>> Start(const std::string& config_file,
                                                              FileSystem& files, const Clock& clock,
                                                              OperationalLog& operations);
  ~WitnessServer();

  const std::string& address() const { return listener_->address(); }
  // Answers what was begun, and nothing more.
  void Stop();

 private:
  WitnessServer(WitnessConfig config, FileSystem& files, const Clock& clock,
                OperationalLog& operations)
      : config_(std::move(config)), files_(files), clock_(clock), operations_(operations) {}
  absl::Status Begin();
  http::HttpResponse Answer(const http::HttpRequest& request);
  absl::Status Allowed(const http::HttpRequest& request);
  // What new connections see.
  std::shared_ptr<const http::TlsContext> Tls();

  const WitnessConfig config_;
  FileSystem& files_;
  const Clock& clock_;
  OperationalLog& operations_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<certs::FileVerifier> callers_;  // null where anybody may hand in heads
  Mutex mutex_;
  std::shared_ptr<const http::TlsContext> tls_ SLUICE_GUARDED_BY(mutex_);
  std::string stamp_ SLUICE_GUARDED_BY(mutex_);  // of the certificate's and key's files
  Micros looked_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<http::HttpServer> listener_;
};

}  // namespace sluice::witness
