#include "merge/run/effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/base/error.h"

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
class Proof final : public Sink {
 public:
  explicit Proof(const Plan& plan) : plan_(&plan), steps_(StepsToProve(plan)) {
    // Or two operands of a task never meet.
    distinct_ =
        plan.policies.effect == EffectPolicy::kAny ||
        std::ranges::none_of(plan.tasks, [](const Task& task) { return task.sources.size() > 1; });
  }

  /// Steps that have changed nothing yet.
  const std::set<std::uint32_t>& steps() const { return steps_; }
  /// Whether two operands of a task were seen to differ.
  bool distinct() const { return distinct_; }
  bool complete() const { return steps_.empty() && distinct_; }

  bool Needs(std::uint32_t number) override {
    const Task& task = plan_->tasks[number];
    if (task.elements == 0) return false;
    return (!distinct_ && task.sources.size() > 1) ||
           std::ranges::any_of(task.tape.probes,
                               [&](const Probe& probe) { return steps_.contains(probe.step); });
  }

  void Take(std::uint32_t number, TaskResult&& result) override {
    const std::vector<Probe>& probes = plan_->tasks[number].tape.probes;
    for (std::size_t p = 0; p < probes.size(); ++p) {
      if (result.effects[p].changed > 0) steps_.erase(probes[p].step);
    }
    for (const Digest& source : result.sources) {
      distinct_ = distinct_ || source != result.sources.front();
    }
  }

 private:
  const Plan* plan_;
  std::set<std::uint32_t> steps_;
  bool distinct_ = false;
};

/// A tile of every tensor that is computed in one pass.
WorkSet FirstTiles(const Plan& plan) {
  WorkSet work;
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    const Task& task = plan.tasks[t];
    if (!task.passes.empty()) continue;
    work.push_back({t, Chunk{t, 0, std::min<std::uint64_t>(kTile, task.elements)}});
  }
  return work;
}

/// The others, whole. The smallest one is cheapest.
WorkSet TasksOfPasses(const Plan& plan) {
  std::vector<std::uint32_t> tasks;
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    if (!plan.tasks[t].passes.empty()) tasks.push_back(t);
  }
  std::ranges::stable_sort(tasks, {}, [&](std::uint32_t t) { return plan.tasks[t].elements; });
  return WholeTasks(tasks);
}

/// Every tensor that is computed in one pass, chunk by chunk, so that any of them can be the last.
WorkSet ChunksOfAll(const Plan& plan) {
  WorkSet work;
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    if (!plan.tasks[t].passes.empty()) continue;
    const std::uint64_t chunks = ChunkCount(plan.tasks[t]);
    for (std::uint64_t c = 0; c < chunks; ++c) work.push_back({t, ChunkOf(plan, t, c)});
  }
  return work;
}

}  // namespace

void ProveEffects(Engine& engine, const std::atomic<bool>* cancel) {
  const Plan& plan = engine.plan();
  Proof proof(plan);
  ComputeOptions options{.cancel = cancel, .doing = ""};
  if (!proof.complete()) engine.Compute(FirstTiles(plan), proof, options);
  options.doing = "merging";
  if (!proof.complete()) engine.Compute(TasksOfPasses(plan), proof, options);
  options.doing = "";
  if (!proof.complete()) engine.Compute(ChunksOfAll(plan), proof, options);
  if (!proof.steps().empty()) {
    // A line for each, which has a place of its own in a recipe.
    std::vector<std::string> lines;
    for (const std::uint32_t step : proof.steps()) {
      lines.push_back(
          fmt::format("step '{}' changes no element: its operands are the same, or cancel out",
                      plan.steps[step].name));
    }
    throw Error(ErrorCode::kNoEffect, fmt::format("{}", fmt::join(lines, "\n")),
                std::string(kAdvice));
  }
  if (!proof.distinct()) {
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
