// Passes of tasks that surveys make as well.
#pragma once

#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// Finds them, and has the surveys keep their numbers, as far as those take little memory.
void FindSurveyedPasses(Plan& plan);

}  // namespace weightsmith::internal
