// Completion scripts of three shells, made from the tables of the commands.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace weightsmith::internal {

std::string BashCompletion();
std::string ZshCompletion();
std::string FishCompletion();

/// The words that a value is one of: choices, operators, commands, dtypes; empty for free values.
std::vector<std::string> ValueWords(ValueKind kind, std::span<const std::string_view> choices);

/// The flags of a command and the common ones.
std::vector<Flag> CompletedFlags(const Command& command);

}  // namespace weightsmith::internal
