#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/completion.h"

namespace sluice::cli {
namespace {

// CLI11 writes what an option takes as "FILE", or "TEXT:{table,json,csv}" where words are listed.
ValueWords ValueOf(const CLI::Option& option) {
  using Kind = ValueWords::Kind;
  if (option.get_items_expected_max() == 0) return {};
  const std::string type = option.get_type_name();
  if (type.starts_with("FILE")) return {Kind::kFiles, {}};
  if (type.starts_with("DIR")) return {Kind::kFolders, {}};
  const size_t begin = type.find(":{"), end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    return {Kind::kAny, {}};
  return {Kind::kWords, absl::StrSplit(type.substr(begin + 2, end - begin - 2), ',')};
}

void AddOptions(const CLI::App& app, CommandWords& command) {
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    if (!option->nonpositional()) continue;
    OptionWords words{{}, ValueOf(*option), option->get_description()};
    for (const std::string& name : option->get_lnames()) words.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) words.names.push_back("-" + name);
    const bool known = std::any_of(
        command.options.begin(), command.options.end(),
        [&](const OptionWords& one) { return one.names.front() == words.names.front(); });
    if (!known) command.options.push_back(std::move(words));
  }
}

void Walk(const CLI::App& app, const std::string& path, std::vector<const CLI::App*> above,
          std::vector<CommandWords>& tree) {
  CommandWords command{path, {}, {}, {}};
  above.push_back(&app);
  for (auto level = above.rbegin(); level != above.rend(); ++level) AddOptions(**level, command);
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; }))
    if (!option->nonpositional() && option->get_positional())
      command.arguments.push_back(ValueOf(*option));
  // What help does not show is another name of what it does show.
  const auto below =
      app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); });
  for (const CLI::App* one : below)
    command.commands.emplace_back(one->get_name(), one->get_description());
  tree.push_back(std::move(command));
  for (const CLI::App* one : below)
    Walk(*one, path.empty() ? one->get_name() : absl::StrCat(path, " ", one->get_name()), above,
         tree);
}

}  // namespace

std::vector<CommandWords> CommandTree(const CLI::App& app) {
  std::vector<CommandWords> tree;
  Walk(app, "", {}, tree);
  return tree;
}

}  // namespace sluice::cli
