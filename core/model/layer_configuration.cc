#include "core/model/layer_configuration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "core/base/error.h"
#include "core/base/json-inl.h"
#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

/// What the number of layers is called.
constexpr std::string_view kCounts[] = {"num_hidden_layers", "n_layer", "num_layers", "n_layers"};
/// Where models of more than text say it.
constexpr std::string_view kTextConfig = "text_config";
/// Lists of the numbers of layers.
constexpr std::string_view kNumbers[] = {"mlp_only_layers", "cross_attention_layers",
                                         "full_attention_layers", "attn_layer_indices"};

/// What a configuration says of layers.
struct LayerSection {
  Json* json = nullptr;
  std::string_view count_key;
  std::uint64_t count = 0;
};

std::optional<LayerSection> SectionOf(Json& config) {
  if (!config.is_object()) return std::nullopt;
  for (const std::string_view key : kCounts) {
    const auto found = config.find(key);
    if (found == config.end() || !found->is_number_unsigned()) continue;
    return LayerSection{&config, key, found->get<std::uint64_t>()};
  }
  const auto text = config.find(kTextConfig);
  return text == config.end() ? std::nullopt : SectionOf(*text);
}

/// Whether a list of that key can be of anything but layers, however long it is.
bool IsOfTokens(std::string_view key) {
  return key == "architectures" || key.ends_with("_token_id") || key.ends_with("_token_ids");
}

/// The models' configurations, each read once.
class Configurations {
 public:
  /// Null for a text that is none.
  const LayerSection* Of(std::string_view text) {
    const auto [known, added] = read_.try_emplace(text);
    if (added) {
      known->second.json = ParseJsonIfValid(text);
      known->second.section = SectionOf(known->second.json);
    }
    return known->second.section ? &*known->second.section : nullptr;
  }

 private:
  struct Read {
    Json json;
    std::optional<LayerSection> section;
  };
  std::map<std::string_view, Read> read_;
};

/// What the layer's own model says of it under the key.
const Json& ValueOf(const ConfiguredLayer& layer, const std::string& key, const Json& list,
                    Configurations& configurations) {
  const LayerSection* const own = configurations.Of(layer.config);
  const Json* said = &list;
  if (own != nullptr) {
    const auto found = own->json->find(key);
    const bool by_layer =
        found != own->json->end() && found->is_array() && found->size() == own->count;
    if (by_layer) said = &*found;
  }
  if (layer.number < said->size()) return (*said)[layer.number];
  throw Error(
      ErrorCode::kInput,
      fmt::format("{} of the configuration says nothing of layer {}", Quote(key), layer.number),
      "Put the config.json of the model that the layer comes from beside its weights.");
}

/// The list as it is for these layers.
Json ListFor(std::span<const ConfiguredLayer> layers, const std::string& key, const Json& list,
             Configurations& configurations) {
  Json made = Json::array();
  for (const ConfiguredLayer& layer : layers) {
    made.push_back(ValueOf(layer, key, list, configurations));
  }
  return made;
}

/// The numbers that layers of the list have now.
Json NumbersFor(std::span<const ConfiguredLayer> layers, const std::string& key, const Json& list,
                Configurations& configurations) {
  Json made = Json::array();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerSection* const own = configurations.Of(layers[i].config);
    const bool says = own != nullptr && own->json->contains(key) && (*own->json)[key].is_array();
    const Json& numbers = says ? (*own->json)[key] : list;
    if (std::ranges::find(numbers, Json(layers[i].number)) != numbers.end()) made.push_back(i);
  }
  return made;
}

}  // namespace

std::string WithLayers(std::string_view config, std::span<const ConfiguredLayer> layers) {
  Json json = ParseJsonIfValid(config);
  const std::optional<LayerSection> section = SectionOf(json);
  if (!section) {
    throw Error(ErrorCode::kInput, "the configuration does not say how many layers the model has",
                fmt::format("It is JSON with one of {}.", fmt::join(kCounts, ", ")));
  }
  Configurations configurations;
  for (auto& [key, value] : section->json->items()) {
    if (!value.is_array()) continue;
    if (std::ranges::find(kNumbers, key) != std::end(kNumbers)) {
      value = NumbersFor(layers, key, value, configurations);
    } else if (value.size() == section->count && !IsOfTokens(key)) {
      value = ListFor(layers, key, value, configurations);
    }
  }
  (*section->json)[std::string(section->count_key)] = layers.size();
  return ToText(json);
}

}  // namespace weightsmith::internal
