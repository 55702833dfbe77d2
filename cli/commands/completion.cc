#include "cli/flags/completions/completion.h"

#include "cli/command.h"

namespace weightsmith::internal {
namespace {

int RunCompletion(const ParsedArguments& arguments, Terminal& terminal) {
  const std::string& shell = arguments.positionals().front();
  if (shell == "bash") {
    terminal.PrintData(BashCompletion());
  } else if (shell == "zsh") {
    terminal.PrintData(ZshCompletion());
  } else {
    terminal.PrintData(FishCompletion());
  }
  return 0;
}

}  // namespace

const Command& completion() {
  static const Command command = {
      .name = "completion",
      .summary = "Print a completion script for bash, zsh or fish",
      .doc =
          "Prints a script that gives a shell the commands, flags and values of weightsmith. "
          "An installed weightsmith has them in place already.",
      .positionals = {{.name = "SHELL",
                       .doc = "bash, zsh or fish",
                       .kind = ValueKind::kText,
                       .choices = {"bash", "zsh", "fish"}}},
      .examples = {{"source <(weightsmith completion bash)", "For this session of bash:"},
                   {"weightsmith completion fish > ~/.config/fish/completions/weightsmith.fish",
                    "For fish, from now on:"}},
      .run = RunCompletion,
  };
  return command;
}

}  // namespace weightsmith::internal
