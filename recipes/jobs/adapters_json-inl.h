// What became of adapters, as part of the JSON of a plan or a report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/run/report.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {

/// A module of an adapter on a tensor, as a plan has it.
struct PlacedModule {
  const Plan* plan;
  const AppliedModule* applied;
};

/// The same with what it did in a run.
struct ChangingModule {
  PlacedModule placed;
  const Effect* effect;
};

/// Where every module of an adapter goes; `Module` is one of those above.
template <class Module>
struct AdapterOutcome {
  const Plan* plan;
  const Report* report;  ///< null in a plan
  std::uint32_t model;   ///< index in Plan::models
};

/// Of every adapter. REQUIRES: `report` where modules are ChangingModules.
template <class Module>
std::vector<AdapterOutcome<Module>> AdapterOutcomes(const Plan& plan, const Report* report) {
  std::vector<AdapterOutcome<Module>> outcomes;
  for (std::uint32_t m = 0; m < plan.models.size(); ++m) {
    if (plan.models[m].adapter != nullptr) outcomes.push_back({&plan, report, m});
  }
  return outcomes;
}

template <>
const Record<AdapterOutcome<PlacedModule>>& RecordOf();
template <>
const Record<AdapterOutcome<ChangingModule>>& RecordOf();

}  // namespace weightsmith::internal
