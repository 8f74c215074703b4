// A listener's own key pair and the authorities that it asks clients for, staged where gRPC reads
// them: checked as a pair first, swapped at once. A bad pair changes nothing.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/pair.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"

namespace sluice {

// Of which listener.
struct ListenerPair {
  std::string certificate, key;  // files
  std::string run_directory;     // where they are staged
  certs::SpiffeId identity;      // what the certificate has to name

  std::string PairFolder() const { return JoinPath(run_directory, "pair"); }
  std::string AuthoritiesFile() const { return JoinPath(run_directory, "authorities.pem"); }
};

class ListenerKeys {
 public:
  ListenerKeys(FileSystem& files, const Clock& clock) : files_(files), clock_(clock) {}

  // Reads and checks the configured pair; changes nothing.
  absl::StatusOr<certs::Pair> Check(const ListenerPair& listener) const;
  // Checks it and puts it in place with the authorities.
  absl::StatusOr<certs::Pair> Stage(const ListenerPair& listener,
                                    const std::string& authorities_pem);
  // Whether certificate or key were written since the last Stage.
  bool Changed(const ListenerPair& listener) const;

 private:
  int64_t Stamp(const ListenerPair& listener) const;

  FileSystem& files_;
  const Clock& clock_;
  int64_t staged_stamp_ = 0;
};

}  // namespace sluice
