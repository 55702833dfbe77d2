#include "merge/run/executor.h"

#include <fmt/core.h>
#include <oneapi/tbb/enumerable_thread_specific.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <map>
#include <mutex>

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

namespace weightsmith {
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

/// Folds chunks, which come in order, into tasks; goes on from the tasks of a journal, if any.
class Folder {
 public:
  Folder(const Plan& plan, bool digests, Journal* journal)
      : plan_(&plan), digests_(digests), journal_(journal) {
    if (journal == nullptr) return;
    results_ = journal->finished();
    for (const TaskResult& result : results_) bytes_written_ += result.bytes_written;
  }

  void Fold(ChunkResult&& chunk) {
    const Task& task = plan_->tasks[chunk.chunk.task];
    if (chunk.chunk.first == 0) {
      current_ = {};
      current_.effects.resize(task.tape.probes.size());
      source_blocks_.assign(task.sources.size(), {});
      product_blocks_.assign(task.products.size(), {});
    }
    Append(chunk.source_blocks, source_blocks_);
    Append(chunk.product_blocks, product_blocks_);
    for (std::size_t p = 0; p < chunk.effects.size(); ++p) current_.effects[p] += chunk.effects[p];
    current_.non_finite += chunk.non_finite;
    current_.bytes_read += chunk.bytes_read;
    current_.bytes_written += chunk.bytes_written;
    bytes_read_ += chunk.bytes_read;
    bytes_written_ += chunk.bytes_written;
    if (chunk.chunk.last) FinishTask(task);
  }

  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_written() const { return bytes_written_; }
  const std::vector<TaskResult>& results() const& { return results_; }
  std::vector<TaskResult>&& results() && { return std::move(results_); }

 private:
  static void Append(const std::vector<std::vector<Digest>>& from,
                     std::vector<std::vector<Digest>>& to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      to[i].insert(to[i].end(), from[i].begin(), from[i].end());
    }
  }

  void FinishTask(const Task& task) {
    if (digests_) {
      for (std::size_t s = 0; s < task.sources.size(); ++s) {
        current_.sources.push_back(TensorDigest(task.sources[s].info, source_blocks_[s]));
      }
      for (std::size_t p = 0; p < task.products.size(); ++p) {
        const Product& product = task.products[p];
        current_.products.push_back(
            product.copy ? current_.sources[product.value]
                         : TensorDigest({product.dtype, task.shape}, product_blocks_[p]));
      }
    }
    if (journal_ != nullptr) journal_->Append(current_);
    results_.push_back(std::move(current_));
  }

  const Plan* plan_;
  bool digests_;
  Journal* journal_;
  std::vector<TaskResult> results_;
  TaskResult current_;
  std::vector<std::vector<Digest>> source_blocks_;
  std::vector<std::vector<Digest>> product_blocks_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
};

void RunPipeline(const Plan& plan, const RunOptions& options, const WorkerContext& context,
                 int threads, Folder& folder) {
  namespace tbb = oneapi::tbb;
  tbb::enumerable_thread_specific<Worker> workers([&] { return Worker(context); });
  ChunkWalk walk(plan, static_cast<std::uint32_t>(folder.results().size()));
  const Clock::time_point start = Clock::now();
  const auto stopped = [&] { return options.cancel != nullptr && options.cancel->load(); };
  std::atomic<bool> interrupted = false;

  // oneTBB orders the stages by means that a checker of races does not see in its packaged form;
  // passing through one atomic tells the same order in a way that it does.
  std::atomic<std::uint64_t> order{0};
  const auto ordered = [&] { order.fetch_add(1, std::memory_order_acq_rel); };

  const auto next = [&](tbb::flow_control& control) -> Chunk {
    ordered();
    Chunk chunk;
    if (stopped()) interrupted = true;
    if (interrupted || !walk.Next(chunk)) control.stop();
    ordered();
    return chunk;
  };
  const auto compute = [&](const Chunk& chunk) {
    ordered();
    ChunkResult result = WithContext("merging", [&] { return workers.local().Compute(chunk); });
    ordered();
    return result;
  };
  const auto write = [&](ChunkResult result) {
    ordered();
    if (context.writer != nullptr) WithContext("merging", [&] { context.writer->Write(result); });
    ordered();
    return result;
  };
  const auto fold = [&](ChunkResult result) {
    ordered();
    folder.Fold(std::move(result));
    if (options.progress) {
      const Progress progress{folder.bytes_written(), plan.bytes_to_write, folder.bytes_read(),
                              Clock::now() - start};
      // The first stage reads the flag when it makes the next chunk.
      if (!options.progress(progress)) interrupted = true;
    }
    ordered();
  };

  // A file system writes to a file for one at a time: who finds it busy computes the next chunk.
  const auto writers = plan.output_files.size() > 1 ? tbb::filter_mode::parallel
                                                    : tbb::filter_mode::serial_out_of_order;
  // A thread that cannot be started ends the program where oneTBB starts it.
  if (threads > 1) threads = 1 + StartableThreads(threads - 1);
  // More threads than processors is what was asked for.
  const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism,
                                    static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  arena.execute([&] {
    tbb::parallel_pipeline(
        static_cast<std::size_t>(threads) * kChunksPerThread,
        tbb::make_filter<void, Chunk>(tbb::filter_mode::serial_in_order, next) &
            tbb::make_filter<Chunk, ChunkResult>(tbb::filter_mode::parallel, compute) &
            tbb::make_filter<ChunkResult, ChunkResult>(writers, write) &
            tbb::make_filter<ChunkResult, void>(tbb::filter_mode::serial_in_order, fold));
  });
  ordered();
  if (interrupted) throw Error(ErrorCode::kInterrupted, "interrupted");
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

/// Computes what is not yet done.
Report Compute(const Plan& plan, const RunOptions& options, WorkerContext& context, int threads) {
  RunOutputs outputs(plan, options);
  FileDestination destination(outputs.files());
  ChunkWriter writer(plan, context.files, destination);
  context.writer = &writer;
  try {
    Folder folder(plan, options.digests, outputs.journal());
    RunPipeline(plan, options, context, threads, folder);
    return Finish(plan, options, context, outputs, folder.results());
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
    report = Compute(plan, options, context, share.threads);
  }
  LookAtOutputs(options, *report);
  report->seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return *std::move(report);
}

std::vector<TaskResult> Recompute(const Plan& plan, const RunOptions& options) {
  const MemoryShare share = AffordMemory(plan, options);
  const WorkerContext context{.plan = &plan,
                              .files = OpenFiles(plan, options),
                              .deltas = std::make_shared<DeltaCache>(share.delta_cache)};
  Folder folder(plan, true, nullptr);
  RunPipeline(plan, options, context, share.threads, folder);
  for (const auto& file : context.files) file->ExpectUnchanged();
  return std::move(folder).results();
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
  Folder folder(plan, true, nullptr);
  RunPipeline(plan, options, context, share.threads, folder);
  for (const auto& file : context.files) file->ExpectUnchanged();
  CheckOutcome(plan, folder.results());
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
  // Factors are read whole for any part of what they make.
  constexpr std::size_t kMostWithDeltas = 16;
  std::size_t with_deltas = 0;
  std::uint64_t seen = 0;
  std::uint64_t all = 0;
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    const Task& task = plan.tasks[t];
    results[t].effects.resize(task.tape.probes.size());
    if (task.tape.probes.empty() || task.whole()) continue;
    if (!task.deltas.empty() && ++with_deltas > kMostWithDeltas) continue;
    const std::uint64_t count = std::min({tiles * kTile, task.elements, ChunkUnits(task)});
    ChunkResult chunk = worker.Compute({t, 0, count, false});
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

}  // namespace weightsmith
