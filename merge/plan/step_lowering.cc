#include "merge/plan/step_lowering.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "merge/plan/place_weight.h"

namespace weightsmith::internal {
namespace {

const LatentTones* TonesOf(const TensorPlace& place) {
  const bool known = place.architecture != nullptr && place.architecture->tones.has_value();
  return known ? &*place.architecture->tones : nullptr;
}

std::uint64_t RowElements(const Shape& shape) {
  std::uint64_t count = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) count *= shape[i];
  return count;
}

}  // namespace

StepLowering::OperandValues StepLowering::ValuesOf(NodeId id,
                                                   std::span<const TensorOperand> operands,
                                                   const Shape& widest) {
  const Operator& op = *tape_->NodeOf(id).op;
  const bool spares = op.falls_back || op.companions != nullptr;
  OperandValues in;
  std::uint64_t narrowest = widest.size() > 1 ? widest[1] : 0;
  for (const auto& [operand, result] : operands) {
    const Node& node = tape_->NodeOf(operand);
    if (node.leaf()) {
      if (spares && operand != operands.front().node) {
        tape_->account.spared.try_emplace(*node.model, id);
      } else {
        tape_->account.considered.insert(*node.model);
      }
    }
    in.values.push_back(result.value);
    if (!result.present) continue;
    if (result.shape == widest && !in.wide) in.wide = result.value;
    if (result.shape.size() > 1) narrowest = std::min(narrowest, result.shape[1]);
  }
  in.narrows = in.wide && widest.size() > 1 && narrowest < widest[1];
  if (in.narrows) {
    in.row = RowElements(widest);
    in.shared = in.row / widest[1] * narrowest;
  }
  return in;
}

/// The EMA copy that the step's model has of the tensor.
std::optional<Value> StepLowering::EmaOf(const Node& step, const Shape& shape) {
  const Node& model = tape_->NodeOf(step.operands.front());
  if (!model.leaf()) {
    tape_->problems.Add(fmt::format("step '{}': '{}' is a step, and EMA copies are those of a "
                                    "model",
                                    step.name, model.name),
                        tape_->canonical, "Name the model itself.");
    return std::nullopt;
  }
  const std::optional<Register> number = tape_->sources.EmaOf(*model.model);
  if (!number) return std::nullopt;
  const ModelIndex& own = tape_->index.models()[*model.model];
  const Shape& stored = own.Find(*own.EmaOf(tape_->key))->stored->info.shape;
  if (stored == shape) return Value::Of(*number);
  tape_->problems.Add(fmt::format("step '{}': '{}' is {} and its EMA copy {}", step.name,
                                  tape_->canonical, ToString(shape), ToString(stored)));
  return std::nullopt;
}

/// What holds at the place of the parameters, weights and numbers of entries, in this order;
/// nothing where one has a problem.
std::optional<std::vector<double>> StepLowering::NumbersOf(const Node& step) {
  std::vector<double> numbers;
  bool known = true;
  ForEachWeights(step, [&](const Weights& weights, std::string_view name) {
    const auto number =
        known ? WeightAt(tape_->place, step, weights, name, tape_->canonical, tape_->problems)
              : std::nullopt;
    known = number.has_value();
    numbers.push_back(number.value_or(0));
  });
  if (!known) return std::nullopt;
  return numbers;
}

/// What the operator makes of values; nothing where it refuses the tensor.
std::optional<Value> StepLowering::LowerOperator(NodeId id, std::span<const TensorOperand> operands,
                                                 std::span<const Value> values,
                                                 std::span<const double> numbers,
                                                 const Shape& shape) {
  const Node& step = tape_->NodeOf(id);
  const Operator& op = *step.op;
  const std::span<const double> entries =
      numbers.subspan(step.parameters.size() + step.weights.size());
  const std::vector<const ParameterSpec*> entry_specs =
      entries.empty() ? std::vector<const ParameterSpec*>() : EntryNumbers(op);
  const std::vector<Companion> companions = companions_->Of(step, operands);
  const Arguments arguments{values.first(step.operands.size()),
                            values.subspan(step.operands.size()),
                            numbers.subspan(step.parameters.size(), step.weights.size()),
                            ParameterValues(op.parameters, numbers.first(step.parameters.size())),
                            EntryValues(entry_specs, entries),
                            shape,
                            tape_->canonical,
                            TonesOf(tape_->place),
                            tape_->key.tensor,
                            companions,
                            companions_->HeadSizeOf(step, operands)};
  if (op.check_tensor != nullptr) {
    if (const std::string problem = op.check_tensor(arguments); !problem.empty()) {
      const std::size_t end = problem.find('\n');
      tape_->problems.Add(
          fmt::format("step '{}': {}: {}", step.name, op.name, problem.substr(0, end)),
          tape_->canonical, end == std::string::npos ? "" : problem.substr(end + 1));
      return std::nullopt;
    }
  }
  Lowering& lowering = tape_->lowering;
  const std::uint32_t number = tape_->index.StepNumber(id);
  lowering.BeginStep(number);
  const std::size_t told = lowering.finding_count();
  const Value after = op.lower(lowering, arguments);
  for (Finding& finding : lowering.FindingsFrom(told)) {
    finding.step = number;
    if (!after.zero()) finding.result = after.reg();
    if (const auto operand = finding.subject.IndexBehind(step.operands.size())) {
      finding.operand = tape_->NodeOf(operands[*operand].node).name;
    }
  }
  tape_->account.computed.insert(id);
  if (op.concerns == nullptr || op.concerns(arguments)) tape_->account.concerned.insert(id);
  return after;
}

/// Says what the step did to its first operand, and has it watched where it computed something.
void StepLowering::WatchResult(NodeId id, std::span<const Value> values, Value after) {
  const Value before = values.front();
  const bool delta = tape_->NodeOf(id).kind == Kind::kDelta;
  // A weight of exactly 1 puts another operand in place of the first, which is then not read.
  if (!delta && after != before && std::ranges::find(values, after) != values.end()) {
    tape_->account.replaced.insert(id);
  } else if (!after.zero() && (delta || after != before)) {
    const Register reference = before.zero() ? after.reg() : before.reg();
    tape_->lowering.AddProbe({.step = tape_->index.StepNumber(id),
                              .before = reference,
                              .after = after.reg(),
                              .against_zero = delta || before.zero()});
  }
}

TensorValue StepLowering::Lower(NodeId id, std::span<const TensorOperand> operands,
                                const Shape& widest) {
  const Node& step = tape_->NodeOf(id);
  Lowering& lowering = tape_->lowering;
  OperandValues in = ValuesOf(id, operands, widest);
  if (step.op->reads_ema) {
    if (const auto copy = EmaOf(step, widest)) in.values.push_back(*copy);
  }
  const std::optional<std::vector<double>> numbers = NumbersOf(step);
  if (!numbers) return {};

  std::vector<Value> seen = in.values;
  if (in.narrows && ClassOf(*step.op) != OperatorClass::kElementwise) {
    // What only some operands have may not enter numbers of the whole tensor.
    for (Value& value : seen) {
      value = lowering.KeepExtra(value, Value::Zero(), in.row, in.shared);
    }
  }
  const std::optional<Value> lowered = LowerOperator(id, operands, seen, *numbers, widest);
  if (!lowered) return {};
  Value after = *lowered;
  const auto same = std::ranges::find(seen, after);
  if (same != seen.end()) after = in.values[static_cast<std::size_t>(same - seen.begin())];
  if (in.narrows && !after.zero()) {
    after = lowering.KeepExtra(after, *in.wide, in.row, in.shared);
  }
  const bool delta = step.kind == Kind::kDelta;
  if (after.zero() && !delta) after = lowering.Constant(0);
  WatchResult(id, in.values, after);
  return {!after.zero() || !delta, after, widest};
}

}  // namespace weightsmith::internal
