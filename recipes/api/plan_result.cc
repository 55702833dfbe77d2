#include "recipes/api/plan_result.h"

#include "recipes/api/from_json-inl.h"
#include "recipes/api/members/plan-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith::internal {

weightsmith::Plan PlanResultOf(const PreparedPlan& prepared, const RunOptions& options) {
  auto result = FromJson<weightsmith::Plan>::Read(
      prepared.InRecipe([&] { return PlanValue(prepared.plan(), options); }));
  result.notes.insert(result.notes.begin(), prepared.notes().begin(), prepared.notes().end());
  result.warnings.insert(result.warnings.begin(), prepared.warnings().begin(),
                         prepared.warnings().end());
  return result;
}

}  // namespace weightsmith::internal
