// Computes tasks of a plan with any number of threads: the one way in which tensors flow, whatever
// they are computed for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "merge/run/task_result.h"
#include "merge/run/worker.h"

namespace weightsmith::internal {

struct Progress {
  std::uint64_t bytes_done = 0;  ///< written; of a tensor that takes several passes in equal parts
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_read = 0;
  std::chrono::steady_clock::duration elapsed{};
};

struct EngineOptions {
  int threads = 1;  ///< one: the calling thread
  /// What tasks of several passes may hold together; one that holds more runs alone.
  std::uint64_t state_bytes = 0;
  std::uint64_t bytes_done = 0;   ///< before, for the progress
  std::uint64_t bytes_total = 0;  ///< likewise
  /// Called from any of the threads, from one at a time; false stops.
  std::function<bool(const Progress&)> progress{};
  const std::atomic<bool>* cancel = nullptr;  ///< stops when set
};

/// Computes the tasks, in this order as far as possible, and hands over what it learned of each, in
/// this order, from one thread at a time. What is to be written goes to the context's writer.
/// Throws as Worker does, and kInterrupted.
void ComputeTasks(const WorkerContext& context, std::vector<std::uint32_t> tasks,
                  const EngineOptions& options,
                  const std::function<void(std::uint32_t, TaskResult&&)>& finished);

}  // namespace weightsmith::internal
