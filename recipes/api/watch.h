// A run as its caller watches it: weightsmith/run.h as the engine has it.
#pragma once

#include <weightsmith/run.h>

#include <chrono>
#include <exception>
#include <string>
#include <string_view>

#include "merge/run/executor.h"

namespace weightsmith::internal {

class Watch {
 public:
  /// `phase`: what begins. Throws kUsage for a number of threads that makes no sense.
  /// REQUIRES: `options` outlives this.
  Watch(const weightsmith::RunOptions& options, std::string phase);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  const RunOptions& options() const { return engine_; }
  void Begin(std::string_view phase) { told_.phase = phase; }

  /// Runs `body` with the options and says at the end that all is done. What the caller's progress
  /// threw is thrown.
  template <class Body>
  auto Run(Body body) {
    try {
      auto result = body(engine_);
      TellDone();
      return result;
    } catch (...) {
      if (thrown_) std::rethrow_exception(thrown_);
      throw;
    }
  }

 private:
  bool Tell(std::uint64_t bytes_done, std::uint64_t bytes_total);
  void TellDone();

  const weightsmith::RunOptions& caller_;
  RunOptions engine_;
  weightsmith::Progress told_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::exception_ptr thrown_;
};

}  // namespace weightsmith::internal
