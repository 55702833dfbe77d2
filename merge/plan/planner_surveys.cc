// What has to be learned of all tensors of a step before one of them can be computed.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "merge/plan/planner.h"
#include "merge/plan/surveyed_passes.h"

namespace weightsmith::internal {

/// The tensor's part in the surveys that its task needs the results of.
void Planner::AddSurveys(const TensorKey& key, const PlannedTensor& tensor,
                         const TensorEvaluator& evaluator, const Lowering& lowering,
                         const Task& task) {
  for (const Lowering::Surveyed& asked : lowering.surveyed()) {
    const auto needs = [&](const GivenSlot& given) {
      return given.number == FirstGiven(asked.step) || given.number == FirstGiven(asked.step) + 1;
    };
    if (task.elements == 0 || std::ranges::none_of(task.given, needs)) continue;
    const auto [known, fresh] = surveyed_[asked.step].try_emplace(task.name);
    if (!fresh) continue;  // of another output
    std::vector<Scalar> numbers = {asked.of_cells};
    if (asked.second) numbers.push_back(*asked.second);
    Lowering::Finished finished = Lowering(lowering).Finish({}, numbers);
    const std::vector<Slot> slots = finished.slots;
    Task& own = known->second;
    own = MakeTask(key, tensor, evaluator, task.shape, std::move(finished));
    own.surveyed =
        SurveyedSlot{.slot = slots.front(), .count = asked.cells.CellCount(task.elements)};
    if (asked.second) own.surveyed->second = slots.back(), own.surveyed->count = 2;
  }
}

void Planner::MakeSurveys() {
  for (auto& [step, tasks] : surveyed_) {
    const auto plan = std::make_shared<Plan>();
    plan->models = plan_.models;
    plan->files = plan_.files;
    plan->steps = plan_.steps;
    plan->policies = plan_.policies;
    for (auto& [name, task] : tasks) plan->tasks.push_back(std::move(task));
    SortBySource(plan->tasks);
    const bool totals = plan->tasks.front().surveyed->second != kNoSlot;
    plan_.surveys.push_back({step, totals, plan});
  }
  surveyed_.clear();
  FindSurveyedPasses(plan_);
}

}  // namespace weightsmith::internal
