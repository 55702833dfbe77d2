#include "core/model/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/json-inl.h"
#include "core/base/text.h"
#include "core/model/component_config.h"
#include "core/model/naming.h"
#include "core/model/pipeline_folders.h"
#include "core/model/views/component_views.h"

namespace weightsmith::internal {
namespace {

/// The noise schedule of a training that predicts noise or v.
Json EulerScheduler(const Anatomy& anatomy) {
  const NoiseSchedule& schedule = anatomy.Schedule();
  const bool v = anatomy.prediction == Prediction::kV;
  return {{"_class_name", "EulerDiscreteScheduler"},
          {"beta_start", schedule.beta_start},
          {"beta_end", schedule.beta_end},
          {"beta_schedule", schedule.betas},
          {"num_train_timesteps", 1000},
          {"prediction_type", v ? "v_prediction" : "epsilon"},
          {"steps_offset", 1},
          {"timestep_spacing", "leading"}};
}

Json FlowScheduler(const Anatomy& anatomy) {
  const NoiseSchedule& schedule = anatomy.Schedule();
  Json config = {{"_class_name", "FlowMatchEulerDiscreteScheduler"},
                 {"num_train_timesteps", 1000},
                 {"shift", schedule.shift}};
  if (schedule.dynamic_shift) {
    config["use_dynamic_shifting"] = true;
    config["base_shift"] = 0.5;
    config["max_shift"] = 1.15;
    config["base_image_seq_len"] = 256;
    config["max_image_seq_len"] = 4096;
  }
  return config;
}

const ComponentRule& RuleOf(const std::vector<ComponentRule>& rules, const Anatomy& anatomy,
                            const ComponentView& view) {
  const auto rule = std::ranges::find(rules, view.name, &ComponentRule::name);
  const bool named =
      rule != rules.end() && (NamingOf(*rule) != nullptr || rule->kind == ComponentKind::kText);
  if (named && !ConfigOf(anatomy, *rule).class_name.empty()) return *rule;
  const std::string_view title =
      anatomy.architecture != nullptr ? anatomy.architecture->title : anatomy.part->title;
  throw Error(ErrorCode::kMismatch,
              fmt::format("no naming of diffusers is known for the {} of {}", view.name, title));
}

std::filesystem::path WeightsName(const ComponentRule& rule) {
  return rule.kind == ComponentKind::kText ? "model.safetensors"
                                           : "diffusion_pytorch_model.safetensors";
}

bool IsOutside(const ComponentView& view) {
  return view.name == "other" || view.name == "ema";
}

/// Whether the file holds nothing but one component, under names from the root.
bool IsAlone(const Checkpoint& checkpoint, const Anatomy& anatomy) {
  const ComponentAnatomy* only = nullptr;
  for (const ComponentAnatomy& component : anatomy.components) {
    if (component.kind == ComponentKind::kOther) continue;
    if (only != nullptr) return false;
    only = &component;
  }
  if (only == nullptr) return false;
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    const TensorAnatomy& tensor = anatomy.tensors[i];
    if (&anatomy.components[tensor.component] != only) continue;
    if (checkpoint.tensors()[i].name != tensor.local) return anatomy.part != nullptr;
  }
  return true;
}

/// The declaration without optional tensors that the file lacks: what a configuration describes.
ComponentRule AsInFile(ComponentRule rule, const Anatomy& anatomy) {
  std::set<std::string_view> locals;
  for (const TensorAnatomy& tensor : anatomy.tensors) locals.insert(tensor.local);
  std::erase_if(rule.tensors, [&](const TensorRule& tensor) {
    return tensor.optional && !locals.contains(tensor.name);
  });
  return rule;
}

FileSet AsComponentFolder(const Checkpoint& checkpoint, const Anatomy& anatomy) {
  std::vector<ComponentRule> rules = ComponentRules(anatomy);
  for (ComponentRule& rule : rules) rule = AsInFile(std::move(rule), anatomy);
  FileSet folder;
  for (ComponentView& view : ComponentViews(checkpoint, anatomy, FileNaming::kDiffusers)) {
    if (IsOutside(view)) {
      folder.weights.push_back({view.name, view.name + ".safetensors", view.checkpoint});
      continue;
    }
    const ComponentRule& rule = RuleOf(rules, anatomy, view);
    folder.weights.push_back({view.name, WeightsName(rule), view.checkpoint});
    folder.texts.push_back({"config.json", ConfigOf(anatomy, rule).json});
    if (anatomy.part_row == nullptr || anatomy.part_row->note.empty()) continue;
    folder.notes.emplace_back(anatomy.part_row->note);
  }
  return folder;
}

}  // namespace

FileSet AsPipeline(const Checkpoint& checkpoint, const Anatomy& anatomy, bool in_pipeline) {
  if (anatomy.row == nullptr && anatomy.part == nullptr) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("{} has no known components", Quote(checkpoint.path().string())),
                "'weightsmith info' says what it is.");
  }
  const bool whole = in_pipeline && anatomy.row != nullptr;
  if (!whole && IsAlone(checkpoint, anatomy)) return AsComponentFolder(checkpoint, anatomy);
  const Architecture& architecture = *anatomy.architecture;
  const std::vector<ComponentRule> rules = anatomy.row->components();
  Json index = {{"_class_name", anatomy.Pipeline()}, {"_diffusers_version", "0.30.0"}};
  FileSet pipeline;
  for (ComponentView& view : ComponentViews(checkpoint, anatomy, FileNaming::kDiffusers)) {
    if (IsOutside(view)) {
      pipeline.weights.push_back({view.name, view.name + ".safetensors", view.checkpoint});
      continue;
    }
    const ComponentRule& rule = RuleOf(rules, anatomy, view);
    const std::string folder = PipelineFolder(rules, view.name);
    ComponentConfig config = ConfigOf(anatomy, rule);
    index[folder] = {config.library, config.class_name};
    if (rule.kind == ComponentKind::kText) {
      index["tokenizer" + folder.substr(std::string_view("text_encoder").size())] = {
          "transformers", rule.text.tokenizer};
    }
    pipeline.weights.push_back({view.name, folder / WeightsName(rule), view.checkpoint});
    pipeline.texts.push_back({std::filesystem::path(folder) / "config.json", config.json});
  }
  const bool flow = architecture.prediction == Prediction::kFlow;
  const Json scheduler = flow ? FlowScheduler(anatomy) : EulerScheduler(anatomy);
  index["scheduler"] = {"diffusers", scheduler["_class_name"]};
  pipeline.texts.push_back({"scheduler/scheduler_config.json", ToText(scheduler)});
  pipeline.texts.push_back({"model_index.json", ToText(index)});
  return pipeline;
}

}  // namespace weightsmith::internal
