// A plan as a library hands it out: to be looked at, run, or computed in memory, as a whole or one
// tensor at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "merge/run/single_tensors.h"
#include "recipes/diagnostic.h"
#include "recipes/jobs/rewrite.h"

namespace weightsmith::internal {

/// Any thread.
class PreparedPlan {
 public:
  /// `said`: about the text of its recipe.
  explicit PreparedPlan(Plan plan, const Diagnostics& said = {});
  /// Of split, assemble or convert.
  explicit PreparedPlan(RewriteJob job);

  const Plan& plan() const { return *plan_; }
  /// What a rewriting repaired or left out.
  const std::vector<std::string>& notes() const { return notes_; }
  /// About the text of a recipe.
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Of the tensors in its outputs, in the order of the files.
  std::vector<std::string> Names() const;

  /// As Run of a plan.
  Report Run(const RunOptions& options) const;
  /// As RunInMemory.
  std::shared_ptr<const Checkpoint> Compute(const RunOptions& options) const;
  /// As SingleTensors::Compute.
  std::shared_ptr<const Checkpoint> ComputeTensor(const std::string& name,
                                                  const std::function<void()>& before_chunk) const;

 private:
  std::unique_ptr<const Plan> plan_;
  std::unique_ptr<SingleTensors> single_;
  std::vector<std::string> notes_;
  std::vector<std::string> warnings_;
};

}  // namespace weightsmith::internal
