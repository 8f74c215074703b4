// A ChainVerifier over files, which reads them again when they were written: a new revocation list
// is in force a second later. For parties that no control store brings their lists to. Any thread.
//
//   SLUICE_ASSIGN_OR_RETURN(auto verifier, FileVerifier::Open(options, files, clock));
//   auto peer = verifier->Get()->Verify(leaf_pem, clock.Now());
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "certs/chain_verifier.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"

namespace sluice::certs {

struct FileVerifierOptions {
  std::string trust_domain;
  struct Authority {
    std::string certificates;     // PEM file
    std::string revocation_list;  // PEM file, of one or more lists
  };
  // Each may name whomever it likes in the trust domain.
  std::vector<Authority> authorities;
};

class FileVerifier {
 public:
  // Errors of ChainVerifier::Build, and DEFINITION_INVALID for a file that cannot be read. Files
  // and clock outlive it.
  static absl::StatusOr<std::unique_ptr<FileVerifier>> Open(FileVerifierOptions options,
                                                            FileSystem& files, const Clock& clock);

  // As the files are now, give or take a second. Where they can no longer be read, as they were:
  // what was revoked then stays so, and lists grow old.
  std::shared_ptr<const ChainVerifier> Get();

 private:
  FileVerifier(FileVerifierOptions options, FileSystem& files, const Clock& clock)
      : options_(std::move(options)), files_(files), clock_(clock) {}
  // Another one whenever one of the files was written or replaced.
  std::string Stamp() const;
  absl::StatusOr<std::shared_ptr<const ChainVerifier>> Read() const;

  const FileVerifierOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  Mutex mutex_;
  std::shared_ptr<const ChainVerifier> verifier_ SLUICE_GUARDED_BY(mutex_);
  std::string stamp_ SLUICE_GUARDED_BY(mutex_);
  Micros looked_ SLUICE_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::certs
