// Weights that are stored as codes, with companions beside them (scales, zeros, tables) without
// which the codes mean nothing. They are detected by names, dtypes and shapes, whatever the scheme
// is called: a scheme that no table knows must not be computed with as if it were plain.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/checkpoint.h"

namespace weightsmith::internal {

struct Encoding;

/// One stored weight, by indices of tensors. The first codes and the first companion are those to
/// name in messages.
struct QuantisedWeight {
  std::vector<std::uint32_t> codes;
  std::vector<std::uint32_t> companions;
  /// Not null: the codes are one with the scales among the companions (core/model/stored_scales).
  const Encoding* encoding = nullptr;
  std::uint32_t scales = 0;
};

/// Codes are tensors of fp8, of fewer bits, or of integers of at most 32 bits, with
///   - "MODULE.weight": any tensor of floats directly in MODULE but a bias, and others there whose
///     names say what they are: "MODULE.scale", "MODULE.weight_scale_inv", "MODULE.qzeros";
///   - any "NAME": "NAME.absmax" and the like, which no plain tensor has behind its name;
///   - "NAME" and "NAME_blocks": "NAME_scales" and others whose names say what they are.
/// Plain fp8, position_ids, masks and counters have none of these and are no codes.
std::vector<QuantisedWeight> FindQuantised(std::span<const CheckpointTensor> tensors);

/// What a companion is called where its codes are called `renamed`. Nothing where it cannot be
/// said.
std::optional<std::string> CompanionName(std::string_view companion, std::string_view codes,
                                         std::string_view renamed);

}  // namespace weightsmith::internal
