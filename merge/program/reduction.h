// What a pass gathers of its registers, tile by tile: sums in f64, largest magnitudes, the k-th
// largest. Sums are kept by block and folded in the order of the blocks, so that they depend
// neither on who computed which part nor on the width of vectors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/tensor/grid.h"
#include "merge/program/rank.h"
#include "merge/program/scalar.h"
#include "merge/program/tape.h"

namespace weightsmith::internal {

enum class ReductionCode : std::uint8_t {
  kSum,      ///< Σ x
  kDot,      ///< Σ x·y
  kLargest,  ///< max |x|; a NaN counts as nothing; 0 for no elements
  kRanked,   ///< the |x| of a rank, as f32
};

struct Reduction {
  ReductionCode code = ReductionCode::kSum;
  /// A result for each of these cells, but of kRanked; nothing: one for all elements.
  std::optional<Grid> cells{};
  std::array<Register, 2> in{};
  Rank rank{};  ///< kRanked
  Slot out = kNoSlot;

  bool operator==(const Reduction&) const = default;
};

/// The registers that a reduction reads.
inline std::span<const Register> Reads(const Reduction& reduction) {
  return std::span(reduction.in).first(reduction.code == ReductionCode::kDot ? 2 : 1);
}

/// Elements of a block. Every chunk but a tensor's last is a multiple of it.
inline constexpr std::uint64_t kReductionBlock = std::uint64_t{128} * kTile;

/// The result of one tile, or of a part of one. REQUIRES: no kRanked; as many y as x where y is
/// read.
double Reduce(ReductionCode code, std::span<const float> x, std::span<const float> y);
double Reduce(ReductionCode code, std::span<const double> x, std::span<const double> y);

/// What two registers and themselves give, of kDot.
struct PairDots {
  double xx = 0;
  double xy = 0;
  double yy = 0;
};

/// What Reduce gives of each, bit by bit, in one reading. REQUIRES: as many y as x.
PairDots ReducePair(std::span<const float> x, std::span<const float> y);
PairDots ReducePair(std::span<const double> x, std::span<const double> y);

/// Two results as one.
double Combine(ReductionCode code, double a, double b);

/// A reduction of one tensor, gathered block by block. Blocks may come from any threads.
class ReductionBlocks {
 public:
  /// `elements` of the tensor.
  ReductionBlocks(const Reduction& reduction, std::uint64_t elements);

  /// Takes elements from `first` on, which lie in one block; the parts of a block come from one
  /// thread and in order, or, where each column is a cell, so that each column's come in order.
  template <class Real>
  void Take(std::uint64_t first, std::span<const Real> x, std::span<const Real> y);

  /// What Take does for x·x, x·y and y·y, in one reading. REQUIRES: three reductions of kDot with
  /// the same cells and as many elements, which have taken the same.
  template <class Real>
  static void TakePair(const std::array<ReductionBlocks*, 3>& dots, std::uint64_t first,
                       std::span<const Real> x, std::span<const Real> y);

  /// Nothing more of the block will be taken; it is folded as soon as those before it are, and its
  /// memory is used again. Once for each block, or for none. REQUIRES: cells are no rows.
  void EndBlock(std::uint64_t block);

  /// One number, or one for each cell.
  std::vector<double> Fold() const;

  // Where cells are rows, those that lie in one block need not wait for others.

  /// Results of consecutive cells.
  struct Cells {
    std::uint64_t first = 0;
    std::span<const double> results{};
  };
  /// Of the cells that lie inside a block, which has been taken whole. REQUIRES: cells are rows.
  Cells Inside(std::uint64_t block) const;
  /// Forgets those. Afterwards there is Edges, and no Fold.
  void ForgetInside(std::uint64_t block);
  /// Each cell that does not lie inside a block, with its result. REQUIRES: ForgetInside was called
  /// for every block.
  std::vector<std::pair<std::uint64_t, double>> Edges() const;

 private:
  /// Of the blocks that were ended.
  struct Folded {
    std::mutex mutex;
    std::vector<bool> ended;
    std::uint64_t next = 0;  ///< the first that is not folded
    std::vector<double> results;
    std::vector<std::vector<double>> spare;
  };

  std::uint64_t FirstCell(std::uint64_t block) const;
  std::uint64_t CellCount() const;
  void Begin(std::uint64_t block);
  void FoldBlock(std::uint64_t block, std::vector<double>& results) const;
  template <class Kernel>
  static void TakeAll(const std::array<ReductionBlocks*, Kernel::kCount>& all, std::uint64_t first,
                      const Kernel& kernel);
  template <class Kernel>
  static void TakeRows(const std::array<ReductionBlocks*, Kernel::kCount>& all, std::uint64_t first,
                       const Kernel& kernel);

  Reduction reduction_;
  std::uint64_t elements_;
  Grid cells_;
  /// Of each block the results of the cells that it touches, from FirstCell on; without those
  /// inside where they are forgotten.
  std::vector<std::vector<double>> blocks_;
  std::unique_ptr<Folded> folded_;
};

}  // namespace weightsmith::internal
