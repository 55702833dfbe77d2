#include "merge/run/executor.h"

#include <fmt/core.h>

#include <chrono>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/file_hashes.h"
#include "merge/run/budget.h"
#include "merge/run/disk_needs.h"
#include "merge/run/earlier_run.h"
#include "merge/run/effects.h"
#include "merge/run/engine.h"
#include "merge/run/memory_destination.h"
#include "merge/run/results.h"
#include "merge/run/run_outputs.h"
#include "merge/run/touched_paths.h"

namespace weightsmith::internal {
namespace {

using Clock = std::chrono::steady_clock;

ComputeOptions ComputeOptionsOf(const RunOptions& options, const MemoryShare& share) {
  return {.threads = share.threads, .progress = options.progress, .cancel = options.cancel};
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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

Report Finish(Engine& engine, const RunOptions& options, RunOutputs& outputs, Results&& results) {
  engine.ExpectInputsUnchanged();
  const std::vector<TaskResult> all = std::move(results).All();
  CheckOutcome(engine.plan(), all);
  Report report = MakeReport(engine.plan(), all, options.by_tensor, engine.adapter_digests());
  outputs.Commit(report);
  if (!options.keep_cache) engine.DropCaches();
  report.resumed = outputs.resumed();
  return report;
}

/// Of a part whose tasks are done: ends the run where all others are done as well.
Report EndPart(Engine& engine, const RunOptions& options, RunOutputs& outputs,
               FileDestination& destination, ComputeOptions compute) {
  engine.ExpectInputsUnchanged();
  const Plan& plan = engine.plan();
  if (outputs.EndPart() == PartEnd::kOurs) {
    Results results(plan, &destination, outputs.journal());
    compute.bytes_done = results.bytes_written();
    // What others have done and is not on disk as they wrote it.
    engine.Compute(TasksOf(plan, std::nullopt), results, compute);
    return Finish(engine, options, outputs, std::move(results));
  }
  Report report;
  report.tensors_left = plan.tasks.size() - outputs.journal()->finished().size();
  report.resumed = outputs.resumed();
  return report;
}

/// Computes what is not yet done.
Report WriteOutputs(Engine& engine, const RunOptions& options, const MemoryShare& share) {
  const Plan& plan = engine.plan();
  RunOutputs outputs(plan, options);
  FileDestination destination(outputs.files());
  try {
    Results results(plan, &destination, outputs.journal());
    ComputeOptions own = ComputeOptionsOf(options, share);
    own.digests = options.digests;
    own.effects = options.effects;
    own.keep_cache = options.keep_cache;
    own.bytes_done = results.bytes_written();
    engine.Compute(TasksOf(plan, options.part), results, own);
    if (options.part) return EndPart(engine, options, outputs, destination, std::move(own));
    return Finish(engine, options, outputs, std::move(results));
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
  if (options.part && !plan.tasks.empty() && TasksOf(plan, options.part).empty()) {
    Report none;
    none.tensors_left = TasksLeft(plan, options);
    return none;
  }
  CheckPaths(plan, options);
  std::optional<Report> report = FinishCommit(plan, options);
  if (!report) {
    const MemoryShare share = AffordMemory(plan, options);
    CheckDisks(plan);
    Engine engine(plan, share, options.io);
    engine.TakeSurveys(ComputeOptionsOf(options, share));
    ProveEffects(engine, options.cancel);
    report = WriteOutputs(engine, options, share);
  }
  if (!report->tensors_left) LookAtOutputs(options, *report);
  report->seconds = SecondsSince(start);
  return *std::move(report);
}

std::vector<TaskResult> Recompute(const Plan& plan, const RunOptions& options) {
  const MemoryShare share = AffordMemory(plan, options);
  Engine engine(plan, share, options.io);
  Results results(plan);
  engine.Compute(TasksOf(plan, std::nullopt), results, ComputeOptionsOf(options, share));
  engine.ExpectInputsUnchanged();
  return std::move(results).All();
}

std::shared_ptr<const Checkpoint> RunInMemory(const Plan& plan, const RunOptions& options) {
  const MemoryShare share = AffordMemory(plan, options, plan.bytes_to_write);
  MemoryDestination destination(plan);
  Engine engine(plan, share, options.io);
  engine.TakeSurveys(ComputeOptionsOf(options, share));
  ProveEffects(engine, options.cancel);
  Results results(plan, &destination);
  ComputeOptions own = ComputeOptionsOf(options, share);
  own.effects = false;
  engine.Compute(TasksOf(plan, std::nullopt), results, own);
  engine.ExpectInputsUnchanged();
  CheckOutcome(plan, std::move(results).All());
  return std::move(destination).Take();
}

Report Sample(const Plan& plan, const RunOptions& options, std::uint64_t budget) {
  const Clock::time_point start = Clock::now();
  AffordMemory(plan, options);  // a thread is within any share
  Engine engine(plan, {}, options.io);
  Results results(plan);
  const SampleWork sample = SampleOf(plan, budget);
  engine.Compute(sample.work, results, {.digests = false, .cancel = options.cancel, .doing = ""});
  std::vector<TaskResult> all = std::move(results).All();
  // Nothing was stored.
  for (TaskResult& result : all) result.bytes_written = result.non_finite = 0;
  Report report = MakeReport(plan, all, options.by_tensor);
  report.sampled = true;
  report.sampled_share = sample.share;
  report.seconds = SecondsSince(start);
  return report;
}

std::uint64_t PeakMemory(const Plan& plan, const RunOptions& options) {
  return MemoryOf(plan, AffordMemory(plan, options));
}

}  // namespace weightsmith::internal
