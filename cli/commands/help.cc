#include <algorithm>
#include <string>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/topic.h"

namespace weightsmith {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  if (arguments.positionals().empty()) {
    terminal.Print(ProgramManual());
    return 0;
  }
  const std::string& name = arguments.positionals().front();
  const auto topic = std::ranges::find(Topics(), name, &Topic::name);
  terminal.Print(topic != Topics().end() ? std::string((*topic)->text)
                                         : LongHelp(CommandByName(name)));
  return 0;
}

}  // namespace

const Command& help() {
  static const Command command = {
      .name = "help",
      .summary = "Print the manual of a command, or a page about recipes",
      .doc =
          "Of a command the same as `weightsmith COMMAND --help`; `recipe`, `weights` and "
          "`blocks` explain the language of recipes. Without a name, the program's manual.",
      .positionals = {{.name = "COMMAND",
                       .doc = "the command or page: recipe, weights, blocks",
                       .kind = ValueKind::kCommand,
                       .required = false}},
      .examples = {{"weightsmith help merge", "All about merge:"},
                   {"weightsmith help recipe", "How to write a recipe:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
