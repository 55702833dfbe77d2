// The order of a run's work: chunks of tasks and, of tasks of several passes, what is done between
// two passes. While some threads finish a pass, others begin what comes behind it, within a window
// of memory. Results are folded by task and chunk, never by arrival.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "merge/run/chunk.h"
#include "merge/run/task_result.h"
#include "merge/run/task_state.h"
#include "merge/run/work_set.h"

namespace weightsmith::internal {

/// A piece of work for one thread.
struct WorkItem {
  Chunk chunk;
  std::uint64_t index = 0;             ///< of the chunk in its pass
  std::size_t place = 0;               ///< of its task in the work set
  std::shared_ptr<TaskState> state{};  ///< of a task of several passes
  /// No chunk: the state is to be made, or its pass to be ended, and the next one begun.
  bool between = false;
};

/// For one thread at a time.
class Schedule {
 public:
  /// `work` in its order, without tasks that are not needed when their turn has come. States of
  /// tasks take at most `state_bytes` together; one that is larger runs alone.
  /// REQUIRES: plan and work outlive it.
  Schedule(const Plan& plan, const WorkSet& work, std::uint64_t state_bytes,
           std::function<bool(std::uint32_t task)> needed);

  /// What can be done now; nothing where all that is left waits for work that was given out, or
  /// where nothing is left.
  std::optional<WorkItem> Next();

  /// Takes work back that was done; where there was no state it has one now. REQUIRES: it came from
  /// Next().
  void Done(const WorkItem& item, ChunkResult&& result);

  /// Calls `take(task, results of its chunks in order)` for tasks that are complete, in the order
  /// of the work set.
  void TakeComplete(const std::function<void(std::uint32_t, std::span<const ChunkResult>)>& take);

 private:
  struct OpenTask {
    TaskWork work;
    std::size_t place = 0;  ///< in the work set
    std::shared_ptr<TaskState> state;
    std::uint64_t chunks = 0;
    std::uint64_t given = 0;  ///< of the pass at hand
    std::uint64_t done = 0;
    enum class Between : std::uint8_t { kWaits, kGiven, kDone } between = Between::kDone;
    std::vector<ChunkResult> results;
  };

  bool OpenNext();
  void Leave(OpenTask& open);
  std::optional<WorkItem> Give(OpenTask& open) const;

  const Plan* plan_;
  const WorkSet* work_;
  std::uint64_t state_bytes_;
  std::function<bool(std::uint32_t)> needed_;
  std::size_t next_ = 0;  ///< in the work set
  std::uint64_t state_used_ = 0;
  std::deque<OpenTask> open_;  ///< in the order of the work set
};

}  // namespace weightsmith::internal
