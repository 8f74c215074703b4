// The program sluiced, all but its main().
#pragma once

#include <vector>

#include "adapters/registry.h"

namespace sluice {

// sluiced --config FILE | --adapter FILE [--check]. Takes the process's signals for itself; returns
// its exit code (served.h), or ends the process where something must not be waited for. `kinds`:
// what sources may be of.
int RunSluiced(int argc, char** argv, const std::vector<adapters::Kind>& kinds = adapters::Kinds());

}  // namespace sluice
