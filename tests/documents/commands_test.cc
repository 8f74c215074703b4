// Command lines in documents are such as the tool takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/run.h"
#include "gateway/base/fake_clock.h"
#include "gateway/base/fake_file_system.h"
#include "tests/documents/document.h"

namespace sluice {
namespace {

// What `sluice WORDS... --help` prints; "" where it does not end well.
std::string HelpOf(std::vector<std::string> words) {
  std::istringstream in;
  std::ostringstream out, err;
  FakeFileSystem files;
  FakeClock clock;
  const auto random = MakeSystemRandom();
  cli::Environment environment{.in = in,
                               .out = out,
                               .err = err,
                               .files = files,
                               .clock = clock,
                               .random = *random,
                               .variable = [](const std::string&) { return std::nullopt; },
                               .zone = absl::UTCTimeZone(),
                               .connect = nullptr};
  words.push_back("--help");
  return cli::Run(environment, words) == 0 ? out.str() : "";
}

bool Lists(const std::string& help, const std::string& command) {
  return std::regex_search(help, std::regex("\n  " + command + " +[^ ]"));
}

// A line's words, a quoted one standing for itself, up to a pipe, a comment or a second column.
std::vector<std::string> WordsOf(std::string line) {
  line = std::regex_replace(line, std::regex("'[^']*'|\"[^\"]*\""), "QUOTED");
  line = std::regex_replace(line, std::regex(R"((  | [|&#;>]).*)"), "");
  return absl::StrSplit(line, ' ', absl::SkipEmpty());
}

struct CommandLine {
  std::string page;
  std::vector<std::string> words;  // without "sluice"
};

// Those of fenced blocks, and those that stand in backticks.
std::vector<CommandLine> CommandLines() {
  std::vector<std::string> pages = {"README.md"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(DocumentsFolder()))
    if (entry.path().extension() == ".md")
      pages.push_back("docs/" +
                      std::filesystem::relative(entry.path(), DocumentsFolder()).string());
  std::vector<CommandLine> lines;
  const std::regex pattern("(?:^|\n|`)(?:\\$ )?sluice ([^`\n]+)");
  for (const std::string& page : pages) {
    const std::string text = std::regex_replace(ReadDocument(page), std::regex(R"(\\\n *)"), "");
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
      lines.push_back({page, WordsOf((*match)[1])});
  }
  return lines;
}

TEST(CommandsTest, EachCommandLineHasACommandAndOptionsOfTheTool) {
  const std::vector<CommandLine> lines = CommandLines();
  EXPECT_GT(lines.size(), 50u);
  const std::string tool = HelpOf({});
  for (const auto& [page, words] : lines) {
    const std::string line = absl::StrCat(page, ": sluice ", absl::StrJoin(words, " "));
    std::vector<std::string> command, options;
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i].starts_with("-")) {
        options.push_back(words[i].substr(0, words[i].find('=')));
        if (options.back() == "--profile" || options.back() == "--format") ++i;
      } else if (command.size() < 3) {
        command.push_back(words[i]);
      }
    }
    // "sluice COMMAND --help" shows the form.
    if (command.empty() || command[0] == "COMMAND" || command[0] == "…") continue;
    EXPECT_TRUE(Lists(tool, command[0])) << line;
    std::string help = HelpOf({command[0]});
    size_t depth = 1;
    for (; depth < command.size() && help.find("\nSubcommands:") != std::string::npos; ++depth) {
      EXPECT_TRUE(Lists(help, command[depth])) << line;
      help = HelpOf({command.begin(), command.begin() + static_cast<ptrdiff_t>(depth) + 1});
    }
    if (help.find("\nSubcommands:") != std::string::npos) continue;  // names the group
    for (const std::string& option : options) {
      EXPECT_TRUE((help + tool).find(option + " ") != std::string::npos ||
                  (help + tool).find(option + ",") != std::string::npos)
          << line << " has no " << option;
    }
  }
}

}  // namespace
}  // namespace sluice
