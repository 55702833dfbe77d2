#include "merge/plan/adapter_baker.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

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

void AdapterBaker::CheckParts(const Node& step, std::uint32_t model, const Shape& shape) {
  const std::string& name = tape_->index.expression().models[model].name;
  for (const AdapterPart& part : *tape_->index.Adapter(model).Find(tape_->key)) {
    MatrixSize size = SizeOf(*part.module, part.target);
    if (part.transposed) std::swap(size.rows, size.columns);
    const std::uint64_t columns = SizeAsMatrix(shape).columns;
    if (size.columns == 0 || size.columns == columns) continue;
    const bool narrow = size.columns < columns && tape_->index.IsInput(tape_->key) &&
                        !Replaces(*part.module, part.target);
    if (narrow && step.policies.input_channels == InputChannelsPolicy::kKeepExtra &&
        !ReadsWeight(*part.module, part.target)) {
      continue;
    }
    tape_->problems.Add(
        fmt::format("step '{}': adapter '{}' expects {} columns, the weight has {}", step.name,
                    name, size.columns, columns),
        tape_->canonical,
        narrow ? "Write `policy: {input_channels: keep_extra}` to change those that it knows."
               : "");
  }
}

Value AdapterBaker::DeltaOf(NodeId step, std::uint32_t model, Value weight, double strength) {
  if (const auto alone = tape_->sources.Of(model, std::nullopt)) return Value::Of(*alone);
  const Register number = tape_->sources.Of(model, step).value();
  if (deltas_.contains(number)) {
    tape_->problems.Add(
        fmt::format("step '{}': adapter '{}' is listed twice, and its family cannot be added up",
                    tape_->NodeOf(step).name, tape_->index.expression().models[model].name),
        tape_->canonical, "Give it once, with one strength.");
  }
  const AdapterIndex& adapter = tape_->index.Adapter(model);
  const std::vector<AdapterPart>& parts = *adapter.Find(tape_->key);
  BakedDelta& delta = deltas_[number];
  delta.replaces = ReplacesAll(parts, *adapter.ShapeOf(tape_->key));
  const bool linear = std::ranges::all_of(parts, [](const AdapterPart& part) {
    return IsLinear(*part.module, part.target) && !Replaces(*part.module, part.target);
  });
  delta.scaled = !linear && !delta.replaces;
  if (delta.scaled || delta.replaces) delta.strength = strength;
  const bool reads = std::ranges::any_of(parts, [](const AdapterPart& part) {
    return ReadsWeight(*part.module, part.target) || Replaces(*part.module, part.target);
  });
  if (reads && !delta.replaces) delta.weight = tape_->lowering.KeepFor(weight, number);
  return Value::Of(number);
}

void AdapterBaker::AddProbes(NodeId step, std::uint32_t model, double strength, const Shape& shape,
                             Value before, Value after) {
  if (before == after) return;
  Lowering& lowering = tape_->lowering;
  const std::uint64_t columns = SizeAsMatrix(shape).columns;
  const std::uint64_t rows = SizeAsMatrix(shape).rows;
  for (const AdapterPart& part : *tape_->index.Adapter(model).Find(tape_->key)) {
    const auto number = first_applied_ + static_cast<std::uint32_t>(applied_.size());
    applied_.push_back({.model = model,
                        .step = tape_->index.StepNumber(step),
                        .part = part,
                        .tensor = tape_->canonical,
                        .shape = shape,
                        .strength = strength});
    const RowRange range = RangeOfOurs(part.rows, rows);
    const bool all = range.first == 0 && range.end >= rows;
    lowering.AddProbe({.step = tape_->index.StepNumber(step),
                       .before = lowering.Hold(before),
                       .after = lowering.Hold(after),
                       .against_zero = false,
                       .applied = number,
                       .first = all ? 0 : range.first * columns,
                       .count = all ? 0 : (range.end - range.first) * columns});
  }
}

std::optional<double> AdapterBaker::StrengthOf(const Node& step, std::size_t entry) {
  return WeightAt(tape_->place, step, step.weights[entry], "strength", tape_->canonical,
                  tape_->problems);
}

/// The shape that all adapters together make of the model's.
Shape AdapterBaker::ShapeOf(const Node& step, std::span<const TensorOperand> entries, Shape shape) {
  if (!tape_->index.IsInput(tape_->key)) return shape;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Node& entry = tape_->NodeOf(entries[i].node);
    if (!entries[i].result.present || !entry.leaf()) continue;
    if (StrengthOf(step, i).value_or(0) == 0) continue;
    shape = Widened(*tape_->index.Adapter(*entry.model).Find(tape_->key), std::move(shape));
  }
  return shape;
}

TensorValue AdapterBaker::Bake(NodeId id, std::span<const TensorOperand> operands,
                               const Shape& widest) {
  const Node& step = tape_->NodeOf(id);
  const Node& base = tape_->NodeOf(operands.front().node);
  const std::span<const TensorOperand> entries = operands.subspan(step.operands.size());
  StepAccount& account = tape_->account;
  Lowering& lowering = tape_->lowering;
  if (base.leaf()) account.considered.insert(*base.model);
  const Value before = operands.front().result.value;
  Value value = before;
  const Shape shape = ShapeOf(step, entries, widest);
  account.computed.insert(id);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Node& entry = tape_->NodeOf(entries[i].node);
    if (entry.leaf()) account.considered.insert(*entry.model);
    if (!entries[i].result.present) continue;
    const auto strength = StrengthOf(step, i);
    if (!strength) return {};
    if (*strength == 0) {
      if (entry.leaf()) account.muted.emplace(id, *entry.model);
      continue;
    }
    Value added = entries[i].result.value;
    bool replaces = false;
    double factor = *strength;
    if (entry.leaf()) {
      CheckParts(step, *entry.model, shape);
      added = DeltaOf(id, *entry.model, before, *strength);
      if (const auto delta = deltas_.find(added.reg()); delta != deltas_.end()) {
        replaces = delta->second.replaces;
        if (delta->second.scaled) factor = 1;
      }
    }
    Value after = value;
    if (replaces) {
      after = added;
    } else {
      const Arguments arguments{std::span(&value, 1), std::span(&added, 1), std::span(&factor, 1),
                                ParameterValues({}, {})};
      after = step.op->lower(lowering, arguments);
    }
    if (entry.leaf()) AddProbes(id, *entry.model, *strength, shape, value, after);
    value = after;
  }
  if (value != before) {
    lowering.AddProbe(
        {tape_->index.StepNumber(id), lowering.Hold(before), lowering.Hold(value), false});
  }
  return {true, value, shape};
}

}  // namespace weightsmith::internal
