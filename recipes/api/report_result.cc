#include "recipes/api/report_result.h"

#include "core/base/version.h"
#include "recipes/api/adapter_results.h"
#include "recipes/api/effect_result.h"

namespace weightsmith::internal {
namespace {

std::optional<std::string> Hex(const std::optional<Digest>& digest) {
  return digest ? std::optional(digest->ToHex()) : std::nullopt;
}

weightsmith::InputReport InputOf(const InputReport& input) {
  return {.model = input.model,
          .path = input.path,
          .digest = Hex(input.digest),
          .tensors = input.tensors,
          .tensors_read = input.tensors_read,
          .tensors_copied = input.tensors_copied,
          .tensors_computed = input.tensors_computed,
          .tensors_changed = input.tensors_changed,
          .steps = input.steps};
}

weightsmith::StepReport StepOf(const StepReport& step) {
  weightsmith::StepReport result;
  static_cast<weightsmith::Effect&>(result) = EffectResultOf(step.effect);
  result.name = step.name;
  result.op = step.op;
  result.tensors = step.tensors;
  result.tensors_changed = step.tensors_changed;
  result.tensors_copied = step.integers + step.missing;
  return result;
}

weightsmith::OutputReport OutputOf(const OutputReport& output) {
  return {.path = output.path,
          .bytes = output.bytes,
          .tensors = output.tensors,
          .tensors_copied = output.tensors_copied,
          .digest = Hex(output.digest),
          .sha256 = output.sha256};
}

weightsmith::TensorReport TensorOf(const TensorReport& tensor) {
  weightsmith::TensorReport result{.name = tensor.name,
                                   .component = tensor.component,
                                   .elements = tensor.elements,
                                   .copied = tensor.copied,
                                   .non_finite = tensor.non_finite,
                                   .effects = {}};
  for (const auto& [step, effect] : tensor.effects) {
    result.effects[step] = EffectResultOf(effect);
  }
  return result;
}

std::vector<weightsmith::ModelKeys> KeysOf(const Plan& plan) {
  std::vector<weightsmith::ModelKeys> all;
  for (std::size_t i = 0; i < plan.models.size(); ++i) {
    const ModelKeys& keys = plan.model_keys[i];
    all.push_back({.model = plan.models[i].name,
                   .matched = keys.matched,
                   .unmatched = keys.unmatched,
                   .used = keys.used,
                   .ema = keys.ema});
  }
  return all;
}

}  // namespace

weightsmith::Report ReportResultOf(const PreparedPlan& prepared, const Report& report) {
  weightsmith::Report result;
  result.weightsmith = Version();
  for (const InputReport& input : report.inputs) result.inputs.push_back(InputOf(input));
  result.keys = KeysOf(prepared.plan());
  result.adapters = AdapterResultsOf(prepared.plan(), &report);
  for (const StepReport& step : report.steps) result.steps.push_back(StepOf(step));
  for (const OutputReport& output : report.outputs) result.outputs.push_back(OutputOf(output));
  for (const TensorReport& tensor : report.tensors) {
    result.tensors.push_back(TensorOf(tensor));
  }
  result.notes = prepared.notes();
  result.notes.insert(result.notes.end(), report.notes.begin(), report.notes.end());
  result.warnings = prepared.warnings();
  result.warnings.insert(result.warnings.end(), report.warnings.begin(), report.warnings.end());
  result.bytes_read = report.bytes_read;
  result.bytes_written = report.bytes_written;
  result.seconds = report.seconds;
  result.sampled = report.sampled;
  result.sampled_share = report.sampled_share;
  result.resumed = report.resumed;
  return result;
}

}  // namespace weightsmith::internal
