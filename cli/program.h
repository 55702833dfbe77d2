// The program: from words to a command, from errors to an exit status.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace weightsmith::internal {

/// Runs the command that `words` (without the program's name) name. Never throws; returns the exit
/// status of recipe.md §9.
int RunProgram(std::span<const std::string> words, Terminal& terminal);

}  // namespace weightsmith::internal
