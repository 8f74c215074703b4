// sluice audit open-subject-key.
#pragma once

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddOpenSubjectKeyCommand(CLI::App& audit, Invocation& invocation);

}  // namespace sluice::cli
