#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "merge/plan/planner.h"
#include "merge/plan/scaled.h"

namespace weightsmith {

void Planner::PlanTensor(const TensorKey& key, const PlannedTensor& tensor) {
  // The scale of a weight is planned with it.
  const auto is_scale = [&](const ModelIndex& model) { return IsScaleKey(model, key); };
  if (std::ranges::any_of(index_.models(), is_scale)) return;
  const auto is_stored = [&](const ModelIndex& model) { return NotDecoded(model, key) != nullptr; };
  if (std::ranges::any_of(index_.models(), is_stored)) return PlanStored(key, tensor);
  std::vector<std::uint32_t> all(plan_.outputs.size());
  std::iota(all.begin(), all.end(), 0);
  PlanPlain(key, tensor, all);
}

void Planner::PlanPlain(const TensorKey& key, const PlannedTensor& tensor,
                        std::span<const std::uint32_t> outputs) {
  const TensorInfo& info = tensor.first->stored->info;
  const bool floating = Info(info.dtype).kind == DTypeKind::kFloat;
  if (tensor.first->anatomy->role == Role::kWeight && floating) {
    PlanComputed(key, tensor, outputs);
    return;
  }
  CountIntegers(key, tensor);
  PlanCopies(key, tensor, outputs);
}

void Planner::PlanCopies(const TensorKey& key, const PlannedTensor& tensor,
                         std::span<const std::uint32_t> outputs) {
  for (const std::uint32_t o : outputs) {
    const std::optional<Origin> origin = OriginOf(plan_.outputs[o].spec, key);
    if (!origin) continue;
    const std::uint32_t model = origin->models.front();
    const ModelTensor& stored = Of(model, key);
    // How a model predicts is said by the leftmost one alone.
    const std::uint32_t leftmost = index_.WeightModels(origin->node).front();
    if (stored.anatomy->role == Role::kMarker && model != leftmost) continue;
    if (IsScaledMark(key) && (model != leftmost || !KeepsScaled(o, model))) {
      continue;
    }
    considered_.insert(model);
    const TensorInfo& info = stored.stored->info;
    Task task{
        tensor.canonical, stored.component->name, info.shape, info.elements(), {}, {}, {}, {}};
    task.sources.push_back(MakeSource(model, key, info.shape));
    task.tape.sources = task.tape.registers = 1;
    task.products.push_back({0, 0, info.dtype, 0, true});
    const auto number = static_cast<std::uint32_t>(plan_.tasks.size());
    plan_.tasks.push_back(std::move(task));
    AddOutputTensor(o, *origin, key, tensor, info.dtype, info.shape, number, 0);
  }
}

void Planner::PlanComputed(const TensorKey& key, const PlannedTensor& tensor,
                           std::span<const std::uint32_t> among) {
  const TensorPlace place = places_.Of(*tensor.first, tensor.canonical);
  std::vector<std::uint32_t> outputs;
  std::vector<Origin> origins;
  for (const std::uint32_t o : among) {
    std::optional<Origin> origin = OriginOf(plan_.outputs[o].spec, key);
    if (!origin) continue;
    outputs.push_back(o);
    origins.push_back(std::move(*origin));
  }
  // Outputs share a task, and so one reading of the inputs, unless their shapes differ.
  TensorEvaluator together(index_, key, tensor.canonical, place, problems_, plan_.applied.size());
  std::set<Shape> shapes;
  for (const Origin& origin : origins) {
    const TensorEvaluator::Result& result = together.Evaluate(origin.node);
    if (result.present) shapes.insert(result.shape);
  }
  if (shapes.size() <= 1) return AddTask(key, tensor, together, outputs, origins);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    TensorEvaluator alone(index_, key, tensor.canonical, place, problems_, plan_.applied.size());
    AddTask(key, tensor, alone, std::span(&outputs[i], 1), {origins[i]});
  }
}

void Planner::Remember(const TensorEvaluator& evaluator) {
  considered_.insert(evaluator.considered().begin(), evaluator.considered().end());
  computed_.insert(evaluator.computed().begin(), evaluator.computed().end());
  replaced_.insert(evaluator.replaced().begin(), evaluator.replaced().end());
  shared_.insert(evaluator.shared().begin(), evaluator.shared().end());
  muted_.insert(evaluator.muted().begin(), evaluator.muted().end());
  for (const NodeId step : evaluator.kept()) ++plan_.steps[index_.StepNumber(step)].missing;
}

/// A weight in integers that says nothing of a scale: steps that have it in every operand should
/// have changed it.
void Planner::CountIntegers(const TensorKey& key, const PlannedTensor& tensor) {
  const TensorInfo& info = tensor.first->stored->info;
  const Role role = tensor.first->anatomy->role;
  const bool weight = role == Role::kBuffer || role == Role::kQuantization;
  if (!weight || !key.ends_with("weight") || info.shape.size() < 2) return;
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
                      std::span<const std::uint32_t> outputs, const std::vector<Origin>& origins) {
  std::vector<Value> values;
  std::vector<std::size_t> kept;
  Shape shape;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorEvaluator::Result& result = evaluator.Evaluate(origins[i].node);
    if (!result.present) continue;
    shape = result.shape;
    values.push_back(result.value);
    kept.push_back(i);
    const Node& node = index_.expression().nodes[origins[i].node];
    if (node.leaf()) considered_.insert(*node.model);
  }
  Remember(evaluator);
  if (kept.empty()) return;

  // What adapters read of the tensor is needed beside the results.
  for (const auto& [source, baked] : evaluator.baked()) {
    if (baked.weight) values.push_back(*baked.weight);
  }
  Lowering::Finished finished = evaluator.TakeLowering().Finish(values);
  Task task{tensor.canonical,
            tensor.first->component->name,
            shape,
            ElementCount(shape).value(),
            {},
            {},
            std::move(finished.tape),
            {}};
  for (const Register source : finished.sources) AddSource(key, evaluator, source, task);
  for (DeltaSource& delta : task.deltas) {
    if (!delta.weight) continue;
    for (Register& source : delta.weight->sources) {
      source = static_cast<Register>(std::ranges::find(finished.sources, source) -
                                     finished.sources.begin());
    }
  }
  const auto number = static_cast<std::uint32_t>(plan_.tasks.size());
  for (std::size_t k = 0; k < kept.size(); ++k) {
    const std::uint32_t output = outputs[kept[k]];
    const Origin& origin = origins[kept[k]];
    const ModelTensor& leading = Of(origin.models.front(), key);
    const DType dtype = OutputDType(plan_.outputs[output].spec,
                                    places_.Of(*tensor.first, tensor.canonical), leading);
    const Register value = finished.results[k].reg();
    const bool copy = value < task.sources.size() && task.sources[value].info.dtype == dtype;
    AddOutputTensor(output, origin, key, tensor, dtype, shape, number,
                    static_cast<std::uint32_t>(task.products.size()));
    task.products.push_back({0, 0, dtype, value, copy});
    const Rounding& rounding = plan_.outputs[output].spec.rounding;
    if (rounding.stochastic) task.products.back().noise = NoiseKey(rounding, tensor.canonical);
    const auto scale = ScaleKeyOf(index_.models()[origin.models.front()], key);
    if (scale && !copy && dtype == leading.stored->info.dtype) {
      task.products.back().scales = Of(origin.models.front(), *scale).stored->info.elements();
    }
  }
  plan_.applied.insert(plan_.applied.end(), evaluator.applied().begin(), evaluator.applied().end());
  if (Refused(task)) return;
  plan_.tasks.push_back(std::move(task));
  for (std::size_t k = 0; k < kept.size(); ++k) {
    PlanScale(key, outputs[kept[k]], origins[kept[k]], number, static_cast<std::uint32_t>(k));
  }
}

/// Whether any weight of the model stays as it is stored, scaled.
bool Planner::KeepsScaled(std::uint32_t output, std::uint32_t model) {
  const auto [known, added] = keeps_scaled_.try_emplace(std::pair(output, model));
  if (!added) return known->second;
  const OutputSpec& spec = plan_.outputs[output].spec;
  return known->second = std::ranges::any_of(tensors_, [&](const auto& item) {
           const auto& [key, tensor] = item;
           if (NotDecoded(index_.models()[model], key) != nullptr) return true;
           if (!ScaleKeyOf(index_.models()[model], key)) return false;
           const ModelTensor& own = Of(model, key);
           return OutputDType(spec, places_.Of(own, tensor.canonical), own) ==
                  own.stored->info.dtype;
         });
}

/// The scale of a task's product: that of the source where it is a copy, computed where it is not.
void Planner::PlanScale(const TensorKey& key, std::uint32_t output, const Origin& origin,
                        std::uint32_t number, std::uint32_t product) {
  const std::uint32_t leading = origin.models.front();
  const Product& made = plan_.tasks[number].products[product];
  const std::uint32_t model = made.copy ? plan_.tasks[number].sources[made.value].model : leading;
  const auto scale = ScaleKeyOf(index_.models()[model], key);
  if (!scale || (!made.copy && made.scales == 0)) return;
  const ModelTensor& stored = Of(model, *scale);
  const TensorInfo& info = stored.stored->info;
  Task task{stored.anatomy->canonical,
            stored.component->name,
            info.shape,
            info.elements(),
            {},
            {},
            {},
            {}};
  if (made.copy) {
    task.sources.push_back(MakeSource(model, *scale, info.shape));
    task.tape.sources = task.tape.registers = 1;
    task.products.push_back({0, 0, info.dtype, 0, true});
  } else {
    task.products.push_back({0, 0, info.dtype, static_cast<Register>(product), false});
    task.scale_of = std::make_shared<const Task>(plan_.tasks[number]);
  }
  const PlannedTensor planned{task.name, &stored};
  const Origin from{origin.node, {model}};
  const auto scale_task = static_cast<std::uint32_t>(plan_.tasks.size());
  plan_.tasks.push_back(std::move(task));
  AddOutputTensor(output, from, *scale, planned, info.dtype, info.shape, scale_task, 0);
}

void Planner::AddSource(const TensorKey& key, const TensorEvaluator& evaluator, Register number,
                        Task& task) const {
  const TensorEvaluator::TapeSource& source = evaluator.sources()[number];
  if (!source.delta) {
    task.sources.push_back(MakeSource(source.model, key, task.shape));
    return;
  }
  DeltaSource delta{source.model, task.shape, *index_.Adapter(source.model).Find(key), 1,
                    false,        {}};
  if (const auto baked = evaluator.baked().find(number); baked != evaluator.baked().end()) {
    delta.strength = baked->second.strength;
    delta.replaces = baked->second.replaces;
    delta.weight = baked->second.tape;
  }
  task.deltas.push_back(std::move(delta));
}

bool Planner::Refused(const Task& task) {
  if (std::ranges::all_of(task.products, &Product::copy)) return false;
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
  Source source{model,
                tensor.part,
                tensor.tensor,
                file_number_[model][tensor.part] + tensor.stored->file,
                tensor.stored->offset,
                info,
                tensor.stored->gather,
                {}};
  if (source.gather != nullptr) source.file = file_number_[model][tensor.part];
  if (const auto key_of_scale = ScaleKeyOf(index_.models()[model], key)) {
    const ModelTensor& scale = Of(model, *key_of_scale);
    source.scale = StoredScale{file_number_[model][scale.part] + scale.stored->file,
                               scale.stored->offset, scale.stored->info};
  }
  if (info.shape == shape) return source;
  // Fewer input channels than the result: the columns that are not there read as zeros.
  const std::uint64_t rows = shape[0];
  const std::uint64_t wide = ElementCount(shape).value() / rows;
  const std::uint64_t narrow = info.elements() / rows;
  for (std::uint64_t row = 0; row < rows; ++row) {
    source.segments.push_back({row * wide, narrow, row * narrow, false});
    source.segments.push_back({row * wide + narrow, wide - narrow, 0, true});
  }
  return source;
}

/// Whether all that the output has is of one component.
bool Planner::IsOneComponent(const OutputSpec& spec) const {
  std::set<std::string_view> components;
  for (const std::uint32_t model : index_.WeightModels(spec.root)) {
    for (const std::string& name : index_.models()[model].components()) components.insert(name);
  }
  for (const auto& [name, node] : spec.components) components.insert(name);
  components.erase("other");
  return components.size() <= 1;
}

void Planner::AddOutputTensor(std::uint32_t output, const Origin& origin, const TensorKey& key,
                              const PlannedTensor& tensor, DType dtype, const Shape& shape,
                              std::uint32_t task, std::uint32_t product) {
  const OutputSpec& spec = plan_.outputs[output].spec;
  const std::uint32_t leftmost = index_.WeightModels(spec.root).front();
  const ModelTensor& stored = Of(origin.models.front(), key);
  const Anatomy& anatomy = index_.models()[leftmost].anatomy();
  const bool bare = anatomy.architecture != nullptr
                        ? anatomy.layout == anatomy.architecture->bare_layout
                        : anatomy.part != nullptr;
  std::string name = OutputName(stored, origin.models.front() == leftmost, bare,
                                one_component_[output], tensor.canonical);
  output_tensors_[output].push_back({std::move(name), tensor.canonical, stored.anatomy->local,
                                     stored.component->name, TensorInfo{dtype, shape}, task,
                                     product});
}

}  // namespace weightsmith
