// A loop that a thread shares with threads that have nothing else to do.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>

#include "merge/program/poll.h"

namespace weightsmith::internal {

class SharedLoop {
 public:
  /// Parts 0 to count - 1. REQUIRES: `part` outlives it.
  SharedLoop(std::size_t count, const Poll::Part& part) : count_(count), part_(part) {}

  /// Whether a part has not been begun. Any thread, likewise below.
  bool open() const { return next_.load(std::memory_order_relaxed) < count_; }

  /// Computes parts until none is left to be begun. After one has thrown none is.
  void Help() noexcept {
    for (std::size_t part = next_.fetch_add(1, std::memory_order_relaxed); part < count_;
         part = next_.fetch_add(1, std::memory_order_relaxed)) {
      try {
        part_(part);
      } catch (...) {
        next_.store(count_, std::memory_order_relaxed);
        const std::scoped_lock lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
    }
  }

  /// Throws what the first part to fail has thrown. REQUIRES: no thread helps any more.
  void Rethrow() {
    const std::scoped_lock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

  std::size_t helpers = 0;  ///< other threads that help; whoever counts them guards it

 private:
  const std::size_t count_;
  const Poll::Part& part_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace weightsmith::internal
