// The kinds of adapter in this build: a table, filled by hand in registry.cc. Whoever opens sources
// by their kind is handed a table; a program may hand in another one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"

namespace sluice::adapters {

struct Kind {
  std::string name;
  // Checks the settings strictly (unknown ones are mistakes, all are named) and opens the source.
  // DEFINITION_INVALID with the setting's name for wrong settings, SOURCE_UNAVAILABLE where the
  // system cannot be reached.
  absl::StatusOr<std::unique_ptr<Adapter>> (*open)(const Settings& settings);
  // The settings alone, without touching the source.
  absl::Status (*check)(const Settings& settings);
};

const std::vector<Kind>& Kinds();
// Null where there is none of that name; of this build where no table is given.
const Kind* FindKind(const std::vector<Kind>& kinds, std::string_view name);
const Kind* FindKind(std::string_view name);

}  // namespace sluice::adapters
