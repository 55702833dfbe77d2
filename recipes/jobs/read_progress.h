// How far a job is that reads files and writes none.
#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "merge/run/executor.h"

namespace weightsmith::internal {

class ReadProgress {
 public:
  /// REQUIRES: `options` outlives this.
  ReadProgress(const RunOptions& options, std::uint64_t bytes_total) : options_(options) {
    progress_.bytes_total = bytes_total;
  }

  /// Throws kInterrupted where the job is to stop.
  void Add(std::uint64_t bytes) { Reach(progress_.bytes_done + bytes); }
  void Reach(std::uint64_t bytes_done) {
    progress_.bytes_done = progress_.bytes_read = bytes_done;
    const bool asked = options_.cancel != nullptr && *options_.cancel;
    if (asked || (options_.progress && !options_.progress(progress_))) {
      throw Error(ErrorCode::kInterrupted, "interrupted");
    }
  }

 private:
  const RunOptions& options_;
  Progress progress_;
};

}  // namespace weightsmith::internal
