// What an interrupted run has done: a text file beside the partial output, one line for every
// finished task with its digests and sums, so that the same run can go on from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "merge/chunk.h"
#include "merge/plan.h"

namespace weightsmith {

/// What a finished task told; chunks folded in their order.
struct TaskResult {
  std::vector<Digest> sources;  ///< of the stored tensors; empty without digests
  std::vector<Digest> products;
  std::vector<Effect> effects;  ///< parallel to the task's probes
  std::uint64_t non_finite = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
};

class Journal {
 public:
  /// Opens the journal at `path`. Where it is of the same run, finished() has its tasks; else it
  /// starts empty. The same run has the same plan, input files and options since the machine was
  /// started: what a crash of it kept is unknown.
  Journal(std::filesystem::path path, const Plan& plan, bool digests, bool effects);
  ~Journal();
  Journal(Journal&&) noexcept;

  /// Whether a journal of another run was there.
  bool foreign() const;
  /// Of the tasks 0, 1, … in order.
  const std::vector<TaskResult>& finished() const;

  /// Forgets what was read and starts anew.
  void Restart();
  /// Appends the next task.
  void Append(const TaskResult& result);
  /// Removes the file.
  void Remove();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weightsmith
