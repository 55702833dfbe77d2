#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/flags/completions/completion.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kHead = R"(# bash completion of weightsmith
_weightsmith_words() { COMPREPLY=($(compgen -W "$1" -- "$2")); }
_weightsmith_files() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$1")); }
_weightsmith_files_or() {
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$2") $(compgen -W "$1" -- "$2"))
}
_weightsmith_folders() { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$1")); }
_weightsmith_none() { COMPREPLY=(); }

_weightsmith() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) command="$word"; break ;;
    esac
  done
)";

// How bash completes one kind of value.
std::string Action(ValueKind kind, std::span<const std::string_view> choices) {
  const std::vector<std::string> words = ValueWords(kind, choices);
  if (!words.empty() && kind == ValueKind::kFile) {
    return fmt::format("_weightsmith_files_or \"{}\" \"$current\"", fmt::join(words, " "));
  }
  if (!words.empty()) {
    return fmt::format("_weightsmith_words \"{}\" \"$current\"", fmt::join(words, " "));
  }
  if (kind == ValueKind::kFile) return "_weightsmith_files \"$current\"";
  if (kind == ValueKind::kFolder) return "_weightsmith_folders \"$current\"";
  return "_weightsmith_none";
}

std::string Pattern(const Flag& flag) {
  std::string pattern = fmt::format("--{}", flag.name);
  if (flag.letter != 0) pattern += fmt::format("|-{}", flag.letter);
  return pattern;
}

std::string FlagWords(std::span<const Flag> flags) {
  std::vector<std::string> words;
  for (const Flag& flag : flags) words.push_back(fmt::format("--{}", flag.name));
  return fmt::format("{}", fmt::join(words, " "));
}

std::string CommandCase(const Command& command) {
  const std::vector<Flag> flags = CompletedFlags(command);
  std::string out = fmt::format("    {})\n      case \"$previous\" in\n", command.name);
  for (const Flag& flag : flags) {
    if (flag.kind == ValueKind::kNone) continue;
    out +=
        fmt::format("        {}) {}; return ;;\n", Pattern(flag), Action(flag.kind, flag.choices));
  }
  out += "      esac\n";
  out += fmt::format(
      "      case \"$current\" in\n        -*) _weightsmith_words \"{}\" \"$current\"; "
      "return ;;\n      esac\n",
      FlagWords(flags));
  std::string rest = "_weightsmith_none";
  if (!command.positionals.empty()) {
    rest = Action(command.positionals.front().kind, command.positionals.front().choices);
  }
  return out + fmt::format("      {} ;;\n", rest);
}

}  // namespace

std::string BashCompletion() {
  std::string script(kHead);
  script += "  case \"$command\" in\n";
  for (const Command* command : Commands()) script += CommandCase(*command);
  const std::string names = fmt::format("{}", fmt::join(ValueWords(ValueKind::kCommand, {}), " "));
  script += fmt::format("    *) _weightsmith_words \"{} {}\" \"$current\" ;;\n", names,
                        FlagWords(CommonFlags()));
  return script + "  esac\n}\ncomplete -F _weightsmith weightsmith\n";
}

}  // namespace weightsmith::internal
