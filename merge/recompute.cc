#include "merge/recompute.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/io/machine.h"
#include "merge/chunk.h"
#include "merge/worker.h"

namespace weightsmith {
namespace {

using Clock = std::chrono::steady_clock;

void Append(const std::vector<std::vector<Digest>>& from, std::vector<std::vector<Digest>>& to) {
  to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i].insert(to[i].end(), from[i].begin(), from[i].end());
  }
}

// Threads take whole tasks from a common counter; the first error stops them all.
class Recomputation {
 public:
  Recomputation(const Plan& plan, const RunOptions& options)
      : plan_(&plan), options_(&options), context_{&plan, {}, nullptr, true, false} {
    for (const auto& planned : plan.files) {
      planned->ExpectUnchanged();
      context_.files.push_back(
          OpenByteSource(planned->path(), options.io.value_or(IoBackend::kRead)));
    }
    results_.resize(plan.tasks.size());
  }

  std::vector<TaskResult> Run(int threads) {
    {
      std::vector<std::jthread> workers;
      for (int i = 0; i < threads; ++i) workers.emplace_back([this] { Work(); });
    }
    if (error_) std::rethrow_exception(error_);
    if (stopped_) throw Error(ErrorCode::kInterrupted, "interrupted");
    for (const auto& file : context_.files) file->ExpectUnchanged();
    return std::move(results_);
  }

 private:
  void Work() {
    try {
      Worker worker(context_);
      while (!stopped_) {
        const std::uint32_t task = next_++;
        if (task >= plan_->tasks.size()) return;
        ComputeTask(task, worker);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      stopped_ = true;
    }
  }

  void ComputeTask(std::uint32_t index, Worker& worker) {
    const Task& task = plan_->tasks[index];
    std::vector<std::vector<Digest>> sources(task.sources.size());
    std::vector<std::vector<Digest>> products(task.products.size());
    results_[index].effects.resize(task.tape.probes.size());
    ChunkWalk walk(*plan_, index);
    Chunk chunk;
    while (!stopped_ && walk.Next(chunk) && chunk.task == index) {
      const ChunkResult result = worker.Compute(chunk);
      Append(result.source_blocks, sources);
      Append(result.product_blocks, products);
      Tell(task, chunk);
      if (chunk.last) break;
    }
    for (std::size_t s = 0; s < sources.size(); ++s) {
      results_[index].sources.push_back(TensorDigest(task.sources[s].info, sources[s]));
    }
    for (std::size_t p = 0; p < products.size(); ++p) {
      const Product& product = task.products[p];
      results_[index].products.push_back(
          product.copy ? results_[index].sources[product.value]
                       : TensorDigest({product.dtype, task.shape}, products[p]));
    }
  }

  void Tell(const Task& task, const Chunk& chunk) {
    if (options_->cancel != nullptr && options_->cancel->load()) stopped_ = true;
    if (!options_->progress) return;
    const Units units = UnitsOf(task);
    const std::lock_guard lock(mutex_);
    for (const Product& product : task.products) done_ += chunk.count * units.SizeOf(product.dtype);
    const Progress progress{done_, plan_->bytes_to_write, 0, Clock::now() - start_};
    if (!options_->progress(progress)) stopped_ = true;
  }

  const Plan* plan_;
  const RunOptions* options_;
  WorkerContext context_;
  std::vector<TaskResult> results_;  // each thread writes its own tasks' rows
  std::atomic<std::uint32_t> next_{0};
  std::atomic<bool> stopped_{false};
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;  // of what follows
  std::uint64_t done_ = 0;
  std::exception_ptr error_;
};

}  // namespace

std::vector<TaskResult> Recompute(const Plan& plan, const RunOptions& options) {
  const int threads = options.threads > 0 ? options.threads : PhysicalCores();
  return WithContext("recomputing", [&] { return Recomputation(plan, options).Run(threads); });
}

}  // namespace weightsmith
