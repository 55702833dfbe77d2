#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "cli/command.h"
#include "cli/flags/help.h"
#include "cli/topic.h"

namespace weightsmith::internal {
namespace {

int RunHelp(const ParsedArguments& arguments, Terminal& terminal) {
  if (arguments.positionals().empty()) {
    terminal.Print(ProgramManual());
    return 0;
  }
  const std::string& name = arguments.positionals().front();
  const auto topic = std::ranges::find(Topics(), name, &Topic::name);
  if (topic == Topics().end()) {
    terminal.Print(LongHelp(CommandByName(name)));
    return 0;
  }
  std::string page = (*topic)->text;
  if (std::ranges::find(Commands(), name, &Command::name) != Commands().end()) {
    page += fmt::format("\nThe manual of the command {0}: weightsmith {0} --help\n", name);
  }
  terminal.Print(page);
  return 0;
}

}  // namespace

const Command& help() {
  static const Command command = {
      .name = "help",
      .summary = "Print the manual of a command, or a page about recipes",
      .doc =
          "Of a command the same as `weightsmith COMMAND --help`; `recipe`, `weights` and "
          "`blocks` explain the language of recipes; the manual of the command `blocks` is "
          "printed by `weightsmith blocks --help`. Without a name, the program's manual.",
      .positionals = {{.name = "COMMAND",
                       .doc = "the command or page: recipe, weights, blocks",
                       .kind = ValueKind::kCommand,
                       .required = false}},
      .examples = {{"weightsmith help merge", "All about merge:"},
                   {"weightsmith help recipe", "How to write a recipe:"}},
      .run = RunHelp,
  };
  return command;
}

}  // namespace weightsmith::internal
