#include "recipes/jobs/plan_json.h"

#include <algorithm>

#include "core/base/version.h"
#include "merge/run/disk_needs.h"
#include "merge/run/run_outputs.h"
#include "recipes/jobs/adapters_json-inl.h"

namespace weightsmith::internal {
namespace {

Json PartJson(const Model::Part& part) {
  Json json = {{"path", part.checkpoint->path().string()}};
  if (part.component) json["component"] = *part.component;
  json["architecture"] = part.anatomy.id;
  json["variant"] = part.anatomy.variant;
  json["layout"] = part.anatomy.layout;
  json["bytes"] = part.checkpoint->size();
  json["tensors"] = part.checkpoint->tensors().size();
  return json;
}

Json ModelJson(const Model& model, const ModelKeys& keys) {
  Json json = {{"name", model.name}, {"parts", Json::array()}};
  for (const Model::Part& part : model.parts) json["parts"].push_back(PartJson(part));
  json["tensors_matched"] = keys.matched;
  json["tensors_used"] = keys.used;
  json["tensors_unmatched"] = keys.unmatched;
  json["tensors_ema"] = keys.ema;
  json["unmatched_names"] = keys.unmatched_names;
  json["weight_zero"] = keys.weight_zero;
  return json;
}

Json ResultJson(const ComponentCoefficients& component, const Plan& plan) {
  Json json = {{"component", component.component},
               {"linear", component.linear},
               {"uniform", component.uniform}};
  if (component.linear && component.uniform) {
    json["coefficients"] = Json::object();
    for (std::size_t i = 0; i < component.coefficients.size(); ++i) {
      if (component.coefficients[i] == 0) continue;
      json["coefficients"][plan.models[i].name] = component.coefficients[i];
    }
  }
  return json;
}

Json OutputJson(const Plan& plan, std::size_t index) {
  const OutputPlan& output = plan.outputs[index];
  Json json = {{"path", output.spec.path.string()}, {"files", Json::array()}};
  for (const std::uint32_t file : output.files) {
    const OutputFilePlan& written = plan.output_files[file];
    json["files"].push_back({{"path", written.path.string()},
                             {"bytes", written.layout.file_size},
                             {"tensors", written.layout.tensors.size()}});
  }
  json["result"] = Json::array();
  for (const ComponentCoefficients& component : plan.coefficients[index]) {
    json["result"].push_back(ResultJson(component, plan));
  }
  return json;
}

}  // namespace

std::string PlanJson(const Plan& plan, const RunOptions& options) {
  Json json = {{"weightsmith", Version()}};
  json["models"] = Json::array();
  for (std::size_t i = 0; i < plan.models.size(); ++i) {
    if (plan.models[i].adapter != nullptr) continue;
    json["models"].push_back(ModelJson(plan.models[i], plan.model_keys[i]));
  }
  json["adapters"] = AdaptersJson(plan, nullptr);
  json["steps"] = Json::array();
  for (const StepPlan& step : plan.steps) {
    json["steps"].push_back({{"name", step.name}, {"op", step.op}});
  }
  json["outputs"] = Json::array();
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    json["outputs"].push_back(OutputJson(plan, i));
  }
  const auto copied = std::ranges::count_if(
      plan.tasks, [](const Task& task) { return std::ranges::all_of(task.products, IsCopy); });
  json["tensors"] = plan.tasks.size();
  json["tensors_copied"] = copied;
  json["bytes_to_read"] = plan.bytes_to_read;
  json["bytes_to_write"] = plan.bytes_to_write;
  json["peak_memory"] = PeakMemory(plan, options);
  json["disk"] = Json::array();
  for (const DiskNeed& need : DiskNeeds(plan)) {
    json["disk"].push_back({{"folder", need.folder.string()},
                            {"bytes_needed", need.needed},
                            {"bytes_free", need.available}});
  }
  const auto resumption = FindResumption(plan, options);
  if (resumption) {
    json["resume"] = {{"tensors_done", resumption->tasks},
                      {"bytes_to_verify", resumption->bytes_to_verify}};
  }
  json["notes"] = plan.notes;
  json["warnings"] = plan.warnings;
  return ToText(json);
}

}  // namespace weightsmith::internal
