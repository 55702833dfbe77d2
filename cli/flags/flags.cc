#include "cli/flags/flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>

#include "cli/command.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/tensor/encoding.h"

namespace weightsmith::internal {
namespace {

namespace po = boost::program_options;

// Everything Boost can do but guessing: a prefix that is unique today names something else
// tomorrow.
constexpr int kStyle =
    po::command_line_style::allow_long | po::command_line_style::long_allow_adjacent |
    po::command_line_style::long_allow_next | po::command_line_style::allow_short |
    po::command_line_style::allow_dash_for_short | po::command_line_style::short_allow_adjacent |
    po::command_line_style::short_allow_next | po::command_line_style::allow_sticky;

[[noreturn]] void Refuse(const Command& command, std::string message, std::string advice = {}) {
  if (advice.empty()) {
    advice = fmt::format("'weightsmith {} -h' lists its flags and arguments.", command.name);
  }
  throw Error(ErrorCode::kUsage, std::move(message), std::move(advice));
}

std::optional<std::uint64_t> ParseInteger(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What is wrong with a value: what was expected instead; empty when nothing is.
std::string Expectation(const Flag& flag, const std::string& value) {
  if (!flag.choices.empty()) {
    if (std::ranges::find(flag.choices, value) != flag.choices.end()) return {};
    return fmt::format("one of {}", fmt::join(flag.choices, ", "));
  }
  switch (flag.kind) {
    case ValueKind::kNumber:
      return ParseNumber(value) ? "" : "a number";
    case ValueKind::kInteger:
      return ParseInteger(value) ? "" : "a whole number, 0 or more";
    case ValueKind::kBytes:
      return ParseBytes(value) ? "" : "a size such as 512M or 1.5GiB";
    case ValueKind::kDType:
      return DTypeByWord(value) ? "" : "a dtype such as f16, bf16 or f32";
    case ValueKind::kStorage:
      return StoredAsByWord(value) ? "" : "a dtype such as f16, bf16 or f32";
    case ValueKind::kAssignment: {
      const std::size_t equals = value.find('=');
      return equals != std::string::npos && equals > 0 ? "" : fmt::format("{}", flag.value);
    }
    case ValueKind::kNone:
      return {};
    default:
      return value.empty() ? "a non-empty text" : "";
  }
}

std::vector<const Flag*> FlagsOf(const Command& command) {
  std::vector<const Flag*> flags;
  for (const Flag& flag : command.flags) flags.push_back(&flag);
  for (const Flag& flag : CommonFlags()) flags.push_back(&flag);
  return flags;
}

po::options_description Describe(std::span<const Flag* const> flags) {
  po::options_description description;
  for (const Flag* flag : flags) {
    std::string names(flag->name);
    if (flag->letter != 0) names += fmt::format(",{}", flag->letter);
    if (flag->kind == ValueKind::kNone) {
      description.add_options()(names.c_str(), "");
    } else {
      description.add_options()(names.c_str(), po::value<std::vector<std::string>>(), "");
    }
  }
  return description;
}

/// What other tools call it, and we.
struct OtherName {
  std::string_view theirs;
  std::string_view ours;
};

constexpr OtherName kOtherNames[] = {
    {"arch", "like"},
    {"architecture", "like"},
    {"base-alpha", "alpha"},
    {"base-model", "base"},
    {"block-weights", "mbw"},
    {"blocks", "lora-blocks"},
    {"fp16", "dtype"},
    {"half", "dtype"},
    {"jobs", "threads"},
    {"lbw", "lora-blocks"},
    {"max-ram", "max-memory"},
    {"memory", "max-memory"},
    {"method", "op"},
    {"mode", "op"},
    {"multiplier", "alpha"},
    {"operator", "op"},
    {"out", "output"},
    {"outdir", "output"},
    {"output-dir", "output"},
    {"output-file", "output"},
    {"output-name", "output"},
    {"output-path", "output"},
    {"overwrite", "force"},
    {"precision", "dtype"},
    {"ratio", "alpha"},
    {"ratios", "lora"},
    {"save-precision", "dtype"},
    {"save-to", "output"},
    {"strength", "lora"},
    {"type", "dtype"},
    {"vae-path", "vae"},
    {"weight", "alpha"},
    {"workers", "threads"},
    {"yes", "force"},
};

/// The flag that the command has for what others call so.
std::optional<std::string> CalledHere(std::string_view name, std::span<const Flag* const> flags) {
  const auto* const row = std::ranges::find(kOtherNames, name, &OtherName::theirs);
  if (row == std::end(kOtherNames)) return std::nullopt;
  if (std::ranges::find(flags, row->ours, &Flag::name) == flags.end()) return std::nullopt;
  return fmt::format("--{}", row->ours);
}

[[noreturn]] void RefuseUnknown(const Command& command, std::span<const Flag* const> flags,
                                const std::string& token) {
  const std::string name = token.substr(0, token.find('='));
  std::vector<std::string> known;
  for (const Flag* flag : flags) {
    if (!flag->hidden) known.push_back(fmt::format("--{}", flag->name));
  }
  // The start of a name is nearer to it than any name by its letters.
  std::vector<std::string> longer;
  std::ranges::copy_if(known, std::back_inserter(longer),
                       [&](const std::string& flag) { return flag.starts_with(name); });
  if (longer.size() == 1 && name.size() > 3) known = std::move(longer);
  const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  const std::optional<std::string> ours = CalledHere(bare, flags);
  Refuse(command, fmt::format("{}: unknown flag {}.{}", command.name, Quote(name),
                              ours ? fmt::format(" Did you mean {}?", Quote(*ours))
                                   : DidYouMean(name, known)));
}

bool IsFlag(std::span<const Flag* const> flags, std::string_view word) {
  return std::ranges::any_of(flags, [&](const Flag* flag) {
    return word == fmt::format("--{}", flag->name) ||
           (flag->letter != 0 && word == fmt::format("-{}", flag->letter));
  });
}

// Boost's words for the few things it checks itself, in ours.
po::parsed_options Split(const Command& command, const po::options_description& description,
                         std::span<const std::string> words) {
  try {
    return po::command_line_parser(std::vector<std::string>(words.begin(), words.end()))
        .options(description)
        .style(kStyle)
        .allow_unregistered()
        .run();
  } catch (const po::invalid_command_line_syntax& error) {
    using Syntax = po::invalid_command_line_syntax;
    const bool extra = error.kind() == Syntax::extra_parameter;
    Refuse(command, fmt::format("{}: {} {}.", command.name, error.get_option_name(),
                                extra ? "takes no value" : "needs a value"));
  } catch (const po::error& error) {
    Refuse(command, fmt::format("{}: {}.", command.name, error.what()));
  }
}

void CheckPositionals(const Command& command, const std::vector<std::string>& given) {
  const std::vector<Positional>& known = command.positionals;
  const bool open_ended = !known.empty() && known.back().repeatable;
  if (given.size() > known.size() && !open_ended) {
    Refuse(command,
           fmt::format("{}: unexpected argument {}.", command.name, Quote(given[known.size()])));
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    const bool missing = i >= given.size();
    if (missing && known[i].required) {
      Refuse(command,
             fmt::format("{}: {} is missing ({}).", command.name, known[i].name, known[i].doc));
    }
    // A file may have any name: there the choices are words for the shell to complete.
    const auto& choices = known[i].choices;
    const bool closed = !choices.empty() && known[i].kind != ValueKind::kFile;
    if (!missing && closed && std::ranges::find(choices, given[i]) == choices.end()) {
      const std::vector<std::string> names(choices.begin(), choices.end());
      Refuse(command,
             fmt::format("{}: {} is {}, expected one of {}.{}", command.name, known[i].name,
                         Quote(given[i]), fmt::join(choices, ", "), DidYouMean(given[i], names)));
    }
  }
}

}  // namespace

std::span<const Flag> CommonFlags() {
  static const std::vector<Flag> flags = {
      {.name = "quiet",
       .letter = 'q',
       .doc = "Print only errors on standard error",
       .group = "Common"},
      {.name = "verbose", .letter = 'v', .doc = "Print more on standard error", .group = "Common"},
      {.name = "progress",
       .kind = ValueKind::kText,
       .value = "MODE",
       .doc = "How progress is shown",
       .details = "`auto` draws a line when standard error is a terminal, `json` writes one JSON "
                  "object a line to standard error, `off` shows nothing.",
       .group = "Common",
       .choices = {"auto", "json", "off"}},
      {.name = "help",
       .letter = 'h',
       .doc = "-h: one screen; --help: the manual",
       .group = "Common"},
      {.name = "version", .letter = 'V', .doc = "Print the program's version", .group = "Common"},
  };
  return flags;
}

const std::vector<std::string>& ParsedArguments::All(FlagName flag) const {
  static const std::vector<std::string> none;
  asked_.emplace(flag.text());
  const auto found = values_.find(flag.text());
  return found == values_.end() ? none : found->second;
}

std::optional<std::string> ParsedArguments::Text(FlagName flag) const {
  const std::vector<std::string>& all = All(flag);
  if (all.empty()) return std::nullopt;
  return all.back();
}

std::optional<std::filesystem::path> ParsedArguments::Path(FlagName flag) const {
  const std::optional<std::string> text = Text(flag);
  if (!text) return std::nullopt;
  return std::filesystem::path(*text);
}

std::vector<std::filesystem::path> ParsedArguments::Paths(FlagName flag) const {
  const std::vector<std::string>& all = All(flag);
  return {all.begin(), all.end()};
}

std::optional<double> ParsedArguments::Number(FlagName flag) const {
  const std::optional<std::string> text = Text(flag);
  return text ? ParseNumber(*text) : std::nullopt;
}

std::optional<std::uint64_t> ParsedArguments::Integer(FlagName flag) const {
  const std::optional<std::string> text = Text(flag);
  return text ? ParseInteger(*text) : std::nullopt;
}

std::optional<std::uint64_t> ParsedArguments::Bytes(FlagName flag) const {
  const std::optional<std::string> text = Text(flag);
  return text ? ParseBytes(*text) : std::nullopt;
}

std::vector<std::pair<std::string, std::string>> ParsedArguments::Assignments(FlagName flag) const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : All(flag)) {
    const std::size_t equals = text.find('=');
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

ParsedArguments ParseArguments(const Command& command, std::span<const std::string> words) {
  const std::vector<const Flag*> flags = FlagsOf(command);
  const po::options_description description = Describe(flags);
  ParsedArguments arguments;
  for (const Flag* flag : flags) arguments.values_[std::string(flag->name)];

  for (const po::option& option : Split(command, description, words).options) {
    if (option.position_key >= 0) {
      arguments.positionals_.insert(arguments.positionals_.end(), option.value.begin(),
                                    option.value.end());
      continue;
    }
    if (option.unregistered) RefuseUnknown(command, flags, option.original_tokens.front());
    const auto flag = std::ranges::find(flags, option.string_key, &Flag::name);
    std::vector<std::string>& values = arguments.values_.at(option.string_key);
    if ((*flag)->kind == ValueKind::kNone) {
      values = {""};
      continue;
    }
    // `--output --force` has lost its value; a file of that name is written `--output=--force`.
    if (option.original_tokens.size() > 1 && IsFlag(flags, option.original_tokens.back())) {
      Refuse(command, fmt::format("{}: --{} needs a value.", command.name, (*flag)->name));
    }
    if (!values.empty() && !(*flag)->repeatable) {
      Refuse(command, fmt::format("{}: --{} is given twice.", command.name, (*flag)->name));
    }
    const std::string& value = option.value.front();
    if (const std::string expected = Expectation(**flag, value); !expected.empty()) {
      Refuse(command, fmt::format("{}: --{} is {}, expected {}.", command.name, (*flag)->name,
                                  Quote(value), expected));
    }
    values.push_back(value);
  }
  CheckPositionals(command, arguments.positionals_);
  return arguments;
}

}  // namespace weightsmith::internal
