#include "recipes/jobs/report_json.h"

#include <cmath>

#include "core/base/version.h"
#include "recipes/jobs/adapters_json-inl.h"

namespace weightsmith::internal {
namespace {

Json EffectJson(const Effect& effect) {
  Json json = {{"elements", effect.elements},
               {"elements_changed", effect.changed},
               {"change_norm", std::sqrt(effect.change_squares)},
               {"before_norm", std::sqrt(effect.before_squares)}};
  if (effect.before_squares > 0) {
    json["relative_change"] = std::sqrt(effect.change_squares / effect.before_squares);
  } else {
    json["relative_change"] = nullptr;
  }
  return json;
}

Json InputJson(const InputReport& input, const Report& report) {
  Json json = {{"model", input.model}, {"path", input.path.string()}};
  if (input.digest) json["digest"] = input.digest->ToHex();
  json["tensors"] = input.tensors;
  json["tensors_read"] = input.tensors_read;
  json["tensors_copied"] = input.tensors_copied;
  json["tensors_computed"] = input.tensors_computed;
  json["tensors_changed"] = input.tensors_changed;
  json["steps"] = Json::array();
  for (const std::uint32_t step : input.steps) json["steps"].push_back(report.steps[step].name);
  return json;
}

Json KeysJson(const std::string& model, const ModelKeys& keys) {
  return {{"model", model},
          {"matched", keys.matched},
          {"unmatched", keys.unmatched},
          {"used", keys.used},
          {"ema", keys.ema}};
}

Json StepJson(const StepReport& step) {
  Json json = {{"name", step.name},
               {"op", step.op},
               {"tensors", step.tensors},
               {"tensors_changed", step.tensors_changed},
               {"tensors_copied", step.integers + step.missing}};
  json.update(EffectJson(step.effect));
  return json;
}

Json OutputJson(const OutputReport& output) {
  Json json = {{"path", output.path.string()},
               {"bytes", output.bytes},
               {"tensors", output.tensors},
               {"tensors_copied", output.tensors_copied}};
  if (output.digest) json["digest"] = output.digest->ToHex();
  if (output.sha256) json["sha256"] = *output.sha256;
  return json;
}

Json TensorJson(const TensorReport& tensor, const Report& report) {
  Json json = {
      {"name", tensor.name},     {"component", tensor.component},   {"elements", tensor.elements},
      {"copied", tensor.copied}, {"non_finite", tensor.non_finite}, {"effects", Json::object()}};
  for (const auto& [step, effect] : tensor.effects) {
    json["effects"][report.steps[step].name] = EffectJson(effect);
  }
  return json;
}

}  // namespace

std::string ReportJson(const Plan& plan, const Report& report) {
  Json json = {{"weightsmith", Version()}};
  json["inputs"] = Json::array();
  for (const InputReport& input : report.inputs) json["inputs"].push_back(InputJson(input, report));
  json["keys"] = Json::array();
  for (std::size_t i = 0; i < plan.models.size(); ++i) {
    json["keys"].push_back(KeysJson(plan.models[i].name, plan.model_keys[i]));
  }
  json["adapters"] = AdaptersJson(plan, &report);
  json["steps"] = Json::array();
  for (const StepReport& step : report.steps) json["steps"].push_back(StepJson(step));
  json["outputs"] = Json::array();
  for (const OutputReport& output : report.outputs) json["outputs"].push_back(OutputJson(output));
  json["tensors"] = Json::array();
  for (const TensorReport& tensor : report.tensors) {
    json["tensors"].push_back(TensorJson(tensor, report));
  }
  json["notes"] = report.notes;
  json["warnings"] = report.warnings;
  json["bytes_read"] = report.bytes_read;
  json["bytes_written"] = report.bytes_written;
  json["seconds"] = report.seconds;
  json["sampled"] = report.sampled;
  json["sampled_share"] = report.sampled_share;
  json["resumed"] = report.resumed;
  return ToText(json);
}

}  // namespace weightsmith::internal
