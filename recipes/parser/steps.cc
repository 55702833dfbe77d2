#include "recipes/parser/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include "core/base/text.h"
#include "merge/operator.h"
#include "recipes/parser/adapter_entries.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/layer_entries.h"
#include "recipes/parser/lists.h"
#include "recipes/parser/mixing.h"
#include "recipes/parser/model_entries.h"
#include "recipes/parser/operator_word.h"
#include "recipes/parser/parameters.h"
#include "recipes/parser/policies.h"
#include "recipes/parser/where.h"
#include "recipes/vocabulary.h"

namespace weightsmith::internal {
namespace {

/// A sentence as a part of another: "share of b".
std::string Lowered(std::string_view sentence) {
  std::string words(sentence.ends_with('.') ? sentence.substr(0, sentence.size() - 1) : sentence);
  if (words.size() > 1 && std::islower(static_cast<unsigned char>(words[1])) != 0) {
    words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  }
  return words;
}

/// A step as messages call it. Nobody named the step of a recipe that a program makes.
std::string WordsFor(const std::string& name, const SourceNode& node) {
  const SourceNode* op = node.Find("op");
  const bool generated = node.place.source != nullptr && node.place.source->generated;
  return generated && op != nullptr ? op->text : "step " + Quote(name);
}

/// Whether every entry of the list has a number of its own for a parameter by entry.
bool AllEntriesHave(const Node& node, const ParameterSpec& spec) {
  const std::vector<const ParameterSpec*> specs = EntryNumbers(*node.op);
  const auto column = static_cast<std::size_t>(std::ranges::find(specs, &spec) - specs.begin());
  const auto has = [&](const std::vector<Weights>& entry) {
    const std::optional<double>& everywhere = entry[column].everywhere();
    return !everywhere || !std::isnan(*everywhere);
  };
  return !node.entry_numbers.empty() && std::ranges::all_of(node.entry_numbers, has);
}

/// The keys of the mappings below a step, those of inline steps excepted.
void CollectRows(const SourceNode& node, std::map<std::string, SourcePlace>& rows) {
  for (const SourceNode& item : node.items) {
    if (item.Find("op") != nullptr) continue;
    for (const SourceNode& key : item.keys) rows.emplace(key.text, key.place);
    CollectRows(item, rows);
  }
}

}  // namespace

StepReader::StepReader(Reader& reader, Graph& graph, const Policies& policies,
                       const Presets& presets)
    : context_{
          .reader = reader,
          .graph = graph,
          .policies = policies,
          .presets = presets,
          .read_operand = [this](const SourceNode& node, const std::string& name,
                                 const std::string& what) { return Operand(node, name, what); }} {}

NodeId StepReader::Read(const std::string& name, const SourceNode& written, bool top_level) {
  const std::string what = WordsFor(name, written);
  const auto renamed = WithOperator(context_.reader, written, what);
  const SourceNode& node = renamed ? *renamed : written;
  DraftNode draft;
  draft.node.name = name;
  draft.place = node.place;
  draft.top_level = top_level;
  draft.node.policies = context_.policies;
  const NodeId id = context_.graph.Add(std::move(draft));
  if (!context_.reader.IsMap(node, what, "Write {op: weighted_sum, a: …, b: …, alpha: 0.5}")) {
    return id;
  }
  Gathered gathered = GatherLists(node, context_.reader);
  const Operator* op = ReadOperator(context_.reader, gathered.step, what);
  if (const SourceNode* policy = node.Find("policy")) {
    ReadPolicies(context_.reader, *policy, name, context_.graph.at(id).node.policies);
  }
  CollectRows(node, context_.graph.at(id).rows);
  if (op == nullptr) return id;
  const SourceNode step = Corrected(std::move(gathered), op, what);
  context_.graph.at(id).node.op = op;
  for (const ParameterSpec& spec : op->parameters) {
    if (const SourceNode* value = step.Find(spec.name)) {
      context_.graph.at(id).rows.emplace(spec.name, value->place);
    }
  }
  ReadArguments(step, what, id);
  return id;
}

/// The step as it is meant, with the operator that does what it gives, after telling what is wrong.
SourceNode StepReader::Corrected(Gathered gathered, const Operator*& op, const std::string& what) {
  const auto called = [&] {
    return what == op->name ? what : fmt::format("{} ({})", what, op->name);
  };
  const SourcePlace& place = gathered.step.place;
  const bool generated = place.source != nullptr && place.source->generated;
  if (auto fitting = generated
                         ? std::nullopt
                         : WithFittingOperator(context_.reader, gathered.step, *op, called())) {
    gathered.step = *std::move(fitting);
    gathered.lists.clear();
    op = FindOperator(gathered.step.Find("op")->text);
  } else if (auto listed = WithListOf(context_.reader, gathered.step, *op, called())) {
    ReportGathered(context_.reader, gathered, *op, called(), true);
    gathered.step = *std::move(listed);
  } else {
    ReportGathered(context_.reader, gathered, *op, called(), false);
  }
  if (auto named = WithOperandNames(context_.reader, gathered.step, *op, called())) {
    gathered.step = *std::move(named);
  }
  const auto meant = context_.reader.CheckKeys(gathered.step, KeysOf(*op), called());
  return meant.empty() ? std::move(gathered.step) : WithMeantKeys(gathered.step, meant);
}

/// Reports a key that the step needs and does not have.
void StepReader::ReportMissing(const SourceNode& node, const std::string& what, const Operator& op,
                               std::string_view key, std::string_view doc) {
  const bool named = what != op.name;
  context_.reader.diagnostics().AddError(
      node.place, fmt::format("{}{} needs '{}'", named ? what + ": " : "", op.name, key),
      fmt::format("Write {}: … ({})", key, Lowered(doc)));
}

/// Says whether there are all that the operator needs.
bool StepReader::ReadOperands(const SourceNode& node, const std::string& what, NodeId id) {
  const Operator& op = *context_.graph.at(id).node.op;
  const std::string name = context_.graph.at(id).node.name;
  bool whole = true;
  for (const OperandSpec& spec : op.operands) {
    const SourceNode* operand = node.Find(spec.name);
    const bool implied = spec.left_out != OperandDefault::kNone;
    if (operand == nullptr && spec.optional && !implied) break;
    OperandReference reference{{}, {}, node.place};
    if (operand != nullptr) {
      reference = Operand(*operand, fmt::format("{}.{}", name, spec.name),
                          fmt::format("{}: '{}'", what, spec.name));
    } else if (implied) {
      reference.implied = true;
    } else {
      ReportMissing(node, what, op, spec.name, spec.doc);
      whole = false;
    }
    context_.graph.at(id).operands.push_back(std::move(reference));
  }
  return whole;
}

/// As ReadOperands.
bool StepReader::ReadWhereOf(const SourceNode& node, const std::string& what, NodeId id) {
  const Operator& op = *context_.graph.at(id).node.op;
  if (op.where.empty()) return true;
  const SourceNode* where = node.Find(kWhere);
  if (where == nullptr) {
    ReportMissing(node, what, op, kWhere, op.where);
    return false;
  }
  context_.graph.at(id).rows.emplace(kWhere, where->place);
  context_.graph.at(id).node.where =
      ReadWhere(context_.reader, *where, fmt::format("{}: '{}'", what, kWhere));
  return true;
}

/// As ReadOperands.
bool StepReader::ReadParameters(const SourceNode& node, const std::string& what, NodeId id,
                                ArgumentsGiven& given) {
  const Operator& op = *context_.graph.at(id).node.op;
  bool whole = true;
  for (const ParameterSpec& spec : op.parameters) {
    const SourceNode* value = node.Find(spec.name);
    const bool by_entry = spec.by_entry && AllEntriesHave(context_.graph.at(id).node, spec);
    if (value != nullptr || by_entry) given.parameters.push_back(spec.name);
    Weights weights(spec.default_value.value_or(kLeftOut));
    if (value != nullptr) {
      const auto read =
          ReadParameter(context_, spec, *value, fmt::format("{}: '{}'", what, spec.name));
      if (read) weights = *read;
    } else if (!spec.default_value && !spec.optional && !by_entry) {
      ReportMissing(node, what, op, spec.name, spec.doc);
      whole = false;
    }
    if (weights.everywhere()) given.numbers.emplace(spec.name, *weights.everywhere());
    context_.graph.at(id).node.parameters.push_back(std::move(weights));
  }
  return whole;
}

void StepReader::ReadArguments(const SourceNode& node, const std::string& what, NodeId id) {
  const Operator& op = *context_.graph.at(id).node.op;
  bool whole = ReadOperands(node, what, id);
  ArgumentsGiven given;
  if (op.list) {
    const SourceNode* list = node.Find(op.list->name);
    if (list != nullptr) {
      ReadList(*list, what, id);
      given.list = list->items.size();
      whole = whole && list->list();
    } else if (!op.list->optional) {
      ReportMissing(node, what, op, op.list->name, op.list->doc);
      whole = false;
    }
  }
  whole = ReadWhereOf(node, what, id) && whole;
  whole = ReadParameters(node, what, id, given) && whole;
  if (!whole || op.check == nullptr) return;
  if (const std::string problem = op.check(given); !problem.empty()) {
    context_.reader.diagnostics().AddError(
        node.place, fmt::format("{}: {}: {}", what, op.name, problem),
        fmt::format("'weightsmith ops {}' shows an example.", op.name));
  }
}

void StepReader::ReadList(const SourceNode& list, const std::string& what, NodeId id) {
  const OperandListSpec& spec = *context_.graph.at(id).node.op->list;
  if (spec.adapters) return ReadAdapterEntries(context_, list, what, id);
  if (spec.layers) return ReadLayerEntries(context_, list, what, id);
  ReadModelEntries(context_, list, what, id);
}

OperandReference StepReader::Operand(const SourceNode& node, const std::string& name,
                                     const std::string& what) {
  OperandReference reference{{}, {}, node.place};
  if (node.scalar()) {
    reference.name = node.text;
    if (node.text.empty()) {
      context_.reader.diagnostics().AddError(node.place, fmt::format("{} is an empty name", what),
                                             "Write the name of a model or step.");
    }
  } else if (node.map() && node.Find("op") != nullptr) {
    reference.node = Read(name, node, false);
  } else if (!IsReported(node)) {
    const SourceNode* model = node.Find("model");
    const bool named = model != nullptr && model->scalar();
    context_.reader.diagnostics().AddError(
        node.place, fmt::format("{} is the name of a model or step, not {}", what, Describe(node)),
        named ? fmt::format("Write {}", model->text) : "Write a name, or a step: {op: …}");
  }
  return reference;
}

}  // namespace weightsmith::internal
