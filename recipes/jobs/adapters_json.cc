#include <cmath>
#include <vector>

#include "recipes/jobs/adapters_json-inl.h"

namespace weightsmith::internal {
namespace {

Json ModuleJson(const Plan& plan, const Report* report, std::size_t index) {
  const AppliedModule& applied = plan.applied[index];
  const AdapterModule& module = *applied.part.module;
  Json json = {
      {"module", module.stem},
      {"tensor", applied.tensor},
      {"rows", Json::array()},
      {"transposed", applied.part.transposed},
      {"family", module.family->id},
      {"dora", module.dora()},
      {"rank", module.rank > 0 ? Json(module.rank) : Json()},
      {"alpha", module.alpha && std::isfinite(*module.alpha) ? Json(*module.alpha) : Json()},
      {"scale", module.scale},
      {"strength", applied.strength},
      {"step", plan.steps[applied.step].name}};
  for (const RowMap& run : applied.part.rows) {
    json["rows"].push_back({{"first", run.ours}, {"count", run.count}, {"of", run.theirs}});
  }
  if (report == nullptr) return json;
  const Effect& effect = report->applied[index];
  json["elements"] = effect.elements;
  json["elements_changed"] = effect.changed;
  json["elements_changed_after_rounding"] = effect.rounded;
  json["change_norm"] = std::sqrt(effect.change_squares);
  json["relative_change"] = effect.before_squares > 0
                                ? Json(std::sqrt(effect.change_squares / effect.before_squares))
                                : Json();
  return json;
}

Json GroupsJson(const std::vector<AdapterClasses::Group>& groups, const char* why) {
  Json json = Json::array();
  for (const AdapterClasses::Group& group : groups) {
    json.push_back({{why, group.why}, {"modules", group.stems}});
  }
  return json;
}

}  // namespace

Json AdaptersJson(const Plan& plan, const Report* report) {
  Json json = Json::array();
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    if (plan.models[m].adapter == nullptr) continue;
    Json adapter = {{"name", plan.models[m].name},
                    {"path", plan.models[m].parts.front().checkpoint->path().string()},
                    {"applied", Json::array()}};
    for (std::size_t i = 0; i < plan.applied.size(); ++i) {
      if (plan.applied[i].model == m) adapter["applied"].push_back(ModuleJson(plan, report, i));
    }
    adapter["elsewhere"] = GroupsJson(plan.adapters[m].elsewhere, "component");
    adapter["ignored"] = GroupsJson(plan.adapters[m].ignored, "reason");
    adapter["unmatched"] = GroupsJson(plan.adapters[m].unmatched, "reason");
    json.push_back(std::move(adapter));
  }
  return json;
}

}  // namespace weightsmith::internal
