// Values that are made row by row, of the rows that a piece of a tensor lies in: a row that ends
// behind the piece is there for the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/aligned_vector.h"
#include "merge/plan/plan.h"
#include "merge/run/tile_runner.h"

namespace weightsmith::internal {

class RowWindow {
 public:
  /// How it comes to what goes into its functions.
  struct Inputs {
    /// A piece of the task with these operands, as far as they are no rows.
    std::function<PieceInputs(std::span<const Register> operands, std::uint64_t first,
                              std::uint64_t count)>
        read;
    /// Runs the tape of Task::rows[index] on a piece: TileRunner::GatherRows.
    std::function<void(const PieceInputs&, std::size_t index, std::span<float> values)> gather;
    std::function<void()> poll;  ///< called every few milliseconds
  };

  /// Makes nothing yet, of what a pass of the task needs: see RowsRead.
  /// REQUIRES: the task outlives it, or another one is begun or it is cleared before it ends.
  void Begin(const Task& task, std::size_t pass);
  void Clear();

  /// Makes the rows in which these elements lie, unless they are there; those before are forgotten.
  /// REQUIRES: at most kPiece elements.
  void Cover(std::uint64_t first, std::uint64_t count, const Inputs& inputs);

  /// For PieceInputs::rows. REQUIRES: those elements were covered last.
  std::span<const std::span<const float>> Views(std::uint64_t first, std::uint64_t count);

 private:
  /// Values that do not depend on each other: their inputs are gathered together.
  struct Group {
    std::vector<std::size_t> rows;  ///< by index in Task::rows
    std::vector<Register> operands;
  };

  void Extend(std::uint64_t count, const Inputs& inputs);
  std::span<float> Values(std::size_t index, std::uint64_t first, std::uint64_t count);

  const Task* task_ = nullptr;
  std::uint64_t row_ = 1;  ///< elements of a row of the task
  std::vector<Group> groups_;
  std::uint64_t begin_ = 0;  ///< elements of the tensor from here to
  std::uint64_t end_ = 0;    ///< here are there; it is the end of a row
  // Parallel to Task::rows.
  std::vector<std::unique_ptr<RowFunction>> functions_;
  std::vector<AlignedVector<float>> values_;
  std::vector<std::span<const float>> views_;
};

/// Bytes that a window of the task holds, at most.
std::uint64_t RowWindowBytes(const Task& task);

}  // namespace weightsmith::internal
