// From control store and configuration to the snapshot that decisions read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/file_system.h"
#include "gateway/config.h"
#include "gateway/policy/snapshot.h"
#include "gateway/sharing/rules.h"
#include "gateway/store/store.h"

namespace sluice {

// Opens the control store with the tables of all rooms.
absl::StatusOr<std::unique_ptr<store::Store>> OpenControlStore(const std::string& path);

// The configured authorities as the verifier takes them: certificates and lists as text.
absl::StatusOr<certs::ChainVerifierOptions> ReadAuthorities(const Config& config,
                                                            FileSystem& files);

// The calendars and clocks that are configured, and those shipped. INVALID_ARGUMENT with all
// mistakes, a line each.
absl::StatusOr<std::shared_ptr<const sharing::Rules>> ReadSharingRules(const Config& config,
                                                                       FileSystem& files);

// Everything at one state of the store; published revocation lists beside those of `authorities`.
absl::StatusOr<policy::SnapshotPtr> BuildSnapshot(store::Store& store,
                                                  certs::ChainVerifierOptions authorities);

}  // namespace sluice
