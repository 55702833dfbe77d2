#include "merge/plan/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "merge/plan/place_weight.h"

namespace weightsmith::internal {
namespace {

std::vector<NodeId> Operands(const Node& step) {
  std::vector<NodeId> all = step.operands;
  all.insert(all.end(), step.list.begin(), step.list.end());
  return all;
}

const LatentTones* TonesOf(const TensorPlace& place) {
  const bool known = place.architecture != nullptr && place.architecture->tones.has_value();
  return known ? &*place.architecture->tones : nullptr;
}

/// Whether two shapes differ in their second dimension alone.
bool DifferInColumns(const Shape& a, const Shape& b) {
  if (a.size() != b.size() || a.size() < 2) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i != 1 && a[i] != b[i]) return false;
  }
  return true;
}

std::uint64_t RowElements(const Shape& shape) {
  std::uint64_t count = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) count *= shape[i];
  return count;
}

}  // namespace

TensorEvaluator::TensorEvaluator(const ExpressionIndex& index, const TensorKey& key,
                                 const std::string& canonical, const TensorPlace& place,
                                 Problems& problems, std::size_t first_applied)
    : index_(&index),
      key_(&key),
      canonical_(&canonical),
      place_(place),
      problems_(&problems),
      sources_(index, key),
      lowering_(index.expression().policies.precision, static_cast<Register>(sources_.all().size()),
                canonical),
      first_applied_(static_cast<std::uint32_t>(first_applied)) {}

/// The EMA copy that the step's model has of the tensor.
std::optional<Value> TensorEvaluator::EmaOf(NodeId id, const Shape& shape) {
  const std::vector<Node>& nodes = index_->expression().nodes;
  const Node& model = nodes[nodes[id].operands.front()];
  if (!model.leaf()) {
    problems_->Add(fmt::format("step '{}': '{}' is a step, and EMA copies are those of a model",
                               nodes[id].name, model.name),
                   *canonical_, "Name the model itself.");
    return std::nullopt;
  }
  const std::optional<Register> number = sources_.EmaOf(*model.model);
  if (!number) return std::nullopt;
  const ModelIndex& own = index_->models()[*model.model];
  const Shape& stored = own.Find(*own.EmaOf(*key_))->stored->info.shape;
  if (stored == shape) return Value::Of(*number);
  problems_->Add(fmt::format("step '{}': '{}' is {} and its EMA copy {}", nodes[id].name,
                             *canonical_, ToString(shape), ToString(stored)));
  return std::nullopt;
}

const TensorEvaluator::Result& TensorEvaluator::Evaluate(NodeId id) {
  if (const auto known = results_.find(id); known != results_.end()) return known->second;
  const Node& node = index_->expression().nodes[id];
  Result result = node.leaf() ? EvaluateLeaf(node) : EvaluateStep(id);
  return results_.emplace(id, std::move(result)).first->second;
}

TensorEvaluator::Result TensorEvaluator::EvaluateLeaf(const Node& leaf) {
  const std::optional<Register> number = sources_.Of(*leaf.model, std::nullopt);
  if (IsAdapter(leaf)) {
    const AdapterIndex& adapter = index_->Adapter(*leaf.model);
    if (adapter.Find(*key_) == nullptr) return {};
    const Value value = number ? Value::Of(*number) : Value::Zero();
    return {
        .present = true, .value = value, .shape = *adapter.ShapeOf(*key_), .needs_weight = !number};
  }
  if (!number) return {};
  return {true, Value::Of(*number), index_->models()[*leaf.model].Find(*key_)->stored->info.shape};
}

TensorEvaluator::Result TensorEvaluator::Leftmost(const Node& step,
                                                  std::span<const NodeId> operands) {
  for (const NodeId operand : operands) {
    const Node& node = index_->expression().nodes[operand];
    if (node.kind != step.kind) continue;
    const Result& result = Evaluate(operand);
    if (!result.present) continue;
    if (node.leaf()) considered_.insert(*node.model);
    return result;
  }
  return {};
}

/// Whether a step's result is another value than what the leftmost model has.
bool TensorEvaluator::IsComputed(NodeId operand) {
  if (index_->expression().nodes[operand].leaf()) return false;
  const Result& result = Evaluate(operand);
  for (const std::uint32_t model : index_->WeightModels(operand)) {
    const auto source = std::ranges::find(sources(), model, &TapeSource::model);
    if (source == sources().end()) continue;
    return result.value != Value::Of(static_cast<Register>(source - sources().begin()));
  }
  return result.present;
}

/// The VAE is copied, and left out of differences, unless the step says otherwise. A difference
/// without weights by place says nothing: the step that adds it does.
bool TensorEvaluator::TouchesVae(NodeId id) {
  if (index_->NamesVae(id)) return true;
  const Node& step = index_->expression().nodes[id];
  if (step.op->follows) return IsComputed(step.operands.front());
  bool by_place = false;
  ForEachWeights(step, [&](const Weights& weights, std::string_view /*name*/) {
    by_place = by_place || !weights.everywhere().has_value();
  });
  return step.kind == Kind::kDelta && !by_place;
}

/// Whether a step with `where` acts on the tensor. A VAE is meant where it is named.
bool TensorEvaluator::Selects(const Node& step) {
  if (!place_.merged_by_default && !AnyNamesVae(step.where)) return false;
  const Result& kept = Evaluate(step.operands.front());
  if (kept.present) return AnyMatches(step.where, place_, kept.shape);
  for (const NodeId operand : step.operands) {
    for (const std::uint32_t model : index_->WeightModels(operand)) {
      const ModelTensor* const tensor = index_->models()[model].Find(*key_);
      if (tensor == nullptr) continue;
      return AnyMatches(step.where, place_, tensor->stored->info.shape);
    }
  }
  return false;
}

TensorEvaluator::Result TensorEvaluator::EvaluateStep(NodeId id) {
  const std::vector<Node>& nodes = index_->expression().nodes;
  const Node& step = nodes[id];
  const std::vector<NodeId> operands = Operands(step);
  if (!step.op->where.empty()) {
    if (!Selects(step)) return Leftmost(step, std::span(operands).first(1));
    selected_.insert(id);
  } else if (!place_.merged_by_default && !TouchesVae(id)) {
    left_vae_.insert(id);
    return step.kind == Kind::kDelta ? Result{} : Leftmost(step, operands);
  }

  bool any = false;
  bool weight_missing = false;
  bool drop = false;
  for (const NodeId operand : operands) any = Evaluate(operand).present || any;
  if (!any) return {};
  for (const NodeId operand : operands) {
    if (nodes[operand].kind == Kind::kDelta || Evaluate(operand).present) continue;
    weight_missing = true;
    if (step.op->falls_back) continue;
    const bool optional = std::ranges::any_of(sources(), [&](const TapeSource& source) {
      return !source.delta && index_->models()[source.model].Find(*key_)->anatomy->optional;
    });
    if (optional || !index_->HasComponent(operand, place_.component)) continue;
    const MissingPolicy policy = step.policies.missing.Find(place_).value_or(MissingPolicy::kError);
    drop = drop || policy == MissingPolicy::kDrop;
    if (policy == MissingPolicy::kKeep && step.kind == Kind::kWeight) kept_.insert(id);
    if (policy == MissingPolicy::kError) {
      problems_->Add(
          fmt::format("step '{}': tensors that '{}' does not have", step.name, nodes[operand].name),
          *canonical_,
          "Write `policy: {missing: keep}` to take such tensors from the model that has "
          "them, or `drop` to leave them out.");
    }
  }
  if (drop || (weight_missing && step.kind == Kind::kDelta)) return {};
  if (weight_missing) return Leftmost(step, operands);
  shared_.insert(id);

  Shape widest;
  if (!Fits(step, operands, widest)) return {};
  if (step.op->list && step.op->list->adapters) return Bake(id, widest);
  for (const NodeId operand : operands) {
    if (!Evaluate(operand).needs_weight) continue;
    problems_->Add(fmt::format("step '{}': '{}' is no difference by itself: what it does depends "
                               "on the weights",
                               step.name, nodes[operand].name),
                   *canonical_, "Bake it: {op: bake, model: …, adapters: […]}.");
    return {};
  }
  for (const NodeId operand : operands) {
    if (!IsAdapter(nodes[operand]) || !Evaluate(operand).present) continue;
    if (widest.empty()) widest = Evaluate(operand).shape;
    CheckParts(step, *nodes[operand].model, widest);
  }
  return Lower(id, operands, widest);
}

bool TensorEvaluator::IsAdapter(const Node& node) const {
  return node.leaf() && index_->expression().models[*node.model].adapter != nullptr;
}

bool TensorEvaluator::AddQuantised(std::initializer_list<NodeId> operands) {
  for (const NodeId operand : operands) {
    const Node& node = index_->expression().nodes[operand];
    if (!node.leaf() || IsAdapter(node)) continue;
    const ModelIndex& model = index_->models()[*node.model];
    const Anatomy& anatomy = model.anatomy();
    if (anatomy.quantization.empty()) continue;
    const StoredWeight* const weight = model.StoredWeightOf(*key_);
    problems_->AddQuantised(node.name, anatomy.quantization.front(),
                            weight != nullptr ? InWords(*weight) : *canonical_);
    return true;
  }
  return false;
}

bool TensorEvaluator::Fits(const Node& step, std::span<const NodeId> operands, Shape& widest) {
  const std::vector<Node>& nodes = index_->expression().nodes;
  std::optional<NodeId> widest_operand;
  for (const NodeId operand : operands) {
    const Result& result = Evaluate(operand);
    if (!result.present || IsAdapter(nodes[operand])) continue;
    if (!widest_operand) {
      widest = result.shape;
      widest_operand = operand;
    }
    if (result.shape == widest) continue;
    const bool columns = DifferInColumns(result.shape, widest) && index_->IsInput(*key_);
    if (columns && step.policies.input_channels == InputChannelsPolicy::kKeepExtra) {
      if (result.shape[1] > widest[1]) {
        widest = result.shape;
        widest_operand = operand;
      }
      continue;
    }
    if (AddQuantised({*widest_operand, operand})) return false;
    problems_->AddSentence(
        fmt::format("step '{}': '{}' is {} in '{}' and {} in '{}'", step.name, *canonical_,
                    ToString(widest), nodes[*widest_operand].name, ToString(result.shape),
                    nodes[operand].name) +
            (columns ? " (write `policy: {input_channels: keep_extra}` to blend the columns that "
                       "they share and keep the others)"
                     : ""),
        columns ? "" : "Tensors of one name have one shape: check that the right files are named.");
    return false;
  }
  return true;
}

TensorEvaluator::OperandValues TensorEvaluator::ValuesOf(NodeId id,
                                                         std::span<const NodeId> operands,
                                                         const Shape& widest) {
  const std::vector<Node>& nodes = index_->expression().nodes;
  const Operator& op = *nodes[id].op;
  const bool spares = op.falls_back || op.companions != nullptr;
  OperandValues in;
  std::uint64_t narrowest = widest.size() > 1 ? widest[1] : 0;
  for (const NodeId operand : operands) {
    if (nodes[operand].leaf()) {
      const std::uint32_t model = *nodes[operand].model;
      if (spares && operand != operands.front()) {
        spared_.try_emplace(model, id);
      } else {
        considered_.insert(model);
      }
    }
    const Result& result = Evaluate(operand);
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

/// What holds at the place of the parameters, weights and numbers of entries, in this order;
/// nothing where one has a problem.
std::optional<std::vector<double>> TensorEvaluator::NumbersOf(const Node& step) {
  std::vector<double> numbers;
  bool known = true;
  ForEachWeights(step, [&](const Weights& weights, std::string_view name) {
    const auto number =
        known ? WeightAt(place_, step, weights, name, *canonical_, *problems_) : std::nullopt;
    known = number.has_value();
    numbers.push_back(number.value_or(0));
  });
  if (!known) return std::nullopt;
  return numbers;
}

/// What the operator makes of values; nothing where it refuses the tensor.
std::optional<Value> TensorEvaluator::LowerOperator(NodeId id, std::span<const NodeId> operands,
                                                    std::span<const Value> values,
                                                    std::span<const double> numbers,
                                                    const Shape& shape) {
  const Node& step = index_->expression().nodes[id];
  const Operator& op = *step.op;
  const std::span<const double> entries =
      numbers.subspan(step.parameters.size() + step.weights.size());
  const std::vector<const ParameterSpec*> entry_specs =
      entries.empty() ? std::vector<const ParameterSpec*>() : EntryNumbers(op);
  const std::vector<Companion> companions = CompanionsOf(step, operands);
  const Arguments arguments{values.first(step.operands.size()),
                            values.subspan(step.operands.size()),
                            numbers.subspan(step.parameters.size(), step.weights.size()),
                            ParameterValues(op.parameters, numbers.first(step.parameters.size())),
                            EntryValues(entry_specs, entries),
                            shape,
                            *canonical_,
                            TonesOf(place_),
                            key_->tensor,
                            companions,
                            HeadSizeOf(step, operands)};
  if (op.check_tensor != nullptr) {
    if (const std::string problem = op.check_tensor(arguments); !problem.empty()) {
      const std::size_t end = problem.find('\n');
      problems_->Add(fmt::format("step '{}': {}: {}", step.name, op.name, problem.substr(0, end)),
                     *canonical_, end == std::string::npos ? "" : problem.substr(end + 1));
      return std::nullopt;
    }
  }
  lowering_.BeginStep(index_->StepNumber(id));
  const std::size_t told = lowering_.finding_count();
  const Value after = op.lower(lowering_, arguments);
  for (Finding& finding : lowering_.FindingsFrom(told)) {
    finding.step = index_->StepNumber(id);
    if (!after.zero()) finding.result = after.reg();
    if (const auto operand = finding.subject.IndexBehind(step.operands.size())) {
      finding.operand = index_->expression().nodes[operands[*operand]].name;
    }
  }
  computed_.insert(id);
  if (op.concerns == nullptr || op.concerns(arguments)) concerned_.insert(id);
  return after;
}

/// Says what the step did to its first operand, and has it watched where it computed something.
void TensorEvaluator::WatchResult(NodeId id, std::span<const Value> values, Value after) {
  const Value before = values.front();
  const bool delta = index_->expression().nodes[id].kind == Kind::kDelta;
  // A weight of exactly 1 puts another operand in place of the first, which is then not read.
  if (!delta && after != before && std::ranges::find(values, after) != values.end()) {
    replaced_.insert(id);
  } else if (!after.zero() && (delta || after != before)) {
    const Register reference = before.zero() ? after.reg() : before.reg();
    lowering_.AddProbe({.step = index_->StepNumber(id),
                        .before = reference,
                        .after = after.reg(),
                        .against_zero = delta || before.zero()});
  }
}

TensorEvaluator::Result TensorEvaluator::Lower(NodeId id, std::span<const NodeId> operands,
                                               const Shape& widest) {
  const Node& step = index_->expression().nodes[id];
  OperandValues in = ValuesOf(id, operands, widest);
  if (step.op->reads_ema) {
    if (const auto copy = EmaOf(id, widest)) in.values.push_back(*copy);
  }
  const std::optional<std::vector<double>> numbers = NumbersOf(step);
  if (!numbers) return {};

  std::vector<Value> seen = in.values;
  if (in.narrows && ClassOf(*step.op) != OperatorClass::kElementwise) {
    // What only some operands have may not enter numbers of the whole tensor.
    for (Value& value : seen) {
      value = lowering_.KeepExtra(value, Value::Zero(), in.row, in.shared);
    }
  }
  const std::optional<Value> lowered = LowerOperator(id, operands, seen, *numbers, widest);
  if (!lowered) return {};
  Value after = *lowered;
  const auto same = std::ranges::find(seen, after);
  if (same != seen.end()) after = in.values[static_cast<std::size_t>(same - seen.begin())];
  if (in.narrows && !after.zero()) {
    after = lowering_.KeepExtra(after, *in.wide, in.row, in.shared);
  }
  const bool delta = step.kind == Kind::kDelta;
  if (after.zero() && !delta) after = lowering_.Constant(0);
  WatchResult(id, in.values, after);
  return {!after.zero() || !delta, after, widest};
}

}  // namespace weightsmith::internal
