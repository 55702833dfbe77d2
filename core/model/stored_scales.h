// Codes joined with their scales: a weight in a known encoding is one tensor to whoever reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"
#include "core/tensor/encoding.h"

namespace weightsmith::internal {

/// What the codes of a weight are multiplied by.
struct StoredScales {
  const Encoding* encoding = nullptr;
  const CheckpointTensor* tensor = nullptr;  ///< of the scales

  /// The elements that each scale is for, where the weight is taken for one of this shape; nothing
  /// where the scales do not fit it.
  std::optional<Grid> CellsOf(const Shape& weight) const;
};

/// Finds the encodings of quantised weights and which of their companions are the scales. A weight
/// with anything beside it that the encoding does not have is another format's.
/// REQUIRES: the anatomy's tensors and quantised weights are complete.
void JoinScales(std::span<const CheckpointTensor> tensors, Anatomy& anatomy);

/// The scales of a tensor, where it is codes in a known encoding.
std::optional<StoredScales> ScalesOf(std::span<const CheckpointTensor> tensors,
                                     const Anatomy& anatomy, std::uint32_t tensor);

}  // namespace weightsmith::internal
