#include "cli/command.h"
#include "cli/flags/man_page.h"

namespace weightsmith::internal {
namespace {

int RunMan(const ParsedArguments& /*arguments*/, Terminal& terminal) {
  terminal.PrintData(ManPage());
  return 0;
}

}  // namespace

const Command& man() {
  static const Command command = {
      .name = "man",
      .summary = "Print the manual page",
      .doc =
          "Prints weightsmith(1) in the form that man(1) reads: the contents of all `--help` "
          "pages.",
      .examples = {{"weightsmith man | man -l -", "Read it:"}},
      .run = RunMan,
  };
  return command;
}

}  // namespace weightsmith::internal
