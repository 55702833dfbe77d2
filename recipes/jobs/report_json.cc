#include "recipes/jobs/report_json.h"

#include "core/base/version.h"
#include "recipes/jobs/adapters_json-inl.h"
#include "recipes/jobs/effect_json-inl.h"
#include "recipes/jobs/finding_json-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith::internal {
namespace {

struct RunReport {
  const Plan* plan;
  const Report* report;
};

struct KeysOfModel {
  const Model* model;
  const ModelKeys* keys;
};

std::vector<KeysOfModel> Keys(const RunReport& run) {
  std::vector<KeysOfModel> keys;
  for (std::size_t i = 0; i < run.plan->models.size(); ++i) {
    keys.push_back({&run.plan->models[i], &run.plan->model_keys[i]});
  }
  return keys;
}

std::vector<AdapterOutcome<ChangingModule>> Adapters(const RunReport& run) {
  return AdapterOutcomes<ChangingModule>(*run.plan, run.report);
}

}  // namespace

template <>
const Record<InputReport>& RecordOf() {
  static const Record<InputReport> record = {
      "InputReport",
      "What was read of a file, and how many tensors of the outputs are its own, were computed "
      "from it, and were changed by the steps that did it.",
      {{"model", &InputReport::model, "The recipe's name of its model."},
       {"path", &InputReport::path, "The file, or a folder of shards."},
       {"digest", &InputReport::digest, "Of the tensors that were read.", kOptional},
       {"tensors", &InputReport::tensors, "Tensors in the file."},
       {"tensors_read", &InputReport::tensors_read, "Those that were read."},
       {"tensors_copied", &InputReport::tensors_copied,
        "Tensors of the outputs that are this input's own."},
       {"tensors_computed", &InputReport::tensors_computed,
        "Tensors of the outputs that were computed from it."},
       {"tensors_changed", &InputReport::tensors_changed,
        "Those of them that a step changed; of an adapter, that the adapter changed. By how much: "
        "steps[], and of an adapter adapters[].applied[]."},
       {"steps", &InputReport::steps, "The steps that computed tensors from it."}}};
  return record;
}

template <>
const Record<KeysOfModel>& RecordOf() {
  static const Record<KeysOfModel> record = {
      "ModelKeys",
      "How the tensors of a model match those of the outputs.",
      {{"model", Through(&KeysOfModel::model, &Model::name), "The recipe's name of it."},
       {"matched", Through(&KeysOfModel::keys, &ModelKeys::matched),
        "Its tensors that are in an output, by name."},
       {"unmatched", Through(&KeysOfModel::keys, &ModelKeys::unmatched), "Those that are in none."},
       {"used", Through(&KeysOfModel::keys, &ModelKeys::used), "Those whose values are used."},
       {"ema", Through(&KeysOfModel::keys, &ModelKeys::ema), "EMA copies that are left out."}}};
  return record;
}

template <>
const Record<StepReport>& RecordOf() {
  static const Record<StepReport> record = {
      "StepReport",
      "What a step changed, of its first operand.",
      {{"name", &StepReport::name, "The recipe's name of it."},
       {"op", &StepReport::op, "The operator."},
       {"seed", &StepReport::seed, "Of its random numbers, where it draws some.", kOptional},
       {"tensors", &StepReport::tensors, "Tensors that it computed."},
       {"tensors_changed", &StepReport::tensors_changed, "Those of them that it changed."},
       {"tensors_copied", [](const StepReport& step) { return step.integers + step.missing; },
        "Of those that it should have changed besides, being integers or missing in an operand."},
       Inline(&StepReport::effect),
       {"findings", &StepReport::findings,
        "By component: what it did in its method's own words."}}};
  return record;
}

template <>
const Record<OutputReport>& RecordOf() {
  static const Record<OutputReport> record = {
      "OutputReport",
      "A file that was written.",
      {{"path", &OutputReport::path, "The file."},
       {"bytes", &OutputReport::bytes, "Its size."},
       {"tensors", &OutputReport::tensors, "Tensors in it."},
       {"tensors_copied", &OutputReport::tensors_copied,
        "Those of them that are an input's, unchanged."},
       {"digest", &OutputReport::digest, "Of all its tensors.", kOptional},
       {"sha256", &OutputReport::sha256, "Of the file, where that was asked for.", kOptional}}};
  return record;
}

template <>
const Record<TensorReport>& RecordOf() {
  static const Record<TensorReport> record = {
      "TensorReport",
      "What a run did to a tensor, by step.",
      {{"name", &TensorReport::name, "Its canonical name."},
       {"component", &TensorReport::component, "The component that it is of."},
       {"elements", &TensorReport::elements, "Its elements."},
       {"copied", &TensorReport::copied, "It is a tensor of an input, unchanged."},
       {"non_finite", &TensorReport::non_finite, "Values of the result that are not finite."},
       {"effects", &TensorReport::effects, "By step: what it changed."},
       {"findings", &TensorReport::findings, "What steps did in their methods' own words."}}};
  return record;
}

template <>
const Record<RunReport>& RecordOf() {
  const auto report = [](auto member) { return Through(&RunReport::report, member); };
  static const Record<RunReport> record = {
      "Report",
      "What each input, step and tensor did in a run.",
      {{"weightsmith", [](const RunReport&) { return Version(); }, "The version of the program."},
       {"inputs", report(&Report::inputs), "The files, and what became of their tensors."},
       {"keys", Keys, "By model: how its tensors match."},
       {"adapters", Adapters, "By adapter: in applied[], what each module changed."},
       {"steps", report(&Report::steps), "By step: what it changed."},
       {"outputs", report(&Report::outputs), "The files that were written."},
       {"tensors", report(&Report::tensors),
        "Every tensor of the outputs, where that was asked for."},
       {"notes", report(&Report::notes), "What a person may want to know."},
       {"warnings", report(&Report::warnings), "What may be wrong."},
       {"bytes_read", report(&Report::bytes_read), "Bytes that were read of inputs."},
       {"bytes_written", report(&Report::bytes_written), "Bytes that were written to outputs."},
       {"seconds", report(&Report::seconds), "How long the run took."},
       {"sampled", report(&Report::sampled), "Only a sample of the elements was computed."},
       {"sampled_share", report(&Report::sampled_share), "The share of the elements that was."},
       {"resumed", report(&Report::resumed), "The run went on from an interrupted one."},
       {"tensors_left", report(&Report::tensors_left),
        "Of a part that did not end the run: tensors that other parts have still to compute; 0 "
        "where "
        "one of them was ending it. The report has then nothing else.",
        kOptional}}};
  return record;
}

Json ReportValue(const Plan& plan, const Report& report) {
  return JsonValue<RunReport>::Write({&plan, &report});
}

std::string ReportJson(const Plan& plan, const Report& report) {
  return ToText(ReportValue(plan, report));
}

std::string ReportSchema() {
  return ToLine(JsonValue<RunReport>::Schema());
}

}  // namespace weightsmith::internal
