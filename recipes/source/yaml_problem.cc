#include "recipes/source/yaml_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "core/base/text.h"
#include "recipes/source/backslashes.h"
#include "recipes/source/lines.h"
#include "recipes/source/lookalike.h"
#include "recipes/source/yaml_scan.h"

namespace weightsmith::internal {
namespace {

/// Lines with the same kind of fault that are reported together.
constexpr std::size_t kMostYamlProblems = 20;

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct KeyAndValue {
  std::string_view whole, key, value;
};

/// A name, then a colon without a space or an equals sign, and a value.
std::optional<KeyAndValue> SplitLine(std::string_view line) {
  const auto in_name = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  const auto name_end = std::ranges::find_if_not(line, in_name);
  const std::string_view name = line.substr(0, static_cast<std::size_t>(name_end - line.begin()));
  const std::string_view rest = line.substr(name.size());
  const std::string_view sign = Trim(rest);
  const bool colon =
      rest.size() > 1 && rest[0] == ':' && rest[1] != ' ' && !rest.starts_with("://");
  if (name.empty() || (!colon && !sign.starts_with('='))) return std::nullopt;
  return KeyAndValue{line, name, Trim(sign.substr(1))};
}

/// The entries of a line, a list's and those in brackets too, whose colon has no space behind it.
std::vector<KeyAndValue> WithoutSpaceIn(std::string_view line) {
  std::string_view words = Trim(line);
  while (words.starts_with("- ")) words = Trim(words.substr(2));
  if (const auto split = SplitLine(words)) return {*split};
  std::vector<KeyAndValue> found;
  words = words.substr(0, words.find(" #"));
  std::size_t begin = words.find('{');
  while (begin < words.size()) {
    const std::size_t end = std::min(words.find_first_of(",{}", begin + 1), words.size());
    const std::string_view entry = Trim(words.substr(begin + 1, end - begin - 1));
    if (const auto split = SplitLine(entry)) found.push_back(*split);
    begin = end;
  }
  return found;
}

/// Of every line, from the top, where `text` fails at the line `start` or the one above it.
template <class Find>
std::vector<YamlProblem> Everywhere(std::string_view text, std::size_t start, Find&& find) {
  const std::size_t above = LineAbove(text, start);
  if (!find(start) && (above == std::string_view::npos || !find(above))) return {};
  std::vector<YamlProblem> problems;
  for (std::size_t line = 0; line != std::string_view::npos && problems.size() < kMostYamlProblems;
       line = NextLine(text, line)) {
    if (auto problem = find(line)) problems.push_back(std::move(*problem));
  }
  return problems;
}

std::vector<YamlProblem> FindLookalikes(std::string_view text, std::size_t start) {
  return Everywhere(text, start, [&](std::size_t line) -> std::optional<YamlProblem> {
    auto found = LookalikeInLine(LineAt(text, line));
    if (!found) return std::nullopt;
    return YamlProblem{line + found->offset, std::move(found->message), std::move(found->advice)};
  });
}

std::string Spaces(std::size_t count) {
  return fmt::format("{} {}", count, count == 1 ? "space" : "spaces");
}

/// The lines that tabs indent, each with the spaces that the lines around it ask for.
std::vector<YamlProblem> FindTabs(std::string_view text) {
  std::vector<YamlProblem> problems;
  std::map<std::string_view, std::size_t> wanted;  // by what a line begins with
  std::string_view above;
  std::size_t spaces = 0;  // of the line above
  for (std::size_t line = 0; line != std::string_view::npos && problems.size() < kMostYamlProblems;
       line = NextLine(text, line)) {
    const std::string_view words = LineAt(text, line);
    if (IsBlankLine(words)) continue;
    const std::string_view front = words.substr(0, words.find_first_not_of(" \t"));
    const std::size_t tab = words.find('\t');
    if (tab < front.size()) {
      const bool holder = Trim(above).ends_with(':') || Trim(above).starts_with('-');
      const auto known = wanted.find(front);
      if (known != wanted.end()) {
        spaces = known->second;
      } else if (holder) {
        spaces += 2;
      }
      problems.push_back(
          {line + tab, "a tab indents this line, and YAML takes spaces only",
           fmt::format("Write {} in front of {}", Spaces(spaces), Quote(Trim(words), 60))});
    } else {
      spaces = front.size();
      if (tab == front.size() + 1 && words[front.size()] == '-') {
        problems.push_back({line + tab, "a tab follows the dash, and YAML takes spaces only",
                            fmt::format("Write a space: - {}", Trim(words.substr(tab)))});
      }
    }
    wanted[front] = spaces;
    above = words;
  }
  return problems;
}

/// A fence of Markdown.
std::optional<YamlProblem> Fence(std::string_view text, std::size_t start) {
  for (std::size_t line = 0; line <= start; line = NextLine(text, line)) {
    if (!Trim(LineAt(text, line)).starts_with("```")) continue;
    return YamlProblem{line + IndentOf(LineAt(text, line)),
                       "this is a mark of Markdown, not of a recipe",
                       "Remove this line, and the other line with ```."};
  }
  return std::nullopt;
}

/// Every text in double quotes whose \ is not one, where `failure` is in one of them.
std::vector<YamlProblem> UnknownEscapes(std::string_view text, const YamlFailure& failure) {
  std::vector<YamlProblem> problems;
  bool here = false;
  for (const BrokenText& broken : BrokenTexts(text, Escapes::kYaml)) {
    here = here || (broken.offset <= failure.offset &&
                    failure.offset <= broken.offset + broken.inside.size() + 1);
    if (problems.size() == kMostYamlProblems) continue;
    problems.push_back({broken.offset,
                        fmt::format("in double quotes a \\ starts an escape{}",
                                    broken.unknown ? ", and this one is unknown" : ""),
                        BackslashAdvice(broken.inside, Escapes::kYaml)});
  }
  if (here) return problems;
  return {{failure.offset, "in double quotes a \\ starts an escape, and this one is unknown",
           "Use / in paths, or single quotes."}};
}

YamlProblem OpenBracket(std::string_view text, std::size_t bracket) {
  const char open = text[bracket];
  return {bracket, fmt::format("this {} is not closed", open),
          fmt::format("Write the {} that belongs to it. Within brackets, put a /regex/ and a text "
                      "with , : {{ }} [ or ] into quotes.",
                      open == '{' ? '}' : ']')};
}

/// Where `text` fails at the line `start` or the one above it.
std::vector<YamlProblem> WithoutSpace(std::string_view text, std::size_t start) {
  const std::size_t above = LineAbove(text, start);
  const bool here = !WithoutSpaceIn(LineAt(text, start)).empty();
  if (!here && (above == std::string_view::npos || WithoutSpaceIn(LineAt(text, above)).empty())) {
    return {};
  }
  return MissingSpaces(text);
}

/// "models" or "anime anime.safetensors" as a line: the one above that fails, or the last one.
std::optional<YamlProblem> WithoutColon(std::string_view text, std::size_t start) {
  for (const std::size_t at : {LineAbove(text, start), start}) {
    if (at == std::string_view::npos || at >= text.size()) continue;
    const std::string_view line = LineAt(text, at);
    const std::string_view words = Trim(line.substr(0, line.find(" #")));
    const std::size_t name_end = std::min(words.find_first_of(" \t"), words.size());
    const std::string_view name = words.substr(0, name_end);
    const auto in_name = [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-';
    };
    if (name.empty() || name.front() == '-' || !std::ranges::all_of(name, in_name)) continue;
    if (words.ends_with(':') || Contains(words, ": ")) continue;
    const std::string_view value = Trim(words.substr(name_end));
    return YamlProblem{at + IndentOf(line), fmt::format("{} has no colon", Quote(words, 60)),
                       fmt::format("Write {}:{}{}", name, value.empty() ? "" : " ", value)};
  }
  return std::nullopt;
}

/// A line that stands neither below the line above nor beside one of those that hold it.
std::optional<YamlProblem> WrongIndent(std::string_view text, std::size_t start) {
  const std::string_view line = LineAt(text, start);
  const std::size_t above = LineAbove(text, start);
  if (above == std::string_view::npos) return std::nullopt;
  const std::string_view line_above = LineAt(text, above);
  const std::size_t indent = IndentOf(line);
  const std::size_t wanted = IndentOf(line_above);
  if (indent == wanted) return std::nullopt;
  const bool holder = Trim(line_above).ends_with(':');
  const std::size_t deeper = holder ? wanted + 2 : wanted;
  return YamlProblem{
      start + indent,
      fmt::format("this line is indented by {}, which fits none of the lines above",
                  Spaces(indent)),
      fmt::format("Write {} in front of it, {} {}, or those of the entry that it "
                  "belongs to.",
                  Spaces(deeper), holder ? "two more than in front of" : "as in front of",
                  Quote(Trim(line_above), 60))};
}

/// The lines that the failure is in: those of the bracket that is open, or the one above.
std::optional<YamlProblem> WrongMark(std::string_view text, std::size_t start,
                                     const YamlFailure& failure) {
  const std::size_t end = std::min(text.find('\n', start), text.size());
  const std::size_t above = LineAbove(text, start);
  if (failure.bracket && *failure.bracket < text.size()) {
    const std::size_t line = LineStart(text, *failure.bracket);
    if (auto problem = ScanMarks(text, line, end)) return problem;
  }
  if (above != std::string_view::npos) {
    const std::size_t above_end = std::min(text.find('\n', above), text.size());
    if (auto problem = ScanMarks(text, above, above_end)) return problem;
  }
  return ScanMarks(text, start, end);
}

/// What is wrong as a whole, at one place.
YamlProblem ExplainOne(std::string_view text, std::size_t start, const YamlFailure& failure) {
  if (auto problem = Fence(text, start)) return *problem;
  if (auto problem = WrongMark(text, start, failure)) return *problem;
  if (failure.bracket && *failure.bracket < text.size()) {
    return OpenBracket(text, *failure.bracket);
  }
  if (Contains(failure.message, "illegal EOF in scalar")) {
    return {failure.offset, "a quote is not closed before the end of the text",
            "Close it with the same quote."};
  }
  if (auto problem = WithoutColon(text, start)) return *problem;
  if (Contains(failure.message, "map") || Contains(failure.message, "sequence")) {
    if (auto problem = WrongIndent(text, start)) return *problem;
  }
  if (Contains(failure.message, "illegal map value")) {
    return {failure.offset, "a second colon on this line starts another value",
            "Put the text that holds the colon into quotes."};
  }
  return {failure.offset, fmt::format("this is not valid YAML: {}", failure.message),
          "Compare the indentation, quotes and brackets with the lines above."};
}

}  // namespace

std::vector<YamlProblem> ExplainYaml(std::string_view text, const YamlFailure& failure) {
  const std::size_t start = LineStart(text, std::min(failure.offset, text.size()));
  if (auto problems = FindTabs(text); !problems.empty()) return problems;
  if (auto problems = FindLookalikes(text, start); !problems.empty()) return problems;
  if (auto problems = WithoutSpace(text, start); !problems.empty()) return problems;
  if (Contains(failure.message, "escape") || Contains(failure.message, "hex number")) {
    return UnknownEscapes(text, failure);
  }
  return {ExplainOne(text, start, failure)};
}

std::vector<YamlProblem> MissingSpaces(std::string_view text) {
  std::vector<YamlProblem> problems;
  for (std::size_t line = 0; line != std::string_view::npos && problems.size() < kMostYamlProblems;
       line = NextLine(text, line)) {
    for (const KeyAndValue& entry : WithoutSpaceIn(LineAt(text, line))) {
      problems.push_back({static_cast<std::size_t>(entry.whole.data() - text.data()),
                          fmt::format("{} is not a key and a value", Quote(entry.whole, 60)),
                          fmt::format("Write {}: {}", entry.key, entry.value)});
    }
  }
  return problems;
}

bool TakesInLine(std::string_view text, std::size_t begin, std::string_view value) {
  if (text.substr(begin).starts_with(value)) return false;
  std::size_t end = std::min(text.find('\n', begin), text.size());
  while (end < text.size()) {
    const std::size_t start = end + 1;
    const std::string_view line = Trim(LineAt(text, start));
    if (!line.empty() && !Contains(value, line)) return false;
    if (SplitLine(line)) return true;
    end = std::min(text.find('\n', start), text.size());
  }
  return false;
}

bool IsEntryWithoutSpace(std::string_view text, std::size_t begin, std::string_view value) {
  constexpr std::size_t kLookBack = 2000;
  const std::string_view front = Trim(text.substr(0, begin));
  if (!(front.ends_with('{') || front.ends_with(',')) || !SplitLine(value)) return false;
  // In {adapters: detail:0.6, style:0.3} it is an entry of a list without brackets.
  const std::string_view near = front.substr(front.size() - std::min(front.size(), kLookBack));
  const std::string_view entry = near.substr(near.rfind('{') + 1);
  return !Trim(entry.substr(0, entry.rfind(": ") + 1)).ends_with("adapters:");
}

}  // namespace weightsmith::internal
