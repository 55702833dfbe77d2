// Workers that wait for work, with the buffers that they have.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "merge/run/worker.h"

namespace weightsmith::internal {

/// Any thread.
class WorkerPool {
 public:
  /// REQUIRES: the context outlives it.
  explicit WorkerPool(WorkerContext& context) : context_(&context) {}

  /// One that was given back, or a new one.
  Worker Take() {
    const std::scoped_lock lock(mutex_);
    if (idle_.empty()) return Worker(*context_);
    Worker worker = std::move(idle_.back());
    idle_.pop_back();
    return worker;
  }
  /// REQUIRES: it has thrown nothing.
  void Give(Worker worker) {
    worker.Forget();
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(worker));
  }

 private:
  WorkerContext* context_;
  std::mutex mutex_;
  std::vector<Worker> idle_;
};

}  // namespace weightsmith::internal
