#include "recipes/jobs/prepared_plan.h"

#include <utility>

#include "recipes/jobs/generated_recipe.h"
#include "recipes/jobs/problem_places.h"

namespace weightsmith::internal {

PreparedPlan::PreparedPlan(Plan plan, const Diagnostics& said,
                           std::shared_ptr<const Recipe> written)
    : plan_(std::make_unique<const Plan>(std::move(plan))),
      recipe_(std::move(written)),
      single_(std::make_unique<SingleTensors>(*plan_)) {
  for (const Diagnostic& warning : said.all()) warnings_.push_back(WarningText(warning));
}

PreparedPlan::PreparedPlan(RewriteJob job) : PreparedPlan(PlanOf(job)) {
  notes_ = std::move(job.notes);
}

std::vector<std::string> PreparedPlan::Names() const {
  std::vector<std::string> names;
  for (const OutputFilePlan& file : plan_->output_files) {
    for (const SafetensorsEntry& entry : file.layout.tensors) names.push_back(entry.name);
  }
  return names;
}

Report PreparedPlan::Run(const RunOptions& options) const {
  return InRecipe([&] { return internal::Run(*plan_, options); });
}

std::shared_ptr<const Checkpoint> PreparedPlan::Compute(const RunOptions& options) const {
  return InRecipe([&] { return RunInMemory(*plan_, options); });
}

std::shared_ptr<const Checkpoint> PreparedPlan::ComputeTensor(
    const std::string& name, const std::function<void()>& before_chunk) const {
  return InRecipe([&] { return single_->Compute(name, before_chunk); });
}

void PreparedPlan::ThrowRunProblems(const Error& error) const {
  Diagnostics diagnostics;
  if (recipe_ != nullptr && AddRunProblems(error, *recipe_, diagnostics)) {
    diagnostics.ThrowIfErrors();
  }
}

}  // namespace weightsmith::internal
