// The tasks of a plan: which tensors are copied or computed, and what each reads.
#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/tensor/encoding.h"
#include "merge/plan/planner.h"

namespace weightsmith::internal {
namespace {

/// The products with the registers and slots that they have in the finished program.
std::vector<Product> Numbered(std::vector<Product> products, std::span<const Value> values,
                              std::span<const Slot> slots) {
  auto value = values.begin();
  auto slot = slots.begin();
  for (Product& product : products) {
    product.value = (value++)->reg();
    if (product.copy) product.copy = product.value;  // a source's register has its number
    if (!product.scale) continue;
    product.scale->unscaled = product.value;
    product.scale->slot = *slot++;
    product.value = (value++)->reg();
  }
  return products;
}

}  // namespace

void Planner::PlanTensor(const TensorKey& key, const PlannedTensor& tensor) {
  // The scale of a weight is planned with it.
  const auto is_scale = [&](const ModelIndex& model) {
    const ModelTensor* const found = model.Find(key);
    return found != nullptr && found->joined;
  };
  if (std::ranges::any_of(index_.models(), is_scale)) return;
  const auto is_stored = [&](const ModelIndex& model) { return model.NotDecoded(key) != nullptr; };
  if (std::ranges::any_of(index_.models(), is_stored)) return PlanStored(key, tensor);
  PlanPlain(key, tensor, WantsOf(key));
}

void Planner::PlanPlain(const TensorKey& key, const PlannedTensor& tensor,
                        std::span<const Want> wants) {
  const TensorInfo& info = tensor.first->stored->info;
  const bool floating = Info(info.dtype).kind == DTypeKind::kFloat;
  if (tensor.first->anatomy->role == Role::kWeight && floating) {
    PlanComputed(key, tensor, wants);
    return;
  }
  CountIntegers(key, tensor);
  PlanCopies(key, tensor, wants);
}

void Planner::PlanCopies(const TensorKey& key, const PlannedTensor& tensor,
                         std::span<const Want> wants) {
  for (const Want& want : wants) {
    const auto& [o, origin] = want;
    const std::vector<std::uint32_t>& copied = index_.CopiedModels(origin.node);
    const auto has = [&](std::uint32_t each) {
      return std::ranges::find(copied, each) != copied.end();
    };
    const auto found = std::ranges::find_if(origin.models, has);
    if (found == origin.models.end()) continue;
    const std::uint32_t model = *found;
    const ModelTensor& stored = Of(model, key);
    // How a model predicts is said by the leftmost one alone.
    const std::uint32_t leftmost = index_.WeightModels(origin.node).front();
    if (stored.anatomy->role == Role::kMarker && model != leftmost) continue;
    if (IsEncodingMark(key.tensor) && (model != leftmost || !KeepsScaled(o, model))) {
      continue;
    }
    considered_.insert(model);
    AddCopy(key, tensor.canonical, model, want);
  }
}

void Planner::PlanComputed(const TensorKey& key, const PlannedTensor& tensor,
                           std::span<const Want> wants) {
  const TensorPlace place = places_.Of(*tensor.first, tensor.canonical);
  // Outputs share a task, and so one reading of the inputs, unless their shapes differ.
  TensorEvaluator together(index_, key, tensor.canonical, place, problems_, plan_.applied.size());
  std::set<Shape> shapes;
  for (const Want& want : wants) {
    const TensorEvaluator::Result& result = together.Evaluate(want.origin.node);
    if (result.present) shapes.insert(result.shape);
  }
  if (shapes.size() <= 1) return AddTask(key, tensor, together, wants);
  for (const Want& want : wants) {
    TensorEvaluator alone(index_, key, tensor.canonical, place, problems_, plan_.applied.size());
    AddTask(key, tensor, alone, std::span(&want, 1));
  }
}

void Planner::Remember(const TensorEvaluator& evaluator) {
  considered_.insert(evaluator.considered().begin(), evaluator.considered().end());
  spared_.insert(evaluator.spared().begin(), evaluator.spared().end());
  computed_.insert(evaluator.computed().begin(), evaluator.computed().end());
  concerned_.insert(evaluator.concerned().begin(), evaluator.concerned().end());
  left_vae_.insert(evaluator.left_vae().begin(), evaluator.left_vae().end());
  replaced_.insert(evaluator.replaced().begin(), evaluator.replaced().end());
  shared_.insert(evaluator.shared().begin(), evaluator.shared().end());
  for (const NodeId step : evaluator.selected()) ++selected_[step];
  muted_.insert(evaluator.muted().begin(), evaluator.muted().end());
  for (const NodeId step : evaluator.kept()) ++plan_.steps[index_.StepNumber(step)].missing;
}

/// A weight in integers that says nothing of a scale: steps that have it in every operand should
/// have changed it.
void Planner::CountIntegers(const TensorKey& key, const PlannedTensor& tensor) {
  const TensorInfo& info = tensor.first->stored->info;
  const Role role = tensor.first->anatomy->role;
  const bool weight = role == Role::kBuffer || role == Role::kQuantization;
  if (!weight || !key.tensor.ends_with("weight") || info.shape.size() < 2) return;
  const auto has = [&](NodeId operand) {
    return std::ranges::any_of(index_.WeightModels(operand), [&](std::uint32_t model) {
      return index_.models()[model].Find(key) != nullptr;
    });
  };
  for (StepPlan& step : plan_.steps) {
    const Node& node = index_.expression().nodes[step.node];
    const bool adapters = node.op->list && node.op->list->adapters;
    const bool several = node.operands.size() + node.list.size() > 1;
    if (adapters || !several || !node.op->expects_effect || node.kind != Kind::kWeight) continue;
    if (!std::ranges::all_of(node.operands, has) || !std::ranges::all_of(node.list, has)) continue;
    ++step.integers;
  }
}

void Planner::AddTask(const TensorKey& key, const PlannedTensor& tensor, TensorEvaluator& evaluator,
                      std::span<const Want> wants) {
  std::vector<Wanted> wanted;
  Shape shape;
  for (const Want& want : wants) {
    const TensorEvaluator::Result& result = evaluator.Evaluate(want.origin.node);
    if (!result.present) continue;
    shape = result.shape;
    wanted.push_back({want, result.value});
    const Node& node = index_.expression().nodes[want.origin.node];
    if (node.leaf()) considered_.insert(*node.model);
  }
  Remember(evaluator);
  if (wanted.empty()) return;

  Lowering lowering = evaluator.TakeLowering();
  Drafted drafted = DraftProducts(key, tensor, evaluator, shape, wanted, lowering);
  const auto surveyed = lowering.surveyed().empty() ? std::nullopt : std::optional(lowering);
  Lowering::Finished finished = std::move(lowering).Finish(drafted.values, drafted.slots);
  drafted.products = Numbered(std::move(drafted.products), finished.results, finished.slots);
  Task task = MakeTask(key, tensor, evaluator, shape, std::move(finished));
  if (surveyed) AddSurveys(key, tensor, evaluator, *surveyed, task);
  task.products = std::move(drafted.products);
  const auto number = static_cast<std::uint32_t>(plan_.tasks.size());
  for (std::size_t p = 0; p < wanted.size(); ++p) {
    AddOutputTensor(wanted[p].want, key, tensor.canonical, task.products[p].dtype, shape, number,
                    static_cast<std::uint32_t>(p));
  }
  plan_.applied.insert(plan_.applied.end(), evaluator.applied().begin(), evaluator.applied().end());
  if (Refused(task)) return;
  plan_.tasks.push_back(std::move(task));
  for (std::size_t p = 0; p < wanted.size(); ++p) {
    PlanScale(key, tensor, wanted[p].want, number, static_cast<std::uint32_t>(p));
  }
}

/// What a finished program is for one tensor, but for its products.
Task Planner::MakeTask(const TensorKey& key, const PlannedTensor& tensor,
                       const TensorEvaluator& evaluator, const Shape& shape,
                       Lowering::Finished&& finished) const {
  Task task{.name = tensor.canonical,
            .component = tensor.first->component->name,
            .shape = shape,
            .elements = ElementCount(shape).value()};
  for (const Register source : finished.sources) AddSource(key, evaluator, source, task);
  for (const TensorEvaluator::CompanionSource& companion : evaluator.companions()) {
    const Shape& stored = Of(companion.model, companion.key).stored->info.shape;
    task.companions.push_back(MakeSource(companion.model, companion.key, stored));
  }
  for (std::size_t d = 0; d < task.deltas.size(); ++d) {
    const Register number = finished.sources[task.sources.size() + d];
    const auto baked = evaluator.baked().find(number);
    if (baked == evaluator.baked().end() || !baked->second.weight) continue;
    task.deltas[d].weight = finished.whole.at(*baked->second.weight);
  }
  task.tape = std::move(finished.tape);
  task.passes = std::move(finished.passes);
  task.kept = std::move(finished.kept);
  task.rows = std::move(finished.rows);
  task.slot_count = finished.slot_count;
  task.kept_count = finished.kept_count;
  task.given = std::move(finished.given);
  task.findings = std::move(finished.findings);
  return task;
}

/// A task that copies what a model has, and the tensor of the output that it is.
void Planner::AddCopy(const TensorKey& key, const std::string& canonical, std::uint32_t model,
                      const Want& want) {
  const ModelTensor& stored = Of(model, key);
  const TensorInfo& info = stored.stored->info;
  Task task{.name = canonical,
            .component = stored.component->name,
            .shape = info.shape,
            .elements = info.elements()};
  task.sources.push_back(MakeSource(model, key, info.shape));
  task.tape.sources = task.tape.registers = 1;
  task.products.push_back({.dtype = info.dtype, .copy = 0});
  const auto number = static_cast<std::uint32_t>(plan_.tasks.size());
  plan_.tasks.push_back(std::move(task));
  const Want taken{want.output, {want.origin.node, {model}, want.origin.layer}};
  AddOutputTensor(taken, key, canonical, info.dtype, info.shape, number, 0);
}

/// What a source is called in its model.
TensorKey Planner::KeyOf(const TapeSource& source, const TensorKey& key) const {
  return source.ema ? *index_.models()[source.model].EmaOf(key) : key;
}

void Planner::AddSource(const TensorKey& key, const TensorEvaluator& evaluator, Register number,
                        Task& task) const {
  const TapeSource& source = evaluator.sources()[number];
  if (!source.delta) {
    task.sources.push_back(MakeSource(source.model, KeyOf(source, key), task.shape));
    task.sources.back().ema = source.ema;
    return;
  }
  DeltaSource delta{.model = source.model,
                    .shape = task.shape,
                    .parts = *index_.Adapter(source.model).Find(key),
                    .weight = {}};
  if (const auto baked = evaluator.baked().find(number); baked != evaluator.baked().end()) {
    delta.strength = baked->second.strength;
    delta.replaces = baked->second.replaces;
  }
  task.deltas.push_back(std::move(delta));
}

bool Planner::Refused(const Task& task) {
  if (std::ranges::all_of(task.products, IsCopy)) return false;
  for (const Source& source : task.sources) {
    const Model& model = plan_.models[source.model];
    const Anatomy& anatomy = model.parts[source.part].anatomy;
    if (!Info(source.info.dtype).has_codec) {
      problems_.Add(fmt::format("'{}': {} can be copied and not computed with", model.name,
                                Info(source.info.dtype).name),
                    task.name);
      return true;
    }
    const bool quantised = !anatomy.quantization.empty() && Info(source.info.dtype).bits <= 8;
    if (quantised && !source.scale) {
      problems_.AddQuantised(model.name, anatomy.quantization.front(), task.name);
      return true;
    }
  }
  return false;
}

Source Planner::MakeSource(std::uint32_t model, const TensorKey& key, const Shape& shape) const {
  const ModelTensor& tensor = Of(model, key);
  const TensorInfo& info = tensor.stored->info;
  Source source{.model = model,
                .part = tensor.part,
                .tensor = tensor.tensor,
                .file = file_number_[model][tensor.part] + tensor.stored->file,
                .offset = tensor.stored->offset,
                .info = info,
                .gather = tensor.stored->gather,
                .segments = {}};
  if (source.gather != nullptr) source.file = file_number_[model][tensor.part];
  if (const auto cells = CellsOf(tensor, shape)) {
    const CheckpointTensor& scales = *tensor.scales->tensor;
    source.scale = StoredScale{.file = file_number_[model][tensor.part] + scales.file,
                               .offset = scales.offset,
                               .info = scales.info,
                               .cells = *cells};
  }
  if (info.shape == shape || ElementCount(shape).value_or(0) == 0) return source;
  // Fewer input channels than the result: the columns that are not there read as zeros.
  const std::uint64_t rows = shape[0];
  const std::uint64_t wide = ElementCount(shape).value() / rows;
  const std::uint64_t narrow = info.elements() / rows;
  for (std::uint64_t row = 0; row < rows; ++row) {
    source.segments.push_back({.first = row * wide, .count = narrow, .stored = row * narrow});
    source.segments.push_back(
        {.first = row * wide + narrow, .count = wide - narrow, .zeros = true});
  }
  return source;
}

}  // namespace weightsmith::internal
