#include "merge/run/executor.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/file_hashes.h"
#include "core/io/machine.h"
#include "core/tensor/digest.h"
#include "merge/run/budget.h"
#include "merge/run/buffer_sizes.h"
#include "merge/run/disk_needs.h"
#include "merge/run/effects.h"
#include "merge/run/memory_destination.h"
#include "merge/run/run_outputs.h"
#include "merge/run/touched_paths.h"
#include "merge/run/worker.h"

namespace weightsmith::internal {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::shared_ptr<const ByteSource>> OpenFiles(const Plan& plan,
                                                         const RunOptions& options) {
  std::map<std::filesystem::path, std::shared_ptr<const ByteSource>> opened;
  std::vector<std::shared_ptr<const ByteSource>> files;
  for (const auto& planned : plan.files) {
    if (planned->substituted()) {
      files.push_back(planned);
      continue;
    }
    auto& file = opened[planned->path()];
    if (file == nullptr) {
      // One sweep in bulk: positioned reads into small buffers are faster than any mapping.
      file = OpenByteSource(planned->path(), options.io.value_or(IoBackend::kRead));
    }
    planned->ExpectUnchanged();
    files.push_back(file);
  }
  return files;
}

/// Results by task; goes on from those of a journal, if any.
class Results {
 public:
  Results(const Plan& plan, Journal* journal)
      : plan_(&plan), journal_(journal), results_(plan.tasks.size()), left_(plan.tasks.size()) {
    if (journal == nullptr) return;
    for (const FinishedTask& finished : journal->finished()) Put(finished.task, finished.result);
  }

  /// Computes what is not yet done of these tasks.
  void Compute(std::vector<std::uint32_t> tasks, const WorkerContext& context,
               const RunOptions& options, const MemoryShare& share) {
    std::erase_if(tasks, [&](std::uint32_t task) { return results_[task].has_value(); });
    EngineOptions own{.threads = share.threads,
                      .state_bytes = share.states,
                      .bytes_total = plan_->bytes_to_write,
                      .progress = options.progress,
                      .cancel = options.cancel};
    for (const auto& result : results_) own.bytes_done += result ? result->bytes_written : 0;
    ComputeTasks(context, std::move(tasks), own, [&](std::uint32_t task, TaskResult&& result) {
      if (journal_ != nullptr) journal_->Append(task, result);
      Put(task, std::move(result));
    });
  }

  /// Tasks that nobody has computed.
  std::size_t left() const { return left_; }
  /// REQUIRES: nothing is left.
  std::vector<TaskResult> Take() && {
    std::vector<TaskResult> all;
    all.reserve(results_.size());
    for (auto& result : results_) all.push_back(*std::move(result));
    return all;
  }

 private:
  void Put(std::uint32_t task, TaskResult result) {
    results_[task] = std::move(result);
    --left_;
  }

  const Plan* plan_;
  Journal* journal_;
  std::vector<std::optional<TaskResult>> results_;
  std::size_t left_;
};

void CheckPart(const RunOptions& options) {
  if (!options.part) return;
  const auto [number, count] = *options.part;
  if (number < 1 || number > count) {
    throw Error(ErrorCode::kUsage,
                fmt::format("part {} of {} is none: parts are counted from 1", number, count));
  }
  if (!options.keep_partial || !options.digests) {
    throw Error(ErrorCode::kUsage,
                "a part of a run keeps what it computes, with digests, for the other parts");
  }
}

/// What is done with outputs that stand under their names.
void LookAtOutputs(const RunOptions& options, Report& report) {
  const auto go_on = [&](std::uint64_t /*done*/, std::uint64_t /*total*/) {
    return options.cancel == nullptr || !options.cancel->load();
  };
  for (OutputReport& output : report.outputs) {
    if (options.sha256) output.sha256 = HashFile(*OpenByteSource(output.path), go_on).sha256;
    if (!options.keep_cache) OpenByteSource(output.path)->DropCache(0, 0);
  }
}

Report Finish(const Plan& plan, const RunOptions& options, const WorkerContext& context,
              RunOutputs& outputs, const std::vector<TaskResult>& results) {
  for (const auto& file : context.files) file->ExpectUnchanged();
  CheckOutcome(plan, results);
  Report report = MakeReport(plan, results, options.by_tensor, context.deltas->digests());
  outputs.Commit(report);
  if (!options.keep_cache) {
    for (const auto& file : context.files) file->DropCache(0, 0);
  }
  report.resumed = outputs.resumed();
  return report;
}

/// Leaves what is done to the runs of other parts.
Report Leave(RunOutputs& outputs, const RunOptions& options, std::size_t left) {
  try {
    for (OutputFile& file : outputs.files()) file.Flush(options.cancel);
  } catch (const Error& error) {
    // After a failed sync nobody knows what is on the disk.
    if (error.code() != ErrorCode::kInterrupted) outputs.Discard();
    throw;
  }
  Report report;
  report.tensors_left = left;
  report.resumed = outputs.resumed();
  return report;
}

/// Computes what is not yet done.
Report Compute(const Plan& plan, const RunOptions& options, WorkerContext& context,
               const MemoryShare& share) {
  RunOutputs outputs(plan, options);
  FileDestination destination(outputs.files());
  ChunkWriter writer(plan, context.files, destination);
  context.writer = &writer;
  try {
    Results results(plan, outputs.journal());
    results.Compute(TasksOf(plan, options.part), context, options, share);
    if (results.left() > 0) return Leave(outputs, options, results.left());
    return Finish(plan, options, context, outputs, std::move(results).Take());
  } catch (const Error& error) {
    const bool can_go_on = outputs.committing() || error.code() == ErrorCode::kInterrupted ||
                           error.code() == ErrorCode::kResources;
    if (!can_go_on || outputs.journal() == nullptr) outputs.Discard();
    if (error.code() == ErrorCode::kResources && can_go_on && outputs.journal() != nullptr) {
      throw Error(error.code(), error.what(),
                  error.advice() + " The same command goes on from what is done.", error.options());
    }
    throw;
  } catch (...) {
    outputs.Discard();
    throw;
  }
}

}  // namespace

Report Run(const Plan& plan, const RunOptions& options) {
  const Clock::time_point start = Clock::now();
  CheckPart(options);
  CheckPaths(plan, options);
  std::optional<Report> report = FinishCommit(plan, options);
  if (!report) {
    const MemoryShare share = AffordMemory(plan, options);
    CheckDisks(plan);
    WorkerContext context{.plan = &plan,
                          .files = OpenFiles(plan, options),
                          .digests = options.digests,
                          .effects = options.effects,
                          .keep_cache = options.keep_cache,
                          .deltas = std::make_shared<DeltaCache>(share.delta_cache)};
    ProveEffects(plan, context, options.cancel);
    report = Compute(plan, options, context, share);
  }
  if (report->tensors_left == 0) LookAtOutputs(options, *report);
  report->seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return *std::move(report);
}

std::vector<TaskResult> Recompute(const Plan& plan, const RunOptions& options) {
  const MemoryShare share = AffordMemory(plan, options);
  const WorkerContext context{.plan = &plan,
                              .files = OpenFiles(plan, options),
                              .deltas = std::make_shared<DeltaCache>(share.delta_cache)};
  Results results(plan, nullptr);
  results.Compute(TasksOf(plan, std::nullopt), context, options, share);
  for (const auto& file : context.files) file->ExpectUnchanged();
  return std::move(results).Take();
}

std::shared_ptr<const Checkpoint> RunInMemory(const Plan& plan, const RunOptions& options) {
  const MemoryShare share = AffordMemory(plan, options, plan.bytes_to_write);
  MemoryDestination destination(plan);
  WorkerContext context{.plan = &plan,
                        .files = OpenFiles(plan, options),
                        .effects = false,
                        .deltas = std::make_shared<DeltaCache>(share.delta_cache)};
  ProveEffects(plan, context, options.cancel);
  ChunkWriter writer(plan, context.files, destination);
  context.writer = &writer;
  Results results(plan, nullptr);
  results.Compute(TasksOf(plan, std::nullopt), context, options, share);
  for (const auto& file : context.files) file->ExpectUnchanged();
  CheckOutcome(plan, std::move(results).Take());
  return std::move(destination).Take();
}

Report Sample(const Plan& plan, const RunOptions& options, std::uint64_t budget) {
  const Clock::time_point start = Clock::now();
  AffordMemory(plan, options);  // a worker is within any share
  WorkerContext context{&plan, OpenFiles(plan, options), nullptr, false, true};
  std::uint64_t sources = 0;
  for (const Task& task : plan.tasks) sources += task.tape.probes.empty() ? 0 : task.sources.size();
  // The same number of tiles from the start of every computed tensor.
  const std::uint64_t tiles =
      std::max<std::uint64_t>(1, budget / std::max<std::uint64_t>(1, sources) / (2 * kTile));
  Worker worker(context);
  std::vector<TaskResult> results(plan.tasks.size());
  constexpr std::uint64_t kSmall = 1 << 14;
  // Factors are read whole for any part of what they make.
  constexpr std::size_t kMostWithDeltas = 16;
  std::size_t with_deltas = 0;
  std::uint64_t seen = 0;
  std::uint64_t all = 0;
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    const Task& task = plan.tasks[t];
    results[t].effects.resize(task.tape.probes.size());
    if (task.tape.probes.empty()) continue;
    if (!task.deltas.empty() && ++with_deltas > kMostWithDeltas) continue;
    if (!task.passes.empty()) {
      // What needs all of a tensor is seen in small ones.
      if (task.elements > std::max<std::uint64_t>(tiles * kTile, kSmall)) continue;
      ComputeTasks(context, {t}, {}, [&](std::uint32_t /*task*/, TaskResult&& result) {
        results[t].effects = std::move(result.effects);
        results[t].bytes_read = result.bytes_read;
      });
      seen += task.elements;
      all += task.elements;
      continue;
    }
    const std::uint64_t count = std::min({tiles * kTile, task.elements, ChunkUnits(task)});
    ChunkResult chunk = worker.Compute({t, 0, count});
    results[t].effects = std::move(chunk.effects);
    results[t].bytes_read = chunk.bytes_read;
    seen += count;
    all += task.elements;
  }
  Report report = MakeReport(plan, results, options.by_tensor);
  report.sampled = true;
  report.sampled_share = all == 0 ? 1 : static_cast<double>(seen) / static_cast<double>(all);
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return report;
}

std::uint64_t PeakMemory(const Plan& plan, const RunOptions& options) {
  return MemoryOf(plan, AffordMemory(plan, options));
}

}  // namespace weightsmith::internal
