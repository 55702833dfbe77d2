// Z-Image's transformer as diffusers names it: q, k and v apart.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/fused.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kZImageBeginnings[] = {"all_x_embedder."};

constexpr Renamed kZImageOutside[] = {
    {"x_embedder", "all_x_embedder.2-1"},
    {"final_layer", "all_final_layer.2-1"},
};

constexpr Renamed kZImageInside[] = {
    {"attention.out", "attention.to_out.0"},
    {"attention.q_norm", "attention.norm_q"},
    {"attention.k_norm", "attention.norm_k"},
};

std::vector<Placement> PlaceZImage(const TensorRule& rule, const ComponentRule& /*component*/) {
  if (const auto outside = RenameBeginning(rule.name, kZImageOutside)) return {{.name = *outside}};
  for (const char* stem : {"layers", "noise_refiner", "context_refiner"}) {
    std::string_view name = rule.name;
    const auto index = TakeBlock(name, stem);
    if (!index) continue;
    const std::string layer = std::string(stem) + "." + std::to_string(*index) + ".";
    if (const auto inside = RenameBeginning(name, kZImageInside))
      return {{.name = layer + *inside}};
    if (!name.starts_with("attention.qkv.")) return {};
    std::vector<FusedPart> parts;
    for (const char* part : {"q", "k", "v"}) {
      parts.push_back({layer + "attention.to_" + part, rule.shape[0] / 3});
    }
    return Fused(rule, parts, End(name));
  }
  return {};
}

ComponentConfig ConfigOfZImage(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes model(rule);
  const std::uint64_t width = model.Dim("layers.0.attention.out.weight", 0);
  const std::uint64_t head = model.Dim("layers.0.attention.q_norm.weight", 0);
  const std::uint64_t fused = model.Dim("layers.0.attention.qkv.weight", 0);
  return DiffusersConfig(
      {{"_class_name", "ZImageTransformer2DModel"},
       {"all_patch_size", {2}},
       {"all_f_patch_size", {1}},
       {"in_channels", model.Dim("x_embedder.weight", 1) / 4},
       {"dim", width},
       {"n_layers", model.Count("layers", "attention.qkv.weight")},
       {"n_refiner_layers", model.Count("noise_refiner", "attention.qkv.weight")},
       {"n_heads", width / head},
       {"n_kv_heads", (fused / head - width / head) / 2},
       {"norm_eps", 1e-5},
       {"qk_norm", true},
       {"cap_feat_dim", model.Dim("cap_embedder.1.weight", 1)},
       {"rope_theta", 256.0},
       {"t_scale", 1000.0},
       {"axes_dims", {head - 2 * (head * 3 / 8), head * 3 / 8, head * 3 / 8}},
       {"axes_lens", {1536, 512, 512}}});
}

}  // namespace

const Naming& diffusers_z_image() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "noise_refiner.0.adaLN_modulation.0.weight",
                                .place = PlaceZImage,
                                .config = ConfigOfZImage,
                                .beginnings = kZImageBeginnings};
  return naming;
}

}  // namespace weightsmith::internal
