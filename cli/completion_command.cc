// sluice completion bash|zsh|fish: a script for the shell.
#include "cli/commands.h"
#include "cli/completion.h"

namespace sluice::cli {

void AddCompletionCommand(CLI::App& app, Invocation& invocation) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "completion", "a script that has your shell complete commands and options");
  command->add_option("shell", *shell, "source <(sluice completion bash)")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &invocation, shell] {
    invocation.command = [&app, shell](Session& session) {
      const auto tree = CommandTree(app);
      session.environment.out << (*shell == "bash"  ? BashCompletion(tree)
                                  : *shell == "zsh" ? ZshCompletion(tree)
                                                    : FishCompletion(tree));
      return absl::OkStatus();
    };
  });
}

}  // namespace sluice::cli
