// Components that an output takes from another model and that equal what they replace.
#pragma once

#include <string>
#include <vector>

#include "merge/plan/plan.h"
#include "recipes/recipe.h"

namespace weightsmith::internal {

/// A sentence for each of them; none where the policy allows what has no effect. Of components that
/// differ little more than their first tensors are read. REQUIRES: `plan` was made of `recipe`.
std::vector<std::string> EqualComponents(const Recipe& recipe, const Plan& plan);

}  // namespace weightsmith::internal
