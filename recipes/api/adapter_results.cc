#include "recipes/api/adapter_results.h"

#include <cmath>

#include "recipes/api/effect_result.h"

namespace weightsmith::internal {
namespace {

weightsmith::AppliedModule ModuleOf(const Plan& plan, const Report* report, std::size_t index) {
  const AppliedModule& applied = plan.applied[index];
  const AdapterModule& module = *applied.part.module;
  weightsmith::AppliedModule result{.module = module.stem,
                                    .tensor = applied.tensor,
                                    .rows = {},
                                    .transposed = applied.part.transposed,
                                    .family = std::string(module.family->id),
                                    .dora = module.dora(),
                                    .rank = {},
                                    .alpha = {},
                                    .scale = module.scale,
                                    .strength = applied.strength,
                                    .step = plan.steps[applied.step].name};
  if (module.rank > 0) result.rank = module.rank;
  if (module.alpha && std::isfinite(*module.alpha)) result.alpha = module.alpha;
  for (const RowMap& rows : applied.part.rows) {
    result.rows.push_back({.first = rows.ours, .count = rows.count, .of = rows.theirs});
  }
  if (report == nullptr) return result;
  const Effect& effect = report->applied[index];
  result.elements = effect.elements;
  result.elements_changed = effect.changed;
  result.elements_changed_after_rounding = effect.rounded;
  const weightsmith::Effect norms = EffectResultOf(effect);
  result.change_norm = norms.change_norm;
  result.relative_change = norms.relative_change;
  return result;
}

std::vector<weightsmith::ModulesLeftOut> LeftOut(const std::vector<AdapterClasses::Group>& groups) {
  std::vector<weightsmith::ModulesLeftOut> all;
  for (const AdapterClasses::Group& group : groups) all.push_back({group.why, group.stems});
  return all;
}

}  // namespace

std::vector<weightsmith::AdapterResult> AdapterResultsOf(const Plan& plan, const Report* report) {
  std::vector<weightsmith::AdapterResult> results;
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    if (plan.models[m].adapter == nullptr) continue;
    const AdapterClasses& classes = plan.adapters[m];
    weightsmith::AdapterResult& result = results.emplace_back();
    result.name = plan.models[m].name;
    result.path = plan.models[m].parts.front().checkpoint->path();
    for (std::size_t i = 0; i < plan.applied.size(); ++i) {
      if (plan.applied[i].model == m) result.applied.push_back(ModuleOf(plan, report, i));
    }
    for (const AdapterClasses::Group& group : classes.elsewhere) {
      result.elsewhere.push_back({group.why, group.stems});
    }
    result.ignored = LeftOut(classes.ignored);
    result.unmatched = LeftOut(classes.unmatched);
  }
  return results;
}

}  // namespace weightsmith::internal
