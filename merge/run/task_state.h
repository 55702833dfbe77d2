// What a task of several passes holds between its chunks: numbers that passes gathered, values that
// are kept whole, adapters that read those.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/aligned_vector.h"
#include "merge/plan/plan.h"
#include "merge/program/selection.h"
#include "merge/run/prepared_deltas.h"
#include "merge/run/row_numbers.h"

namespace weightsmith::internal {

class TaskState {
 public:
  /// Makes the deltas that read no weight; `poll` as in EndPass; `given` and
  /// `gathered` (empty: nothing) as surveys have left them.
  /// REQUIRES: the plan and the digests outlive it.
  TaskState(const Plan& plan, std::uint32_t task, AdapterDigests& digests, const Poll& poll,
            std::span<const double> given = {}, std::span<const double> gathered = {});

  const Task& task() const { return *task_; }
  /// Whether the pass at hand is the one that stores.
  bool storing() const { return pass_ == task_->passes.size(); }
  /// Which pass that is.
  std::size_t number() const { return pass_; }
  /// The pass at hand. REQUIRES: it is not the one that stores.
  const Pass& pass() const { return task_->passes[pass_]; }
  /// The tape of the pass at hand, with its scalars.
  const Tape& tape() const { return tape_; }
  /// What marks elements for findings. REQUIRES: storing().
  const Tape& findings() const { return findings_; }
  /// What is ranked or the like in the pass at hand, by index in Task::rows. REQUIRES: the pass
  /// reads those rows.
  const Tape& rows(std::size_t index) const { return row_tapes_[index]; }
  const SlotValues& slots() const { return slots_; }
  std::span<float> kept(KeptIndex index) { return kept_[index]; }
  const PreparedDeltas& deltas() const { return deltas_; }
  /// What the reductions of the first passes gave, one after another. REQUIRES: those have ended,
  /// and none of them has cells that are rows.
  std::vector<double> Gathered(std::size_t passes) const;

  /// Selections of the pass at hand that want a sample: values of these registers, each of which
  /// several may share. None where the pass is computed again.
  std::vector<Register> RegistersToSample() const;
  /// A sample of each of those, in their order.
  void Propose(std::span<const Register> registers, const std::vector<std::vector<float>>& samples);

  /// Gives the reductions of the pass at hand a tile of their registers, from element `first` on.
  /// Any thread; each block of kReductionBlock from one, and in order but for OrderedColumns.
  template <class Real>
  void Gather(std::uint64_t first, std::size_t n, std::span<const Real> registers);
  /// All elements of the block that `end` ends have been gathered; nothing if it ends none.
  void EndGathered(std::uint64_t end);
  /// Where only the order within each column matters to the pass at hand, and tiles may begin
  /// anywhere: how many columns a row has.
  std::optional<std::uint64_t> OrderedColumns() const;

  /// REQUIRES: all of the pass at hand was computed. Goes on to the next one, or has it computed
  /// again where a selection is not known yet. What `poll` throws comes through.
  void EndPass(const Poll& poll);

 private:
  void TakeGathered(std::span<const double> gathered);
  void BeginPass(const Poll& poll);
  void EndBlock(std::uint64_t block);
  void EndRows(const RowNumbers& rows);
  void EndNumbers(const Pass& ended);
  void PrepareDeltas(const Pass& ended, const Poll& poll);

  const Plan* plan_;
  const Task* task_;
  std::size_t pass_ = 0;
  bool wide_;
  bool sampled_ = false;
  Tape tape_;
  Tape findings_;
  std::vector<Tape> row_tapes_;  ///< parallel to Task::rows; empty where the pass reads none
  SlotValues slots_;
  std::vector<AlignedVector<float>> kept_;
  PreparedDeltas deltas_;
  std::vector<ReductionBlocks> blocks_;                 ///< parallel to the pass's reductions
  std::vector<std::unique_ptr<Selection>> selections_;  ///< likewise; null for other reductions
  std::vector<bool> of_rows_;                           ///< likewise: whether it is in rows_
  std::vector<std::array<std::size_t, 3>> pairs_;  ///< x·x, x·y, y·y: reductions by their indices
  std::vector<bool> of_pairs_;                     ///< parallel to the reductions
  std::vector<RowNumbers> rows_;                   ///< of the pass
};

/// Bytes that the state of a task takes, at most.
std::uint64_t StateBytes(const Task& task);

}  // namespace weightsmith::internal
