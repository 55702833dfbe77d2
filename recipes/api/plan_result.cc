#include "recipes/api/plan_result.h"

#include <algorithm>

#include "core/base/version.h"
#include "merge/run/disk_needs.h"
#include "merge/run/run_outputs.h"
#include "recipes/api/adapter_results.h"

namespace weightsmith::internal {
namespace {

PlannedPart PartOf(const Model::Part& part) {
  return {.path = part.checkpoint->path(),
          .component = part.component,
          .architecture = part.anatomy.id,
          .variant = part.anatomy.variant,
          .layout = part.anatomy.layout,
          .bytes = part.checkpoint->size(),
          .tensors = part.checkpoint->tensors().size()};
}

PlannedModel ModelOf(const Model& model, const ModelKeys& keys) {
  PlannedModel planned{.name = model.name,
                       .parts = {},
                       .tensors_matched = keys.matched,
                       .tensors_used = keys.used,
                       .tensors_unmatched = keys.unmatched,
                       .tensors_ema = keys.ema,
                       .unmatched_names = keys.unmatched_names,
                       .weight_zero = keys.weight_zero};
  for (const Model::Part& part : model.parts) planned.parts.push_back(PartOf(part));
  return planned;
}

ComponentResult ResultOf(const ComponentCoefficients& component, const Plan& plan) {
  ComponentResult result{.component = component.component,
                         .linear = component.linear,
                         .uniform = component.uniform,
                         .coefficients = {}};
  if (!component.linear || !component.uniform) return result;
  for (std::size_t i = 0; i < component.coefficients.size(); ++i) {
    if (component.coefficients[i] == 0) continue;
    result.coefficients[plan.models[i].name] = component.coefficients[i];
  }
  return result;
}

PlannedOutput OutputOf(const Plan& plan, std::size_t index) {
  const OutputPlan& output = plan.outputs[index];
  PlannedOutput planned{.path = output.spec.path, .files = {}, .result = {}};
  for (const std::uint32_t number : output.files) {
    const OutputFilePlan& file = plan.output_files[number];
    planned.files.push_back({file.path, file.layout.file_size, file.layout.tensors.size()});
  }
  for (const ComponentCoefficients& component : plan.coefficients[index]) {
    planned.result.push_back(ResultOf(component, plan));
  }
  return planned;
}

std::uint64_t Copied(const Plan& plan) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      plan.tasks, [](const Task& task) { return std::ranges::all_of(task.products, IsCopy); }));
}

}  // namespace

weightsmith::Plan PlanResultOf(const PreparedPlan& prepared, const RunOptions& options) {
  const Plan& plan = prepared.plan();
  weightsmith::Plan result;
  result.weightsmith = Version();
  for (std::size_t i = 0; i < plan.models.size(); ++i) {
    if (plan.models[i].adapter != nullptr) continue;
    result.models.push_back(ModelOf(plan.models[i], plan.model_keys[i]));
  }
  result.adapters = AdapterResultsOf(plan, nullptr);
  for (const StepPlan& step : plan.steps) result.steps.push_back({step.name, step.op});
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) result.outputs.push_back(OutputOf(plan, i));
  result.tensors = plan.tasks.size();
  result.tensors_copied = Copied(plan);
  result.bytes_to_read = plan.bytes_to_read;
  result.bytes_to_write = plan.bytes_to_write;
  result.peak_memory = PeakMemory(plan, options);
  for (const DiskNeed& need : DiskNeeds(plan)) {
    result.disk.push_back({need.folder, need.needed, need.available});
  }
  result.notes = prepared.notes();
  result.notes.insert(result.notes.end(), plan.notes.begin(), plan.notes.end());
  result.warnings = prepared.warnings();
  result.warnings.insert(result.warnings.end(), plan.warnings.begin(), plan.warnings.end());
  if (const auto resumption = FindResumption(plan, options)) {
    result.resume = {resumption->tasks, resumption->bytes_to_verify};
  }
  return result;
}

}  // namespace weightsmith::internal
