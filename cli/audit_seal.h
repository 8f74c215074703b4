// sluice audit seal prepare|sign|finish: ends a log that cannot go on, offline.
#pragma once

#include <optional>
#include <string>

#include "CLI/App.hpp"
#include "cli/session.h"

namespace sluice::cli {

void AddAuditSealCommands(CLI::App& audit, Invocation& invocation);

// What is said of a log's folder that holds the seal which ended it; nothing where it holds none.
absl::StatusOr<std::optional<std::string>> SealedWords(FileSystem& files, const std::string& folder,
                                                       const std::string& origin);

}  // namespace sluice::cli
