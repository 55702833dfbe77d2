#include "merge/plan/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

std::vector<NodeId> Operands(const Node& step) {
  std::vector<NodeId> all = step.operands;
  all.insert(all.end(), step.list.begin(), step.list.end());
  return all;
}

bool DependsOnStep(const std::vector<AdapterPart>& parts) {
  return std::ranges::any_of(parts, [](const AdapterPart& part) {
    return ReadsWeight(*part.module, part.target) || Replaces(*part.module, part.target) ||
           !IsLinear(*part.module, part.target);
  });
}

/// The adapters that the step bakes, in the order of the models.
std::set<std::uint32_t> BakedIn(const Expression& expression, const Node& step) {
  std::set<std::uint32_t> adapters;
  if (!step.op->list || !step.op->list->adapters) return adapters;
  for (const NodeId entry : step.list) {
    if (const auto& model = expression.nodes[entry].model) adapters.insert(*model);
  }
  return adapters;
}

/// Models with the tensor, then adapters that change it: once each, or once for each step that they
/// depend on.
std::vector<TensorEvaluator::TapeSource> SourcesOf(const ExpressionIndex& index,
                                                   const TensorKey& key) {
  std::vector<TensorEvaluator::TapeSource> sources;
  for (std::uint32_t m = 0; m < index.models().size(); ++m) {
    if (index.Reaches(m) && index.models()[m].Find(key) != nullptr)
      sources.push_back({m, false, {}});
  }
  for (const std::uint32_t model : index.EmaModels()) {
    const ModelIndex& own = index.models()[model];
    if (own.Find(key) != nullptr && own.EmaOf(key)) sources.push_back({model, false, {}, true});
  }
  std::set<std::uint32_t> dependent;
  for (const auto& [model, adapter] : index.adapters()) {
    const std::vector<AdapterPart>* parts = adapter.Find(key);
    if (parts == nullptr) continue;
    if (DependsOnStep(*parts)) {
      dependent.insert(model);
    } else {
      sources.push_back({model, true, {}});
    }
  }
  if (dependent.empty()) return sources;
  for (const NodeId step : index.steps()) {
    for (const std::uint32_t model : BakedIn(index.expression(), index.expression().nodes[step])) {
      if (dependent.contains(model)) sources.push_back({model, true, step});
    }
  }
  return sources;
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

/// "clip_l", "unet time", "IN04": what a message calls the place of a tensor.
std::string BlockName(const TensorPlace& place) {
  if (place.kind != ComponentKind::kBackbone || place.block.family.empty()) {
    return std::string(place.component);
  }
  const std::string_view letters = CommunityLetters(place.block.family);
  const std::uint32_t index = place.block.index.value_or(0);
  if (!letters.empty()) return fmt::format("{}{:02}", letters, index);
  return place.block.index ? fmt::format("{}.{}.{}", place.component, place.block.family, index)
                           : fmt::format("{}.{}", place.component, place.block.family);
}

}  // namespace

/// "sdxl takes 20, 21 or 26".
std::string LengthsInWords(const CommunityList& list, const Architecture* architecture) {
  const std::string_view id = architecture == nullptr ? "unknown" : architecture->id;
  const std::vector<std::size_t> lengths = list.LengthsFor(architecture);
  if (lengths.empty()) return fmt::format("{} has no known order of blocks", id);
  return fmt::format("{} takes {}", id, fmt::join(lengths, ", "));
}

TensorEvaluator::TensorEvaluator(const ExpressionIndex& index, const TensorKey& key,
                                 const std::string& canonical, const TensorPlace& place,
                                 Problems& problems, std::size_t first_applied)
    : index_(&index),
      key_(&key),
      canonical_(&canonical),
      place_(place),
      problems_(&problems),
      sources_(SourcesOf(index, key)),
      lowering_(index.expression().policies.precision, static_cast<Register>(sources_.size()),
                canonical),
      first_applied_(static_cast<std::uint32_t>(first_applied)) {
  if (sources_.size() > std::numeric_limits<Register>::max()) {
    throw Error(
        ErrorCode::kResources,
        fmt::format("{} inputs of one tensor are more than the {} that can be merged at once",
                    sources_.size(), std::numeric_limits<Register>::max()),
        "Split the recipe: write an intermediate result and merge that.");
  }
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto number = static_cast<Register>(i);
    if (sources_[i].ema) {
      ema_[sources_[i].model] = number;
    } else {
      numbers_.try_emplace({sources_[i].model, sources_[i].baked}, number);
    }
  }
}

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
  const auto found = ema_.find(*model.model);
  if (found == ema_.end()) return std::nullopt;
  const ModelIndex& own = index_->models()[*model.model];
  const Shape& stored = own.Find(*own.EmaOf(*key_))->stored->info.shape;
  if (stored == shape) return Value::Of(found->second);
  problems_->Add(fmt::format("step '{}': '{}' is {} and its EMA copy {}", nodes[id].name,
                             *canonical_, ToString(shape), ToString(stored)));
  return std::nullopt;
}

/// The source that a model is, or that an adapter is in a step that it depends on.
std::optional<Register> TensorEvaluator::SourceOf(std::uint32_t model,
                                                  std::optional<NodeId> step) const {
  const auto found = numbers_.find({model, step});
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

const TensorEvaluator::Result& TensorEvaluator::Evaluate(NodeId id) {
  if (const auto known = results_.find(id); known != results_.end()) return known->second;
  const Node& node = index_->expression().nodes[id];
  Result result = node.leaf() ? EvaluateLeaf(node) : EvaluateStep(id);
  return results_.emplace(id, std::move(result)).first->second;
}

TensorEvaluator::Result TensorEvaluator::EvaluateLeaf(const Node& leaf) {
  const std::optional<Register> number = SourceOf(*leaf.model, std::nullopt);
  if (IsAdapter(leaf)) {
    const AdapterIndex& adapter = index_->Adapter(*leaf.model);
    if (adapter.Find(*key_) == nullptr) return {};
    const Value value = number ? Value::Of(*number) : Value::Zero();
    return {true, value, *adapter.ShapeOf(*key_), !number};
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
    const auto source = std::ranges::find(sources_, model, &TapeSource::model);
    if (source == sources_.end()) continue;
    return result.value != Value::Of(static_cast<Register>(source - sources_.begin()));
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
    const bool optional = std::ranges::any_of(sources_, [&](const TapeSource& source) {
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

std::optional<double> TensorEvaluator::Weight(const Node& step, const Weights& weights,
                                              std::string_view name) {
  if (weights.list() && weights.list()->ListOf(place_.architecture) == nullptr &&
      !weights.list()->resample) {
    problems_->Add(fmt::format("step '{}': {} is a list of {} numbers, and {}", step.name, name,
                               weights.list()->numbers.size(),
                               LengthsInWords(*weights.list(), place_.architecture)),
                   *canonical_,
                   "Write a curve ({curve: […]}), which fits every depth, or rows of blocks.");
    return std::nullopt;
  }
  if (weights.list() && !weights.list()->adapter && step.policies.blocks == BlocksPolicy::kClean) {
    problems_->Add(
        fmt::format("step '{}': {} is a list, which follows SuperMerger's map of keys, "
                    "and `policy: {{blocks: clean}}` does not",
                    step.name, name));
    return std::nullopt;
  }
  TensorPlace place = place_;
  if (!weights.rows().empty() && step.policies.blocks == BlocksPolicy::kSuperMerger) {
    const auto folded = AsSuperMerger(place);
    if (!folded) return 0;
    place = *folded;
  }
  std::optional<PlaceConflict> conflict;
  const std::optional<double> weight = weights.Find(place, &conflict);
  if (conflict) {
    problems_->Add(fmt::format("step '{}': {}: rows '{}' and '{}' give different numbers to",
                               step.name, name, conflict->first, conflict->second),
                   *canonical_);
  }
  if (!weight) {
    problems_->AddBlock(fmt::format("step '{}': no row of '{}' matches", step.name, name),
                        BlockName(place_), "Add a row for all other places, such as default: 0.");
  }
  return weight;
}

TensorEvaluator::Result TensorEvaluator::Lower(NodeId id, std::span<const NodeId> operands,
                                               const Shape& widest) {
  const std::vector<Node>& nodes = index_->expression().nodes;
  const Node& step = nodes[id];
  std::vector<Value> values;
  std::uint64_t narrow = widest.size() > 1 ? widest[1] : 0;
  std::optional<Value> wide;
  for (const NodeId operand : operands) {
    if (nodes[operand].leaf()) considered_.insert(*nodes[operand].model);
    const Result& result = Evaluate(operand);
    values.push_back(result.value);
    if (!result.present) continue;
    if (result.shape == widest && !wide) wide = result.value;
    if (result.shape.size() > 1) narrow = std::min(narrow, result.shape[1]);
  }

  if (step.op->reads_ema) {
    if (const auto copy = EmaOf(id, widest)) values.push_back(*copy);
  }

  std::vector<double> numbers;
  bool known = true;
  ForEachWeights(step, [&](const Weights& weights, std::string_view name) {
    const auto number = known ? Weight(step, weights, name) : std::nullopt;
    known = number.has_value();
    numbers.push_back(number.value_or(0));
  });
  if (!known) return {};
  const std::span<const double> parameters = std::span(numbers).first(step.parameters.size());
  const std::span<const double> weights =
      std::span(numbers).subspan(step.parameters.size(), step.weights.size());
  const std::span<const double> entries =
      std::span(numbers).subspan(step.parameters.size() + step.weights.size());
  const std::vector<const ParameterSpec*> entry_specs =
      entries.empty() ? std::vector<const ParameterSpec*>() : EntryNumbers(*step.op);

  const bool narrows = wide && widest.size() > 1 && narrow < widest[1];
  std::vector<Value> seen = values;
  if (narrows && ClassOf(*step.op) != OperatorClass::kElementwise) {
    // What only some operands have may not enter numbers of the whole tensor.
    const std::uint64_t row = RowElements(widest);
    for (Value& value : seen) {
      value = lowering_.KeepExtra(value, Value::Zero(), row, row / widest[1] * narrow);
    }
  }
  const std::span<const Value> all = seen;
  const std::vector<Companion> companions = CompanionsOf(step, operands);
  const Arguments arguments{all.first(step.operands.size()),
                            all.subspan(step.operands.size()),
                            weights,
                            ParameterValues(step.op->parameters, parameters),
                            EntryValues(entry_specs, entries),
                            widest,
                            *canonical_,
                            TonesOf(place_),
                            key_->tensor,
                            companions};
  if (step.op->check_tensor != nullptr) {
    if (const std::string problem = step.op->check_tensor(arguments); !problem.empty()) {
      const std::size_t end = problem.find('\n');
      problems_->Add(
          fmt::format("step '{}': {}: {}", step.name, step.op->name, problem.substr(0, end)),
          *canonical_, end == std::string::npos ? "" : problem.substr(end + 1));
      return {};
    }
  }
  lowering_.BeginStep(index_->StepNumber(id));
  const std::size_t told = lowering_.finding_count();
  Value after = step.op->lower(lowering_, arguments);
  for (Finding& finding : lowering_.FindingsFrom(told)) {
    finding.step = index_->StepNumber(id);
    if (!after.zero()) finding.result = after.reg();
    if (const auto operand = finding.subject.IndexBehind(step.operands.size())) {
      finding.operand = nodes[operands[*operand]].name;
    }
  }
  computed_.insert(id);
  const auto same = std::ranges::find(seen, after);
  if (same != seen.end()) after = values[static_cast<std::size_t>(same - seen.begin())];
  if (narrows && !after.zero()) {
    const std::uint64_t row = RowElements(widest);
    after = lowering_.KeepExtra(after, *wide, row, row / widest[1] * narrow);
  }

  const Value before = values.front();
  const bool delta = step.kind == Kind::kDelta;
  if (after.zero() && !delta) after = lowering_.Constant(0);
  // A weight of exactly 1 puts another operand in place of the first, which is then not read.
  const bool replaced =
      !delta && after != before && std::ranges::find(values, after) != values.end();
  if (replaced) {
    replaced_.insert(id);
  } else if (!after.zero() && (delta || after != before)) {
    const Register reference = before.zero() ? after.reg() : before.reg();
    lowering_.AddProbe({index_->StepNumber(id), reference, after.reg(), delta || before.zero()});
  }
  return {!after.zero() || !delta, after, widest};
}

}  // namespace weightsmith::internal
