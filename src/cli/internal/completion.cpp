#include "cli/internal/completion.h"

#include <fmt/format.h>

namespace tidegate::cli {
namespace {

// Walks the words before the cursor along the commands; what it does not know (names, values) it passes over.
constexpr std::string_view kBashHead =
    R"(# bash completion for tidegate. Use it with: source <(tidegate completion bash)
_tidegate_words() {
  case "$1" in
)";
constexpr std::string_view kBashTail = R"bash(    *) return 1 ;;
  esac
}
_tidegate() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" word at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="${COMP_WORDS[at]}"
    if _tidegate_words "${path:+$path }$word" >/dev/null; then path="${path:+$path }$word"; fi
  done
  case "${COMP_WORDS[COMP_CWORD - 1]}" in
    -f|--file|--data|--ca|--certificate|--profile|--tokens|--record) COMPREPLY=($(compgen -f -- "$current")) ;;
    -o|--output) COMPREPLY=($(compgen -W "table json yaml" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$(_tidegate_words "$path")" -- "$current")) ;;
  esac
}
complete -F _tidegate tidegate
)bash";

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::string bash_script(const std::vector<CommandWords>& commands) {
  std::string out(kBashHead);
  for (const CommandWords& command : commands) {
    out += fmt::format("    \"{}\") echo \"{}\" ;;\n", joined(command.path), joined(command.words));
  }
  return out + std::string(kBashTail);
}

// zsh runs completions written for bash.
std::string zsh_script(const std::vector<CommandWords>& commands) {
  return "# zsh completion for tidegate. Use it with: source <(tidegate completion zsh)\n"
         "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" +
         bash_script(commands);
}

std::string fish_script(const std::vector<CommandWords>& commands) {
  std::string out =
      "# fish completion for tidegate. Use it with: tidegate completion fish | source\n"
      "complete -c tidegate -f\n"
      "complete -c tidegate -s o -l output -xa 'table json yaml'\n"
      "complete -c tidegate -s f -l file -r -F\n";
  for (const CommandWords& command : commands) {
    std::string subcommands;
    for (const std::string& word : command.words) {
      if (!word.starts_with('-')) subcommands += (subcommands.empty() ? "" : " ") + word;
    }
    std::string when = "__fish_use_subcommand";
    if (!command.path.empty()) {
      when.clear();
      for (const std::string& word : command.path) {
        when += fmt::format("{}__fish_seen_subcommand_from {}", when.empty() ? "" : "; and ", word);
      }
    }
    if (!subcommands.empty() && !command.path.empty()) {
      when += fmt::format("; and not __fish_seen_subcommand_from {}", subcommands);
    }
    if (!subcommands.empty()) out += fmt::format("complete -c tidegate -n '{}' -a '{}'\n", when, subcommands);
    for (const std::string& word : command.words) {
      if (!word.starts_with("--") || word == "--output" || word == "--file") continue;
      const std::string always = command.path.empty() ? "" : fmt::format(" -n '{}'", when);
      out += fmt::format("complete -c tidegate{} -l {}\n", always, word.substr(2));
    }
  }
  return out;
}

}  // namespace

Result<std::string> completion_script(std::string_view shell, const std::vector<CommandWords>& commands) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  return fail(ErrorCode::UsageError, fmt::format("there is no completion for '{}'", shell),
              "there is one for bash, zsh and fish");
}

}  // namespace tidegate::cli
