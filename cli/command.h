// A subcommand: its tables, its words and what it does. One file each in commands/, which defines
// `const Command& name()`; adding a file there adds a command.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/terminal.h"

namespace weightsmith::internal {

struct Example {
  std::string_view line;  ///< what to type
  std::string_view doc;   ///< what it does
};

/// What people want of a command; the program's help lists them by it.
enum class CommandGroup : std::uint8_t { kMerge, kInspect, kConvert, kReference };

struct Command {
  std::string_view name;
  std::string_view summary{};  ///< one line, without a full stop
  CommandGroup group = CommandGroup::kReference;
  std::string_view doc{};  ///< paragraphs, separated by empty lines
  std::vector<Positional> positionals{};
  std::vector<Flag> flags{};
  std::vector<Example> examples{};
  /// Returns the exit status; errors are thrown.
  int (*run)(const ParsedArguments& arguments, Terminal& terminal) = nullptr;
};

/// Every command, sorted by name.
std::span<const Command* const> Commands();

/// The command of that name. Throws kUsage, with the nearest name, for an unknown one.
const Command& CommandByName(std::string_view name);

}  // namespace weightsmith::internal
