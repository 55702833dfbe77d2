#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/flags/completions/completion.h"

namespace weightsmith::internal {
namespace {

// Inside single quotes of an _arguments specification: quotes end the string, brackets and colons
// end the part.
std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string ZshAction(ValueKind kind, std::span<const std::string_view> choices) {
  const std::vector<std::string> words = ValueWords(kind, choices);
  if (!words.empty() && kind == ValueKind::kFile) {
    return fmt::format("{{_files; compadd {}}}", fmt::join(words, " "));
  }
  if (!words.empty()) return fmt::format("({})", fmt::join(words, " "));
  if (kind == ValueKind::kFile) return "_files";
  if (kind == ValueKind::kFolder) return "_files -/";
  return " ";
}

std::string FlagSpecification(const Flag& flag) {
  const std::string names = flag.letter != 0 ? fmt::format("'{{-{},--{}}}'", flag.letter, flag.name)
                                             : fmt::format("--{}", flag.name);
  const std::string repeat = flag.repeatable ? "*" : "";
  std::string out = fmt::format("'{}{}[{}]", repeat, names, Escape(flag.doc));
  if (flag.kind != ValueKind::kNone) {
    out += fmt::format(":{}:{}", Escape(flag.value), ZshAction(flag.kind, flag.choices));
  }
  return out + "'";
}

std::string ZshCommandCase(const Command& command) {
  std::string out = fmt::format("        {})\n          _arguments -s", command.name);
  for (const Flag& flag : CompletedFlags(command)) {
    out += fmt::format(" \\\n            {}", FlagSpecification(flag));
  }
  for (const Positional& positional : command.positionals) {
    out += fmt::format(" \\\n            '{}:{}:{}'", positional.repeatable ? "*" : "",
                       Escape(positional.name), ZshAction(positional.kind, positional.choices));
  }
  return out + " ;;\n";
}

}  // namespace

std::string ZshCompletion() {
  std::string script =
      "#compdef weightsmith\n"
      "_weightsmith() {\n"
      "  local state line\n"
      "  _arguments -C '1:command:->command' '*::argument:->argument'\n"
      "  case \"$state\" in\n"
      "    command)\n"
      "      local -a commands=(\n";
  for (const Command* command : Commands()) {
    script += fmt::format("        '{}:{}'\n", command->name, Escape(command->summary));
  }
  script +=
      "      )\n"
      "      _describe command commands ;;\n"
      "    argument)\n"
      "      case \"$line[1]\" in\n";
  for (const Command* command : Commands()) script += ZshCommandCase(*command);
  return script +
         "      esac ;;\n"
         "  esac\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _weightsmith ]; then\n"
         "  _weightsmith \"$@\"\n"
         "else\n"
         "  compdef _weightsmith weightsmith\n"
         "fi\n";
}

}  // namespace weightsmith::internal
