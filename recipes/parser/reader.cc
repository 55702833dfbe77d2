#include "recipes/parser/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "core/base/matcher.h"
#include "core/base/text.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/place_advice.h"
#include "recipes/source/backslashes.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// A path as it was before double quotes made characters of its escapes.
std::string WithEscapes(std::string_view path) {
  constexpr std::string_view kCharacters = "\a\b\t\n\v\f\r\x1B";
  constexpr std::string_view kLetters = "abtnvfre";
  std::string out;
  for (const char c : path) {
    const std::size_t known = kCharacters.find(c);
    if (known == std::string_view::npos) {
      out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    } else {
      out += fmt::format("\\{}", kLetters[known]);
    }
  }
  return out;
}

/// The key that "alpha:0.3" or "alpha = 0.3" begins with, and what is behind the sign.
std::optional<std::pair<std::string, std::string>> SplitKey(std::string_view key) {
  const std::size_t sign = key.find_first_of(":=");
  if (sign == std::string_view::npos || sign == 0) return std::nullopt;
  return std::pair(std::string(Trim(key.substr(0, sign))), std::string(Trim(key.substr(sign + 1))));
}

/// "'alpha' must be a number, not '0,3'".
std::string IsNot(const SourceNode& node, std::string_view what, std::string_view expected) {
  if (node.type == SourceNode::Type::kNull) return fmt::format("{} has no value", what);
  return fmt::format("{} {}, not {}", what, expected, Describe(node));
}

/// A list of adapters with "detail:0.6" for detail: 0.6.
std::string EntriesText(const SourceNode& list) {
  if (!list.list()) return FlowText(list, 80);
  std::vector<std::string> entries;
  for (const SourceNode& entry : list.items) {
    const bool pair = entry.map() && entry.keys.size() == 1 && entry.items[0].scalar();
    entries.push_back(pair ? fmt::format("\"{}:{}\"", entry.keys[0].text, entry.items[0].text)
                           : FlowText(entry, 40));
  }
  return fmt::format("[{}]", fmt::join(entries, ", "));
}

bool IsInfinite(std::string_view text) {
  const std::string word = Lowercase(Trim(text));
  const std::string_view bare =
      std::string_view(word).substr(std::min(word.find_first_not_of("+-."), word.size()));
  return bare == "nan" || bare == "inf" || bare == "infinity";
}

/// 1e400 and 1e-400.
bool IsOutOfReach(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc::result_out_of_range && stop == end;
}

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The last line in which something of this begins.
std::uint32_t LastLine(const SourceNode& node) {
  std::uint32_t last = node.place.line;
  for (const SourceNode& key : node.keys) last = std::max(last, key.place.line);
  for (const SourceNode& item : node.items) last = std::max(last, LastLine(item));
  return last;
}

/// Enough for a number for each block.
constexpr std::size_t kLongList = 240;

/// What weights of other programs are as alpha: of two models the share of the second, and a list
/// of blocks without what all else has, BASE, with it in front.
SourceNode AsAlpha(const SourceNode& value, const std::string& base) {
  constexpr std::size_t kWithoutBase = 25;
  if (!value.list() || value.items.empty() || !value.items[0].scalar()) return value;
  if (value.items.size() == 2) return value.items[1];
  SourceNode list = value;
  if (value.items.size() != kWithoutBase) return list;
  list.items.insert(list.items.begin(), value.items.front());
  list.items.front().text = base;
  return list;
}

}  // namespace

SourceNode WithMeantKeys(const SourceNode& map, const std::vector<MeantKey>& meant) {
  SourceNode whole = map;
  for (const auto& [index, name] : meant) {
    SourceNode& value = whole.items[index];
    if (value.implicit && SplitKey(whole.keys[index].text)) value = ReportedNode(value.place);
    if (name == "alpha") value = AsAlpha(SourceNode(value), "0");
    whole.keys[index].text = name;
  }
  return whole;
}

bool Reader::IsMap(const SourceNode& node, std::string_view what, std::string_view advice) {
  if (node.map()) return true;
  if (!IsReported(node)) {
    diagnostics_.AddError(node.place, IsNot(node, what, "is a mapping"), std::string(advice));
  }
  return false;
}

bool Reader::IsList(const SourceNode& node, std::string_view what, std::string_view advice) {
  if (node.list()) return true;
  if (!IsReported(node)) {
    diagnostics_.AddError(node.place, IsNot(node, what, "is a list"), std::string(advice));
  }
  return false;
}

std::optional<std::string> Reader::Text(const SourceNode& node, std::string_view what) {
  if (node.scalar()) return node.text;
  if (!IsReported(node)) {
    diagnostics_.AddError(node.place, IsNot(node, what, "is a text"));
  }
  return std::nullopt;
}

std::optional<std::string> Reader::Regex(const SourceNode& node, std::string_view what) {
  const auto text = Text(node, what);
  if (!text) return std::nullopt;
  std::string problem;
  if (Matcher::Compile(*text, problem)) return text;
  diagnostics_.AddError(node.place,
                        fmt::format("{}: the regular expression {} cannot be used: {}", what,
                                    Quote(*text, 80), problem),
                        "Write one without that part.");
  return std::nullopt;
}

std::optional<double> Reader::Number(const SourceNode& node, std::string_view what) {
  if (node.scalar() && node.plain) {
    if (const std::optional<double> value = ParseNumber(node.text)) return value;
  }
  if (IsReported(node)) return std::nullopt;
  std::string advice = NumberAdvice(node);
  if (node.scalar() && variables_.Knows(node.text)) {
    advice = fmt::format("Write ${} for the variable.", node.text);
  }
  const bool list = advice.starts_with("Write a list");
  const bool infinite = advice.empty() && node.scalar() && IsInfinite(node.text);
  const bool extreme = node.scalar() && node.plain && IsOutOfReach(node.text);
  if (advice.empty()) advice = "Write a number, such as 0.5.";
  diagnostics_.AddError(
      node.place,
      IsNot(node, what,
            list       ? "is one number"
            : infinite ? "must be a finite number"
            : extreme  ? "must be a number whose size is from 1e-307 to 1e308, or 0"
                       : "must be a number"),
      std::move(advice));
  return std::nullopt;
}

std::optional<bool> Reader::Boolean(const SourceNode& node, std::string_view what) {
  if (node.scalar() && node.plain && (node.text == "true" || node.text == "false")) {
    return node.text == "true";
  }
  if (!IsReported(node)) {
    const std::string word = node.scalar() ? Lowercase(node.text) : std::string();
    const bool yes = word == "yes" || word == "on" || word == "true" || word == "1" || word == "y";
    const bool no = word == "no" || word == "off" || word == "false" || word == "0" || word == "n";
    diagnostics_.AddError(node.place,
                          fmt::format("{} is true or false, not {}", what, Describe(node)),
                          fmt::format("Write {}", yes  ? "true"
                                                  : no ? "false"
                                                       : "true or false"));
  }
  return std::nullopt;
}

std::optional<std::size_t> Reader::Word(const SourceNode& node, std::string_view what,
                                        std::span<const std::string> words,
                                        std::string_view advice) {
  if (IsReported(node)) return std::nullopt;
  if (node.scalar()) {
    const auto found = std::ranges::find(words, node.text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  }
  diagnostics_.AddError(node.place,
                        fmt::format("{} is {}, not {}{}", what, Alternatives(words), Describe(node),
                                    node.scalar() ? Hint(node.text, words) : ""),
                        std::string(advice));
  return std::nullopt;
}

std::optional<std::filesystem::path> Reader::Path(const SourceNode& node, std::string_view what,
                                                  const std::filesystem::path& folder) {
  const std::optional<std::string> text = Text(node, what);
  if (!text) return std::nullopt;
  if (const std::size_t end = text->find('}'); text->starts_with("${") && end != text->npos) {
    if (const auto fault = FaultOfPath(*text);
        fault && !variables_.Knows(text->substr(2, end - 2))) {
      diagnostics_.AddError(node.place, fmt::format("{}: {}", what, fault->problem), fault->advice);
      return std::nullopt;
    }
  }
  const std::size_t before = diagnostics_.all().size();
  const std::string expanded = variables_.Expand(*text, node.place);
  if (diagnostics_.all().size() > before) return std::nullopt;
  if (expanded.empty()) {
    diagnostics_.AddError(node.place, fmt::format("{}: the path is empty", what),
                          "Write the path of a file.");
    return std::nullopt;
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::any_of(expanded, control)) {
    diagnostics_.AddError(
        node.place,
        fmt::format("{}: the path has a control character in it: {}", what, Quote(expanded)),
        fmt::format("In double quotes a \\ starts an escape. {}",
                    PathAdvice(WithEscapes(expanded))));
    return std::nullopt;
  }
  const std::filesystem::path path(expanded);
  const std::filesystem::path full = path.is_absolute() || folder.empty() ? path : folder / path;
  std::error_code failed;
  const bool exists = std::filesystem::exists(full, failed);
  if (const auto fault = exists ? std::nullopt : FaultOfPath(expanded)) {
    diagnostics_.AddError(node.place, fmt::format("{}: {}", what, fault->problem), fault->advice);
    return std::nullopt;
  }
  return full;
}

std::vector<MeantKey> Reader::CheckKeys(const SourceNode& map, std::span<const std::string> known,
                                        std::string_view what) {
  std::vector<MeantKey> meant;
  const auto is_free = [&](const std::string& name) {
    return map.Find(name) == nullptr &&
           std::ranges::find(meant, name, &MeantKey::name) == meant.end();
  };
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    const SourceNode& key = map.keys[i];
    if (std::ranges::find(known, key.text) != known.end()) continue;
    if (i > 0 && map.flow && IsDigits(key.text) && map.items[i].implicit) {
      // "alpha: 0,35" in braces: 35 is a key of its own for YAML.
      const std::string& before = map.items[i - 1].text;
      diagnostics_.AddError(
          map.items[i - 1].place,
          fmt::format("{}: a comma in braces ends the entry, and {} becomes a key", what, key.text),
          fmt::format("Write {}.{}, with a point.", before, key.text));
      continue;
    }
    const auto split = map.items[i].implicit ? SplitKey(key.text) : std::nullopt;
    auto nearest = NearestName(split ? split->first : key.text, known);
    std::optional<std::string> name = KeyMeant(key.text, known, is_free);
    // A word that other tools have for a key is no misspelling of another one.
    if (name && nearest && Lowercase(key.text) != *nearest) nearest.reset();
    if (nearest) name = nearest;
    if (!name && split) name = split->first;
    std::string advice = KeyAdvice(map, i, name.value_or(""));
    std::string hint;
    if (nearest && !split) {
      hint = Hint(key.text, known);
      if (!hint.empty()) advice.clear();
    }
    if (advice.empty() && hint.empty()) {
      advice = fmt::format("Its keys are {}.", fmt::join(known, ", "));
    }
    if (name && std::ranges::find(known, *name) != known.end() && is_free(*name)) {
      meant.push_back({i, *name});
    }
    diagnostics_.AddError(key.place, fmt::format("{} has no key {}{}", what, Quote(key.text), hint),
                          std::move(advice));
  }
  return meant;
}

/// `meant` is the known key that the unknown one stands for, empty for none.
std::string Reader::KeyAdvice(const SourceNode& map, std::size_t index,
                              const std::string& meant) const {
  const SourceNode& key = map.keys[index];
  const SourceNode& value = map.items[index];
  const auto split = SplitKey(key.text);
  if (split && value.implicit) return fmt::format("Write {}: {}", meant, split->second);
  if (meant.empty()) return {};
  if (const SourceNode* given = map.Find(meant)) {
    if (given->scalar() && given->plain && value.map() && value.Find("default") == nullptr) {
      // alpha: 0.3, weights: {IN00: 0.5}
      const std::string rows = FlowText(value, 60);
      return fmt::format("Write {}: {{default: {}, {}", meant, given->text, rows.substr(1));
    }
    if (given->scalar() && AsAlpha(value, given->text).items.size() > value.items.size()) {
      return fmt::format("Write alpha: {} in place of both",
                         FlowText(AsAlpha(value, given->text), kLongList));
    }
    return fmt::format("It is called {0} here, and there is {0} already: keep one of them.", meant);
  }
  const std::string text = meant == "adapters" ? EntriesText(value)
                           : meant == "alpha"  ? FlowText(AsAlpha(value, "0"), kLongList)
                                               : FlowText(value, 80);
  return text.ends_with("…") || text.empty()
             ? fmt::format("It is called {} here.", meant)
             : fmt::format("It is called {0} here. Write {0}: {1}", meant, text);
}

/// "lines 3-4": those of the unknown entries from `first` on.
template <class IsKnown>
std::string StrayLines(const SourceNode& map, std::size_t first, IsKnown&& is_known) {
  std::uint32_t last = 0;
  for (std::size_t i = first; i < map.keys.size() && !is_known(map.keys[i]); ++i) {
    last = std::max(map.keys[i].place.line, LastLine(map.items[i]));
  }
  const std::uint32_t line = map.keys[first].place.line;
  return last == line ? "this line" : fmt::format("lines {}-{}", line, last);
}

bool Reader::HasStrayEntries(const SourceNode& map, std::span<const std::string> known) {
  const auto is_known = [&](const SourceNode& key) {
    return std::ranges::find(known, key.text) != known.end();
  };
  bool found = false;
  for (std::size_t i = 0; i + 1 < map.keys.size(); ++i) {
    const bool empty = map.items[i].implicit && is_known(map.keys[i]);
    if (!empty || is_known(map.keys[i + 1])) continue;
    const SourceNode& stray = map.keys[i + 1];
    const std::string line = fmt::format(
        "{}: {}", stray.text, map.items[i + 1].scalar() ? FlowText(map.items[i + 1], 60) : "…");
    diagnostics_.AddError(
        stray.place,
        fmt::format("{} stands beside '{}', not below it", Quote(stray.text), map.keys[i].text),
        fmt::format("Indent {} by two more spaces:\n"
                    "{}\n{}{}",
                    StrayLines(map, i + 1, is_known),
                    std::string(map.keys[i].place.column - 1, ' ') + map.keys[i].text + ":",
                    std::string(stray.place.column + 1, ' '), line));
    found = true;
  }
  return found;
}

std::vector<std::pair<Selector, const SourceNode*>> Reader::Rows(const SourceNode& map,
                                                                 std::string_view what,
                                                                 const RowForm& form) {
  std::vector<std::pair<Selector, const SourceNode*>> rows;
  std::map<std::string, std::string> texts;  // of rows, by what they are
  if (map.keys.empty()) {
    diagnostics_.AddError(map.place, fmt::format("{} is an empty mapping", what),
                          "Write at least a default: {default: 0.5}");
  }
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    const SourceNode& key = map.keys[i];
    if (map.flow && key.plain && key.text.starts_with('/')) {
      diagnostics_.AddError(key.place, fmt::format("{}: a /regex/ in braces needs quotes", what),
                            fmt::format("Write \"{}\": {}", key.text, FlowText(map.items[i], 60)));
      continue;
    }
    if (map.items[i].implicit && variables_.Knows(key.text)) {
      diagnostics_.AddError(key.place, fmt::format("{}: {} is a variable", what, Quote(key.text)),
                            fmt::format("Write ${} for its value, without braces.", key.text));
      continue;
    }
    const SourceNode& value = map.items[i];
    const bool mapping = value.map() && (form.is_map == nullptr || !form.is_map(value));
    std::string problem;
    std::optional<Selector> selector = Selector::Parse(key.text, problem);
    if (mapping && (selector || HoldsRows(key.text, value))) {
      diagnostics_.AddError(value.place,
                            fmt::format("{}: the row {} takes {}; rows do not nest", what,
                                        Quote(key.text), form.takes),
                            NestedRowsAdvice(map, key.text, value));
      continue;
    }
    if (!selector) {
      const bool asked = problem.find("Did you mean") != std::string::npos ||
                         problem.find("regular expression") != std::string::npos;
      const bool meant = ComponentMeant(key.text).has_value();
      if (meant) problem = fmt::format("unknown place {}", Quote(key.text));
      diagnostics_.AddError(key.place, fmt::format("{}: {}", what, problem),
                            asked && !meant ? RegexAdvice(key.text) : PlaceAdvice(key));
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

}  // namespace weightsmith::internal
