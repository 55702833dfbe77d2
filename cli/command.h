// A subcommand: its tables, its words and what it does. One file each in commands/, which defines
// `const Command& name()`; adding a file there adds a command.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
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

/// The flags of a command: a list, or what makes one as soon as somebody looks, where that takes
/// long.
class FlagTable {
 public:
  FlagTable() = default;
  FlagTable(std::initializer_list<Flag> flags) : flags_(flags) {}
  explicit(false) FlagTable(std::vector<Flag> flags) : flags_(std::move(flags)) {}
  explicit(false) FlagTable(const std::vector<Flag>& (*late)()) : late_(late) {}

  auto begin() const { return all().begin(); }
  auto end() const { return all().end(); }

 private:
  const std::vector<Flag>& all() const { return late_ != nullptr ? late_() : flags_; }

  std::vector<Flag> flags_;
  const std::vector<Flag>& (*late_)() = nullptr;
};

struct Command {
  std::string_view name;
  std::string_view summary{};  ///< one line, without a full stop
  CommandGroup group = CommandGroup::kReference;
  std::string_view doc{};  ///< paragraphs, separated by empty lines
  std::vector<Positional> positionals{};
  FlagTable flags{};
  std::vector<Example> examples{};
  /// Returns the exit status; errors are thrown.
  int (*run)(const ParsedArguments& arguments, Terminal& terminal) = nullptr;
};

/// Every command, sorted by name.
std::span<const Command* const> Commands();

/// The command of that name. Throws kUsage, with the nearest name, for an unknown one.
const Command& CommandByName(std::string_view name);

}  // namespace weightsmith::internal
