#include "recipes/parser/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <iterator>
#include <span>
#include <utility>

#include "core/base/text.h"
#include "merge/expression/adapter_list.h"
#include "merge/expression/community_list.h"
#include "merge/expression/list_words.h"
#include "recipes/parser/advice.h"
#include "recipes/source/writer.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// Of the forms of block weights: a mapping with one of the first three is not one of rows.
constexpr std::array<std::string_view, 5> kKeys{"preset", "list", "curve", "scale", "offset"};
constexpr std::string_view kElemental = "elemental";
constexpr std::size_t kForms = 3;  ///< of the keys, those that name a form

/// A word that is no number: the name of a preset, if it is anything.
bool IsWord(const SourceNode& node) {
  return node.scalar() && !node.text.empty() &&
         std::isalpha(static_cast<unsigned char>(node.text.front())) != 0;
}

bool IsForm(const SourceNode& node) {
  return node.map() && std::ranges::any_of(node.keys, [](const SourceNode& key) {
           return std::ranges::find(kKeys, key.text) != kKeys.end();
         });
}

/// Of a preset, what stands behind the text encoders' number.
std::vector<double> Blocks(const std::vector<double>& numbers) {
  return {numbers.begin() + 1, numbers.end()};
}

PlaceRow<double> Row(Selector selector, std::vector<double> knots) {
  if (knots.size() == 1) return {std::move(selector), knots.front(), {}};
  return {std::move(selector), 0, std::move(knots)};
}

/// Numbers of which 1 may be the whole go no further.
constexpr double kMostShare = 10;

std::string LimitsInWords(double low, double high) {
  if (low == -kInfinity) return fmt::format("at most {}", high);
  if (high == kInfinity) return fmt::format("at least {}", low);
  return fmt::format("between {} and {}", low, high);
}

Selector Named(std::string_view place) {
  std::string problem;
  return *Selector::Parse(place, problem);
}

/// "{default: 0, IN00: 0.5}" of [{IN00: 0.5}]; empty for another list.
std::string RowsOfList(const SourceNode& list) {
  std::vector<std::string> rows;
  bool rest = false;
  for (const SourceNode& item : list.items) {
    if (!item.map() || IsForm(item)) return {};
    for (std::size_t i = 0; i < item.keys.size(); ++i) {
      rest = rest || item.keys[i].text == "default";
      rows.push_back(fmt::format("{}: {}", item.keys[i].text, FlowText(item.items[i], 60)));
    }
  }
  if (rows.empty()) return {};
  return fmt::format("{{{}{}}}", rest ? "" : "default: 0, ", fmt::join(rows, ", "));
}

SourceNode Flattened(const SourceNode& node) {
  SourceNode flat = node;
  flat.items.clear();
  for (const SourceNode& item : node.items) {
    if (!item.list()) {
      flat.items.push_back(item);
      continue;
    }
    for (SourceNode& inner : Flattened(item).items) flat.items.push_back(std::move(inner));
  }
  return flat;
}

std::string ListLengths(bool adapter) {
  return fmt::format("Lists {}have as many numbers as a model has places: {}.",
                     adapter ? "for adapters " : "", ListLengthsInWords(adapter));
}

/// What else a list of numbers may be meant as.
std::string ShapeAdvice(const SourceNode& list) {
  std::string rows = "default: 0";
  constexpr std::size_t kShown = 2;
  for (std::size_t i = 0; i < std::min(list.items.size(), kShown); ++i) {
    rows += fmt::format(", IN{:02}: {}", i, list.items[i].text);
  }
  const std::string curve = FlowText(list, 60);
  return fmt::format(
      "\nSingle blocks are rows: {{{}{}}}\nA shape over the depth is {{default: 0, unet: {{curve: "
      "{}}}}}; several results are several steps, and several 'outputs'.",
      rows, list.items.size() > kShown ? ", …" : "", curve.ends_with("…") ? "[…]" : curve);
}

}  // namespace

std::optional<double> WeightReader::Number(const SourceNode& node, const std::string& what,
                                           Range range) {
  const std::optional<double> read = reader_.Number(node, what);
  if (!read || (*read >= range.low && *read <= range.high)) return read;
  const double percent = *read / 100;
  // Of a number that is only a little too large, nobody means percent.
  const bool share = range.low < 1 && range.high <= kMostShare &&
                     std::abs(*read) >= (range.high <= 1 ? 2 : kMostShare);
  reader_.diagnostics().AddError(
      node.place,
      fmt::format("{} must be {}, not {}", what, LimitsInWords(range.low, range.high), node.text),
      share && percent >= range.low && percent <= range.high
          ? fmt::format("1 is the whole: write {} for {} percent.", FormatNumber(percent),
                        FormatNumber(*read))
          : std::string());
  return std::nullopt;
}

std::optional<WeightReader::Numbers> WeightReader::List(const SourceNode& node,
                                                        const std::string& what, Range range) {
  Numbers numbers;
  for (const SourceNode& item : node.items) {
    const auto number = Number(item, what, range);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  if (numbers.empty()) {
    reader_.diagnostics().AddError(node.place, fmt::format("{} is an empty list", what),
                                   "Write numbers into it, or a number in its place.");
    return std::nullopt;
  }
  return numbers;
}

std::vector<const Presets*> WeightReader::KnownPresets() const {
  if (adapter_) return {&presets_, &ShippedAdapterPresets()};
  return {&presets_, &ShippedPresets()};
}

std::optional<Weights> WeightReader::ReadNumber(const SourceNode& node, const std::string& what,
                                                double low, double high) {
  const auto number = Number(node, what, {low, high});
  if (!number) return std::nullopt;
  return Weights(*number);
}

std::optional<Weights> WeightReader::ReadStrength(const SourceNode& node, const std::string& what) {
  adapter_ = true;
  auto read = Read(node, what, -kInfinity, kInfinity);
  adapter_ = false;
  return read;
}

const WeightReader::Numbers* WeightReader::FindPreset(const SourceNode& node,
                                                      const std::string& what, Range range) {
  if (node.scalar()) {
    for (const Presets* presets : KnownPresets()) {
      const auto found = presets->find(node.text);
      if (found == presets->end()) continue;
      const auto outside = std::ranges::find_if(
          found->second, [&](double number) { return number < range.low || number > range.high; });
      if (outside == found->second.end()) return &found->second;
      reader_.diagnostics().AddError(
          node.place,
          fmt::format("{} must be {}, and the preset {} has {}", what,
                      LimitsInWords(range.low, range.high), Quote(node.text),
                      FormatNumber(*outside)),
          fmt::format("Write {{preset: {}, scale: …}}, or numbers.", node.text));
      return nullptr;
    }
  }
  std::vector<std::string> known;
  for (const Presets* presets : KnownPresets()) {
    for (const auto& [name, numbers] : *presets) known.push_back(name);
  }
  const std::string hint = node.scalar() ? Hint(node.text, known) : "";
  if (!hint.empty()) {
    reader_.diagnostics().AddError(
        node.place, fmt::format("{}: there is no preset {}{}", what, Describe(node), hint));
    return nullptr;
  }
  std::string advice = NumberAdvice(node);
  if (advice.empty()) advice = "Write a number such as 0.5, or rows: {default: 0.5, te: 0}";
  reader_.diagnostics().AddError(
      node.place,
      fmt::format("{} is a number, a preset or a mapping of places, not {}", what, Describe(node)),
      std::move(advice));
  return nullptr;
}

bool WeightReader::Transform(const SourceNode& form, const std::string& what, Range range,
                             Numbers& numbers) {
  constexpr Range kAny{-kInfinity, kInfinity};
  double scale = 1;
  double offset = 0;
  for (const auto& [key, value] : {std::pair{"scale", &scale}, std::pair{"offset", &offset}}) {
    const SourceNode* node = form.Find(key);
    if (node == nullptr) continue;
    const auto read = Number(*node, fmt::format("{}: '{}'", what, key), kAny);
    if (!read) return false;
    *value = *read;
  }
  for (double& number : numbers) {
    number = scale * number + offset;
    if (number >= range.low && number <= range.high) continue;
    reader_.diagnostics().AddError(
        form.place,
        fmt::format("{}: with scale and offset a number becomes {}, out of its range", what,
                    FormatNumber(number)),
        fmt::format("Its numbers go from {} to {}.", FormatNumber(range.low),
                    FormatNumber(range.high)));
    return false;
  }
  return true;
}

std::optional<Weights> WeightReader::Community(Numbers numbers, bool resample,
                                               const SourceNode& node, const std::string& what) {
  if (adapter_ ? IsAdapterListLength(numbers.size()) : IsListLength(numbers.size())) {
    return Weights(CommunityList{std::move(numbers), resample, adapter_});
  }
  std::string advice = ListLengths(adapter_);
  if (node.list()) advice += ShapeAdvice(node);
  reader_.diagnostics().AddError(
      node.place,
      fmt::format("{} is a list of {} {}, which is the length of no "
                  "known order of blocks",
                  what, numbers.size(), numbers.size() == 1 ? "number" : "numbers"),
      std::move(advice));
  return std::nullopt;
}

std::optional<Weights> WeightReader::Elemental(const SourceNode& node, const std::string& what,
                                               Range range) {
  reader_.CheckKeys(node, std::array{std::string(kElemental), std::string("default")}, what);
  const SourceNode& text = *node.Find(kElemental);
  double otherwise = 0;
  if (const SourceNode* given = node.Find("default")) {
    const auto number = Number(*given, fmt::format("{}: 'default'", what), range);
    if (!number) return std::nullopt;
    otherwise = *number;
  }
  std::string problem = "it is a text of entries BLOCKS:ELEMENTS:NUMBER";
  std::optional<ElementalText> read;
  if (text.scalar()) read = ElementalText::Parse(text.text, otherwise, problem);
  if (read) {
    for (const double number : read->Numbers()) {
      if (number >= range.low && number <= range.high) continue;
      problem = fmt::format("{} lies outside of {} to {}", FormatNumber(number),
                            FormatNumber(range.low), FormatNumber(range.high));
      read.reset();
      break;
    }
  }
  if (read) return Weights(*std::move(read));
  reader_.diagnostics().AddError(
      text.place, fmt::format("{}: '{}': {}", what, kElemental, problem),
      "Write entries behind commas: \"IN04-IN08:attn2:0.5, NOT OUT04:attn1 proj:0.2\".");
  return std::nullopt;
}

std::optional<Weights> WeightReader::Form(const SourceNode& node, const std::string& what,
                                          Range range) {
  reader_.CheckKeys(node, std::vector<std::string>(kKeys.begin(), kKeys.end()), what);
  const SourceNode* given = nullptr;
  std::string_view form;
  for (const std::string_view key : std::span(kKeys).first(kForms)) {
    const SourceNode* value = node.Find(key);
    if (value == nullptr) continue;
    if (given != nullptr) {
      reader_.diagnostics().AddError(
          node.place, fmt::format("{} has '{}' and '{}'", what, form, key), "Keep one of them.");
      return std::nullopt;
    }
    given = value;
    form = key;
  }
  if (given == nullptr) {
    reader_.diagnostics().AddError(
        node.place, fmt::format("{} has no 'preset', 'list' or 'curve' to scale", what),
        "Write {preset: NAME, scale: …}, or a number.");
    return std::nullopt;
  }
  const std::string item = fmt::format("{}: '{}'", what, form);
  constexpr Range kAny{-kInfinity, kInfinity};
  std::optional<Numbers> numbers;
  const bool named = form == "preset" || (form == "curve" && IsWord(*given));
  if (named) {
    if (const Numbers* preset = FindPreset(*given, item, kAny)) numbers = *preset;
  } else if (reader_.IsList(*given, item, NumberAdvice(*given))) {
    numbers = List(*given, item, kAny);
  }
  if (!numbers || !Transform(node, what, range, *numbers)) return std::nullopt;
  if (form != "curve") return Community(std::move(*numbers), form == "preset", *given, item);
  if (!named) return Weights(std::vector{Row(Named("unet"), std::move(*numbers))});
  return Weights(
      std::vector{Row(Named("te"), {numbers->front()}), Row(Named("unet"), Blocks(*numbers))});
}

std::optional<WeightReader::Numbers> WeightReader::Knots(const SourceNode& node,
                                                         const std::string& what, Range range) {
  if (node.list()) return List(node, what, range);
  if (IsForm(node)) {
    const auto form = Form(node, what, range);
    if (!form) return std::nullopt;
    if (form->list()) return Blocks(form->list()->numbers);
    const PlaceRow<double>& row = form->rows().back();
    return row.knots.empty() ? Numbers{row.value} : row.knots;
  }
  if (IsWord(node) && !reader_.variables().Knows(node.text)) {
    const Numbers* preset = FindPreset(node, what, range);
    if (preset == nullptr) return std::nullopt;
    return Blocks(*preset);
  }
  const auto number = Number(node, what, range);
  if (!number) return std::nullopt;
  return Numbers{*number};
}

std::optional<Weights> WeightReader::Rows(const SourceNode& node, const std::string& what,
                                          Range range) {
  std::vector<PlaceRow<double>> rows;
  for (auto& [selector, value] : reader_.Rows(node, what, {"a number", IsForm})) {
    std::optional<Numbers> knots = Knots(*value, what, range);
    if (knots) rows.push_back(Row(std::move(selector), std::move(*knots)));
  }
  return Weights(std::move(rows));
}

std::optional<Weights> WeightReader::Read(const SourceNode& node, const std::string& what,
                                          double low, double high) {
  const Range range{low, high};
  if (node.list()) {
    if (const std::string rows = RowsOfList(node); !rows.empty()) {
      reader_.diagnostics().AddError(
          node.place, fmt::format("{} is a list of rows; rows are one mapping", what),
          fmt::format("Write {}", rows));
      return std::nullopt;
    }
    if (std::ranges::any_of(node.items, &SourceNode::list)) {
      reader_.diagnostics().AddError(
          node.place,
          fmt::format("{} is a list of lists; the numbers of blocks are one list", what),
          fmt::format("Write {}. {}", FlowText(Flattened(node), 240), ListLengths(adapter_)));
      return std::nullopt;
    }
    auto numbers = List(node, what, range);
    if (!numbers) return std::nullopt;
    return Community(std::move(*numbers), false, node, what);
  }
  if (node.map() && node.Find(kElemental) != nullptr) return Elemental(node, what, range);
  if (IsForm(node)) return Form(node, what, range);
  if (node.map()) return Rows(node, what, range);
  if (IsWord(node) && !reader_.variables().Knows(node.text)) {
    const Numbers* preset = FindPreset(node, what, range);
    if (preset == nullptr) return std::nullopt;
    return Community(*preset, true, node, what);
  }
  if (const std::string advice = NumberAdvice(node); advice.starts_with("Write a list")) {
    // "0.2,0.4": of another length than a list of blocks, no list is meant.
    const std::size_t length = static_cast<std::size_t>(std::ranges::count(advice, ',')) + 1;
    if (!(adapter_ ? IsAdapterListLength(length) : IsListLength(length))) {
      reader_.diagnostics().AddError(
          node.place,
          fmt::format("{} is {}, and {} numbers are the length of no known order of blocks", what,
                      Describe(node), length),
          fmt::format("Write one number, such as {}, or a list. {}",
                      advice.substr(advice.find('[') + 1, advice.find(',') - advice.find('[') - 1),
                      ListLengths(adapter_)));
      return std::nullopt;
    }
  }
  const auto number = Number(node, what, range);
  if (!number) return std::nullopt;
  return Weights(*number);
}

}  // namespace weightsmith::internal
