// Completion in a shell, made from the very tree of commands that parses, so that it never lags
// behind. Words that only a gateway knows (datasets, purposes, ids) are not looked up.
#pragma once

#include <string>
#include <vector>

#include "CLI/App.hpp"

namespace sluice::cli {

// What may stand where a value is wanted.
struct ValueWords {
  enum class Kind { kNone, kAny, kFiles, kFolders, kWords };
  Kind kind = Kind::kNone;  // of a flag
  std::vector<std::string> words;
};
struct OptionWords {
  std::vector<std::string> names;  // "--output", "-o"
  ValueWords value;
  std::string help;
};
struct CommandWords {
  std::string path;  // "access request"; empty for the tool itself
  std::vector<std::pair<std::string, std::string>> commands;  // with their help
  std::vector<OptionWords> options;                           // its own, and those above it
  std::vector<ValueWords> arguments;                          // in order
};
// The tool first, each command before those below it.
std::vector<CommandWords> CommandTree(const CLI::App& app);

// To be sourced. zsh: after compinit, or as a file _sluice in its fpath.
std::string BashCompletion(const std::vector<CommandWords>& tree);
std::string ZshCompletion(const std::vector<CommandWords>& tree);
std::string FishCompletion(const std::vector<CommandWords>& tree);

}  // namespace sluice::cli
