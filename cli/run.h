// The tool as a function: arguments in, exit code out.
#pragma once

#include <string>
#include <vector>

#include "cli/environment.h"

namespace sluice::cli {

// `arguments` without the program's name. Never throws.
int Run(Environment& environment, std::vector<std::string> arguments);

}  // namespace sluice::cli
