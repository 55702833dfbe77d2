// Verdicts on effect: a step or a model that should change something and does not ends a run before
// it has written the last gigabyte, and in any case before the output gets its name.
#pragma once

#include <atomic>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/run/engine.h"
#include "merge/run/task_result.h"

namespace weightsmith::internal {

/// Reads until every step that should change an element has changed one and two models were seen to
/// differ: a tile of every tensor first, all of them after that. Throws kNoEffect naming the steps
/// that changed none, and kInterrupted when `cancel` is set.
void ProveEffects(Engine& engine, const std::atomic<bool>* cancel);

/// What only the whole run shows, by digests: throws kNoEffect when an output is its leftmost
/// model byte for byte although weights are not 0.
void CheckOutcome(const Plan& plan, const std::vector<TaskResult>& results);

}  // namespace weightsmith::internal
