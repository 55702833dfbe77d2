#include "merge/arithmetic/adjusted_layers.h"

#include <algorithm>

namespace weightsmith::internal {
namespace {

constexpr std::string_view kAdjustedModel = "model.diffusion_model.";

constexpr AdjustedLayer kAdjustedLayers[] = {
    {"input_blocks.0.0.weight", "detail_in", -0.01}, {"input_blocks.0.0.bias", "detail_in", 0.02},
    {"out.0.weight", "detail_out", -0.01},           {"out.0.bias", "detail_out", 0.02},
    {"out.2.weight", "detail_last", -0.01},          {"out.2.bias", ""},
};

}  // namespace

std::span<const AdjustedLayer> AdjustedLayers() {
  return kAdjustedLayers;
}

const AdjustedLayer* AdjustedLayerOf(std::string_view tensor) {
  if (!tensor.starts_with(kAdjustedModel)) return nullptr;
  const auto* const layer = std::ranges::find(kAdjustedLayers, tensor.substr(kAdjustedModel.size()),
                                              &AdjustedLayer::name);
  return layer == std::end(kAdjustedLayers) ? nullptr : layer;
}

}  // namespace weightsmith::internal
