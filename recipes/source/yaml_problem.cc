#include "recipes/source/yaml_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/text.h"
#include "recipes/source/lookalike.h"

namespace weightsmith {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::size_t LineStart(std::string_view text, std::size_t offset) {
  if (offset == 0) return 0;
  const std::size_t before = text.rfind('\n', offset - 1);
  return before == std::string_view::npos ? 0 : before + 1;
}

/// The line that begins at `start`, without its end.
std::string_view LineAt(std::string_view text, std::size_t start) {
  const std::string_view line = text.substr(start, text.find('\n', start) - start);
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

bool IsBlank(std::string_view line) {
  const std::string_view words = Trim(line);
  return words.empty() || words.starts_with('#');
}

std::size_t IndentOf(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

/// The line above with something in it; npos where there is none.
std::size_t LineAbove(std::string_view text, std::size_t start) {
  while (start > 0) {
    start = LineStart(text, start - 1);
    if (!IsBlank(LineAt(text, start))) return start;
  }
  return std::string_view::npos;
}

/// A name, then a colon without a space or an equals sign, and a value.
std::optional<std::pair<std::string_view, std::string_view>> SplitLine(std::string_view line) {
  const auto in_name = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  const auto name_end = std::ranges::find_if_not(line, in_name);
  const std::string_view name = line.substr(0, static_cast<std::size_t>(name_end - line.begin()));
  const std::string_view rest = line.substr(name.size());
  const std::string_view sign = Trim(rest);
  const bool colon =
      rest.size() > 1 && rest[0] == ':' && rest[1] != ' ' && !rest.starts_with("://");
  if (name.empty() || (!colon && !sign.starts_with('='))) return std::nullopt;
  return std::pair(name, Trim(sign.substr(1)));
}

/// The line that fails, and the one above it.
std::optional<YamlProblem> FindLookalike(std::string_view text, std::size_t start) {
  for (const std::size_t line : {LineAbove(text, start), start}) {
    if (line == std::string_view::npos) continue;
    if (auto found = LookalikeInLine(LineAt(text, line))) {
      return YamlProblem{line + found->offset, std::move(found->message), std::move(found->advice)};
    }
  }
  return std::nullopt;
}

/// A tab in front of the words of a line, or behind the dash of a list.
std::optional<YamlProblem> FindTab(std::string_view text, std::size_t start) {
  for (std::size_t line = start; line != std::string_view::npos; line = LineAbove(text, line)) {
    const std::string_view words = LineAt(text, line);
    const std::size_t begin = std::min(words.find_first_not_of(" \t"), words.size());
    const std::size_t tab = words.find('\t');
    if (tab < begin) {
      return YamlProblem{line + tab, "a tab indents this line, and YAML takes spaces only",
                         "Replace every tab in front of a line by two spaces."};
    }
    if (begin < words.size() && words[begin] == '-' && tab == begin + 1) {
      const std::string_view entry = Trim(words.substr(tab));
      return YamlProblem{line + tab, "a tab follows the dash, and YAML takes spaces only",
                         fmt::format("Write a space: - {}", entry)};
    }
  }
  return std::nullopt;
}

/// The double-quoted text around `offset`.
std::string_view QuotedAround(std::string_view text, std::size_t offset) {
  const std::size_t start = LineStart(text, offset);
  const std::size_t open = text.find('"', start);
  if (open == std::string_view::npos || open > offset) return {};
  const std::string_view line = LineAt(text, start);
  const std::size_t close = std::min(line.find('"', offset - start), line.size());
  return text.substr(open, start + close + 1 - open);
}

YamlProblem UnknownEscape(std::string_view text, const YamlFailure& failure) {
  const std::string_view quoted = QuotedAround(text, failure.offset);
  YamlProblem problem{failure.offset,
                      "in double quotes a \\ starts an escape, and this one is "
                      "unknown",
                      "Use / in paths, or single quotes."};
  if (quoted.size() > 2) {
    problem.offset = static_cast<std::size_t>(quoted.data() - text.data());
    const std::string_view inside = quoted.substr(1, quoted.size() - 2);
    problem.advice = fmt::format("Write {}.", WithForwardSlashes(inside));
  }
  return problem;
}

YamlProblem OpenBracket(std::string_view text, std::size_t bracket) {
  const char open = text[bracket];
  return {bracket, fmt::format("this {} is not closed", open),
          fmt::format("Write the {} that belongs to it. Within brackets, put a /regex/ and a text "
                      "with , : {{ }} [ or ] into quotes.",
                      open == '{' ? '}' : ']')};
}

/// "alpha:0.3" or "alpha = 0.3" as a line: the one that fails, or the one above it.
std::optional<YamlProblem> WithoutColon(std::string_view text, std::size_t start) {
  for (const std::size_t at : {start, LineAbove(text, start)}) {
    if (at == std::string_view::npos) continue;
    const std::string_view line = LineAt(text, at);
    if (const auto split = SplitLine(Trim(line))) {
      return YamlProblem{at + IndentOf(line),
                         fmt::format("{} is not a key and a value", Quote(Trim(line), 60)),
                         fmt::format("Write {}: {}", split->first, split->second)};
    }
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
  const auto spaces = [](std::size_t count) {
    return fmt::format("{} {}", count, count == 1 ? "space" : "spaces");
  };
  const bool holder = Trim(line_above).ends_with(':');
  const std::size_t deeper = holder ? wanted + 2 : wanted;
  return YamlProblem{start + indent,
                     fmt::format("this line is indented by {}, which fits none of the lines above",
                                 spaces(indent)),
                     fmt::format("Write {} in front of it, as in front of {}, or those of the "
                                 "entry that it belongs to.",
                                 spaces(deeper), Quote(Trim(line_above), 60))};
}

}  // namespace

YamlProblem ExplainYaml(std::string_view text, const YamlFailure& failure) {
  const std::size_t start = LineStart(text, std::min(failure.offset, text.size()));
  if (auto problem = FindTab(text, start)) return *problem;
  if (auto problem = FindLookalike(text, start)) return *problem;
  if (Contains(failure.message, "escape") || Contains(failure.message, "hex number")) {
    return UnknownEscape(text, failure);
  }
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

std::optional<YamlProblem> SwallowedLine(std::string_view text, std::size_t begin,
                                         std::string_view value) {
  if (text.substr(begin).starts_with(value)) return std::nullopt;
  std::size_t end = std::min(text.find('\n', begin), text.size());
  while (end < text.size()) {
    const std::size_t start = end + 1;
    const std::string_view line = Trim(LineAt(text, start));
    if (!line.empty() && !Contains(value, line)) return std::nullopt;
    if (const auto split = SplitLine(line)) {
      return YamlProblem{
          start + static_cast<std::size_t>(line.data() - &text[start]),
          fmt::format("{} is not a key and a value, and continues the line above", Quote(line, 60)),
          fmt::format("Write {}: {}", split->first, split->second)};
    }
    end = std::min(text.find('\n', start), text.size());
  }
  return std::nullopt;
}

std::string WithForwardSlashes(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && path.substr(i + 1).starts_with('\\')) continue;
    out += path[i] == '\\' ? '/' : path[i];
  }
  const bool drive = out.size() > 2 && std::isalpha(static_cast<unsigned char>(out[0])) != 0 &&
                     out[1] == ':' && out[2] == '/';
  if (!drive) return out;
  const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  return fmt::format("/mnt/{}{}", letter, out.substr(2));
}

}  // namespace weightsmith
