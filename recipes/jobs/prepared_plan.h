// A plan as a library hands it out: to be looked at, run, or computed in memory, as a whole or one
// tensor at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "merge/run/single_tensors.h"
#include "recipes/diagnostic.h"
#include "recipes/jobs/rewrite.h"
#include "recipes/recipe.h"

namespace weightsmith::internal {

/// Any thread.
class PreparedPlan {
 public:
  /// `said`: about the text of its recipe. `written`: the recipe, where a person wrote it.
  explicit PreparedPlan(Plan plan, const Diagnostics& said = {},
                        std::shared_ptr<const Recipe> written = nullptr);
  /// Of split, assemble or convert.
  explicit PreparedPlan(RewriteJob job);

  const Plan& plan() const { return *plan_; }
  /// What a rewriting repaired or left out.
  const std::vector<std::string>& notes() const { return notes_; }
  /// About the text of a recipe.
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Of the tensors in its outputs, in the order of the files.
  std::vector<std::string> Names() const;

  /// Runs `body`, which does something with the plan. Throws RecipeProblems for what is wrong with
  /// a step of a recipe that a person wrote, or with its result.
  template <class Body>
  decltype(auto) InRecipe(Body&& body) const {
    try {
      return std::forward<Body>(body)();
    } catch (const Error& error) {
      ThrowRunProblems(error);
      throw;
    }
  }

  /// As Run of a plan, in its recipe; likewise below.
  Report Run(const RunOptions& options) const;
  /// As RunInMemory.
  std::shared_ptr<const Checkpoint> Compute(const RunOptions& options) const;
  /// As SingleTensors::Compute.
  std::shared_ptr<const Checkpoint> ComputeTensor(const std::string& name,
                                                  const std::function<void()>& before_chunk) const;

 private:
  void ThrowRunProblems(const Error& error) const;

  std::unique_ptr<const Plan> plan_;
  std::shared_ptr<const Recipe> recipe_;  ///< null: nobody wrote it
  std::unique_ptr<SingleTensors> single_;
  std::vector<std::string> notes_;
  std::vector<std::string> warnings_;
};

}  // namespace weightsmith::internal
