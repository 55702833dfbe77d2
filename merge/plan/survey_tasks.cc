#include "merge/plan/survey_tasks.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "merge/plan/surveyed_passes.h"
#include "merge/plan/task_order.h"

namespace weightsmith::internal {

void SurveyTasks::Add(const PlannedTensor& tensor, const TensorEvaluator& evaluator,
                      const Lowering& lowering, const Task& task) {
  for (const Lowering::Surveyed& asked : lowering.surveyed()) {
    const auto needs = [&](const GivenSlot& given) {
      return given.number == FirstGiven(asked.step) || given.number == FirstGiven(asked.step) + 1;
    };
    if (task.elements == 0 || std::ranges::none_of(task.given, needs)) continue;
    const auto [known, fresh] = tasks_[asked.step].try_emplace(task.name);
    if (!fresh) continue;  // of another output
    std::vector<Scalar> numbers = {asked.of_cells};
    if (asked.second) numbers.push_back(*asked.second);
    Lowering::Finished finished = Lowering(lowering).Finish({}, numbers);
    const std::vector<Slot> slots = finished.slots;
    Task& own = known->second;
    own = maker_->Make(tensor, evaluator, task.shape, std::move(finished));
    own.surveyed =
        SurveyedSlot{.slot = slots.front(), .count = asked.cells.CellCount(task.elements)};
    if (asked.second) {
      own.surveyed->second = slots.back();
      own.surveyed->count = 2;
    }
  }
}

void SurveyTasks::MoveInto(Plan& plan) && {
  for (auto& [step, tasks] : tasks_) {
    const auto survey = std::make_shared<Plan>();
    survey->models = plan.models;
    survey->files = plan.files;
    survey->steps = plan.steps;
    survey->policies = plan.policies;
    for (auto& [name, task] : tasks) survey->tasks.push_back(std::move(task));
    SortBySource(survey->tasks);
    const bool totals = survey->tasks.front().surveyed->second != kNoSlot;
    plan.surveys.push_back({step, totals, survey});
  }
  FindSurveyedPasses(plan);
}

}  // namespace weightsmith::internal
