// What has to be learned of all tensors of a step before one of them can be computed.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

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
    Lowering::Finished finished = Lowering(lowering).Finish({}, std::array{asked.of_cells});
    const Slot slot = finished.slots.front();
    Task& own = known->second;
    own = MakeTask(key, tensor, evaluator, task.shape, std::move(finished));
    own.surveyed = SurveyedSlot{slot, asked.cells.CellCount(task.elements)};
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
    plan_.surveys.push_back({step, plan});
  }
  surveyed_.clear();
  FindSurveyedPasses(plan_);
}

}  // namespace weightsmith::internal
