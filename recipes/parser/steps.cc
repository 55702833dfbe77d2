#include "recipes/parser/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/text.h"
#include "merge/foreign_operators.h"
#include "recipes/parser/policies.h"
#include "recipes/vocabulary.h"

namespace weightsmith {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::string> OperatorNames() {
  std::vector<std::string> names;
  for (const Operator* op : Operators()) names.emplace_back(op->name);
  return names;
}

std::vector<std::string> KeysOf(const Operator& op) {
  std::vector<std::string> keys = NamesOf(StepKeys());
  for (const OperandSpec& operand : op.operands) keys.emplace_back(operand.name);
  if (op.list) keys.emplace_back(op.list->name);
  for (const ParameterSpec& parameter : op.parameters) keys.emplace_back(parameter.name);
  return keys;
}

}  // namespace

const Operator* StepReader::ReadOperator(const SourceNode& node, const std::string& what) {
  const SourceNode* word = node.Find("op");
  if (word == nullptr) {
    reader_.diagnostics().AddError(
        node.place, fmt::format("{} has no 'op'", what),
        fmt::format("Write op: and one of {}.", fmt::join(OperatorNames(), ", ")));
    return nullptr;
  }
  const std::optional<std::string> name = reader_.Text(*word, what + ": 'op'");
  if (!name) return nullptr;
  if (const Operator* op = FindOperator(*name)) return op;
  const std::vector<std::string> known = OperatorNames();
  const std::string about = AboutForeignOperator(*name);
  const std::string hint = about.empty() ? Hint(*name, known) : "";
  reader_.diagnostics().AddError(
      word->place, fmt::format("{}: there is no operator {}{}", what, Quote(*name), hint),
      hint.empty() ? fmt::format("{}{}Operators are {}.", about, about.empty() ? "" : " ",
                                 fmt::join(known, ", "))
                   : std::string());
  return nullptr;
}

NodeId StepReader::Read(const std::string& name, const SourceNode& node, bool top_level) {
  const std::string what = "step " + Quote(name);
  DraftNode draft;
  draft.node.name = name;
  draft.place = node.place;
  draft.top_level = top_level;
  draft.node.policies = policies_;
  const NodeId id = graph_.Add(std::move(draft));
  if (!reader_.IsMap(node, what, "Write {op: weighted_sum, a: …, b: …, alpha: 0.5}")) return id;
  const Operator* op = ReadOperator(node, what);
  if (const SourceNode* policy = node.Find("policy")) {
    ReadPolicies(reader_, *policy, name, graph_.at(id).node.policies);
  }
  if (op == nullptr) return id;
  graph_.at(id).node.op = op;
  const auto meant = reader_.CheckKeys(node, KeysOf(*op), fmt::format("{} ({})", what, op->name));
  ReadArguments(node, what, id, meant);
  return id;
}

void StepReader::ReadArguments(const SourceNode& node, const std::string& what, NodeId id,
                               const std::vector<std::string>& meant) {
  const Operator& op = *graph_.at(id).node.op;
  const std::string name = graph_.at(id).node.name;
  Diagnostics& diagnostics = reader_.diagnostics();
  bool whole = true;
  const auto missing = [&](std::string_view key, std::string_view doc) {
    whole = false;
    if (std::ranges::find(meant, key) != meant.end()) return;
    diagnostics.AddError(node.place, fmt::format("{}: {} needs '{}'", what, op.name, key),
                         fmt::format("{}: {}", key, doc));
  };
  for (const OperandSpec& spec : op.operands) {
    const SourceNode* operand = node.Find(spec.name);
    OperandReference reference{{}, {}, node.place};
    if (operand == nullptr) {
      missing(spec.name, spec.doc);
    } else {
      reference = Operand(*operand, fmt::format("{}.{}", name, spec.name),
                          fmt::format("{}: '{}'", what, spec.name));
    }
    graph_.at(id).operands.push_back(std::move(reference));
  }
  ArgumentsGiven given;
  if (op.list) {
    const SourceNode* list = node.Find(op.list->name);
    if (list != nullptr) {
      ReadList(*list, what, id);
      given.list = list->items.size();
      whole = whole && list->list();
    } else if (!op.list->optional) {
      missing(op.list->name, op.list->doc);
    }
  }
  for (const ParameterSpec& spec : op.parameters) {
    const SourceNode* value = node.Find(spec.name);
    given.parameters.push_back(value != nullptr);
    Weights weights(spec.default_value.value_or(std::numeric_limits<double>::quiet_NaN()));
    if (value != nullptr) {
      const auto read = ReadParameter(spec, *value, fmt::format("{}: '{}'", what, spec.name));
      if (read) weights = *read;
    } else if (!spec.default_value && !spec.optional) {
      missing(spec.name, spec.doc);
    }
    graph_.at(id).node.parameters.push_back(std::move(weights));
  }
  if (!whole || op.check == nullptr) return;
  if (const std::string problem = op.check(given); !problem.empty()) {
    diagnostics.AddError(node.place, fmt::format("{}: {}: {}", what, op.name, problem));
  }
}

void StepReader::ReadList(const SourceNode& list, const std::string& what, NodeId id) {
  const OperandListSpec& spec = *graph_.at(id).node.op->list;
  if (spec.adapters) return ReadAdapters(list, what, id);
  const std::string name = graph_.at(id).node.name;
  const std::string example = spec.weighted ? "[{model: x, weight: 0.5}, …]" : "[x, y]";
  if (!reader_.IsList(list, fmt::format("{}: '{}'", what, spec.name),
                      fmt::format("Write {}: {}", spec.name, example))) {
    return;
  }
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const SourceNode& entry = list.items[i];
    const std::string entry_name = fmt::format("{}.{}.{}", name, spec.name, i + 1);
    const std::string entry_what = fmt::format("{}: {}[{}]", what, spec.name, i + 1);
    const bool bare = !entry.map() || entry.Find("op") != nullptr;
    if (bare && !spec.weighted) {
      OperandReference operand = Operand(entry, entry_name, entry_what);
      graph_.at(id).list.push_back(std::move(operand));
      continue;
    }
    OperandReference operand{{}, {}, entry.place};
    Weights weight(1.0);
    if (bare) {
      reader_.diagnostics().AddError(entry.place, fmt::format("{} has no weight", entry_what),
                                     "Write {model: …, weight: …}");
    } else {
      std::vector<std::string> keys = NamesOf(EntryKeys());
      if (!spec.weighted) keys.pop_back();
      const auto meant = reader_.CheckKeys(entry, keys, entry_what);
      for (const std::string& key : keys) {
        const bool told = std::ranges::find(meant, key) != meant.end();
        if (told || entry.Find(key) != nullptr) continue;
        reader_.diagnostics().AddError(entry.place, fmt::format("{} has no '{}'", entry_what, key));
      }
      if (const SourceNode* model = entry.Find("model")) {
        operand = Operand(*model, entry_name, entry_what + ": 'model'");
      }
      const SourceNode* value = spec.weighted ? entry.Find("weight") : nullptr;
      if (value != nullptr) {
        const auto read = weights_.Read(*value, entry_what + ": 'weight'", -kInfinity, kInfinity);
        if (read) weight = *read;
      }
    }
    graph_.at(id).list.push_back(std::move(operand));
    if (spec.weighted) graph_.at(id).node.weights.push_back(std::move(weight));
  }
}

void StepReader::ReadAdapters(const SourceNode& list, const std::string& what, NodeId id) {
  const std::string key(graph_.at(id).node.op->list->name);
  const std::string name = graph_.at(id).node.name;
  constexpr std::string_view kExample =
      "Write adapters: [\"detail:0.6\", {use: style, strength: …}]";
  if (!reader_.IsList(list, fmt::format("{}: '{}'", what, key), kExample)) return;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const SourceNode& entry = list.items[i];
    const std::string entry_name = fmt::format("{}.{}.{}", name, key, i + 1);
    const std::string entry_what = fmt::format("{}: {}[{}]", what, key, i + 1);
    OperandReference operand{{}, {}, entry.place};
    Weights strength(1.0);
    if (entry.map() && entry.Find("op") == nullptr) {
      reader_.CheckKeys(entry, NamesOf(AdapterEntryKeys()), entry_what);
      if (const SourceNode* use = entry.Find("use")) {
        operand = Operand(*use, entry_name, entry_what + ": 'use'");
      } else {
        reader_.diagnostics().AddError(entry.place, entry_what + " has no 'use'",
                                       "Write {use: NAME, strength: …}.");
      }
      if (const SourceNode* value = entry.Find("strength")) {
        const auto read = weights_.ReadStrength(*value, entry_what + ": 'strength'");
        if (read) strength = *read;
      }
    } else if (entry.scalar() && entry.text.find(':') != std::string::npos) {
      // Names have no colons.
      const std::size_t colon = entry.text.find(':');
      operand.name = entry.text.substr(0, colon);
      const auto read =
          ReadStrengths(entry, std::string_view(entry.text).substr(colon + 1), entry_what);
      if (read) strength = *read;
    } else {
      operand = Operand(entry, entry_name, entry_what);
    }
    graph_.at(id).list.push_back(std::move(operand));
    graph_.at(id).node.weights.push_back(std::move(strength));
  }
}

/// "0.6", or "0.6:0.2" with another strength for the text encoders.
std::optional<Weights> StepReader::ReadStrengths(const SourceNode& entry, std::string_view words,
                                                 const std::string& what) {
  const std::size_t colon = words.find(':');
  std::vector<double> numbers;
  for (const std::string_view word :
       {words.substr(0, colon),
        colon == std::string_view::npos ? words : words.substr(colon + 1)}) {
    const auto number = ParseNumber(word);
    if (!number) {
      reader_.diagnostics().AddError(
          entry.place, fmt::format("{}: {} is no strength", what, Quote(word)),
          "Write NAME:STRENGTH or NAME:STRENGTH:TE_STRENGTH, or {use: NAME, strength: …} for "
          "weights by place.");
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  if (colon == std::string_view::npos) return Weights(numbers.front());
  std::string problem;
  return Weights(
      std::vector<PlaceRow<double>>{{*Selector::Parse("default", problem), numbers.front(), {}},
                                    {*Selector::Parse("te", problem), numbers.back(), {}}});
}

std::optional<Weights> StepReader::ReadParameter(const ParameterSpec& spec, const SourceNode& node,
                                                 const std::string& what) {
  if (spec.type == ParameterType::kBoolean) {
    const std::optional<bool> value = reader_.Boolean(node, what);
    if (!value) return std::nullopt;
    return Weights(*value ? 1.0 : 0.0);
  }
  if (!spec.by_place && !node.scalar()) {
    reader_.diagnostics().AddError(node.place,
                                   fmt::format("{} is one number, not weights by place", what));
    return std::nullopt;
  }
  return weights_.Read(node, what, spec.low, spec.high);
}

OperandReference StepReader::Operand(const SourceNode& node, const std::string& name,
                                     const std::string& what) {
  OperandReference reference{{}, {}, node.place};
  if (node.scalar()) {
    reference.name = node.text;
    if (node.text.empty()) {
      reader_.diagnostics().AddError(node.place, fmt::format("{} is an empty name", what));
    }
  } else if (node.map() && node.Find("op") != nullptr) {
    reference.node = Read(name, node, false);
  } else if (!(node.type == SourceNode::Type::kNull && node.text == "$")) {
    reader_.diagnostics().AddError(
        node.place, fmt::format("{} is the name of a model or step, or an inline step {{op: …}}, "
                                "not {}",
                                what, Describe(node)));
  }
  return reference;
}

}  // namespace weightsmith
