// Computes chunks with buffers of its own, reused from chunk to chunk: read, decode, run the tape,
// measure, encode, digesting bytes while they are in cache.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/io/byte_source.h"
#include "merge/plan/plan.h"
#include "merge/run/chunk.h"
#include "merge/run/chunk_writer.h"
#include "merge/run/prepared_deltas.h"
#include "merge/run/task_state.h"

namespace weightsmith::internal {

/// What every worker of a run shares.
struct WorkerContext {
  const Plan* plan = nullptr;
  std::vector<std::shared_ptr<const ByteSource>> files;  ///< parallel to Plan::files
  ChunkWriter* writer = nullptr;                         ///< null: compute and write nothing
  bool digests = true;
  bool effects = true;
  bool keep_cache = true;  ///< false: what was read leaves the page cache
  std::shared_ptr<DeltaCache> deltas = std::make_shared<DeltaCache>();
};

class Worker {
 public:
  explicit Worker(const WorkerContext& context);
  ~Worker();
  Worker(Worker&&) noexcept;

  /// Of a task of several passes, computes the chunk in the pass at hand of its state; the result
  /// holds something in the one that stores. What is to be written is in the result. Throws
  /// kMismatch where a result is not finite and the policy says error.
  ChunkResult Compute(const Chunk& chunk, TaskState* state = nullptr);

  /// Takes the samples that the pass at hand wants. To be called before its first chunk.
  void Sample(TaskState& state);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weightsmith::internal
