#include "recipes/parser/model_entries.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "merge/operator.h"
#include "recipes/parser/lists.h"
#include "recipes/parser/parameters.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// {model: x, weight: 0.5, density: 0.3}: its numbers go to the step's last entry.
OperandReference ReadEntry(const StepContext& in, const SourceNode& written,
                           const std::string& entry_name, const std::string& what, NodeId id) {
  const Operator& op = *in.graph.at(id).node.op;
  std::vector<std::string> required = NamesOf(EntryKeys());
  if (!op.list->weighted) required.pop_back();
  std::vector<std::string> keys = required;
  const std::vector<const ParameterSpec*> specs = EntryNumbers(op);
  for (const ParameterSpec* spec : specs) {
    keys.emplace_back(spec->name);
    const bool needed = !spec->by_entry && !spec->default_value && !spec->optional;
    if (needed) required.emplace_back(spec->name);
  }
  const auto meant = in.reader.CheckKeys(written, keys, what);
  std::optional<SourceNode> corrected;
  if (!meant.empty()) corrected = WithMeantKeys(written, meant);
  const SourceNode& entry = corrected ? *corrected : written;
  for (const std::string& key : required) {
    if (entry.Find(key) != nullptr) continue;
    in.reader.diagnostics().AddError(
        entry.place, fmt::format("{} has no '{}'", what, key),
        op.list->weighted ? "Write {model: …, weight: 0.5}" : "Write {model: …}");
  }
  OperandReference operand{{}, {}, written.place};
  if (const SourceNode* model = entry.Find("model")) {
    operand = in.read_operand(*model, entry_name, what + ": 'model'");
  }
  const auto read = [&](const ParameterSpec& spec) {
    const SourceNode* value = entry.Find(spec.name);
    if (value == nullptr) return std::optional<Weights>();
    return ReadParameter(in, spec, *value, fmt::format("{}: '{}'", what, spec.name));
  };
  if (op.list->weighted) {
    const auto weight = read({.name = "weight", .by_place = true});
    if (weight) in.graph.at(id).node.weights.back() = *weight;
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto number = read(*specs[i]);
    if (number) in.graph.at(id).node.entry_numbers.back()[i] = *number;
  }
  return operand;
}

}  // namespace

void ReadModelEntries(const StepContext& in, const SourceNode& list, const std::string& what,
                      NodeId id) {
  const OperandListSpec& spec = *in.graph.at(id).node.op->list;
  const std::string name = in.graph.at(id).node.name;
  std::string example = ListInWords(list, nullptr, spec.weighted);
  if (example.empty()) example = spec.weighted ? "[{model: x, weight: 0.5}, …]" : "[x, y]";
  if (!in.reader.IsList(list, fmt::format("{}: '{}'", what, spec.name),
                        fmt::format("Write {}: {}", spec.name, example))) {
    return;
  }
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const SourceNode& written = list.items[i];
    const std::string entry_name = fmt::format("{}.{}.{}", name, spec.name, i + 1);
    const std::string entry_what = fmt::format("{}: {}[{}]", what, spec.name, i + 1);
    const bool bare = !written.map() || written.Find("op") != nullptr;
    Node& node = in.graph.at(id).node;
    if (spec.weighted) node.weights.emplace_back(1.0);
    if (const std::size_t numbers = EntryNumbers(*node.op).size(); numbers > 0) {
      node.entry_numbers.emplace_back(numbers, Weights(kLeftOut));
    }
    OperandReference operand{{}, {}, written.place};
    if (bare && !spec.weighted) {
      operand = in.read_operand(written, entry_name, entry_what);
    } else if (IsPair(written, NamesOf(EntryKeys())) && spec.weighted) {
      in.reader.diagnostics().AddError(written.place,
                                       fmt::format("{} has no 'model' and 'weight'", entry_what),
                                       fmt::format("Write {{model: {}, weight: {}}}",
                                                   written.keys[0].text, written.items[0].text));
    } else if (bare) {
      in.reader.diagnostics().AddError(
          written.place, fmt::format("{} has no weight", entry_what),
          fmt::format(
              "Write {{model: {}, weight: {}}}", written.scalar() ? written.text : "…",
              FormatNumber(std::round(100.0 / static_cast<double>(list.items.size())) / 100)));
    } else {
      operand = ReadEntry(in, written, entry_name, entry_what, id);
    }
    in.graph.at(id).list.push_back(std::move(operand));
  }
}

}  // namespace weightsmith::internal
