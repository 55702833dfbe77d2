// The arithmetic of a task on what was read of it: decode, run the tape, measure, round, encode.
// Private to merge/worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "merge/run/chunk.h"
#include "merge/run/task_state.h"
#include "merge/run/worker_buffers.h"

namespace weightsmith::internal {

/// Units that are read at a time: 64 KiB of a 16-bit dtype. It divides every digest block.
inline constexpr std::uint64_t kPiece = 32 * kTile;

/// A piece of a task in memory.
struct PieceInputs {
  const Task* task = nullptr;
  std::uint64_t first = 0;  ///< element of the tensor
  std::uint64_t count = 0;
  std::span<const Buffer> sources;                    ///< bytes of each
  std::span<const std::span<const float>> deltas;     ///< values of each
  std::span<const std::vector<float>> source_scales;  ///< of each source; empty: none
  TaskState* state = nullptr;                         ///< of a task of several passes
  /// By the number of a kept value: those of the piece where it is made row by row.
  std::span<const std::span<const float>> rows{};
};

template <class Real>
class TileRunner {
 public:
  /// For tapes of at most so many registers.
  explicit TileRunner(std::size_t registers) : tiles_(registers + kScratch) {}

  /// Fills results with the piece's products, `in_chunk` elements behind their beginnings, and adds
  /// what was seen to `result`.
  void Compute(const PieceInputs& piece, NonFinitePolicy non_finite, bool effects,
               std::span<const Buffer> results, std::uint64_t in_chunk, ChunkResult& result);

  /// Gives the state what the pass at hand gathers. REQUIRES: it is not the one that stores.
  void Gather(const PieceInputs& piece);

  /// Fills `values` with what goes into a function of rows, of all of the piece.
  void GatherRows(const PieceInputs& piece, const RowValue& rows, const Tape& tape,
                  std::span<float> values);

  /// Appends values of the pass at hand, of all of the piece, to one list for each register.
  void Sample(const PieceInputs& piece, std::span<const Register> registers,
              std::vector<std::vector<float>>& samples);

 private:
  static constexpr std::size_t kScratch = 2;

  /// A tile of the piece.
  struct Place {
    std::uint64_t at = 0;  ///< elements from its start
    std::size_t n = 0;
  };

  std::span<Real> Tile(std::size_t i, std::size_t n) { return tiles_.tile(i, n); }
  std::span<Real> Scratch(std::size_t i, std::size_t n) {
    return tiles_.tile(tiles_.all().size() / kTile - kScratch + i, n);
  }
  bool BakeAtOnce(const PieceInputs& piece, const Place& place, float strength, bool effects,
                  std::span<std::byte> out, ChunkResult& result);
  template <class Use>
  void ForEachTile(const PieceInputs& piece, const Use& use);
  template <class Use>
  void ForEachTileByColumns(const PieceInputs& piece, std::uint64_t columns, const Use& use);
  void LoadAll(const PieceInputs& piece, const Place& place, std::span<const Register> operands);
  void RunPass(const PieceInputs& piece, const Place& place);
  void RunLast(const PieceInputs& piece, const Place& place);
  void Load(const PieceInputs& piece, const Place& place, Register operand, std::span<Real> tile);
  void Store(const PieceInputs& piece, const Place& place, std::size_t product,
             NonFinitePolicy non_finite, std::span<std::byte> out, ChunkResult& result);
  std::span<const Real> Finite(const PieceInputs& piece, const Product& product,
                               std::span<const Real> values, NonFinitePolicy non_finite,
                               ChunkResult& result);
  void Look(const PieceInputs& piece, const Place& place, ChunkResult& result);
  void Measure(const PieceInputs& piece, const Place& place, std::span<const std::byte> stored,
               ChunkResult& result);
  std::span<const std::byte> StoredTile(const PieceInputs& piece, const Place& place,
                                        Register value, std::span<const std::byte> stored,
                                        std::vector<std::byte>& scratch);

  AlignedTiles<Real> tiles_;
  std::vector<std::byte> stored_before_;
  std::vector<std::byte> stored_after_;
};

}  // namespace weightsmith::internal
