// The config.json of a language model whose layers come from other models.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// Where a layer comes from.
struct ConfiguredLayer {
  std::string_view config;   ///< text of its model's config.json; empty: as the changed one
  std::uint32_t number = 0;  ///< of the layer there
};

/// `config` with the number of these layers, and with what it says layer by layer taken from their
/// own models: `layer_types` and every other list that is as long as its model is deep. Throws
/// kInput for a text that is no configuration, that says no number of layers, or nothing of a layer
/// that is needed.
std::string WithLayers(std::string_view config, std::span<const ConfiguredLayer> layers);

}  // namespace weightsmith::internal
