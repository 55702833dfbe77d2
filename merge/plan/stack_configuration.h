// The config.json of an output that is a stack.
#pragma once

#include <cstdint>

#include "merge/plan/expression_index.h"
#include "merge/plan/plan.h"
#include "merge/plan/stack_index.h"

namespace weightsmith::internal {

/// Where the output's config.json was to be copied, plans one that has the stack's layers in its
/// place. Throws kInput for one that cannot be read.
void ConfigureLayers(Plan& plan, std::uint32_t output, const ExpressionIndex& index,
                     const StackIndex& stack);

}  // namespace weightsmith::internal
