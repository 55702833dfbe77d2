#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/flags/completions/completion.h"

namespace weightsmith::internal {
namespace {

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string ValueArguments(ValueKind kind, std::span<const std::string_view> choices) {
  const std::vector<std::string> words = ValueWords(kind, choices);
  if (!words.empty())
    return fmt::format(" -x -a {}", Quoted(fmt::format("{}", fmt::join(words, " "))));
  if (kind == ValueKind::kFile) return " -r -F";
  if (kind == ValueKind::kFolder) return " -x -a '(__fish_complete_directories)'";
  return " -x";
}

std::string FlagLine(std::string_view condition, const Flag& flag) {
  std::string line =
      fmt::format("complete -c weightsmith -n {} -l {}", Quoted(condition), flag.name);
  if (flag.letter != 0) line += fmt::format(" -s {}", flag.letter);
  if (flag.kind != ValueKind::kNone) line += ValueArguments(flag.kind, flag.choices);
  return line + fmt::format(" -d {}\n", Quoted(flag.doc));
}

std::string CommandLines(const Command& command) {
  const std::string condition = fmt::format("__fish_seen_subcommand_from {}", command.name);
  std::string lines =
      fmt::format("complete -c weightsmith -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                  Quoted(command.summary));
  for (const Flag& flag : CompletedFlags(command)) lines += FlagLine(condition, flag);
  for (const Positional& positional : command.positionals) {
    const std::vector<std::string> words = ValueWords(positional.kind, positional.choices);
    if (words.empty()) continue;
    const bool files = positional.kind == ValueKind::kFile;
    lines += fmt::format("complete -c weightsmith -n {}{} -a {}\n", Quoted(condition),
                         files ? "" : " -f", Quoted(fmt::format("{}", fmt::join(words, " "))));
  }
  return lines;
}

}  // namespace

std::string FishCompletion() {
  std::string script = "# fish completion of weightsmith\n";
  for (const Command* command : Commands()) script += CommandLines(*command);
  return script;
}

}  // namespace weightsmith::internal
