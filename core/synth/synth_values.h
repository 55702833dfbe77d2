// Random values for synthetic checkpoints: normal, of the size that such tensors have, and each a
// function of (seed, tensor name, element index) alone. Nothing depends on threads, on the CPU or
// on a library's transcendentals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.h"

namespace weightsmith::internal {

/// The quantiles of the standard normal distribution at (i + 1/2) / 65536.
std::span<const float> NormalQuantiles();

/// Fills tensors of one dtype.
class SynthValues {
 public:
  /// With `finetune_of` the values are those of that seed, plus 5 % of the seed's own.
  /// REQUIRES: Info(dtype).has_codec.
  SynthValues(DType dtype, std::uint64_t seed, std::optional<std::uint64_t> finetune_of);

  /// Writes elements [first, first + n) of a tensor, where `out` has room for n.
  void Fill(std::string_view name, std::span<const std::uint64_t> shape, std::uint64_t first,
            std::span<std::byte> out) const;

 private:
  template <class Code>
  void FillCodes(const Code* codes, std::uint64_t key, std::uint64_t first,
                 std::span<std::byte> out) const;
  void FillFinetuned(std::size_t spread, std::string_view name, std::uint64_t first,
                     std::span<std::byte> out) const;

  DType dtype_;
  std::size_t width_;  // bytes of an element
  std::uint64_t seed_;
  std::optional<std::uint64_t> base_;
  std::vector<std::vector<std::byte>> codes_;  // by spread: the quantiles, scaled and encoded
};

}  // namespace weightsmith::internal
