// Z-Image's transformer as diffusers names it: q, k and v apart.

#include "core/anatomy/layout.h"
#include "core/anatomy/layouts/fused.h"
#include "core/anatomy/layouts/renaming.h"

namespace weightsmith {
namespace {

constexpr Renamed kOutside[] = {
    {"x_embedder", "all_x_embedder.2-1"},
    {"final_layer", "all_final_layer.2-1"},
};

constexpr Renamed kInside[] = {
    {"attention.out", "attention.to_out.0"},
    {"attention.q_norm", "attention.norm_q"},
    {"attention.k_norm", "attention.norm_k"},
};

std::vector<Placement> Place(const TensorRule& rule, const ComponentRule& /*component*/) {
  if (const auto outside = RenameBeginning(rule.name, kOutside)) return {{.name = *outside}};
  for (const char* stem : {"layers", "noise_refiner", "context_refiner"}) {
    std::string_view name = rule.name;
    const auto index = TakeBlock(name, stem);
    if (!index) continue;
    const std::string layer = std::string(stem) + "." + std::to_string(*index) + ".";
    if (const auto inside = RenameBeginning(name, kInside)) return {{.name = layer + *inside}};
    if (!name.starts_with("attention.qkv.")) return {};
    std::vector<FusedPart> parts;
    for (const char* part : {"q", "k", "v"}) {
      parts.push_back({layer + "attention.to_" + part, rule.shape[0] / 3});
    }
    return Fused(rule, parts, End(name));
  }
  return {};
}

}  // namespace

const Layout& diffusers_z_image() {
  static const Layout layout = {"diffusers", "noise_refiner.0.attention.qkv.weight", Place};
  return layout;
}

}  // namespace weightsmith
