// What adapters add to one tensor, ready to be asked for piece by piece: factors read and decoded,
// rotations made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "merge/adapters/delta_rows.h"
#include "merge/plan/plan.h"
#include "merge/program/program.h"
#include "merge/run/adapter_digests.h"

namespace weightsmith::internal {

class PreparedDeltas {
 public:
  /// REQUIRES: plan, task and digests outlive it.
  PreparedDeltas(const Plan& plan, const Task& task, AdapterDigests& digests);

  /// Makes a delta of the task ready; `weight` is the value that it is for, where it reads that,
  /// and outlives this. Digests of what is read go to those given. Throws as MakeDelta does, naming
  /// the module.
  /// `poll` is called while it is made.
  void Prepare(std::size_t delta, std::span<const float> weight, const Poll& poll);

  /// Elements [first, first + out.size()) of a delta that is ready. Any thread.
  void Fill(std::size_t delta, std::uint64_t first, std::span<float> out) const;

 private:
  /// Rows of the tensor that a module changes.
  struct Run {
    const DeltaRows* rows = nullptr;
    RowMap map = {};
    float factor = 1;
  };
  struct Delta {
    std::uint64_t columns = 0;
    std::vector<Run> runs;
    std::vector<std::unique_ptr<DeltaRows>> rows;
    std::vector<std::vector<float>> weights;  ///< that the rows read, where they lie otherwise
  };

  static void FillRun(const Run& run, std::uint64_t columns, std::uint64_t first,
                      std::span<float> out);

  const Plan* plan_;
  const Task* task_;
  AdapterDigests* digests_;
  std::vector<Delta> deltas_;
};

/// Bytes that the deltas of a task take while they are made, at most; not more afterwards.
std::uint64_t BytesOf(const Task& task);

/// The deltas of the tasks at hand, shared by the workers that compute parts of one task. They live
/// as long as a worker holds them; beyond that the latest are kept, as far as they fit.
class DeltaCache {
 public:
  /// `most_bytes`: of what is kept though no worker holds it.
  explicit DeltaCache(std::uint64_t most_bytes = 0);

  /// REQUIRES: the task has one pass.
  std::shared_ptr<const PreparedDeltas> Get(const Plan& plan, std::uint32_t task, const Poll& poll);
  /// Prepares the next task that has such deltas, while others compute this one; nothing where they
  /// could not be kept.
  void Prepare(const Plan& plan, std::uint32_t after, const Poll& poll);
  /// Of what was read, for whole tasks too.
  AdapterDigests& digests() { return digests_; }

 private:
  struct Entry {
    std::once_flag once;
    std::optional<PreparedDeltas> deltas;
  };
  struct Slot {
    std::uint32_t task = 0;
    std::weak_ptr<Entry> entry;
    std::shared_ptr<Entry> kept;
    std::uint64_t bytes = 0;  ///< counted as kept
  };

  std::shared_ptr<Entry> EntryOf(const Plan& plan, std::uint32_t task, bool only_if_kept);
  std::shared_ptr<const PreparedDeltas> Make(const Plan& plan, std::uint32_t task,
                                             const std::shared_ptr<Entry>& entry, const Poll& poll);

  std::uint64_t most_bytes_;
  std::uint64_t kept_bytes_ = 0;
  AdapterDigests digests_;
  std::mutex mutex_;
  std::vector<Slot> slots_;  ///< the oldest first
};

}  // namespace weightsmith::internal
