// What is known of a tensor without its bytes, and a view of one with them. No ownership, no
// arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/dtype.h"

namespace weightsmith::internal {

using Shape = std::vector<std::uint64_t>;

/// The product of the dimensions (1 for rank 0); nothing where it exceeds 64 bits.
std::optional<std::uint64_t> ElementCount(std::span<const std::uint64_t> shape);

/// "[320, 4, 3, 3]"; "[]" for rank 0.
std::string ToString(std::span<const std::uint64_t> shape);

struct TensorInfo {
  DType dtype = DType::kF32;
  Shape shape;

  /// REQUIRES: a shape whose element count fits 64 bits (every tensor of an opened file).
  std::uint64_t elements() const;
  /// Size in bytes; sub-byte dtypes fill whole bytes in every valid file.
  std::uint64_t bytes() const;

  bool operator==(const TensorInfo&) const = default;
};

struct TensorView {
  DType dtype = DType::kF32;
  std::span<const std::uint64_t> shape;
  std::span<const std::byte> bytes;
};

}  // namespace weightsmith::internal
