// The listener's own key pair and the authorities that it asks clients for, staged where gRPC reads
// them: checked as a pair first, swapped at once. A bad pair changes nothing.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/pair.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"
#include "gateway/config.h"

namespace sluice {

class ListenerKeys {
 public:
  ListenerKeys(FileSystem& files, const Clock& clock) : files_(files), clock_(clock) {}

  // Reads and checks the configured pair; changes nothing.
  absl::StatusOr<certs::Pair> Check(const Config& config) const;
  // Checks it and puts it in place with the authorities.
  absl::StatusOr<certs::Pair> Stage(const Config& config, const std::string& authorities_pem);
  // Whether certificate or key were written since the last Stage.
  bool Changed(const Config& config) const;

  static std::string PairFolder(const Config& config);
  static std::string AuthoritiesFile(const Config& config);

 private:
  int64_t Stamp(const Config& config) const;

  FileSystem& files_;
  const Clock& clock_;
  int64_t staged_stamp_ = 0;
};

}  // namespace sluice
