#include "merge/run/budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/machine.h"
#include "merge/run/buffer_sizes.h"
#include "merge/run/executor.h"
#include "merge/run/prepared_deltas.h"
#include "merge/run/task_state.h"

namespace weightsmith::internal {
namespace {

/// What the program holds whatever the plan is: code, libraries, stacks.
constexpr std::uint64_t kProgramBytes = 64u << 20;
/// What a plan and its results hold for a tensor of an input or an output, headers and names
/// included.
constexpr std::uint64_t kBytesPerTensor = 2048;
/// Tasks whose deltas are worth keeping: as many as are at hand at once, and some to come.
constexpr std::uint64_t kTasksInCache = 6;
/// States of tasks that threads have to work on while one of them is between two passes.
constexpr std::uint64_t kStatesPerThread = 1;
/// What those take together, where no value is kept whole: one that is larger runs alone. Between
/// two passes only numbers are computed, which takes a thread so short that others may wait for it.
constexpr std::uint64_t kStatesOfNumbers = std::uint64_t{128} << 20;
/// Above it, with all else that a run holds, no further one of those states is begun: many threads
/// have work in few tasks, since they share the chunks of each.
constexpr std::uint64_t kUsualMemory = std::uint64_t{256} << 20;
constexpr std::uint64_t kMegabyte = 1'000'000;

std::uint64_t PlanBytes(const Plan& plan) {
  std::uint64_t inputs = 0;
  for (const Model& model : plan.models) {
    for (const Model::Part& part : model.parts) inputs += part.checkpoint->tensors().size();
  }
  std::uint64_t outputs = 0;
  for (const Task& task : plan.tasks) outputs += task.products.size();
  for (const Survey& survey : plan.surveys) outputs += survey.plan->tasks.size();
  return (inputs + std::max(inputs, outputs)) * kBytesPerTensor;
}

std::uint64_t LargestDeltas(const Plan& plan) {
  std::uint64_t largest = 0;
  for (const Task& task : plan.tasks) {
    if (task.passes.empty()) largest = std::max(largest, BytesOf(task));
  }
  return largest;
}

std::uint64_t LargestState(const Plan& plan) {
  std::uint64_t largest = 0;
  for (const Task& task : plan.tasks) largest = std::max(largest, StateBytes(task));
  for (const Survey& survey : plan.surveys) largest = std::max(largest, LargestState(*survey.plan));
  return largest;
}

bool KeepsValues(const Plan& plan) {
  return std::ranges::any_of(plan.tasks, [](const Task& task) { return WholeValues(task) > 0; });
}

/// Numbers that surveys leave for passes.
std::uint64_t GatheredBytes(const Plan& plan) {
  std::uint64_t numbers = 0;
  for (const Task& task : plan.tasks) {
    if (task.surveyed_passes) numbers += task.surveyed_passes->numbers;
  }
  return numbers * sizeof(double);
}

/// The numbers of all tensors of a survey, while it is taken.
std::uint64_t NumberBytesOf(const Survey& survey) {
  std::uint64_t numbers = 0;
  for (const Task& task : survey.plan->tasks) numbers += task.surveyed->count;
  return 3 * numbers * sizeof(double);  // a vector grows by doubling
}

std::uint64_t SurveyBytes(const Plan& plan) {
  std::uint64_t most = 0;
  for (const Survey& survey : plan.surveys) {
    most = std::max(most, NumberBytesOf(survey) + WorkerBytes(*survey.plan));
  }
  return most;
}

/// What a step holds beside the buffers of threads.
struct StepMemory {
  std::uint64_t bytes = 0;
  std::optional<std::uint32_t> step{};  ///< index in Plan::steps
  const Task* task = nullptr;           ///< that it holds them for; null: for all tensors together
};

StepMemory LargestStep(const Plan& plan) {
  StepMemory largest;
  const auto largest_task = std::ranges::max_element(plan.tasks, {}, StateBytes);
  if (largest_task != plan.tasks.end()) {
    largest = {StateBytes(*largest_task), WidestStep(plan, *largest_task), &*largest_task};
  }
  for (const Survey& survey : plan.surveys) {
    const std::uint64_t bytes = std::max(NumberBytesOf(survey), LargestState(*survey.plan));
    if (bytes > largest.bytes) largest = {bytes, survey.step};
  }
  return largest;
}

/// A budget that is enough, as people read and write it: "96 MB".
std::string Budget(std::uint64_t bytes) {
  return fmt::format("{} MB", (bytes + kMegabyte - 1) / kMegabyte);
}

/// A budget that is too small, and the step that holds most of what is needed, where one holds
/// something.
Error TooSmall(const Plan& plan, std::uint64_t needed, std::uint64_t budget) {
  std::string message =
      fmt::format("the run needs {} of memory and may use {}", Budget(needed), FormatBytes(budget));
  const StepMemory largest = LargestStep(plan);
  if (largest.bytes > 0 && largest.step) {
    message += fmt::format(": {} of it are for step '{}'", FormatBytes(largest.bytes),
                           plan.steps[*largest.step].name);
  }
  std::string advice;
  if (largest.task != nullptr && largest.bytes >= needed / 2) {
    advice = fmt::format("'{}' {} is held whole while it is computed.", largest.task->name,
                         ToString(largest.task->shape));
  }
  return {ErrorCode::kResources, message, advice, {Option::kMaxMemory}};
}

}  // namespace

std::uint64_t MemoryOf(const Plan& plan, const MemoryShare& share, std::uint64_t more) {
  const std::uint64_t states = std::max(share.states, LargestState(plan));
  return kProgramBytes + more + PlanBytes(plan) + SurveyBytes(plan) + GatheredBytes(plan) +
         share.delta_cache + states + static_cast<std::uint64_t>(share.threads) * WorkerBytes(plan);
}

MemoryShare AffordMemory(const Plan& plan, const RunOptions& options, std::uint64_t more) {
  const std::uint64_t budget =
      options.max_memory.value_or(std::max<std::uint64_t>(512u << 20, AvailableMemory() / 2));
  // What was held while the plan was made counts as well, where the process is all ours.
  const std::uint64_t before = options.whole_process ? PeakResidentMemory() : 0;
  const std::uint64_t least = std::max(before, MemoryOf(plan, {}, more));
  if (least > budget) throw TooSmall(plan, least, budget);
  const std::uint64_t base = MemoryOf(plan, {.threads = 0}, more);
  const std::uint64_t each = std::max<std::uint64_t>(1, WorkerBytes(plan));
  const int wanted = options.threads > 0 ? options.threads : PhysicalCores();
  MemoryShare share;
  share.threads = static_cast<int>(
      std::min<std::uint64_t>(static_cast<std::uint64_t>(wanted), (budget - base) / each));
  std::uint64_t left = budget - MemoryOf(plan, share, more);
  share.delta_cache = std::min(left, kTasksInCache * LargestDeltas(plan));
  left -= share.delta_cache;
  const std::uint64_t state = LargestState(plan);
  std::uint64_t others = kStatesPerThread * share.threads * state;
  if (!KeepsValues(plan)) {
    const std::uint64_t held = MemoryOf(plan, share, more);
    others = std::min(
        {others, std::max(state, kStatesOfNumbers) - state, std::max(held, kUsualMemory) - held});
  }
  share.states = state + std::min(left, others);
  return share;
}

}  // namespace weightsmith::internal
