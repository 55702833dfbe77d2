// Ranks by magnitude, of lines of which most elements are whole multiples of one number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weightsmith::internal {

/// Counts how often each multiple is there, where a sort would move all elements: what two numbers
/// of 16 bits differ by is most often a multiple of the last place of a large one. For one thread
/// at a time.
class MultipleRanks {
 public:
  /// Longer lines have ranks of more than 16 bits.
  static constexpr std::size_t kMost = std::size_t{1} << 16;

  /// Of lines of one length, at most kMost.
  explicit MultipleRanks(std::size_t length);

  static std::uint64_t Bytes(std::uint64_t length);

  /// Puts what `shares` has for an element's rank, which is the number of elements of a lesser
  /// magnitude, or the same one and a lower index, at its index times `stride`; `out` may be the
  /// line. False where nothing is put, as it would take longer than a sort.
  bool Rank(std::span<const float> line, float largest, std::span<const float> shares,
            std::size_t stride, float* out);

 private:
  bool FillKeys(std::span<const float> line, float largest);
  void RankMultiples(std::span<const float> line, std::span<const float> shares, std::size_t stride,
                     float* out);
  void RankOthers(std::span<const float> shares, std::size_t stride, float* out);
  bool Insert(std::size_t moves);

  int bits_;                           ///< of a multiple
  std::size_t skipped_ = 0;            ///< lines that are not tried, as one before was in vain
  std::size_t multiples_ = 0;          ///< one more than the largest one
  std::vector<std::uint16_t> keys_;    ///< twice the multiple that is not above, and 1 for more
  std::vector<std::uint32_t> places_;  ///< by multiple
  std::vector<std::uint64_t> others_;  ///< magnitudes of no multiples, and their indices
  std::vector<std::uint32_t> found_;   ///< places of others, in any order
  std::vector<std::uint64_t> sorted_;  ///< those others, behind their places
};

}  // namespace weightsmith::internal
