#include "cli/completion.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/words.h"

namespace sluice::cli {
namespace {

using Kind = ValueWords::Kind;

// What a script says of a value: "files", "folders", "any", or "words a b c".
std::string Said(const ValueWords& value) {
  switch (value.kind) {
    case Kind::kFiles:
      return "files";
    case Kind::kFolders:
      return "folders";
    case Kind::kWords:
      return "words " + absl::StrJoin(value.words, " ");
    default:
      return "any";
  }
}

std::string AllWords(const CommandWords& command) {
  std::vector<std::string> words;
  for (const auto& [name, help] : command.commands) words.push_back(name);
  return absl::StrJoin(words, " ");
}

std::string AllOptions(const CommandWords& command) {
  std::vector<std::string> names;
  for (const OptionWords& option : command.options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return absl::StrJoin(names, " ");
}

// Three tables as functions that bash and zsh read alike: what a command has, what an option takes
// (nothing printed for a flag), what an argument is. PATH is the command so far.
std::string Tables(const std::vector<CommandWords>& tree) {
  std::string commands = "_sluice_commands() {  # PATH\n  case \"$1\" in\n";
  std::string options = "_sluice_options() {  # PATH\n  case \"$1\" in\n";
  std::string values = "_sluice_value() {  # PATH OPTION\n  case \"$1 $2\" in\n";
  std::string arguments = "_sluice_argument() {  # PATH NUMBER\n  case \"$1 $2\" in\n";
  for (const CommandWords& command : tree) {
    const auto line = [&command](const std::string& more, const std::string& says) {
      return absl::StrCat("    ", ShellQuoted(command.path + more), ") echo ", ShellQuoted(says),
                          " ;;\n");
    };
    if (!command.commands.empty()) absl::StrAppend(&commands, line("", AllWords(command)));
    absl::StrAppend(&options, line("", AllOptions(command)));
    for (const OptionWords& option : command.options)
      if (option.value.kind != Kind::kNone)
        for (const std::string& name : option.names)
          absl::StrAppend(&values, line(" " + name, Said(option.value)));
    for (size_t i = 0; i < command.arguments.size(); ++i)
      absl::StrAppend(&arguments, line(absl::StrCat(" ", i), Said(command.arguments[i])));
  }
  const char* end = "  esac\n}\n";
  return absl::StrCat(commands, end, options, end, values, end, arguments, end);
}

// For single quotes of fish, which knows backslashes in them.
std::string FishQuoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string FishValue(const ValueWords& value) {
  switch (value.kind) {
    case Kind::kNone:
      return "";
    case Kind::kFiles:
      return " -r -F";
    case Kind::kFolders:
      return " -x -a '(__fish_complete_directories)'";
    case Kind::kWords:
      return " -x -a " + FishQuoted(absl::StrJoin(value.words, " "));
    default:
      return " -x";
  }
}

std::string FishOption(const OptionWords& option, const std::string& condition) {
  std::string line = absl::StrCat("complete -c sluice -n ", FishQuoted(condition));
  for (const std::string& name : option.names)
    absl::StrAppend(&line,
                    name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1));
  return absl::StrCat(line, FishValue(option.value), " -d ", FishQuoted(option.help), "\n");
}

// Options of any command that take a value: what follows one is no command.
std::string FishValueOptions(const std::vector<CommandWords>& tree) {
  std::map<std::string, bool> names;
  for (const CommandWords& command : tree)
    for (const OptionWords& option : command.options)
      if (option.value.kind != Kind::kNone)
        for (const std::string& name : option.names) names[name] = true;
  std::vector<std::string> list;
  for (const auto& [name, taken] : names) list.push_back(name);
  return absl::StrJoin(list, " ");
}

constexpr char kBashBody[] = R"bash(
_sluice() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local path='' count=0 takes='' word said i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    if [ "$word" = '=' ]; then continue; fi  # of --option=value, which bash splits
    if [ -n "$takes" ]; then
      takes=
    elif [[ $word == -* ]]; then
      takes=$(_sluice_value "$path" "$word")
    elif [[ " $(_sluice_commands "$path") " == *" $word "* ]]; then
      path=${path:+$path }$word
    else
      count=$((count + 1))
    fi
  done
  if [ "$current" = '=' ]; then
    current=
  elif [ "$previous" = '=' ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [ -n "$takes" ]; then
    said=$(_sluice_value "$path" "$previous")
  elif [[ $current == -* ]]; then
    said="words $(_sluice_options "$path")"
  elif [ -n "$(_sluice_commands "$path")" ]; then
    said="words $(_sluice_commands "$path")"
  else
    said=$(_sluice_argument "$path" "$count")
    if [ -z "$said" ] || [ "$said" = any ]; then
      [ -n "$current" ] || said="words $(_sluice_options "$path")"
    fi
  fi
  case $said in
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    folders)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      ;;
    words*) mapfile -t COMPREPLY < <(compgen -W "${said#words }" -- "$current") ;;
  esac
}
complete -F _sluice sluice
)bash";

constexpr char kZshBody[] = R"zsh(
_sluice() {
  emulate -L zsh
  local current=$words[CURRENT] at='' option='' takes='' said='' word=''
  local -i count=0 i
  for ((i = 2; i < CURRENT; ++i)); do
    word=$words[i]
    if [[ -n $takes ]]; then
      takes=''
    elif [[ $word == --*=* ]]; then
      continue
    elif [[ $word == -* ]]; then
      takes=$(_sluice_value "$at" "$word")
      option=$word
    elif [[ " $(_sluice_commands "$at") " == *" $word "* ]]; then
      at=${at:+$at }$word
    else
      count+=1
    fi
  done
  if [[ -n $takes ]]; then
    said=$(_sluice_value "$at" "$option")
  elif [[ $current == --*=* ]]; then
    said=$(_sluice_value "$at" "${current%%=*}")
    compset -P '*='
  elif [[ $current == -* ]]; then
    said="words $(_sluice_options "$at")"
  elif [[ -n $(_sluice_commands "$at") ]]; then
    said="words $(_sluice_commands "$at")"
  else
    said=$(_sluice_argument "$at" "$count")
  fi
  case $said in
    files) _files ;;
    folders) _files -/ ;;
    words*) compadd -- ${=said#words } ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _sluice "$@"
else
  compdef _sluice sluice
fi
)zsh";

constexpr char kFishBody[] = R"fish(
# The command so far: words that are neither options nor their values, as long as they are commands.
function __sluice_path
    set -l path
    set -l takes 0
    for word in (commandline -opc)[2..-1]
        if test $takes = 1
            set takes 0
        else if contains -- $word $__sluice_value_options
            set takes 1
        else if not string match -q -- '-*' $word
            set -l longer (string join ' ' $path $word)
            contains -- $longer $__sluice_paths; or break
            set path $path $word
        end
    end
    string join ' ' $path
end
function __sluice_at
    set -l path (__sluice_path)
    test "$path" = "$argv"
end
complete -c sluice -e
complete -c sluice -f
)fish";

}  // namespace

std::string BashCompletion(const std::vector<CommandWords>& tree) {
  return absl::StrCat(
      "# Completion of sluice in bash, by `sluice completion bash`:\n"
      "#   source <(sluice completion bash)\n",
      Tables(tree), kBashBody);
}

std::string ZshCompletion(const std::vector<CommandWords>& tree) {
  return absl::StrCat(
      "#compdef sluice\n"
      "# Completion of sluice in zsh, by `sluice completion zsh`:\n"
      "#   source <(sluice completion zsh), after compinit; or a file _sluice in $fpath\n",
      Tables(tree), kZshBody);
}

std::string FishCompletion(const std::vector<CommandWords>& tree) {
  std::vector<std::string> paths;
  for (const CommandWords& command : tree)
    if (!command.path.empty()) paths.push_back(FishQuoted(command.path));
  std::string out = absl::StrCat(
      "# Completion of sluice in fish, by `sluice completion fish`:\n"
      "#   sluice completion fish | source\n"
      "set -g __sluice_value_options ",
      FishValueOptions(tree), "\nset -g __sluice_paths ", absl::StrJoin(paths, " "), kFishBody);
  for (const CommandWords& command : tree) {
    const std::string condition = absl::StrCat("__sluice_at \"", command.path, "\"");
    for (const auto& [name, help] : command.commands)
      absl::StrAppend(&out, "complete -c sluice -n ", FishQuoted(condition), " -a ", name, " -d ",
                      FishQuoted(help), "\n");
    for (const OptionWords& option : command.options)
      absl::StrAppend(&out, FishOption(option, condition));
    for (const ValueWords& argument : command.arguments)
      if (argument.kind != Kind::kAny && argument.kind != Kind::kNone)
        absl::StrAppend(&out, "complete -c sluice -n ", FishQuoted(condition),
                        argument.kind == Kind::kFiles ? " -F" : FishValue(argument), "\n");
  }
  return out;
}

}  // namespace sluice::cli
