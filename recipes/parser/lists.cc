#include "recipes/parser/lists.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <utility>

#include "core/base/text.h"
#include "merge/operator.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/mixing.h"
#include "recipes/parser/operator_word.h"
#include "recipes/source/writer.h"

namespace weightsmith::internal {
namespace {

bool IsNumber(const SourceNode& node) {
  return node.plain && ParseNumber(node.text).has_value();
}

/// A name of a model, a step or an adapter, which may have its strength behind it, or nearly one.
bool IsNamed(const std::string& key, const std::set<std::string>& names) {
  constexpr std::size_t kMost = 50;  // to look for those that are near
  const std::string name = key.substr(0, key.find(':'));
  if (names.contains(name)) return true;
  if (IsKeyOfAny(key) || names.size() > kMost) return false;
  return NearestName(name, std::vector<std::string>(names.begin(), names.end())).has_value();
}

/// The end of the keys behind `first` that are entries of the list that begins with its value.
std::size_t EndOfList(const SourceNode& step, std::size_t first,
                      const std::set<std::string>& names) {
  const std::string& key = step.keys[first].text;
  const SourceNode& value = step.items[first];
  const bool numbers = IsNumber(value) && (IsKeyOfAny(key) || IsCalled(key, "alpha"));
  const bool list = IsCalled(key, "of") || IsCalled(key, "adapters");
  std::size_t end = first + 1;
  while (end < step.keys.size() && step.items[end].implicit &&
         (numbers ? IsNumber(step.keys[end]) : list && IsNamed(step.keys[end].text, names))) {
    ++end;
  }
  // "alpha: 0,35" is one number with a comma.
  const bool comma =
      numbers && end == first + 2 && step.keys[first + 1].text.find('.') == std::string::npos;
  return comma ? first + 1 : end;
}

/// The front of a long list.
std::string Shown(const std::string& list) {
  constexpr std::size_t kShown = 600;
  if (list.size() <= kShown) return list;
  return list.substr(0, list.rfind(", ", kShown)) + ", …]";
}

/// As it is to be written, of a list that was gathered.
std::string GatheredText(const SourceNode& list, bool names, const Operator& op) {
  if (!names) return FlowText(list, std::string::npos);
  if (!op.list->adapters) return ListInWords(list, nullptr, op.list->weighted);
  std::vector<std::string> entries;
  for (const SourceNode& entry : list.items) entries.push_back(fmt::format("\"{}\"", entry.text));
  return fmt::format("[{}]", fmt::join(entries, ", "));
}

/// The step with the names of a list as the operands that it needs, where it has as many.
std::optional<SourceNode> WithListedOperands(Reader& reader, const SourceNode& step,
                                             const Operator& op, const std::string& called) {
  const auto given = [&](const OperandSpec& operand) { return step.Find(operand.name) != nullptr; };
  if (op.list || std::ranges::any_of(op.operands, given)) return std::nullopt;
  for (std::size_t i = 0; i < step.keys.size(); ++i) {
    const SourceNode& list = step.items[i];
    if (!IsCalled(step.keys[i].text, "of") || list.items.size() != op.operands.size() ||
        !list.list() || !std::ranges::all_of(list.items, &SourceNode::scalar)) {
      continue;
    }
    SourceNode made = step;
    std::vector<std::string> operands;
    for (std::size_t k = 0; k < op.operands.size(); ++k) {
      SourceNode name = step.keys[i];
      name.text = op.operands[k].name;
      operands.push_back(fmt::format("{}: {}", name.text, list.items[k].text));
      if (k == 0) {
        made.keys[i] = std::move(name);
        made.items[i] = list.items[k];
      } else {
        made.keys.push_back(std::move(name));
        made.items.push_back(list.items[k]);
      }
    }
    reader.diagnostics().AddError(step.keys[i].place,
                                  fmt::format("{} has no key {}", called, Quote(step.keys[i].text)),
                                  fmt::format("Write {}", fmt::join(operands, ", ")));
    return made;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",;"), text.size());
    if (const std::string_view word = Trim(text.substr(0, end)); !word.empty()) {
      words.emplace_back(word);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string AdaptersAdvice(const SourceNode& node) {
  std::vector<std::string> entries;
  for (std::size_t i = 0; node.map() && i < node.keys.size(); ++i) {
    if (!node.items[i].scalar()) continue;
    entries.push_back(fmt::format("\"{}:{}\"", node.keys[i].text, node.items[i].text));
  }
  if (node.scalar() && !node.text.empty()) entries.push_back(fmt::format("\"{}\"", node.text));
  if (entries.empty()) entries.emplace_back("\"detail:0.6\"");
  return fmt::format("Write a list: adapters: [{}]", fmt::join(entries, ", "));
}

std::string ListInWords(const SourceNode& models, const SourceNode* weights, bool weighted) {
  std::vector<std::string> names;
  std::vector<std::string> numbers;
  if (models.scalar()) names = WordsOf(models.text);
  if (weights != nullptr && weights->scalar()) numbers = WordsOf(weights->text);
  for (std::size_t i = 0; i < models.items.size(); ++i) {
    const SourceNode& item = models.items[i];
    if (models.map()) names.push_back(models.keys[i].text);
    if (!item.scalar()) return {};
    (models.map() ? numbers : names).push_back(item.text);
  }
  for (std::size_t i = 0; weights != nullptr && i < weights->items.size(); ++i) {
    if (weights->items[i].scalar()) numbers.push_back(weights->items[i].text);
  }
  if (names.empty()) return {};
  if (!weighted) return fmt::format("[{}]", fmt::join(names, ", "));
  const std::string even =
      FormatNumber(std::round(100.0 / static_cast<double>(names.size())) / 100);
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < names.size(); ++i) {
    entries.push_back(
        fmt::format("{{model: {}, weight: {}}}", names[i], i < numbers.size() ? numbers[i] : even));
  }
  return fmt::format("[{}]", fmt::join(entries, ", "));
}

std::optional<SourceNode> WithListOf(Reader& reader, const SourceNode& node, const Operator& op,
                                     const std::string& called) {
  if (!op.list || op.list->adapters) return std::nullopt;
  const std::string name(op.list->name);
  std::optional<std::size_t> models;
  std::optional<std::size_t> weights;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i].text;
    if (IsCalled(key, name)) models = models.value_or(i);
    if (key == "weights" && op.list->weighted) weights = i;
  }
  if (!models || (node.keys[*models].text == op.list->name && !weights)) return std::nullopt;
  const auto mix = ReadMix(node);
  const bool each = mix && mix->Whole() && !mix->weights.empty() && op.list->weighted;
  const std::string list =
      each ? FlowText(ListOf(*mix, true, node.place), std::string::npos)
           : ListInWords(node.items[*models], weights ? &node.items[*weights] : nullptr,
                         op.list->weighted);
  if (list.empty()) return std::nullopt;
  const std::string advice =
      mix && !mix->Whole()
          ? fmt::format("{} Write a weight for each model: {}: [{{model: {}, weight: {}}}, …]",
                        Counts(*mix), op.list->name, FlowText(mix->models[0], 40),
                        FlowText(mix->weights[0], 40))
          : fmt::format("Write {}: {}", op.list->name, Shown(list));
  const bool named = node.keys[*models].text == op.list->name;
  const SourceNode& wrong = node.keys[named ? *weights : *models];
  const std::string unknown = weights && !named
                                  ? fmt::format("keys {} and 'weights'", Quote(wrong.text))
                                  : fmt::format("key {}", Quote(wrong.text));
  reader.diagnostics().AddError(wrong.place, fmt::format("{} has no {}", called, unknown), advice);
  SourceNode without = node;
  without.keys[*models].text = op.list->name;
  without.items[*models] = ReportedNode(node.items[*models].place);
  if (weights) {
    const auto at = static_cast<std::ptrdiff_t>(*weights);
    without.keys.erase(without.keys.begin() + at);
    without.items.erase(without.items.begin() + at);
  }
  return without;
}

Gathered GatherLists(const SourceNode& step, const Reader& reader) {
  Gathered gathered{step, {}};
  if (!step.map() || !step.flow) return gathered;
  SourceNode& made = gathered.step;
  made.keys.clear();
  made.items.clear();
  for (std::size_t i = 0; i < step.keys.size();) {
    const std::size_t end =
        step.items[i].scalar() ? EndOfList(step, i, reader.variables().mentioned()) : i + 1;
    made.keys.push_back(step.keys[i]);
    made.items.push_back(step.items[i]);
    if (end > i + 1) {
      SourceNode list;
      list.type = SourceNode::Type::kList;
      list.flow = true;
      list.place = step.items[i].place;
      list.items = {step.items[i]};
      for (std::size_t entry = i + 1; entry < end; ++entry) list.items.push_back(step.keys[entry]);
      gathered.lists.push_back(made.items.size() - 1);
      made.items.back() = std::move(list);
    }
    i = end;
  }
  return gathered;
}

void ReportGathered(Reader& reader, Gathered& gathered, const Operator& op,
                    const std::string& called, bool reported) {
  for (const std::size_t index : gathered.lists) {
    const std::string& key = gathered.step.keys[index].text;
    SourceNode& list = gathered.step.items[index];
    const bool names = op.list && IsCalled(key, std::string(op.list->name));
    const std::string name = names ? std::string(op.list->name) : key;
    if (!IsKeyOf(op, name) || (names && reported)) continue;
    reader.diagnostics().AddError(
        list.place,
        fmt::format("{}: a comma in braces ends the entry, and {} becomes a key", called,
                    Quote(list.items[1].text)),
        fmt::format("Write {}: {}", name, Shown(GatheredText(list, names, op))));
    if (names && (op.list->weighted || op.list->adapters)) list = ReportedNode(list.place);
  }
}

std::optional<SourceNode> WithOperandNames(Reader& reader, const SourceNode& step,
                                           const Operator& op, const std::string& called) {
  if (auto listed = WithListedOperands(reader, step, op, called)) return listed;
  std::optional<SourceNode> made;
  for (std::size_t i = 0; step.flow && i < step.keys.size(); ++i) {
    const SourceNode& key = step.keys[i];
    if (!step.items[i].implicit || !reader.variables().mentioned().contains(key.text) ||
        IsKeyOf(op, key.text)) {
      continue;
    }
    const SourceNode& now = made ? *made : step;
    const auto missing = std::ranges::find_if(
        op.operands, [&](const OperandSpec& operand) { return now.Find(operand.name) == nullptr; });
    if (missing == op.operands.end()) continue;
    reader.diagnostics().AddError(key.place,
                                  fmt::format("{} has no key {}", called, Quote(key.text)),
                                  fmt::format("Write {}: {}", missing->name, key.text));
    if (!made) made = step;
    made->items[i] = key;
    made->keys[i].text = missing->name;
  }
  return made;
}

bool IsPair(const SourceNode& entry, const std::vector<std::string>& known) {
  return entry.map() && entry.keys.size() == 1 && entry.items[0].scalar() &&
         ParseNumber(entry.items[0].text) &&
         std::ranges::find(known, entry.keys[0].text) == known.end();
}

}  // namespace weightsmith::internal
