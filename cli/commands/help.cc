#include "cli/help.h"

#include "cli/command.h"

namespace weightsmith {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  if (arguments.positionals().empty()) {
    terminal.Print(ProgramManual());
  } else {
    terminal.Print(LongHelp(CommandByName(arguments.positionals().front())));
  }
  return 0;
}

}  // namespace

const Command& help() {
  static const Command command = {
      .name = "help",
      .summary = "Print the manual of a command",
      .doc = "The same as `weightsmith COMMAND --help`; without a command, the program's.",
      .positionals = {{.name = "COMMAND",
                       .doc = "the command to explain",
                       .kind = ValueKind::kCommand,
                       .required = false}},
      .examples = {{"weightsmith help merge", "All about merge:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
