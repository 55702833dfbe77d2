#include "merge/plan/output_tensors.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "merge/plan/planner_files.h"

namespace weightsmith::internal {

OutputTensors::OutputTensors(const Plan& plan, const ExpressionIndex& index)
    : plan_(&plan), index_(&index), tensors_(plan.outputs.size()) {
  for (const OutputPlan& output : plan.outputs) {
    one_component_.push_back(IsOneComponent(output.spec));
  }
}

/// Whether all that the output has is of one component.
bool OutputTensors::IsOneComponent(const OutputSpec& spec) const {
  std::set<std::string_view> components;
  for (const std::uint32_t model : index_->WeightModels(spec.root)) {
    for (const auto& [name, component] : index_->models()[model].components()) {
      components.emplace(name);
    }
  }
  for (const auto& [name, node] : spec.components) components.insert(name);
  components.erase("other");
  return components.size() <= 1;
}

void OutputTensors::Add(const Want& want, const TensorKey& key, const std::string& canonical,
                        const TensorInfo& info, std::uint32_t task, std::uint32_t product) {
  const OutputSpec& spec = plan_->outputs[want.output].spec;
  const std::uint32_t leading = want.origin.models.front();
  const std::uint32_t leftmost = index_->WeightModels(spec.root).front();
  const ModelTensor& stored = index_->TensorOf(leading, key);
  const Anatomy& anatomy = index_->models()[leftmost].anatomy();
  const bool bare = anatomy.architecture != nullptr
                        ? anatomy.layout == anatomy.architecture->bare_layout
                        : anatomy.part != nullptr;
  const std::string name =
      OutputName(stored, leading == leftmost, bare, one_component_[want.output], canonical);
  Add(want.output, {.name = want.NameIn(name),
                    .canonical = want.NameIn(canonical),
                    .local = want.NameIn(stored.anatomy->local),
                    .component = stored.component->name,
                    .info = info,
                    .task = task,
                    .product = product});
}

void OutputTensors::Add(std::uint32_t output, OutputTensor tensor) {
  tensors_[output].push_back(std::move(tensor));
}

const OutputTensor& OutputTensors::Of(std::uint32_t output, std::uint32_t task,
                                      std::uint32_t product) const {
  return *std::ranges::find_if(tensors_[output], [&](const OutputTensor& tensor) {
    return tensor.task == task && tensor.product == product;
  });
}

}  // namespace weightsmith::internal
