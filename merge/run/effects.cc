#include "merge/run/effects.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "merge/run/engine.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kAdvice =
    "Check that the right files are named. Write `policy: {effect: any}` to allow it.";

std::set<std::uint32_t> StepsToProve(const Plan& plan) {
  // A step that no tensor asks for (its result is weighted with 0) has nothing to prove.
  std::set<std::uint32_t> steps = ProbedSteps(plan);
  std::erase_if(steps, [&](std::uint32_t step) {
    return !plan.steps[step].expects_effect || plan.steps[step].all_weights_zero;
  });
  return steps;
}

/// What is still to be shown: that each step changes an element, and that not all models are one.
struct Unproven {
  std::set<std::uint32_t> steps;
  bool distinct = false;  ///< whether two operands of a task were seen to differ, or never meet

  bool empty() const { return steps.empty() && distinct; }
  bool Concerns(const Task& task) const {
    return (!distinct && task.sources.size() > 1) ||
           std::ranges::any_of(task.tape.probes,
                               [&](const Probe& probe) { return steps.contains(probe.step); });
  }
  void Learn(const Task& task, const ChunkResult& result) {
    Learn(task, result.effects, result.source_blocks);
  }
  /// `sources`: what stands for each, equal where they are.
  template <class Sources>
  void Learn(const Task& task, const std::vector<Effect>& effects, const Sources& sources) {
    for (std::size_t p = 0; p < task.tape.probes.size(); ++p) {
      if (effects[p].changed > 0) steps.erase(task.tape.probes[p].step);
    }
    for (const auto& source : sources) distinct = distinct || source != sources.front();
  }
};

void StopIfAsked(const std::atomic<bool>* cancel) {
  if (cancel != nullptr && cancel->load()) throw Error(ErrorCode::kInterrupted, "interrupted");
}

}  // namespace

void ProveEffects(const Plan& plan, WorkerContext context, const std::atomic<bool>* cancel) {
  Unproven unproven{StepsToProve(plan), plan.policies.effect == EffectPolicy::kAny};
  unproven.distinct = unproven.distinct || std::ranges::none_of(plan.tasks, [](const Task& task) {
                        return task.sources.size() > 1;
                      });
  context.writer = nullptr;
  context.keep_cache = true;  // the run reads it again
  context.digests = true;
  context.effects = true;
  Worker worker(context);
  std::vector<std::uint32_t> with_passes;
  for (std::uint32_t t = 0; t < plan.tasks.size() && !unproven.empty(); ++t) {
    const Task& task = plan.tasks[t];
    if (!unproven.Concerns(task)) continue;
    if (!task.passes.empty()) {
      with_passes.push_back(t);
      continue;
    }
    StopIfAsked(cancel);
    const Chunk tile{t, 0, std::min<std::uint64_t>(kTile, task.elements)};
    unproven.Learn(task, worker.Compute(tile));
  }
  // Of a tensor that has to be known whole, the smallest one is cheapest.
  const auto size = [&](std::uint32_t t) { return plan.tasks[t].elements; };
  std::ranges::stable_sort(with_passes, {}, size);
  for (const std::uint32_t t : with_passes) {
    if (unproven.empty() || !unproven.Concerns(plan.tasks[t])) continue;
    ComputeTasks(context, {t}, {.cancel = cancel}, [&](std::uint32_t, TaskResult&& result) {
      unproven.Learn(plan.tasks[t], result.effects, result.sources);
    });
  }
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    const Task& task = plan.tasks[t];
    if (!task.passes.empty()) continue;
    for (std::uint64_t c = 0; c < ChunkCount(task); ++c) {
      if (unproven.empty() || !unproven.Concerns(task)) break;
      StopIfAsked(cancel);
      unproven.Learn(task, worker.Compute(ChunkOf(plan, t, c)));
    }
  }
  if (!unproven.steps.empty()) {
    std::string names;
    for (const std::uint32_t step : unproven.steps) {
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", plan.steps[step].name);
    }
    throw Error(ErrorCode::kNoEffect,
                fmt::format("step {} changes no element: its operands are the same", names),
                std::string(kAdvice));
  }
  if (!unproven.distinct) {
    throw Error(ErrorCode::kNoEffect, "the models hold the same bytes in every tensor",
                std::string(kAdvice));
  }
}

void CheckOutcome(const Plan& plan, const std::vector<TaskResult>& results) {
  if (plan.policies.effect == EffectPolicy::kAny) return;
  const bool expected = std::ranges::any_of(plan.steps, [](const StepPlan& step) {
    return step.expects_effect && !step.all_weights_zero;
  });
  if (!expected) return;

  // By output: whether any computed tensor differs from the leftmost source of its task.
  std::vector<bool> differs(plan.outputs.size());
  std::vector<bool> computed(plan.outputs.size());
  for (std::size_t t = 0; t < plan.tasks.size(); ++t) {
    const Task& task = plan.tasks[t];
    const TaskResult& result = results[t];
    for (std::size_t p = 0; p < result.products.size(); ++p) {
      if (task.products[p].copy && task.sources.size() == 1) continue;
      if (task.products[p].numbers) continue;
      const std::uint32_t output = plan.output_files[task.products[p].file].output;
      computed[output] = true;
      // A tensor that an adapter replaces has no source. Where codes stay, their scales may change.
      if (task.products[p].scale || result.sources.empty() ||
          result.products[p] != result.sources.front()) {
        differs[output] = true;
      }
    }
  }
  for (std::size_t o = 0; o < plan.outputs.size(); ++o) {
    if (!computed[o] || differs[o]) continue;
    throw Error(ErrorCode::kNoEffect,
                fmt::format("the result '{}' is its first model, byte for byte: what was merged in "
                            "is lost in rounding",
                            plan.outputs[o].spec.path.filename().string()),
                std::string(kAdvice));
  }
}

}  // namespace weightsmith::internal
