#include "merge/run/computation.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/io/machine.h"
#include "core/tensor/digest.h"

namespace weightsmith::internal {
namespace {

struct Interrupted : std::exception {};

void Append(const std::vector<std::vector<Digest>>& from, std::vector<std::vector<Digest>>& to) {
  to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i].insert(to[i].end(), from[i].begin(), from[i].end());
  }
}

/// What was found in the chunks of a task, in their order.
TaskResult Fold(const Task& task, std::span<const ChunkResult> chunks, bool digests) {
  TaskResult result;
  result.effects.resize(task.tape.probes.size());
  result.found.resize(task.findings.list.size());
  std::vector<std::vector<Digest>> sources;
  std::vector<std::vector<Digest>> products;
  for (const ChunkResult& chunk : chunks) {
    Append(chunk.source_blocks, sources);
    Append(chunk.product_blocks, products);
    for (std::size_t p = 0; p < chunk.effects.size(); ++p) result.effects[p] += chunk.effects[p];
    for (std::size_t f = 0; f < chunk.found.size(); ++f) result.found[f] += chunk.found[f];
    result.non_finite += chunk.non_finite;
    result.bytes_read += chunk.bytes_read;
    result.bytes_written += chunk.bytes_written;
    result.numbers.insert(result.numbers.end(), chunk.numbers.begin(), chunk.numbers.end());
    result.gathered.insert(result.gathered.end(), chunk.gathered.begin(), chunk.gathered.end());
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

/// A thread that cannot be started ends the program where oneTBB starts it.
int Startable(int threads) {
  return threads > 1 ? 1 + StartableThreads(threads - 1) : threads;
}

template <class Body>
void InContext(std::string_view doing, Body&& body) {
  if (doing.empty()) return std::forward<Body>(body)();
  WithContext(doing, std::forward<Body>(body));
}

}  // namespace

Computation::Computation(WorkerContext& context, WorkerPool& workers, std::uint64_t state_bytes,
                         const WorkSet& work, Sink& sink, const ComputeOptions& options)
    : context_(context),
      workers_(workers),
      sink_(sink),
      options_(options),
      threads_(Startable(options.threads)),
      schedule_(*context.plan, work, state_bytes,
                [this](std::uint32_t task) { return sink_.Needs(task); }),
      most_at_hand_(static_cast<std::size_t>(threads_) * kChunksPerThread) {
  if (sink.destination() != nullptr) writer_.emplace(context, *sink.destination());
  progress_.bytes_done = options.bytes_done;
  progress_.bytes_total = context.plan->bytes_to_write;
}

void Computation::Run() {
  namespace tbb = oneapi::tbb;
  // oneTBB orders threads by means that a checker of races does not see in its packaged form.
  Order();
  if (threads_ == 1) {
    Work();
  } else {
    // More threads than processors is what was asked for.
    const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism,
                                      static_cast<std::size_t>(threads_));
    tbb::task_arena arena(threads_);
    arena.execute([&] {
      tbb::parallel_for(
          0, threads_, [&](int /*thread*/) { Work(); }, tbb::simple_partitioner());
    });
  }
  const std::scoped_lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  if (interrupted_) throw Error(ErrorCode::kInterrupted, "interrupted");
}

bool Computation::Cancelled() const {
  return options_.cancel != nullptr && options_.cancel->load();
}

void Computation::Order() {
  const std::scoped_lock lock(mutex_);
}

/// One thread, until nothing is left to do.
void Computation::Work() {
  Order();
  try {
    Worker worker = workers_.Take();
    while (std::optional<WorkItem> item = Take()) Do(worker, *std::move(item));
    workers_.Give(std::move(worker));
  } catch (const Interrupted&) {
    Stop(nullptr);
  } catch (...) {
    Stop(std::current_exception());
  }
  Order();
}

/// Nothing more is begun; without a failure, since that was asked for.
void Computation::Stop(std::exception_ptr failure) {
  const std::scoped_lock lock(mutex_);
  if (failure == nullptr) interrupted_ = true;
  if (!failure_) failure_ = std::move(failure);
  stopped_ = true;
  changed_.notify_all();
}

/// A part of a loop that another thread shares, or several; false where none is left.
bool Computation::HelpIn(std::unique_lock<std::mutex>& lock) {
  const auto open = std::ranges::find_if(loops_, &SharedLoop::open);
  if (open == loops_.end()) return false;
  SharedLoop& loop = **open;
  ++loop.helpers;
  lock.unlock();
  loop.Help();
  lock.lock();
  --loop.helpers;
  changed_.notify_all();
  return true;
}

/// A loop between two passes, together with threads that look for work meanwhile.
void Computation::Share(std::size_t count, const Poll::Part& part) {
  SharedLoop loop(count, part);
  std::unique_lock lock(mutex_);
  loops_.push_back(&loop);
  changed_.notify_all();
  lock.unlock();
  loop.Help();
  lock.lock();
  std::erase(loops_, &loop);
  changed_.wait(lock, [&] { return loop.helpers == 0; });
  lock.unlock();
  loop.Rethrow();
}

/// The next work; waits for it where other threads still make some.
std::optional<WorkItem> Computation::Take() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (Cancelled()) {
      interrupted_ = stopped_ = true;
      break;
    }
    if (HelpIn(lock)) continue;
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

void Computation::Do(Worker& worker, WorkItem item) {
  ChunkResult result;
  InContext(options_.doing, [&] { result = Compute(worker, item); });
  if (result.slice.bytes.empty()) return Finish(item, std::move(result));
  if (context_.plan->output_files.size() == 1) return WriteInTurn(item, std::move(result));
  InContext(options_.doing, [&] { writer_->Write(std::move(result.slice)); });
  Finish(item, std::move(result));
}

ChunkResult Computation::Compute(Worker& worker, WorkItem& item) {
  const auto check = [this] {
    if (Cancelled()) throw Interrupted();
  };
  const auto share = [this](std::size_t count, const Poll::Part& part) { Share(count, part); };
  const Poll poll = threads_ > 1 ? Poll(check, share) : Poll(check);
  if (!item.between) {
    const ChunkOptions options{.writer = writer_ ? &*writer_ : nullptr,
                               .digests = options_.digests,
                               .effects = options_.effects,
                               .keep_cache = options_.keep_cache,
                               .poll = poll};
    return worker.Compute(item.chunk, options, item.state.get());
  }
  if (item.state == nullptr) {
    item.state =
        std::make_shared<TaskState>(*context_.plan, item.chunk.task, context_.deltas.digests(),
                                    poll, context_.given, context_.Gathered(item.chunk.task));
  } else {
    item.state->EndPass(poll);
  }
  ChunkResult result;
  const std::optional<SurveyedSlot>& surveyed = item.state->task().surveyed;
  if (!item.state->storing()) {
    worker.Sample(*item.state, poll);
  } else if (surveyed) {
    result.numbers = item.state->slots()[surveyed->slot];
    if (surveyed->second != kNoSlot) {
      result.numbers.push_back(item.state->slots()[surveyed->second].front());
    }
    result.gathered = item.state->Gathered(surveyed->passes_to_keep);
  }
  return result;
}

/// A file system writes to a file for one at a time: a thread that finds it busy computes the next
/// chunk.
void Computation::WriteInTurn(const WorkItem& item, ChunkResult&& result) {
  std::unique_lock lock(write_mutex_);
  to_write_.emplace_back(item, std::move(result));
  if (writing_) return;
  writing_ = true;
  while (!to_write_.empty() && !Cancelled()) {
    std::pair<WorkItem, ChunkResult> next = std::move(to_write_.front());
    to_write_.pop_front();
    lock.unlock();
    try {
      InContext(options_.doing, [&] { writer_->Write(std::move(next.second.slice)); });
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

void Computation::Finish(const WorkItem& item, ChunkResult&& result) {
  const std::scoped_lock lock(mutex_);
  const Task& task = context_.plan->tasks[item.chunk.task];
  if (!item.between) Count(task, item, result);
  schedule_.Done(item, std::move(result));
  --at_hand_;
  schedule_.TakeComplete([&](std::uint32_t number, std::span<const ChunkResult> chunks) {
    sink_.Take(number, Fold(context_.plan->tasks[number], chunks, options_.digests));
  });
  if (options_.progress) {
    progress_.elapsed = Clock::now() - start_;
    if (!options_.progress(progress_)) interrupted_ = stopped_ = true;
  }
  changed_.notify_all();
}

/// Every pass over a tensor counts as an equal part of its bytes.
void Computation::Count(const Task& task, const WorkItem& item, const ChunkResult& result) {
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

}  // namespace weightsmith::internal
