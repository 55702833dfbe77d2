#include "merge/expression/elemental.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include "core/base/text.h"
#include "merge/expression/community_list.h"
#include "merge/expression/places.h"

namespace weightsmith::internal {
namespace {

/// Letters of blocks, in the order of a model.
constexpr std::array<std::string_view, 5> kUNetLetters{"IN", "M", "OUT", "D", "S"};
constexpr std::uint32_t kMostBlocks = 1000;
/// Each looks for a name that is near, and the first say enough.
constexpr std::size_t kMostTold = 20;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> Divided(std::string_view text, std::string_view at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find_first_of(at);
    parts.push_back(Trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// The words of a list, and whether NOT stands in front of them.
std::vector<std::string> Words(std::string_view text, bool& negated) {
  std::vector<std::string> words;
  for (const std::string_view word : Divided(text, " \t")) {
    if (!word.empty()) words.emplace_back(word);
  }
  negated = !words.empty() && words.front() == "NOT";
  if (negated) words.erase(words.begin());
  return words;
}

/// Of SuperMerger a number that is drawn: R, U, X, and Chattiori's r(0, 1).
bool IsRandom(std::string_view number) {
  constexpr std::string_view kLetters = "RUXrux";
  if (number.empty() || kLetters.find(number.front()) == std::string_view::npos) return false;
  return number.size() == 1 || number[1] == '(' || number[1] == ' ';
}

/// What stands between the points of names, numbers and kinds left out.
std::vector<std::string> SegmentsOf(std::span<const std::string_view> names) {
  std::set<std::string, std::less<>> segments;
  for (const std::string_view name : names) {
    for (const std::string_view segment : Divided(name, ".")) {
      if (segment.find_first_not_of("0123456789") != std::string_view::npos) {
        segments.emplace(segment);
      }
    }
  }
  return {segments.begin(), segments.end()};
}

std::string Upper(std::string_view text) {
  std::string upper;
  for (const char c : text) {
    upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return upper;
}

}  // namespace

std::optional<std::uint32_t> ElementalText::RankOf(std::string_view block) {
  const std::string upper = Upper(block);
  if (upper == "BASE") return 0;
  const std::size_t digits = upper.find_first_of("0123456789");
  if (digits == std::string::npos) return std::nullopt;
  const auto letters = std::ranges::find(kUNetLetters, std::string_view(upper).substr(0, digits));
  std::uint32_t number = 0;
  const char* const end = upper.data() + upper.size();
  const auto [rest, error] = std::from_chars(upper.data() + digits, end, number);
  if (letters == kUNetLetters.end() || error != std::errc() || rest != end ||
      number >= kMostBlocks) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(letters - kUNetLetters.begin() + 1) * kMostBlocks + number;
}

std::optional<std::uint32_t> ElementalText::RankOf(const TensorPlace& place) {
  const std::optional<TensorPlace> folded = AsSuperMerger(place);
  if (!folded) return std::nullopt;
  if (folded->kind != ComponentKind::kBackbone || folded->block.family.empty()) return 0;
  const std::string_view letters = CommunityLetters(folded->block.family);
  if (letters.empty()) return 0;
  return RankOf(fmt::format("{}{:02}", letters, folded->block.index.value_or(0)));
}

std::optional<ElementalText::Entry> ElementalText::ParseEntry(std::string_view text,
                                                              std::string& problem) {
  const std::vector<std::string_view> parts = Divided(text, ":");
  if (parts.size() != 3) {
    problem =
        fmt::format("'{}' has {} parts: an entry is BLOCKS:ELEMENTS:NUMBER", text, parts.size());
    return std::nullopt;
  }
  Entry entry;
  entry.text = text;
  for (const std::string& word : Words(parts[0], entry.not_blocks)) {
    const std::size_t dash = word.find('-');
    const auto first = RankOf(std::string_view(word).substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : RankOf(std::string_view(word).substr(dash + 1));
    if (!first || !last || *first > *last) {
      problem = fmt::format("'{}' is no block or range of blocks, such as IN04 or IN04-IN08", word);
      return std::nullopt;
    }
    entry.blocks.push_back({*first, *last});
  }
  entry.elements = Words(parts[1], entry.not_elements);
  if ((entry.not_blocks && entry.blocks.empty()) ||
      (entry.not_elements && entry.elements.empty())) {
    problem = fmt::format("'{}': nothing stands behind NOT", text);
    return std::nullopt;
  }
  const std::string_view number = parts[2];
  const auto [rest, error] =
      std::from_chars(number.data(), number.data() + number.size(), entry.number);
  if (error != std::errc() || rest != number.data() + number.size() ||
      !std::isfinite(entry.number)) {
    problem = IsRandom(number)
                  ? fmt::format(
                        "'{}' would be another number in every run: draw it once and write "
                        "what came out, such as {}:{}:0.4",
                        number, parts[0], parts[1])
                  : fmt::format("'{}' is no number", number);
    return std::nullopt;
  }
  return entry;
}

std::optional<ElementalText> ElementalText::Parse(std::string_view text, double otherwise,
                                                  std::string& problem) {
  ElementalText elemental;
  elemental.otherwise_ = otherwise;
  for (const std::string_view entry : Divided(text, ",\n")) {
    if (entry.empty()) continue;
    auto read = ParseEntry(entry, problem);
    if (!read) return std::nullopt;
    elemental.entries_.push_back(*std::move(read));
  }
  if (!elemental.entries_.empty()) return elemental;
  problem = "it has no entry: write one such as IN04-IN08:attn2:0.5";
  return std::nullopt;
}

bool ElementalText::Entry::HasBlock(std::uint32_t rank) const {
  return blocks.empty() || std::ranges::any_of(blocks, [&](const Range& range) {
                             return range.first <= rank && rank <= range.last;
                           }) != not_blocks;
}

bool ElementalText::Entry::HasElement(std::string_view name) const {
  return elements.empty() || std::ranges::any_of(elements, [&](const std::string& part) {
                               return name.find(part) != std::string_view::npos;
                             }) != not_elements;
}

double ElementalText::At(const TensorPlace& place) const {
  const std::optional<std::uint32_t> rank = RankOf(place);
  if (!rank) return otherwise_;
  double number = otherwise_;
  for (const Entry& entry : entries_) {
    if (entry.HasBlock(*rank) && entry.HasElement(place.canonical)) number = entry.number;
  }
  return number;
}

std::string ElementalText::IdleIn(const Entry& entry, std::span<const std::string_view> names,
                                  std::span<const std::uint32_t> ranks) {
  std::vector<std::string_view> inside;  // names in the entry's blocks
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (entry.HasBlock(ranks[i])) inside.push_back(names[i]);
  }
  if (inside.empty()) return fmt::format("no tensor is in a block of the entry '{}'", entry.text);
  const auto nowhere = std::ranges::find_if(entry.elements, [&](const std::string& part) {
    return std::ranges::none_of(inside, [&](auto name) { return name.find(part) != name.npos; });
  });
  if (nowhere != entry.elements.end()) {
    const std::optional<std::string> meant = NearestName(*nowhere, SegmentsOf(inside));
    return fmt::format("no tensor in the blocks of the entry '{}' has '{}' in its name{}",
                       entry.text, *nowhere,
                       meant ? fmt::format(". Did you mean '{}'?", *meant) : "");
  }
  const bool any = std::ranges::any_of(inside, [&](auto name) { return entry.HasElement(name); });
  return any ? "" : fmt::format("no tensor is at the entry '{}'", entry.text);
}

std::vector<std::string> ElementalText::Idle(std::span<const TensorPlace> places) const {
  std::vector<std::string_view> names;
  std::vector<std::uint32_t> ranks;
  for (const TensorPlace& place : places) {
    const std::optional<std::uint32_t> rank = RankOf(place);
    if (!rank) continue;
    names.push_back(place.canonical);
    ranks.push_back(*rank);
  }
  std::vector<std::string> sentences;
  for (const Entry& entry : entries_) {
    if (sentences.size() == kMostTold) break;
    std::string sentence = IdleIn(entry, names, ranks);
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
  }
  return sentences;
}

std::vector<double> ElementalText::Numbers() const {
  std::vector<double> numbers{otherwise_};
  for (const Entry& entry : entries_) numbers.push_back(entry.number);
  return numbers;
}

}  // namespace weightsmith::internal
