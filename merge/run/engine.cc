#include "merge/run/engine.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/machine.h"
#include "core/tensor/digest.h"
#include "merge/run/buffer_sizes.h"
#include "merge/run/schedule.h"

namespace weightsmith::internal {
namespace {

using Clock = std::chrono::steady_clock;

void Append(const std::vector<std::vector<Digest>>& from, std::vector<std::vector<Digest>>& to) {
  to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i].insert(to[i].end(), from[i].begin(), from[i].end());
  }
}

/// What the chunks of a task told, in their order.
TaskResult Fold(const Task& task, std::span<const ChunkResult> chunks, bool digests) {
  TaskResult result;
  result.effects.resize(task.tape.probes.size());
  std::vector<std::vector<Digest>> sources;
  std::vector<std::vector<Digest>> products;
  for (const ChunkResult& chunk : chunks) {
    Append(chunk.source_blocks, sources);
    Append(chunk.product_blocks, products);
    for (std::size_t p = 0; p < chunk.effects.size(); ++p) result.effects[p] += chunk.effects[p];
    result.non_finite += chunk.non_finite;
    result.bytes_read += chunk.bytes_read;
    result.bytes_written += chunk.bytes_written;
  }
  if (!digests) return result;
  for (std::size_t s = 0; s < task.sources.size(); ++s) {
    result.sources.push_back(TensorDigest(task.sources[s].info, sources[s]));
  }
  for (std::size_t p = 0; p < task.products.size(); ++p) {
    const Product& product = task.products[p];
    result.products.push_back(product.copy ? result.sources[*product.copy]
                                           : TensorDigest(InfoOf(task, product), products[p]));
  }
  return result;
}

class Engine {
 public:
  Engine(const WorkerContext& context, std::vector<std::uint32_t> tasks,
         const EngineOptions& options,
         const std::function<void(std::uint32_t, TaskResult&&)>& finished)
      : context_(context),
        options_(options),
        finished_(finished),
        schedule_(*context.plan, std::move(tasks), options.state_bytes),
        most_at_hand_(static_cast<std::size_t>(options.threads) * kChunksPerThread) {
    progress_.bytes_done = options.bytes_done;
    progress_.bytes_total = options.bytes_total;
    progress_.bytes_read = 0;
  }

  void Run() {
    namespace tbb = oneapi::tbb;
    const int threads = options_.threads;
    // oneTBB orders threads by means that a checker of races does not see in its packaged form.
    Order();
    if (threads == 1) {
      Work();
    } else {
      // More threads than processors is what was asked for.
      const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism,
                                        static_cast<std::size_t>(threads));
      tbb::task_arena arena(threads);
      arena.execute([&] {
        tbb::parallel_for(
            0, threads, [&](int /*thread*/) { Work(); }, tbb::simple_partitioner());
      });
    }
    const std::scoped_lock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    if (interrupted_) throw Error(ErrorCode::kInterrupted, "interrupted");
  }

 private:
  struct Interrupted : std::exception {};

  bool Cancelled() const { return options_.cancel != nullptr && options_.cancel->load(); }

  void Order() { const std::scoped_lock lock(mutex_); }

  /// One thread, until nothing is left to do.
  void Work() {
    Order();
    try {
      Worker worker(context_);
      while (std::optional<WorkItem> item = Take()) Do(worker, *std::move(item));
    } catch (const Interrupted&) {
      const std::scoped_lock lock(mutex_);
      interrupted_ = stopped_ = true;
      changed_.notify_all();
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stopped_ = true;
      changed_.notify_all();
    }
    Order();
  }

  /// The next work; waits for it where other threads still make some.
  std::optional<WorkItem> Take() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      if (Cancelled()) {
        interrupted_ = stopped_ = true;
        break;
      }
      if (at_hand_ < most_at_hand_) {
        if (std::optional<WorkItem> item = schedule_.Next()) {
          ++at_hand_;
          return item;
        }
      }
      if (at_hand_ == 0) break;
      changed_.wait(lock);
    }
    changed_.notify_all();
    return std::nullopt;
  }

  void Do(Worker& worker, WorkItem item) {
    ChunkResult result;
    WithContext("merging", [&] {
      if (!item.between) {
        result = worker.Compute(item.chunk, item.state.get());
        return;
      }
      if (item.state == nullptr) {
        item.state = std::make_shared<TaskState>(*context_.plan, item.chunk.task,
                                                 context_.deltas->digests());
      } else {
        item.state->EndPass([this] {
          if (Cancelled()) throw Interrupted();
        });
      }
      if (!item.state->storing()) worker.Sample(*item.state);
    });
    const bool writes = context_.writer != nullptr && !result.bytes.empty();
    if (!writes) return Finish(item, std::move(result));
    if (context_.plan->output_files.size() == 1) return WriteInTurn(item, std::move(result));
    WithContext("merging", [&] { context_.writer->Write(result); });
    Finish(item, std::move(result));
  }

  /// A file system writes to a file for one at a time: a thread that finds it busy computes the
  /// next chunk.
  void WriteInTurn(const WorkItem& item, ChunkResult&& result) {
    std::unique_lock lock(write_mutex_);
    to_write_.emplace_back(item, std::move(result));
    if (writing_) return;
    writing_ = true;
    while (!to_write_.empty() && !Cancelled()) {
      std::pair<WorkItem, ChunkResult> next = std::move(to_write_.front());
      to_write_.pop_front();
      lock.unlock();
      try {
        WithContext("merging", [&] { context_.writer->Write(next.second); });
        Finish(next.first, std::move(next.second));
      } catch (...) {
        lock.lock();
        writing_ = false;
        throw;
      }
      lock.lock();
    }
    writing_ = false;
  }

  void Finish(const WorkItem& item, ChunkResult&& result) {
    const std::scoped_lock lock(mutex_);
    const Task& task = context_.plan->tasks[item.chunk.task];
    if (!item.between) Count(task, item, result);
    schedule_.Done(item, std::move(result));
    --at_hand_;
    schedule_.TakeComplete([&](std::uint32_t number, std::span<const ChunkResult> chunks) {
      finished_(number, Fold(context_.plan->tasks[number], chunks, context_.digests));
    });
    if (options_.progress) {
      progress_.elapsed = Clock::now() - start_;
      if (!options_.progress(progress_)) interrupted_ = stopped_ = true;
    }
    changed_.notify_all();
  }

  /// Every pass over a tensor counts as an equal part of its bytes.
  void Count(const Task& task, const WorkItem& item, const ChunkResult& result) {
    progress_.bytes_read += result.bytes_read;
    const std::size_t passes = task.passes.size();
    if (passes == 0) {
      progress_.bytes_done += result.bytes_written;
      return;
    }
    std::uint64_t bytes = 0;
    for (const Product& product : task.products) {
      if (!product.numbers) bytes += item.chunk.count * Info(product.dtype).bits / 8;
    }
    const std::uint64_t part = bytes / (passes + 1);
    // A pass that is repeated has no part of its own.
    std::uint64_t& counted = counted_[{item.chunk.task, item.index}];
    if (item.state->storing()) {
      progress_.bytes_done += result.bytes_written - counted;
      counted_.erase({item.chunk.task, item.index});
    } else if (counted + part <= part * passes) {
      counted += part;
      progress_.bytes_done += part;
    }
  }

  const WorkerContext& context_;
  const EngineOptions& options_;
  const std::function<void(std::uint32_t, TaskResult&&)>& finished_;
  const Clock::time_point start_ = Clock::now();

  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  Schedule schedule_;
  std::size_t most_at_hand_;
  std::size_t at_hand_ = 0;  ///< chunks that are computed, wait for the file, or are written
  bool stopped_ = false;
  bool interrupted_ = false;
  std::exception_ptr failure_;
  Progress progress_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> counted_;

  std::mutex write_mutex_;  ///< of what follows
  std::deque<std::pair<WorkItem, ChunkResult>> to_write_;
  bool writing_ = false;
};

}  // namespace

void ComputeTasks(const WorkerContext& context, std::vector<std::uint32_t> tasks,
                  const EngineOptions& options,
                  const std::function<void(std::uint32_t, TaskResult&&)>& finished) {
  EngineOptions own = options;
  // A thread that cannot be started ends the program where oneTBB starts it.
  if (own.threads > 1) own.threads = 1 + StartableThreads(own.threads - 1);
  Engine(context, std::move(tasks), own, finished).Run();
}

}  // namespace weightsmith::internal
