// The adapter kind `remote`: an adapter that runs in a process of its own, perhaps in another
// language (proto/sluice/v1/adapter.proto), over mutual TLS. Nothing that it sends is believed
// unchecked. docs/adapters/remote.md says how to write and run one.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"

namespace sluice::adapters {

// As the registry's Kind::open and Kind::check demand.
absl::StatusOr<std::unique_ptr<Adapter>> OpenRemote(const Settings& settings);
absl::Status CheckRemoteSettings(const Settings& settings);

}  // namespace sluice::adapters
