#include "recipes/jobs/prepared_plan.h"

#include <utility>

#include "recipes/jobs/generated_recipe.h"

namespace weightsmith::internal {

PreparedPlan::PreparedPlan(Plan plan, const Diagnostics& said)
    : plan_(std::make_unique<const Plan>(std::move(plan))),
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
  return internal::Run(*plan_, options);
}

std::shared_ptr<const Checkpoint> PreparedPlan::Compute(const RunOptions& options) const {
  return RunInMemory(*plan_, options);
}

std::shared_ptr<const Checkpoint> PreparedPlan::ComputeTensor(
    const std::string& name, const std::function<void()>& before_chunk) const {
  return single_->Compute(name, before_chunk);
}

}  // namespace weightsmith::internal
