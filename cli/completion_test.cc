// Completion: what is read from the tree of commands, and what a real bash makes of it.
#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/tool_testing.h"
#include "gateway/audit/record_testing.h"

namespace sluice::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using Kind = ValueWords::Kind;

// A bash that has sourced the tool's script, in a folder with two files and a folder.
class Bash {
 public:
  Bash() {
    std::ofstream(folder_.path() + "/sluice.bash") << Tool().Run({"completion", "bash"}).out;
    std::ofstream(folder_.path() + "/persons.yaml") << "x";
    std::ofstream(folder_.path() + "/two words.yaml") << "x";
    std::ofstream(folder_.path() + "/try.bash") << R"(
source ./sluice.bash || exit 1
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_sluice
printf '%s\n' "${COMPREPLY[@]}"
)";
  }
  // The last word is the one being typed.
  std::vector<std::string> Complete(const std::vector<std::string>& words) const {
    std::string line = "cd '" + folder_.path() + "' && bash try.bash sluice";
    for (const std::string& word : words) absl::StrAppend(&line, " '", word, "'");
    FILE* pipe = popen((line + " 2>&1").c_str(), "r");
    std::string said;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << said;
    return absl::StrSplit(said, '\n', absl::SkipEmpty());
  }

 private:
  audit::TestFolder folder_;
};

TEST(CompletionTest, TheTreeIsReadAsItParses) {
  CLI::App app("a tool", "tool");
  std::string text;
  app.fallthrough();
  app.add_option("--format", text, "how")->check(CLI::IsMember({"json", "csv"}));
  CLI::App* group = app.add_subcommand("group", "a group");
  CLI::App* command = group->add_subcommand("do", "does it");
  bool flag = false;
  command->add_flag("--now", flag, "at once");
  command->add_option("-o,--output", text, "where to")->type_name("FILE");
  command->add_option("name", text, "a name");
  command->add_option("folder", text, "a folder")->type_name("DIR");

  const auto tree = CommandTree(app);
  ASSERT_EQ(tree.size(), 3u);
  EXPECT_EQ(tree[0].path, "");
  EXPECT_THAT(tree[0].commands, ElementsAre(std::pair("group", "a group")));
  EXPECT_EQ(tree[1].path, "group");
  EXPECT_EQ(tree[2].path, "group do");
  std::map<std::string, ValueWords> options;
  for (const OptionWords& option : tree[2].options) options[option.names.front()] = option.value;
  EXPECT_EQ(options.at("--now").kind, Kind::kNone);
  EXPECT_EQ(options.at("--output").kind, Kind::kFiles);
  EXPECT_THAT(options.at("--format").words, ElementsAre("json", "csv"));
  EXPECT_EQ(options.count("--help"), 1u);
  ASSERT_EQ(tree[2].arguments.size(), 2u);
  EXPECT_EQ(tree[2].arguments[0].kind, Kind::kAny);
  EXPECT_EQ(tree[2].arguments[1].kind, Kind::kFolders);
}

TEST(CompletionTest, BashCompletesCommands) {
  const Bash bash;
  EXPECT_THAT(bash.Complete({""}), IsSupersetOf({"query", "access", "ops", "completion"}));
  EXPECT_THAT(bash.Complete({"acc"}), ElementsAre("access"));
  EXPECT_THAT(bash.Complete({"grant", "s"}), UnorderedElementsAre("show", "suspend"));
  EXPECT_THAT(bash.Complete({"--format", "json", "grant", "rev"}), ElementsAre("revoke"));
  // What an option takes is no command, even where it is spelled like one.
  EXPECT_THAT(bash.Complete({"--profile", "grant", "rel"}), ElementsAre("reload"));
}

TEST(CompletionTest, BashCompletesOptionsAndTheirWords) {
  const Bash bash;
  EXPECT_THAT(bash.Complete({"access", "approve", "r-1", "--re"}), ElementsAre("--require"));
  EXPECT_THAT(bash.Complete({"access", "approve", "--"}), Contains("--profile"));
  EXPECT_THAT(bash.Complete({"access", "approve", "--"}), Not(Contains("--purpose")));
  EXPECT_THAT(bash.Complete({"access", "list", "--state", "w"}), ElementsAre("withdrawn"));
  EXPECT_THAT(bash.Complete({"--format", "="}), Contains("json"));
  EXPECT_THAT(bash.Complete({"--format", "=", "c"}), ElementsAre("csv"));
  EXPECT_THAT(bash.Complete({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
}

TEST(CompletionTest, BashCompletesFilesWhereFilesAreMeant) {
  const Bash bash;
  EXPECT_THAT(bash.Complete({"catalogue", "apply", "pers"}), ElementsAre("persons.yaml"));
  EXPECT_THAT(bash.Complete({"grant", "apply", "two"}), ElementsAre("two words.yaml"));
  EXPECT_THAT(bash.Complete({"access", "request", "-f", "p"}), ElementsAre("persons.yaml"));
  EXPECT_THAT(bash.Complete({"access", "show", "pers"}), ElementsAre());
}

// Only a gateway knows them, and completing must not call one.
TEST(CompletionTest, BashLooksNoPurposeUp) {
  EXPECT_THAT(Bash().Complete({"query", "--purpose", ""}), ElementsAre());
}

TEST(CompletionTest, EveryShellHasEveryCommand) {
  Tool tool;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = tool.Run({"completion", shell});
    EXPECT_EQ(ran.code, 0);
    for (const char* word : {"access approve", "ops drain", "receipts check"})
      EXPECT_NE(ran.out.find(word), std::string::npos) << shell << ": " << word;
  }
  EXPECT_EQ(tool.Run({"completion", "csh"}).code, 2);
}

}  // namespace
}  // namespace sluice::cli
