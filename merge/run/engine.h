// The one way in which tensors flow, whatever they are computed for: an engine has what a plan's
// tasks are computed with, is given work, and hands what comes of it to a sink.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

#include "core/io/byte_source.h"
#include "merge/plan/plan.h"
#include "merge/run/budget.h"
#include "merge/run/progress.h"
#include "merge/run/sink.h"
#include "merge/run/work_set.h"
#include "merge/run/worker_context.h"
#include "merge/run/worker_pool.h"

namespace weightsmith::internal {

/// How a work set is computed.
struct ComputeOptions {
  int threads = 1;  ///< one: the calling thread
  bool digests = true;
  bool effects = true;
  bool keep_cache = true;        ///< false: what was read leaves the page cache
  std::uint64_t bytes_done = 0;  ///< before, for the progress
  /// Called from any of the threads, from one at a time; false stops.
  std::function<bool(const Progress&)> progress{};
  const std::atomic<bool>* cancel = nullptr;  ///< stops when set
  std::string_view doing = "merging";         ///< the context of errors; empty: none
};

class Engine {
 public:
  /// Opens the files of the plan: by positioned reads, or as `io` says. Throws kInput where one is
  /// not what it was when the plan was made.
  /// REQUIRES: the plan outlives the engine.
  explicit Engine(const Plan& plan, const MemoryShare& memory = {},
                  std::optional<IoBackend> io = std::nullopt);

  const Plan& plan() const { return *context_.plan; }
  /// Of what was read of adapters.
  const AdapterDigests& adapter_digests() { return context_.deltas.digests(); }

  /// Computes the work and gives it to the sink. Any thread, several at once with a sink each; the
  /// first one that needs the plan's surveys takes them before. Throws as Worker does, what the
  /// sink throws, and kInterrupted.
  void Compute(const WorkSet& work, Sink& sink, const ComputeOptions& options);

  /// Takes the plan's surveys, as the first Compute would; afterwards none is left to be taken.
  void TakeSurveys(const ComputeOptions& options);

  /// Throws kInput where a file changed since the plan was made: any, or one that the work reads.
  void ExpectInputsUnchanged() const;
  void ExpectInputsUnchanged(const WorkSet& work) const;

  /// All files leave the page cache.
  void DropCaches() const;

 private:
  MemoryShare memory_;
  std::optional<IoBackend> io_;
  WorkerContext context_;
  WorkerPool workers_;
  std::mutex surveying_;
  bool surveyed_ = false;
};

}  // namespace weightsmith::internal
