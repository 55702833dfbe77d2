#include "cli/flags/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/render/layout.h"
#include "cli/topic.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kExamplesOnScreen = 3;
constexpr std::size_t kLongestCommand = 13;  // "architectures"

constexpr std::string_view kAbout =
    "weightsmith merges, converts and inspects model checkpoints. Files are streamed: memory does "
    "not grow with the model.";

std::string PositionalSynopsis(const Positional& positional) {
  const std::string name =
      positional.repeatable ? fmt::format("{}...", positional.name) : std::string(positional.name);
  return positional.required ? name : fmt::format("[{}]", name);
}

std::string Heading(std::string_view title) {
  return fmt::format("\n{}:\n", title);
}

// The common flags need one line on a screen that is about something else.
std::string CommonFlagsLine() {
  std::vector<std::string> words;
  for (const Flag& flag : CommonFlags()) {
    std::string word = flag.letter != 0 ? fmt::format("-{} ", flag.letter) : std::string();
    word += fmt::format("--{}", flag.name);
    if (!flag.value.empty()) word += fmt::format(" {}", flag.value);
    words.push_back(word);
  }
  return Wrap(fmt::format("{}", fmt::join(words, ", ")), 2);
}

std::string PositionalTable(const Command& command) {
  std::vector<TableRow> rows;
  for (const Positional& positional : command.positionals) {
    rows.push_back({std::string(positional.name), std::string(positional.doc)});
  }
  return Table(rows);
}

std::string TopicTable() {
  std::vector<TableRow> rows;
  for (const Topic* topic : Topics()) {
    rows.push_back({fmt::format("help {}", topic->name), std::string(topic->summary)});
  }
  return Table(rows);
}

std::string ShortFlagTable(const Command& command, std::string_view group) {
  std::vector<TableRow> rows;
  for (const Flag& flag : command.flags) {
    if (flag.group != group || flag.hidden) continue;
    rows.push_back({FlagSynopsis(flag), std::string(flag.doc)});
  }
  return Table(rows);
}

std::string LongFlagTable(std::span<const Flag> flags, std::string_view group) {
  std::string page;
  for (const Flag& flag : flags) {
    if (flag.group != group || flag.hidden) continue;
    page += fmt::format("  {}\n{}", FlagSynopsis(flag), Wrap(FlagManual(flag), 8));
  }
  return page;
}

// A command on as many lines as it needs, which a shell reads as one.
std::string FoldCommand(std::string_view line, std::size_t indent) {
  constexpr std::string_view kGoesOn = " \\";
  std::string page(indent, ' ');
  std::size_t used = indent;
  char quote = 0;
  bool first = true;
  while (!line.empty()) {
    // To the next space that is not inside quotes.
    std::size_t end = 0;
    for (; end < line.size() && (quote != 0 || line[end] != ' '); ++end) {
      if (quote != 0 && line[end] == quote) {
        quote = 0;
      } else if (quote == 0 && (line[end] == '\'' || line[end] == '"')) {
        quote = line[end];
      }
    }
    const std::string_view word = line.substr(0, end);
    const bool last = end == line.size();
    const std::size_t room = kPageWidth - (last ? 0 : kGoesOn.size());
    if (!first && used + 1 + DisplayWidth(word) > room) {
      page += fmt::format("{}\n{}", kGoesOn, std::string(indent + 4, ' '));
      used = indent + 4;
    } else if (!first) {
      page += ' ';
      ++used;
    }
    page += word;
    used += DisplayWidth(word);
    first = false;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return page + "\n";
}

std::string Examples(const Command& command) {
  std::string page;
  for (const Example& example : command.examples) {
    page += Wrap(example.doc, 2) + FoldCommand(example.line, 4);
  }
  return page;
}

// The first ones that fit a line.
std::string ShortExamples(const Command& command) {
  std::string page;
  std::size_t shown = 0;
  for (const Example& example : command.examples) {
    if (shown == kExamplesOnScreen) break;
    if (DisplayWidth(example.line) + 2 > kPageWidth) continue;
    page += fmt::format("  {}\n", example.line);
    ++shown;
  }
  if (page.empty() && !command.examples.empty()) {
    page = FoldCommand(command.examples.front().line, 2);
  }
  return page;
}

std::string CommandTables() {
  constexpr std::pair<CommandGroup, std::string_view> kGroups[] = {
      {CommandGroup::kMerge, "Merge"},
      {CommandGroup::kInspect, "Inspect"},
      {CommandGroup::kConvert, "Convert"},
      {CommandGroup::kReference, "Reference"}};
  std::string page;
  for (const auto& [group, title] : kGroups) {
    std::vector<TableRow> rows;
    for (const Command* command : Commands()) {
      // All tables have their second column at the same place.
      const std::string name = PadRight(command->name, kLongestCommand);
      if (command->group == group) rows.push_back({name, std::string(command->summary)});
    }
    page += Heading(title) + Table(rows);
  }
  return page;
}

}  // namespace

std::string UsageLine(const Command& command) {
  std::string line = fmt::format("weightsmith {} [FLAGS]", command.name);
  for (const Positional& positional : command.positionals) {
    line += " " + PositionalSynopsis(positional);
  }
  return line;
}

std::string FlagSynopsis(const Flag& flag) {
  const std::string letter = flag.letter != 0 ? fmt::format("-{}, ", flag.letter) : "    ";
  const std::string value = flag.value.empty() ? "" : fmt::format(" {}", flag.value);
  return fmt::format("{}--{}{}", letter, flag.name, value);
}

std::string FlagManual(const Flag& flag) {
  std::string text = fmt::format("{}.", flag.doc);
  if (!flag.choices.empty()) text += fmt::format(" One of {}.", fmt::join(flag.choices, ", "));
  if (flag.repeatable) text += " May be given several times.";
  if (!flag.details.empty()) text += fmt::format(" {}", flag.details);
  return text;
}

std::vector<std::string_view> FlagGroups(const Command& command) {
  std::vector<std::string_view> groups;
  for (const Flag& flag : command.flags) {
    if (std::ranges::find(groups, flag.group) == groups.end()) groups.push_back(flag.group);
  }
  return groups;
}

std::string ShortHelp(const Command& command) {
  std::string page = fmt::format("{}.\n\nUsage: {}\n", command.summary, UsageLine(command));
  if (!command.positionals.empty()) page += "\n" + PositionalTable(command);
  if (!command.examples.empty()) page += Heading("Examples") + ShortExamples(command);
  for (const std::string_view group : FlagGroups(command)) {
    page += Heading(group) + ShortFlagTable(command, group);
  }
  page += "\nCommon:\n" + CommonFlagsLine();
  return page;
}

std::string LongHelp(const Command& command) {
  std::string page = Wrap(fmt::format("weightsmith {} - {}", command.name, command.summary), 0);
  page += Heading("Usage") + fmt::format("  {}\n", UsageLine(command));
  page += "\n" + Wrap(command.doc, 0);
  if (!command.positionals.empty()) page += Heading("Arguments") + PositionalTable(command);
  for (const std::string_view group : FlagGroups(command)) {
    page += Heading(group) + LongFlagTable(command.flags, group);
  }
  page += Heading("Common") + LongFlagTable(CommonFlags(), "Common");
  if (!command.examples.empty()) page += Heading("Examples") + Examples(command);
  return page;
}

std::string ProgramHelp() {
  std::string page = Wrap(kAbout, 0);
  page += Heading("Usage") + "  weightsmith COMMAND [FLAGS] ARGUMENTS\n";
  page += CommandTables();
  page += Heading("Recipes") + TopicTable();
  page += "\nCommon:\n" + CommonFlagsLine();
  page += "\n'weightsmith COMMAND -h' lists its flags, '--help' prints its manual.\n";
  return page;
}

std::string ProgramManual() {
  std::string page = ProgramHelp();
  std::vector<TableRow> statuses;
  for (const ExitStatus& row : ExitStatuses()) {
    statuses.push_back({std::string(row.status), std::string(row.meaning)});
  }
  page += Heading("Exit status") + Table(statuses);
  std::vector<TableRow> variables;
  for (const EnvironmentVariable& row : EnvironmentVariables()) {
    variables.push_back({std::string(row.name), std::string(row.meaning)});
  }
  page += Heading("Environment") + Table(variables);
  return page;
}

std::span<const ExitStatus> ExitStatuses() {
  static constexpr ExitStatus kTable[] = {
      {"0", "Success. A closed pipe at standard output is not an error."},
      {"1", "Failed while running: reading, writing, the folder of the output."},
      {"2", "Error in the command line or a recipe; the output exists or is an input."},
      {"3", "The recipe does not fit its files: names, shapes, kinds of prediction."},
      {"4", "An input file, the recipe included, is missing or malformed."},
      {"5", "A hash does not match."},
      {"6", "Not enough memory or disk space."},
      {"7", "A check failed: verify found a difference, scan an unsafe file."},
      {"8", "An input or a step has no effect on the result."},
      {"129", "Ended by SIGHUP."},
      {"130", "Interrupted by Ctrl-C."},
      {"143", "Ended by SIGTERM."},
  };
  return kTable;
}

std::span<const EnvironmentVariable> EnvironmentVariables() {
  static constexpr EnvironmentVariable kTable[] = {
      {"WEIGHTSMITH_MODELS", "Folders in which models are looked up by hash, separated by colons."},
      {"WEIGHTSMITH_SIMD", "The instruction set to compute with; the bytes do not depend on it."},
      {"COLUMNS", "The width to fold lines to, where there is no terminal."},
      {"NO_COLOR", "When not empty, no colours."},
      {"XDG_CACHE_HOME", "Where weightsmith/hashes is kept; else ~/.cache."},
  };
  return kTable;
}

}  // namespace weightsmith::internal
