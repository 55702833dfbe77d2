// How a step that bakes adapters is computed for one tensor.
#include <fmt/format.h>

#include <algorithm>

#include "merge/plan/evaluator.h"
#include "merge/plan/place_weight.h"

namespace weightsmith::internal {
namespace {

/// Whether the parts stand in the place of the whole tensor, so that nothing of it is left.
bool ReplacesAll(const std::vector<AdapterPart>& parts, const Shape& shape) {
  std::uint64_t rows = 0;
  for (const AdapterPart& part : parts) {
    if (!Replaces(*part.module, part.target)) return false;
    rows += CountOurs(part.rows);
  }
  return rows == SizeAsMatrix(shape).rows;
}

/// The shape that the adapter makes of the model's: wider where it has input channels of its own.
Shape Widened(const std::vector<AdapterPart>& parts, Shape shape) {
  if (shape.size() < 2 || shape[1] == 0) return shape;
  const std::uint64_t kernel = SizeAsMatrix(shape).columns / shape[1];
  for (const AdapterPart& part : parts) {
    if (part.target != AdapterTarget::kWeight || part.transposed) continue;
    const std::uint64_t columns = SizeOf(*part.module, part.target).columns;
    if (columns > shape[1] * kernel && columns % kernel == 0) shape[1] = columns / kernel;
  }
  return shape;
}

}  // namespace

void TensorEvaluator::CheckParts(const Node& step, std::uint32_t model, const Shape& shape) {
  const std::string& name = index_->expression().models[model].name;
  for (const AdapterPart& part : *index_->Adapter(model).Find(*key_)) {
    MatrixSize size = SizeOf(*part.module, part.target);
    if (part.transposed) std::swap(size.rows, size.columns);
    const std::uint64_t columns = SizeAsMatrix(shape).columns;
    if (size.columns == 0 || size.columns == columns) continue;
    const bool narrow =
        size.columns < columns && index_->IsInput(*key_) && !Replaces(*part.module, part.target);
    if (narrow && step.policies.input_channels == InputChannelsPolicy::kKeepExtra &&
        !ReadsWeight(*part.module, part.target)) {
      continue;
    }
    problems_->Add(
        fmt::format("step '{}': adapter '{}' expects {} columns, the weight has {}", step.name,
                    name, size.columns, columns),
        *canonical_,
        narrow ? "Write `policy: {input_channels: keep_extra}` to change those that it knows."
               : "");
  }
}

Value TensorEvaluator::BakedDelta(NodeId step, std::uint32_t model, Value weight, double strength) {
  if (const auto alone = sources_.Of(model, std::nullopt)) return Value::Of(*alone);
  const Register number = sources_.Of(model, step).value();
  if (baked_.contains(number)) {
    problems_->Add(
        fmt::format("step '{}': adapter '{}' is listed twice, and its family cannot be added up",
                    index_->expression().nodes[step].name, index_->expression().models[model].name),
        *canonical_, "Give it once, with one strength.");
  }
  const std::vector<AdapterPart>& parts = *index_->Adapter(model).Find(*key_);
  Baked& baked = baked_[number];
  baked.replaces = ReplacesAll(parts, *index_->Adapter(model).ShapeOf(*key_));
  const bool linear = std::ranges::all_of(parts, [](const AdapterPart& part) {
    return IsLinear(*part.module, part.target) && !Replaces(*part.module, part.target);
  });
  baked.scaled = !linear && !baked.replaces;
  if (baked.scaled || baked.replaces) baked.strength = strength;
  const bool reads = std::ranges::any_of(parts, [](const AdapterPart& part) {
    return ReadsWeight(*part.module, part.target) || Replaces(*part.module, part.target);
  });
  if (reads && !baked.replaces) baked.weight = lowering_.KeepFor(weight, number);
  return Value::Of(number);
}

void TensorEvaluator::AddProbes(NodeId step, std::uint32_t model, double strength,
                                const Shape& shape, Value before, Value after) {
  if (before == after) return;
  const std::uint64_t columns = SizeAsMatrix(shape).columns;
  const std::uint64_t rows = SizeAsMatrix(shape).rows;
  for (const AdapterPart& part : *index_->Adapter(model).Find(*key_)) {
    const auto number = first_applied_ + static_cast<std::uint32_t>(applied_.size());
    applied_.push_back({.model = model,
                        .step = index_->StepNumber(step),
                        .part = part,
                        .tensor = *canonical_,
                        .shape = shape,
                        .strength = strength});
    const RowRange range = RangeOfOurs(part.rows, rows);
    const bool all = range.first == 0 && range.end >= rows;
    lowering_.AddProbe({.step = index_->StepNumber(step),
                        .before = lowering_.Hold(before),
                        .after = lowering_.Hold(after),
                        .against_zero = false,
                        .applied = number,
                        .first = all ? 0 : range.first * columns,
                        .count = all ? 0 : (range.end - range.first) * columns});
  }
}

TensorEvaluator::Result TensorEvaluator::Bake(NodeId id, const Shape& widest) {
  const std::vector<Node>& nodes = index_->expression().nodes;
  const Node& step = nodes[id];
  const NodeId base = step.operands.front();
  if (nodes[base].leaf()) considered_.insert(*nodes[base].model);
  const Value before = Evaluate(base).value;
  Value value = before;
  Shape shape = widest;
  for (std::size_t i = 0; index_->IsInput(*key_) && i < step.list.size(); ++i) {
    const Node& entry = nodes[step.list[i]];
    if (!Evaluate(step.list[i]).present || !entry.leaf()) continue;
    if (WeightAt(place_, step, step.weights[i], "strength", *canonical_, *problems_).value_or(0) ==
        0)
      continue;
    shape = Widened(*index_->Adapter(*entry.model).Find(*key_), shape);
  }
  computed_.insert(id);
  for (std::size_t i = 0; i < step.list.size(); ++i) {
    const Node& entry = nodes[step.list[i]];
    const Result& delta = Evaluate(step.list[i]);
    if (entry.leaf()) considered_.insert(*entry.model);
    if (!delta.present) continue;
    const auto strength =
        WeightAt(place_, step, step.weights[i], "strength", *canonical_, *problems_);
    if (!strength) return {};
    if (*strength == 0) {
      if (entry.leaf()) muted_.emplace(id, *entry.model);
      continue;
    }
    Value added = delta.value;
    bool replaces = false;
    double factor = *strength;
    if (entry.leaf()) {
      CheckParts(step, *entry.model, shape);
      added = BakedDelta(id, *entry.model, before, *strength);
      if (const auto baked = baked_.find(added.reg()); baked != baked_.end()) {
        replaces = baked->second.replaces;
        if (baked->second.scaled) factor = 1;
      }
    }
    Value after = value;
    if (replaces) {
      after = added;
    } else {
      const Arguments arguments{std::span(&value, 1), std::span(&added, 1), std::span(&factor, 1),
                                ParameterValues({}, {})};
      after = step.op->lower(lowering_, arguments);
    }
    if (entry.leaf()) AddProbes(id, *entry.model, *strength, shape, value, after);
    value = after;
  }
  if (value != before) {
    lowering_.AddProbe(
        {index_->StepNumber(id), lowering_.Hold(before), lowering_.Hold(value), false});
  }
  return {true, value, shape};
}

}  // namespace weightsmith::internal
