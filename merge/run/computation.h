// One computation of an engine: threads that take work from a schedule until nothing is left.
// Private to merge/run/engine.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "merge/run/engine.h"
#include "merge/run/schedule.h"
#include "merge/run/shared_loop.h"

namespace weightsmith::internal {

class Computation {
 public:
  /// States of tasks take at most `state_bytes` together; one that is larger runs alone.
  /// REQUIRES: what is given outlives it.
  Computation(WorkerContext& context, WorkerPool& workers, std::uint64_t state_bytes,
              const WorkSet& work, Sink& sink, const ComputeOptions& options);

  void Run();

 private:
  using Clock = std::chrono::steady_clock;

  bool Cancelled() const;
  void Order();
  void Work();
  void Stop(std::exception_ptr failure);
  std::optional<WorkItem> Take();
  bool HelpIn(std::unique_lock<std::mutex>& lock);
  void Share(std::size_t count, const Poll::Part& part);
  void Do(Worker& worker, WorkItem item);
  ChunkResult Compute(Worker& worker, WorkItem& item);
  void WriteInTurn(const WorkItem& item, ChunkResult&& result);
  void Finish(const WorkItem& item, ChunkResult&& result);
  void Count(const Task& task, const WorkItem& item, const ChunkResult& result);

  WorkerContext& context_;
  WorkerPool& workers_;
  Sink& sink_;
  const ComputeOptions& options_;
  const int threads_;
  std::optional<ChunkWriter> writer_;  ///< where bytes go somewhere
  const Clock::time_point start_ = Clock::now();

  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  Schedule schedule_;
  std::size_t most_at_hand_;
  std::size_t at_hand_ = 0;         ///< chunks that are computed, wait for the file, or are written
  std::vector<SharedLoop*> loops_;  ///< of threads between two passes
  bool stopped_ = false;
  bool interrupted_ = false;
  std::exception_ptr failure_;
  Progress progress_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> counted_;

  std::mutex write_mutex_;  ///< of what follows
  std::deque<std::pair<WorkItem, ChunkResult>> to_write_;
  bool writing_ = false;
};

}  // namespace weightsmith::internal
