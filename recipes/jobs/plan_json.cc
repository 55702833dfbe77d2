#include "recipes/jobs/plan_json.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/version.h"
#include "core/formats/safetensors/layout.h"
#include "merge/run/disk_needs.h"
#include "merge/run/earlier_run.h"
#include "recipes/jobs/adapters_json-inl.h"
#include "recipes/jobs/finding_json-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith::internal {
namespace {

struct PlannedRun {
  const Plan* plan;
  const RunOptions* options;
  const Report* sample;  ///< null: none was taken
};

struct PlannedStep {
  const StepPlan* step;
  const StepReport* sampled;
};

struct PlannedModel {
  const Model* model;
  const ModelKeys* keys;
};

/// A component of an output.
struct PlannedResult {
  const Plan* plan;
  const ComponentCoefficients* component;
};

struct PlannedOutput {
  const Plan* plan;
  std::size_t index;
};

std::vector<PlannedModel> Models(const PlannedRun& run) {
  std::vector<PlannedModel> models;
  for (std::size_t i = 0; i < run.plan->models.size(); ++i) {
    if (run.plan->models[i].adapter != nullptr) continue;
    models.push_back({&run.plan->models[i], &run.plan->model_keys[i]});
  }
  return models;
}

std::vector<AdapterOutcome<PlacedModule>> PlannedAdapters(const PlannedRun& run) {
  return AdapterOutcomes<PlacedModule>(*run.plan, nullptr);
}

std::vector<PlannedStep> Steps(const PlannedRun& run) {
  std::vector<PlannedStep> steps;
  for (std::size_t i = 0; i < run.plan->steps.size(); ++i) {
    steps.push_back({&run.plan->steps[i], run.sample ? &run.sample->steps[i] : nullptr});
  }
  return steps;
}

std::vector<FindingReport> Sampled(const PlannedStep& step) {
  return step.sampled ? step.sampled->findings : std::vector<FindingReport>();
}

bool Unjudged(const PlannedStep& step) {
  return step.sampled != nullptr && step.sampled->unjudged();
}

std::vector<PlannedOutput> Outputs(const PlannedRun& run) {
  std::vector<PlannedOutput> outputs;
  for (std::size_t i = 0; i < run.plan->outputs.size(); ++i) outputs.push_back({run.plan, i});
  return outputs;
}

std::uint64_t TensorsCopied(const PlannedRun& run) {
  const auto copied = [](const Task& task) { return std::ranges::all_of(task.products, IsCopy); };
  return static_cast<std::uint64_t>(std::ranges::count_if(run.plan->tasks, copied));
}

const OutputPlan& OutputOf(const PlannedOutput& output) {
  return output.plan->outputs[output.index];
}

std::vector<const OutputFilePlan*> Files(const PlannedOutput& output) {
  std::vector<const OutputFilePlan*> files;
  for (const std::uint32_t file : OutputOf(output).files) {
    files.push_back(&output.plan->output_files[file]);
  }
  return files;
}

std::vector<PlannedResult> Results(const PlannedOutput& output) {
  std::vector<PlannedResult> results;
  for (const ComponentCoefficients& component : output.plan->coefficients[output.index]) {
    results.push_back({output.plan, &component});
  }
  return results;
}

using Coefficients = std::vector<std::pair<std::string_view, double>>;

std::optional<Coefficients> CoefficientsOf(const PlannedResult& result) {
  const ComponentCoefficients& component = *result.component;
  if (!component.linear || !component.uniform) return std::nullopt;
  Coefficients coefficients;
  const std::vector<std::string_view> names = TermNames(*result.plan);
  for (std::size_t i = 0; i < component.coefficients.size(); ++i) {
    if (component.coefficients[i] == 0) continue;
    coefficients.emplace_back(names[i], component.coefficients[i]);
  }
  return coefficients;
}

}  // namespace

template <>
const Record<Model::Part>& RecordOf() {
  const auto anatomy = [](auto member) { return Through(&Model::Part::anatomy, member); };
  const auto checkpoint = [](auto member) { return Through(&Model::Part::checkpoint, member); };
  static const Record<Model::Part> record = {
      "PlannedPart",
      "A file of a model.",
      {{"path", checkpoint(&Checkpoint::path), "The file, or a folder of shards."},
       {"component", &Model::Part::component, "The component that is taken of it.", kOptional},
       {"architecture", anatomy(&Anatomy::id),
        "Such as \"sd1\", \"sdxl\" and \"flux1\", or \"unknown\"."},
       {"variant", anatomy(&Anatomy::variant), "Of the architecture."},
       {"layout", anatomy(&Anatomy::layout), "How its tensors are named."},
       {"bytes", checkpoint(&Checkpoint::size), "Its size."},
       {"tensors", [](const Model::Part& part) { return part.checkpoint->tensors().size(); },
        "Tensors in it."}}};
  return record;
}

template <>
const Record<PlannedModel>& RecordOf() {
  const auto model = [](auto member) { return Through(&PlannedModel::model, member); };
  const auto keys = [](auto member) { return Through(&PlannedModel::keys, member); };
  static const Record<PlannedModel> record = {
      "PlannedModel",
      "A model, and how its keys go in.",
      {{"name", model(&Model::name), "The recipe's name of it."},
       {"parts", model(&Model::parts), "Its files."},
       {"tensors_matched", keys(&ModelKeys::matched), "Tensors that are in an output, by name."},
       {"tensors_used", keys(&ModelKeys::used), "Those that are read."},
       {"tensors_unmatched", keys(&ModelKeys::unmatched), "Those that are in no output."},
       {"tensors_ema", keys(&ModelKeys::ema), "EMA copies that are left out."},
       {"unmatched_names", keys(&ModelKeys::unmatched_names), "The first of those in no output."},
       {"weight_zero", keys(&ModelKeys::weight_zero), "Every weight of it is exactly 0."}}};
  return record;
}

template <>
const Record<PlannedStep>& RecordOf() {
  static const Record<PlannedStep> record = {
      "PlannedStep",
      "A step of the recipe.",
      {{"name", Through(&PlannedStep::step, &StepPlan::name), "The recipe's name of it."},
       {"op", Through(&PlannedStep::step, &StepPlan::op), "The operator."},
       {"seed", Through(&PlannedStep::step, &StepPlan::seed),
        "Of its random numbers, where it draws some.", kOptional},
       {"unjudged", Unjudged,
        "A sample is taken and has none of the tensors that it computes: what it changes is seen "
        "in the report of a run."},
       {"findings", Sampled,
        "By component: what it does in its method's own words, in a sample of the tensors; empty "
        "where none is taken."}}};
  return record;
}

template <>
const Record<OutputFilePlan>& RecordOf() {
  static const Record<OutputFilePlan> record = {
      "PlannedFile",
      "A file that will be written.",
      {{"path", &OutputFilePlan::path, "The file."},
       {"bytes", Through(&OutputFilePlan::layout, &HeaderLayout::file_size), "Its size."},
       {"tensors", [](const OutputFilePlan& file) { return file.layout.tensors.size(); },
        "Tensors in it."}}};
  return record;
}

template <>
const Record<PlannedResult>& RecordOf() {
  const auto component = [](auto member) { return Through(&PlannedResult::component, member); };
  static const Record<PlannedResult> record = {
      "ComponentResult",
      "A component of the result as a sum of the models, where it is one.",
      {{"component", component(&ComponentCoefficients::component), "Its name."},
       {"linear", component(&ComponentCoefficients::linear), "It is such a sum."},
       {"uniform", component(&ComponentCoefficients::uniform),
        "All tensors have the same coefficients."},
       {"coefficients", CoefficientsOf,
        "By model, those that are not 0; `ema(NAME)` are its moving averages.", kOptional}}};
  return record;
}

template <>
const Record<PlannedOutput>& RecordOf() {
  static const Record<PlannedOutput> record = {
      "PlannedOutput",
      "An output of the recipe: a file, or several.",
      {{"path", [](const PlannedOutput& output) { return OutputOf(output).spec.path; },
        "As the recipe has it."},
       {"files", Files, "The files: one, shards, or one for each component."},
       {"result", Results, "What it is of the models, by component."}}};
  return record;
}

template <>
const Record<DiskNeed>& RecordOf() {
  static const Record<DiskNeed> record = {
      "DiskNeed",
      "What is needed and free on one file system.",
      {{"folder", &DiskNeed::folder, "The first output folder on it."},
       {"bytes_needed", &DiskNeed::needed, "Beside what partial outputs there hold already."},
       {"bytes_free", &DiskNeed::available, "What is free."}}};
  return record;
}

template <>
const Record<Resumption>& RecordOf() {
  static const Record<Resumption> record = {
      "Resumption",
      "What an interrupted run has done, and what of it is read back before it is trusted.",
      {{"tensors_done", &Resumption::tasks, "Tensors that are finished."},
       {"bytes_to_verify", &Resumption::bytes_to_verify, "Bytes that are read back."}}};
  return record;
}

template <>
const Record<PlannedRun>& RecordOf() {
  const auto plan = [](auto member) { return Through(&PlannedRun::plan, member); };
  static const Record<PlannedRun> record = {
      "Plan",
      "What a run would do: known from headers, before anything is read.",
      {{"weightsmith", [](const PlannedRun&) { return Version(); }, "The version of the program."},
       {"models", Models, "The models, in the order of the recipe."},
       {"adapters", PlannedAdapters, "The adapters, and where their modules go."},
       {"steps", Steps, "The steps, in the order of the computation."},
       {"outputs", Outputs, "What is written."},
       {"tensors", [](const PlannedRun& run) { return run.plan->tasks.size(); },
        "Tensors of the outputs, each counted once."},
       {"tensors_copied", TensorsCopied, "Those of them that are an input's, unchanged."},
       {"bytes_to_read", plan(&Plan::bytes_to_read), "Bytes that are read of inputs."},
       {"bytes_to_write", plan(&Plan::bytes_to_write), "Bytes that are written to outputs."},
       {"peak_memory", [](const PlannedRun& run) { return PeakMemory(*run.plan, *run.options); },
        "The most bytes of memory that the run holds at once."},
       {"disk", [](const PlannedRun& run) { return DiskNeeds(*run.plan); },
        "What is needed of each file system."},
       {"resume", [](const PlannedRun& run) { return FindResumption(*run.plan, *run.options); }, "",
        kOptional},
       {"notes", plan(&Plan::notes), "What a person may want to know."},
       {"warnings", plan(&Plan::warnings), "What may be wrong."}}};
  return record;
}

Json PlanValue(const Plan& plan, const RunOptions& options, const Report* sample) {
  return JsonValue<PlannedRun>::Write({&plan, &options, sample});
}

std::string PlanJson(const Plan& plan, const RunOptions& options, const Report* sample) {
  return ToText(PlanValue(plan, options, sample));
}

std::string PlanSchema() {
  return ToLine(JsonValue<PlannedRun>::Schema());
}

}  // namespace weightsmith::internal
