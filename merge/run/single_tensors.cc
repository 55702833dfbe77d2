#include "merge/run/single_tensors.h"

#include <fmt/format.h>

#include <map>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/run/engine.h"
#include "merge/run/memory_destination.h"

namespace weightsmith::internal {
namespace {

/// The plan without tasks and without tensors in its outputs.
std::unique_ptr<Plan> WithoutTasks(const Plan& plan) {
  auto bare = std::make_unique<Plan>();
  bare->models = plan.models;
  bare->files = plan.files;
  bare->outputs = plan.outputs;
  for (const OutputFilePlan& file : plan.output_files) {
    OutputFilePlan& copy = bare->output_files.emplace_back();
    copy.path = file.path;
    copy.output = file.output;
    copy.layout.data_start = file.layout.data_start;
  }
  bare->steps = plan.steps;
  for (StepPlan& step : bare->steps) step.expects_effect = false;
  bare->policies = plan.policies;
  bare->policies.effect = EffectPolicy::kAny;
  return bare;
}

}  // namespace

void SingleTensors::MakeIndex() {
  std::map<std::pair<std::uint32_t, std::uint64_t>, Made*> by_end;  // by file and end
  for (std::uint32_t f = 0; f < plan_->output_files.size(); ++f) {
    const HeaderLayout& layout = plan_->output_files[f].layout;
    for (const SafetensorsEntry& entry : layout.tensors) {
      const auto [at, added] = made_.try_emplace(entry.name, Made{f, entry, {}});
      if (!added || entry.info.bytes() == 0) continue;
      by_end[{f, layout.data_start + entry.begin + entry.info.bytes()}] = &at->second;
    }
  }
  for (std::uint32_t t = 0; t < plan_->tasks.size(); ++t) {
    const auto add = [&](std::uint32_t file, std::uint64_t offset) {
      const auto at = by_end.upper_bound({file, offset});
      if (at == by_end.end() || at->first.first != file) return;
      std::vector<std::uint32_t>& tasks = at->second->tasks;
      if (tasks.empty() || tasks.back() != t) tasks.push_back(t);
    };
    if (plan_->tasks[t].elements == 0) continue;
    for (const Product& product : plan_->tasks[t].products) {
      if (product.scatter == nullptr) {
        add(product.file, product.offset);
        continue;
      }
      for (const GatherRun& run : *product.scatter) add(run.file, run.offset);
    }
  }
}

const SingleTensors::Made& SingleTensors::Find(const std::string& name) const {
  if (const auto found = made_.find(name); found != made_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [other, unused] : made_) known.push_back(other);
  throw Error(ErrorCode::kMismatch,
              fmt::format("there is no tensor {}.{}", Quote(name), DidYouMean(name, known)));
}

std::unique_ptr<Plan> SingleTensors::TakePlan() {
  {
    const std::scoped_lock lock(mutex_);
    if (!spare_.empty()) {
      std::unique_ptr<Plan> plan = std::move(spare_.back());
      spare_.pop_back();
      return plan;
    }
  }
  return WithoutTasks(*plan_);
}

void SingleTensors::GiveBack(std::unique_ptr<Plan> plan) {
  plan->tasks.clear();
  for (OutputFilePlan& file : plan->output_files) file.layout.tensors.clear();
  const std::scoped_lock lock(mutex_);
  spare_.push_back(std::move(plan));
}

std::shared_ptr<const Checkpoint> SingleTensors::Compute(
    const std::string& name, const std::function<void()>& before_chunk) {
  std::call_once(indexed_, [this] { MakeIndex(); });
  const Made& made = Find(name);
  std::unique_ptr<Plan> plan = TakePlan();
  for (const std::uint32_t task : made.tasks) plan->tasks.push_back(plan_->tasks[task]);
  plan->output_files[made.file].layout.tensors.push_back(made.entry);

  MemoryDestination destination(*plan);
  WorkerContext context{.plan = plan.get(), .files = plan->files};
  context.digests = context.effects = false;
  ChunkWriter writer(*plan, context.files, destination);
  context.writer = &writer;
  std::vector<std::uint32_t> tasks(plan->tasks.size());
  std::iota(tasks.begin(), tasks.end(), 0);
  const auto go_on = [&](const Progress& /*progress*/) {
    before_chunk();
    return true;
  };
  before_chunk();
  ComputeTasks(context, std::move(tasks), {.progress = go_on},
               [](std::uint32_t /*task*/, TaskResult&& /*result*/) {});
  for (const auto& file : plan->files) file->ExpectUnchanged();
  GiveBack(std::move(plan));
  return std::move(destination).Take();
}

}  // namespace weightsmith::internal
