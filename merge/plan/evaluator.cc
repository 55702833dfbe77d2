#include "merge/plan/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

std::vector<NodeId> Operands(const Node& step) {
  std::vector<NodeId> all = step.operands;
  all.insert(all.end(), step.list.begin(), step.list.end());
  return all;
}

/// Whether two shapes differ in their second dimension alone.
bool DifferInColumns(const Shape& a, const Shape& b) {
  if (a.size() != b.size() || a.size() < 2) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i != 1 && a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

TensorEvaluator::TensorEvaluator(const ExpressionIndex& index, const TensorKey& key,
                                 const std::string& canonical, const TensorPlace& place,
                                 Problems& problems, std::size_t first_applied)
    : tape_(index, key, canonical, place, problems),
      companions_(tape_),
      lowering_(tape_, companions_),
      baker_(tape_, first_applied) {}

const TensorValue& TensorEvaluator::Evaluate(NodeId id) {
  if (const auto known = results_.find(id); known != results_.end()) return known->second;
  const Node& node = tape_.NodeOf(id);
  TensorValue result = node.leaf() ? EvaluateLeaf(node) : EvaluateStep(id);
  return results_.emplace(id, std::move(result)).first->second;
}

TensorKey TensorEvaluator::KeyOf(const TapeSource& source) const {
  return source.ema ? *tape_.index.models()[source.model].EmaOf(tape_.key) : tape_.key;
}

/// The step's operands and list, evaluated in this order.
std::vector<TensorOperand> TensorEvaluator::OperandsOf(const Node& step) {
  std::vector<TensorOperand> operands;
  for (const NodeId operand : Operands(step)) operands.push_back({operand, Evaluate(operand)});
  return operands;
}

TensorValue TensorEvaluator::EvaluateLeaf(const Node& leaf) {
  const std::optional<Register> number = tape_.sources.Of(*leaf.model, std::nullopt);
  if (tape_.index.IsAdapter(leaf)) {
    const AdapterIndex& adapter = tape_.index.Adapter(*leaf.model);
    if (adapter.Find(tape_.key) == nullptr) return {};
    const Value value = number ? Value::Of(*number) : Value::Zero();
    return {.present = true,
            .value = value,
            .shape = *adapter.ShapeOf(tape_.key),
            .needs_weight = !number};
  }
  if (!number) return {};
  const ModelTensor& tensor = tape_.index.TensorOf(*leaf.model, tape_.key);
  return {true, Value::Of(*number), tensor.stored->info.shape};
}

TensorValue TensorEvaluator::Leftmost(const Node& step, std::span<const NodeId> operands) {
  for (const NodeId operand : operands) {
    const Node& node = tape_.NodeOf(operand);
    if (node.kind != step.kind) continue;
    const TensorValue& result = Evaluate(operand);
    if (!result.present) continue;
    if (node.leaf()) tape_.account.considered.insert(*node.model);
    return result;
  }
  return {};
}

/// Whether a step's result is another value than what the leftmost model has.
bool TensorEvaluator::IsComputed(NodeId operand) {
  if (tape_.NodeOf(operand).leaf()) return false;
  const TensorValue& result = Evaluate(operand);
  for (const std::uint32_t model : tape_.index.WeightModels(operand)) {
    const auto source = std::ranges::find(sources(), model, &TapeSource::model);
    if (source == sources().end()) continue;
    return result.value != Value::Of(static_cast<Register>(source - sources().begin()));
  }
  return result.present;
}

/// The VAE is copied, and left out of differences, unless the step says otherwise. A difference
/// without weights by place says nothing: the step that adds it does.
bool TensorEvaluator::TouchesVae(NodeId id) {
  if (tape_.index.NamesVae(id)) return true;
  const Node& step = tape_.NodeOf(id);
  if (step.op->follows) return IsComputed(step.operands.front());
  bool by_place = false;
  ForEachWeights(step, [&](const Weights& weights, std::string_view /*name*/) {
    by_place = by_place || !weights.everywhere().has_value();
  });
  return step.kind == Kind::kDelta && !by_place;
}

/// Whether a step with `where` acts on the tensor. A VAE is meant where it is named.
bool TensorEvaluator::Selects(const Node& step) {
  if (!tape_.place.merged_by_default && !AnyNamesVae(step.where)) return false;
  const TensorValue& kept = Evaluate(step.operands.front());
  if (kept.present) return AnyMatches(step.where, tape_.place, kept.shape);
  for (const NodeId operand : step.operands) {
    for (const std::uint32_t model : tape_.index.WeightModels(operand)) {
      const ModelTensor* const tensor = tape_.index.models()[model].Find(tape_.key);
      if (tensor == nullptr) continue;
      return AnyMatches(step.where, tape_.place, tensor->stored->info.shape);
    }
  }
  return false;
}

TensorValue TensorEvaluator::EvaluateStep(NodeId id) {
  const Node& step = tape_.NodeOf(id);
  if (!step.op->where.empty()) {
    if (!Selects(step)) return Leftmost(step, std::span(step.operands).first(1));
    tape_.account.selected[id] = 1;
  } else if (!tape_.place.merged_by_default && !TouchesVae(id)) {
    tape_.account.left_vae.insert(id);
    return step.kind == Kind::kDelta ? TensorValue{} : Leftmost(step, Operands(step));
  }

  const std::vector<TensorOperand> operands = OperandsOf(step);
  const auto present = [](const TensorOperand& operand) { return operand.result.present; };
  if (std::ranges::none_of(operands, present)) return {};
  const auto missing = [&](const TensorOperand& operand) { return IsMissing(operand); };
  if (std::ranges::any_of(operands, missing)) return EvaluateMissing(id, operands);
  tape_.account.shared.insert(id);
  try {
    return EvaluateShared(id, operands);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("step '{}': '{}': {}", step.name, tape_.canonical, error.what()),
                error.advice(), error.options());
  }
}

/// Whether it is a weight that the tensor is missing in.
bool TensorEvaluator::IsMissing(const TensorOperand& operand) const {
  return tape_.NodeOf(operand.node).kind != Kind::kDelta && !operand.result.present;
}

/// What a step makes of a tensor that some of its weight operands lack: as its policy says.
TensorValue TensorEvaluator::EvaluateMissing(NodeId id, std::span<const TensorOperand> operands) {
  const Node& step = tape_.NodeOf(id);
  const bool optional = std::ranges::any_of(sources(), [&](const TapeSource& source) {
    return !source.delta && tape_.index.TensorOf(source.model, tape_.key).anatomy->optional;
  });
  bool drop = false;
  for (const TensorOperand& operand : operands) {
    if (!IsMissing(operand) || step.op->falls_back || optional) continue;
    if (!tape_.index.HasComponent(operand.node, tape_.place.component)) continue;
    const MissingPolicy policy =
        step.policies.missing.Find(tape_.place).value_or(MissingPolicy::kError);
    drop = drop || policy == MissingPolicy::kDrop;
    if (policy == MissingPolicy::kKeep && step.kind == Kind::kWeight) tape_.account.kept[id] = 1;
    if (policy == MissingPolicy::kError) {
      tape_.problems.Add(
          fmt::format("step '{}': tensors that '{}' does not have", step.name,
                      tape_.NodeOf(operand.node).name),
          tape_.canonical,
          "Write `policy: {missing: keep}` to take such tensors from the model that has "
          "them, or `drop` to leave them out.");
    }
  }
  if (drop || step.kind == Kind::kDelta) return {};
  return Leftmost(step, Operands(step));
}

/// What a step makes of a tensor that all of its weight operands have.
TensorValue TensorEvaluator::EvaluateShared(NodeId id, std::span<const TensorOperand> operands) {
  const Node& step = tape_.NodeOf(id);
  Shape widest;
  if (!Fits(step, operands, widest)) return {};
  if (step.op->list && step.op->list->adapters) return baker_.Bake(id, operands, widest);
  for (const TensorOperand& operand : operands) {
    if (!operand.result.needs_weight) continue;
    tape_.problems.Add(fmt::format("step '{}': '{}' is no difference by itself: what it does "
                                   "depends on the weights",
                                   step.name, tape_.NodeOf(operand.node).name),
                       tape_.canonical, "Bake it: {op: bake, model: …, adapters: […]}.");
    return {};
  }
  for (const auto& [operand, result] : operands) {
    const Node& node = tape_.NodeOf(operand);
    if (!tape_.index.IsAdapter(node) || !result.present) continue;
    if (widest.empty()) widest = result.shape;
    baker_.CheckParts(step, *node.model, widest);
  }
  return lowering_.Lower(id, operands, widest);
}

/// Whether the operands' shapes go together; `widest` is that of the result. Reports those that do
/// not.
bool TensorEvaluator::Fits(const Node& step, std::span<const TensorOperand> operands,
                           Shape& widest) {
  std::optional<NodeId> widest_operand;
  for (const auto& [operand, result] : operands) {
    if (!result.present || tape_.index.IsAdapter(tape_.NodeOf(operand))) continue;
    if (!widest_operand) {
      widest = result.shape;
      widest_operand = operand;
    }
    if (result.shape == widest) continue;
    const bool columns = DifferInColumns(result.shape, widest) && tape_.index.IsInput(tape_.key);
    if (columns && step.policies.input_channels == InputChannelsPolicy::kKeepExtra) {
      if (result.shape[1] > widest[1]) {
        widest = result.shape;
        widest_operand = operand;
      }
      continue;
    }
    if (tape_.AddQuantised({*widest_operand, operand})) return false;
    tape_.problems.AddSentence(
        fmt::format("step '{}': '{}' is {} in '{}' and {} in '{}'", step.name, tape_.canonical,
                    ToString(widest), tape_.NodeOf(*widest_operand).name, ToString(result.shape),
                    tape_.NodeOf(operand).name) +
            (columns ? " (write `policy: {input_channels: keep_extra}` to blend the columns that "
                       "they share and keep the others)"
                     : ""),
        columns ? "" : "Tensors of one name have one shape: check that the right files are named.");
    return false;
  }
  return true;
}

}  // namespace weightsmith::internal
