// The layers of a diffusion model that SuperMerger's numbers for detail and tones change.
#pragma once

#include <span>
#include <string_view>

namespace weightsmith::internal {

struct AdjustedLayer {
  std::string_view name;
  std::string_view detail;  ///< the number that it is scaled by; empty: tones are added to it
  double step = 0;          ///< of the factor, for each 1 of that number
};

std::span<const AdjustedLayer> AdjustedLayers();

/// That of a tensor by its canonical name; null for one that is none of them.
const AdjustedLayer* AdjustedLayerOf(std::string_view tensor);

}  // namespace weightsmith::internal
