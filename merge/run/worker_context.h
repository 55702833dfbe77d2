// What every worker of an engine shares.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/io/byte_source.h"
#include "merge/plan/plan.h"
#include "merge/run/buffer.h"
#include "merge/run/buffer_sizes.h"
#include "merge/run/prepared_deltas.h"

namespace weightsmith::internal {

/// REQUIRES: the plan outlives it.
struct WorkerContext {
  explicit WorkerContext(const Plan& of, std::vector<std::shared_ptr<const ByteSource>> opened,
                         std::uint64_t delta_bytes = 0)
      : plan(&of), files(std::move(opened)), most(CountBuffers(of)), deltas(delta_bytes) {}

  const Plan* plan;
  std::vector<std::shared_ptr<const ByteSource>> files;  ///< parallel to Plan::files
  BufferCounts most;
  DeltaCache deltas;   ///< any thread
  BufferPool buffers;  ///< of results, likewise
  /// What surveys gave: two numbers for each step, NaN where there was none.
  std::vector<double> given{};
  /// Likewise numbers of passes, by survey and by its task.
  std::vector<std::vector<std::vector<double>>> gathered{};

  /// Those of a task of the plan; empty where there are none.
  std::span<const double> Gathered(std::uint32_t task) const {
    const auto& passes = plan->tasks[task].surveyed_passes;
    if (!passes || passes->survey >= gathered.size()) return {};
    return gathered[passes->survey][passes->task];
  }
};

}  // namespace weightsmith::internal
