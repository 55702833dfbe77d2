#include "merge/plan/task_maker.h"

#include <utility>

namespace weightsmith::internal {

TaskMaker::TaskMaker(const ExpressionIndex& index) : index_(&index) {
  std::uint32_t files = 0;
  for (const ModelIndex& model : index.models()) {
    std::vector<std::uint32_t>& numbers = file_number_.emplace_back();
    for (const Model::Part& part : model.model().parts) {
      numbers.push_back(files);
      files += static_cast<std::uint32_t>(part.checkpoint->files().size());
    }
  }
}

Task TaskMaker::Make(const PlannedTensor& tensor, const TensorEvaluator& evaluator,
                     const Shape& shape, Lowering::Finished&& finished) const {
  Task task{.name = tensor.canonical,
            .component = tensor.first->component->name,
            .shape = shape,
            .elements = ElementCount(shape).value()};
  for (const Register source : finished.sources) AddSource(tensor, evaluator, source, task);
  for (const CompanionSource& companion : evaluator.companions()) {
    const Shape& stored = index_->TensorOf(companion.model, companion.key).stored->info.shape;
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

Task TaskMaker::MakeCopy(const TensorKey& key, const std::string& canonical,
                         std::uint32_t model) const {
  const ModelTensor& stored = index_->TensorOf(model, key);
  const TensorInfo& info = stored.stored->info;
  Task task{.name = canonical,
            .component = stored.component->name,
            .shape = info.shape,
            .elements = info.elements()};
  task.sources.push_back(MakeSource(model, key, info.shape));
  task.tape.sources = task.tape.registers = 1;
  task.products.push_back({.dtype = info.dtype, .copy = 0});
  return task;
}

void TaskMaker::AddSource(const PlannedTensor& tensor, const TensorEvaluator& evaluator,
                          Register number, Task& task) const {
  const TapeSource& source = evaluator.sources()[number];
  if (!source.delta) {
    task.sources.push_back(MakeSource(source.model, evaluator.KeyOf(source), task.shape));
    task.sources.back().ema = source.ema;
    return;
  }
  DeltaSource delta{.model = source.model,
                    .shape = task.shape,
                    .parts = *index_->Adapter(source.model).Find(tensor.key),
                    .weight = {}};
  if (const auto baked = evaluator.baked().find(number); baked != evaluator.baked().end()) {
    delta.strength = baked->second.strength;
    delta.replaces = baked->second.replaces;
  }
  task.deltas.push_back(std::move(delta));
}

Source TaskMaker::MakeSource(std::uint32_t model, const TensorKey& key, const Shape& shape) const {
  const ModelTensor& tensor = index_->TensorOf(model, key);
  const TensorInfo& info = tensor.stored->info;
  const std::uint32_t first_file = file_number_[model][tensor.part];
  Source source{.model = model,
                .part = tensor.part,
                .tensor = tensor.tensor,
                .file = first_file + tensor.stored->file,
                .offset = tensor.stored->offset,
                .info = info,
                .gather = tensor.stored->gather,
                .segments = {}};
  if (source.gather != nullptr) source.file = first_file;
  if (const auto cells = CellsOf(tensor, shape)) {
    const CheckpointTensor& scales = *tensor.scales->tensor;
    const auto stored = index_->models()[model].model().parts[tensor.part].checkpoint->tensors();
    source.scale = StoredScale{.tensor = static_cast<std::uint32_t>(&scales - stored.data()),
                               .file = first_file + scales.file,
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
