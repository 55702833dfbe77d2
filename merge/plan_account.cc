#include <map>
#include <set>
#include <utility>

#include "merge/coefficients.h"
#include "merge/planner.h"

namespace weightsmith {

std::vector<ComponentCoefficients> FindCoefficients(const Plan& plan,
                                                    const std::vector<OutputTensor>& tensors) {
  std::map<std::string, ComponentCoefficients> by_component;
  for (const OutputTensor& tensor : tensors) {
    const Task& task = plan.tasks[tensor.task];
    if (Info(tensor.info.dtype).kind != DTypeKind::kFloat) continue;
    const auto by_source = LinearCoefficients(task.tape, task.products[tensor.product].value);
    std::vector<double> by_model(plan.models.size(), 0.0);
    for (std::size_t s = 0; by_source && s < task.sources.size(); ++s) {
      by_model[task.sources[s].model] += (*by_source)[s];
    }
    const auto [found, first] = by_component.try_emplace(tensor.component);
    ComponentCoefficients& at = found->second;
    at.component = tensor.component;
    at.linear = at.linear && by_source.has_value();
    at.uniform = first || (at.uniform && at.coefficients == by_model);
    if (first) at.coefficients = by_model;
  }
  std::vector<ComponentCoefficients> components;
  for (auto& [name, at] : by_component) components.push_back(std::move(at));
  return components;
}

RunDigests BlankDigests(const Plan& plan) {
  RunDigests digests;
  std::vector<std::vector<std::set<std::uint32_t>>> read;
  for (const Model& model : plan.models) read.emplace_back(model.parts.size());
  for (const Task& task : plan.tasks) {
    for (const Source& source : task.sources) {
      read[source.model][source.part].insert(source.tensor);
    }
  }
  const std::string blank(32, '0');
  for (std::size_t m = 0; m < plan.models.size(); ++m) {
    auto& parts = digests.inputs.emplace_back();
    for (std::size_t p = 0; p < plan.models[m].parts.size(); ++p) {
      parts.push_back(
          {blank, read[m][p].size(), plan.models[m].parts[p].checkpoint->tensors().size()});
    }
  }
  digests.output = blank;
  return digests;
}

}  // namespace weightsmith
