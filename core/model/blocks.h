// The blocks of a component, told from names alone, so that a model that nobody declared has them
// as well: "input_blocks.4.1.norm.weight" is block 4 of the way in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/model/architecture.h"

namespace weightsmith::internal {

struct Block {
  /// "in", "mid", "out" of a UNet; "double", "single", "joint", "layer" and refiners of
  /// transformers; "encoder", "decoder" of a VAE; "time", "label", "embed", "final" and "head" for
  /// what stands before and behind. Views of the name or of static text.
  std::string_view family;
  std::optional<std::uint32_t> index;  ///< nothing: a block by itself

  bool operator==(const Block&) const = default;
  bool operator<(const Block& other) const {
    return std::tie(family, index) < std::tie(other.family, other.index);
  }
};

/// Of a tensor by its canonical name inside its component. An empty family: in no block.
Block BlockOf(ComponentKind kind, std::string_view local);

/// The name with another number for its numbered block: "layers.7.norm" of "layers.3.norm". A name
/// without one stays as it is.
std::string WithBlock(std::string_view name, std::uint32_t index);

/// Where a family stands in the direction of the computation: smaller is earlier.
int DepthOfFamily(std::string_view family);

}  // namespace weightsmith::internal
