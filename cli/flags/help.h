// Help pages, made from the tables of a command.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace weightsmith::internal {

/// "weightsmith hash [FLAGS] FILE…".
std::string UsageLine(const Command& command);

/// "-o, --output FILE"; without a letter, "    --output FILE".
std::string FlagSynopsis(const Flag& flag);

/// What the manual says of a flag: its line, choices, details.
std::string FlagManual(const Flag& flag);

/// The groups of a command's own flags, in order of appearance.
std::vector<std::string_view> FlagGroups(const Command& command);

/// `-h`: one screen.
std::string ShortHelp(const Command& command);

/// `--help`: everything.
std::string LongHelp(const Command& command);

/// The program without a command: what it is and which commands there are.
std::string ProgramHelp();
std::string ProgramManual();

struct ExitStatus {
  std::string_view status;
  std::string_view meaning;
};

/// The table of exit statuses and of environment variables that manuals show.
std::span<const ExitStatus> ExitStatuses();

struct EnvironmentVariable {
  std::string_view name;
  std::string_view meaning;
};
std::span<const EnvironmentVariable> EnvironmentVariables();

}  // namespace weightsmith::internal
