#include "recipes/parser/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "core/matcher.h"
#include "core/text.h"
#include "recipes/vocabulary.h"

namespace weightsmith {

bool Reader::IsMap(const SourceNode& node, std::string_view what, std::string_view advice) {
  if (node.map()) return true;
  if (!IsTold(node)) {
    diagnostics_.AddError(node.place, fmt::format("{} is a mapping, not {}", what, Describe(node)),
                          std::string(advice));
  }
  return false;
}

bool Reader::IsList(const SourceNode& node, std::string_view what, std::string_view advice) {
  if (node.list()) return true;
  if (!IsTold(node)) {
    diagnostics_.AddError(node.place, fmt::format("{} is a list, not {}", what, Describe(node)),
                          std::string(advice));
  }
  return false;
}

std::optional<std::string> Reader::Text(const SourceNode& node, std::string_view what) {
  if (node.scalar()) return node.text;
  if (!IsTold(node)) {
    diagnostics_.AddError(node.place, fmt::format("{} is a text, not {}", what, Describe(node)));
  }
  return std::nullopt;
}

std::optional<std::string> Reader::Regex(const SourceNode& node, std::string_view what) {
  const auto text = Text(node, what);
  if (!text) return std::nullopt;
  std::string problem;
  if (Matcher::Compile(*text, problem)) return text;
  diagnostics_.AddError(node.place, fmt::format("{}: the regular expression {} cannot be used: {}",
                                                what, Quote(*text, 80), problem));
  return std::nullopt;
}

std::optional<double> Reader::Number(const SourceNode& node, std::string_view what) {
  if (node.scalar() && node.plain) {
    if (const std::optional<double> value = ParseNumber(node.text)) return value;
  }
  if (IsTold(node)) return std::nullopt;
  std::string advice;
  if (node.scalar() && !node.plain && ParseNumber(node.text)) advice = "Remove the quotes.";
  if (node.scalar() && variables_.Knows(node.text)) {
    advice = fmt::format("A variable is written ${}.", node.text);
  }
  diagnostics_.AddError(node.place,
                        fmt::format("{} is a finite number, not {}", what, Describe(node)),
                        std::move(advice));
  return std::nullopt;
}

std::optional<bool> Reader::Boolean(const SourceNode& node, std::string_view what) {
  if (node.scalar() && node.plain && (node.text == "true" || node.text == "false")) {
    return node.text == "true";
  }
  if (!IsTold(node)) {
    diagnostics_.AddError(node.place,
                          fmt::format("{} is true or false, not {}", what, Describe(node)));
  }
  return std::nullopt;
}

std::optional<std::size_t> Reader::Word(const SourceNode& node, std::string_view what,
                                        std::span<const std::string> words) {
  if (IsTold(node)) return std::nullopt;
  if (node.scalar()) {
    const auto found = std::ranges::find(words, node.text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  }
  diagnostics_.AddError(node.place,
                        fmt::format("{} is {}, not {}{}", what, Alternatives(words), Describe(node),
                                    node.scalar() ? Hint(node.text, words) : ""));
  return std::nullopt;
}

std::optional<std::filesystem::path> Reader::Path(const SourceNode& node, std::string_view what,
                                                  const std::filesystem::path& folder) {
  const std::optional<std::string> text = Text(node, what);
  if (!text) return std::nullopt;
  const std::string expanded = variables_.Expand(*text, node.place);
  if (expanded.empty()) {
    diagnostics_.AddError(node.place, fmt::format("{}: a path cannot be empty", what));
    return std::nullopt;
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::any_of(expanded, control)) {
    diagnostics_.AddError(
        node.place, fmt::format("{} has a control character in it: {}", what, Quote(expanded)),
        "In double quotes a \\ starts an escape: use single quotes or /.");
    return std::nullopt;
  }
  const std::filesystem::path path(expanded);
  return path.is_absolute() || folder.empty() ? path : folder / path;
}

std::vector<std::string> Reader::CheckKeys(const SourceNode& map,
                                           std::span<const std::string> known,
                                           std::string_view what) {
  std::vector<std::string> meant;
  for (const SourceNode& key : map.keys) {
    if (std::ranges::find(known, key.text) != known.end()) continue;
    const std::string hint = Hint(key.text, known);
    if (const auto nearest = NearestName(key.text, known)) meant.push_back(*nearest);
    std::vector<std::string> names(known.begin(), known.end());
    diagnostics_.AddError(
        key.place, fmt::format("{} has no key {}{}", what, Quote(key.text), hint),
        hint.empty() ? fmt::format("Its keys are {}.", fmt::join(names, ", ")) : std::string());
  }
  return meant;
}

std::vector<std::pair<Selector, const SourceNode*>> Reader::Rows(const SourceNode& map,
                                                                 std::string_view what) {
  std::vector<std::pair<Selector, const SourceNode*>> rows;
  std::map<std::string, std::string> texts;  // of rows, by what they are
  if (map.keys.empty()) {
    diagnostics_.AddError(map.place, fmt::format("{} is a mapping without rows", what),
                          "Write at least a default: {default: 0.5}");
  }
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    const SourceNode& key = map.keys[i];
    if (map.flow && key.plain && key.text.starts_with('/')) {
      diagnostics_.AddError(key.place,
                            fmt::format("{}: a /regex/ row inside {{ }} must be quoted", what),
                            fmt::format("Write \"{}\": …", key.text));
      continue;
    }
    std::string problem;
    std::optional<Selector> selector = Selector::Parse(key.text, problem);
    if (!selector) {
      diagnostics_.AddError(key.place, fmt::format("{}: {}", what, problem));
      continue;
    }
    const auto [same, added] = texts.try_emplace(selector->Key(), key.text);
    if (!added) {
      diagnostics_.AddError(key.place,
                            fmt::format("{}: {} and {} are the same place", what,
                                        Quote(same->second), Quote(key.text)),
                            "Remove one of the two rows.");
      continue;
    }
    rows.emplace_back(std::move(*selector), &map.items[i]);
  }
  return rows;
}

}  // namespace weightsmith
