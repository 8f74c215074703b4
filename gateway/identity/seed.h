// What a gateway begins with: the first agencies, persons with their roles, and purposes. `sluice
// init` writes them into a file; the daemon takes it in at its first start, through Changes, so
// that each entry is recorded, with the gateway itself as the actor. Afterwards the file means
// nothing.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/store/store.h"
#include "sluice/v1/registry.pb.h"

namespace sluice::identity {

struct Seed {
  std::vector<v1::Agency> agencies;
  std::vector<v1::Person> persons;  // with roles
  std::vector<v1::ClientSystem> systems;
  std::vector<v1::Purpose> purposes;
};

// DEFINITION_INVALID with all mistakes, file and line named: also persons and systems of agencies
// that the seed lacks, and a seed without an authority or an operator.
absl::StatusOr<Seed> ParseSeed(std::string_view yaml, std::string_view file);

// Whether a seed was taken in, whole.
absl::StatusOr<bool> IsSeeded(store::Reader& reader);

// Adds what is not there yet, one change an entry, and marks the store as seeded; nothing where it
// is. After a crash in between, the next start goes on where this one ended. Blocks.
absl::Status ApplySeed(store::Store& store, audit::Changes& changes, const Seed& seed);

}  // namespace sluice::identity
