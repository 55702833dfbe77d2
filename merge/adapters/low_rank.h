// The product of an adapter's factors, any part of it at a time: what baking spends its time on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/aligned_vector.h"

namespace weightsmith::internal {

/// A matrix [rows, columns] = scale · up · down of low rank. The factors are kept in the order in
/// which they are walked through.
class LowRank {
 public:
  /// Columns that lie together: whole vectors of every instruction set.
  static constexpr std::size_t kPanel = 64;
  /// Rows that are computed together.
  static constexpr std::uint64_t kRows = 6;

  LowRank() = default;
  /// `up` is [rows, rank] and `down` [rank, columns], row-major.
  LowRank(std::span<const float> up, std::span<const float> down, std::uint64_t rank, float scale);

  /// Bytes that such a product holds.
  static std::uint64_t Bytes(std::uint64_t rows, std::uint64_t rank, std::uint64_t columns) {
    return (rows + kRows + columns + kPanel) * rank * sizeof(float);
  }

  std::uint64_t rows() const { return rows_; }
  std::uint64_t columns() const { return columns_; }

  /// Fills `out` with elements [first, first + out.size()) of the product, row-major. Every element
  /// is a sum over the ascending rank, to which every product is added with one rounding (a fused
  /// multiply-add): the same bits on every CPU and however it is divided. Any thread.
  void Fill(std::uint64_t first, std::span<float> out) const;

 private:
  void FillRows(std::uint64_t first_row, std::uint64_t end_row, std::span<float> out) const;
  void FillPartOfRow(std::uint64_t first, std::span<float> out) const;

  const float* UpOf(std::uint64_t row) const;

  std::uint64_t rows_ = 0;
  std::uint64_t rank_ = 0;
  std::uint64_t columns_ = 0;
  std::vector<float> up_;      ///< scaled, in groups of kRows rows: [group, rank, kRows]
  AlignedVector<float> down_;  ///< in panels of kPanel columns, the last one padded
};

}  // namespace weightsmith::internal
