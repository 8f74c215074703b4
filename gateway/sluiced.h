// The program sluiced, all but its main().
#pragma once

namespace sluice {

// sluiced --config FILE [--check]. Takes the process's signals for itself; returns its exit code
// (daemon.h), or ends the process where something must not be waited for.
int RunSluiced(int argc, char** argv);

}  // namespace sluice
