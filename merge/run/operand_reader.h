// The operands of the task at hand, a piece at a time, in buffers that are reused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/base/aligned_vector.h"
#include "merge/run/source_reader.h"
#include "merge/run/tile_runner.h"
#include "merge/run/worker_context.h"

namespace weightsmith::internal {

class OperandReader {
 public:
  /// For whom deltas are filled: what they are filled with is kept apart.
  enum class Use : std::uint8_t { kPieces, kRows };

  /// REQUIRES: the context outlives it.
  explicit OperandReader(const WorkerContext& context);

  /// Reads what belongs to the task's sources as wholes, their scales. `state`: where it has
  /// several passes.
  void Begin(const Task& task, TaskState* state);
  /// Of a task of one pass: what its deltas are filled from.
  void Take(std::shared_ptr<const PreparedDeltas> deltas) { deltas_ = std::move(deltas); }
  const PreparedDeltas* deltas() const { return deltas_.get(); }
  /// Keeps the buffers alone.
  void Forget();

  /// Elements [first, first + count) of these operands, as far as they are sources or deltas.
  PieceInputs Read(Use use, std::span<const Register> operands, std::uint64_t first,
                   std::uint64_t count);
  /// All deltas.
  void FillDeltas(std::uint64_t first, std::uint64_t count);
  /// What has been read of a piece. `skip` are elements of the deltas that stand before it.
  PieceInputs Inputs(Use use, std::uint64_t first, std::uint64_t count, std::uint64_t skip);

  /// The bytes of a piece of every source.
  std::span<Buffer> pieces() { return pieces_; }
  const SourceReader& sources() const { return reader_; }

 private:
  using Deltas = std::vector<AlignedVector<float>>;

  Deltas& DeltasFor(Use use) { return use == Use::kRows ? row_deltas_ : piece_deltas_; }
  void FillDelta(Deltas& pieces, std::size_t delta, std::uint64_t first, std::uint64_t count);

  const WorkerContext& context_;
  SourceReader reader_;
  const Task* task_ = nullptr;
  TaskState* state_ = nullptr;
  std::shared_ptr<const PreparedDeltas> deltas_;
  Deltas piece_deltas_;  ///< a piece of every delta, or several
  Deltas row_deltas_;
  std::vector<std::span<const float>> delta_views_;
  std::vector<Buffer> pieces_;
  std::vector<std::vector<float>> scales_;
};

}  // namespace weightsmith::internal
