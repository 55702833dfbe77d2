// Computes chunks with buffers of its own, reused from chunk to chunk: read, decode, run the tape,
// measure, encode, digesting bytes while they are in cache.
#pragma once

#include <memory>

#include "merge/run/chunk.h"
#include "merge/run/chunk_writer.h"
#include "merge/run/task_state.h"
#include "merge/run/worker_context.h"

namespace weightsmith::internal {

/// What is wanted of a chunk.
struct ChunkOptions {
  ChunkWriter* writer = nullptr;  ///< null: compute and write nothing
  bool digests = true;
  bool effects = true;
  bool keep_cache = true;  ///< false: what was read leaves the page cache
  Poll poll = [] {};       ///< called while deltas or rows are made; what it throws comes through
};

class Worker {
 public:
  /// REQUIRES: the context outlives it.
  explicit Worker(WorkerContext& context);
  ~Worker();
  Worker(Worker&&) noexcept;
  Worker& operator=(Worker&&) noexcept;

  /// Of a task of several passes, computes the chunk in the pass at hand of its state; the result
  /// holds something in the one that stores. Of a chunk of many products, slices are written here,
  /// all but the last one; that is in the result, for the caller to write. Throws kMismatch where a
  /// result is not finite and the policy says error.
  ChunkResult Compute(const Chunk& chunk, const ChunkOptions& options, TaskState* state = nullptr);

  /// Takes the samples that the pass at hand wants. To be called before its first chunk.
  void Sample(
      TaskState& state, const Poll& poll = [] {});

  /// Keeps its buffers, and nothing of the task that it computed last.
  void Forget();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weightsmith::internal
