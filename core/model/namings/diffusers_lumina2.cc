// Lumina 2's transformer as diffusers names it: q, k and v apart, of which q has more rows.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/fused.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kLumina2Beginnings[] = {"time_caption_embed."};

constexpr Renamed kLumina2Outside[] = {
    {"t_embedder.mlp.0", "time_caption_embed.timestep_embedder.linear_1"},
    {"t_embedder.mlp.2", "time_caption_embed.timestep_embedder.linear_2"},
    {"cap_embedder", "time_caption_embed.caption_embedder"},
    {"final_layer.adaLN_modulation.1", "norm_out.linear_1"},
    {"final_layer.linear", "norm_out.linear_2"},
};

constexpr Renamed kLumina2Inside[] = {
    {"attention.out", "attn.to_out.0"},           {"attention.q_norm", "attn.norm_q"},
    {"attention.k_norm", "attn.norm_k"},          {"feed_forward.w1", "feed_forward.linear_1"},
    {"feed_forward.w2", "feed_forward.linear_2"}, {"feed_forward.w3", "feed_forward.linear_3"},
    {"adaLN_modulation.1", "norm1.linear"},       {"attention_norm2", "norm2"},
};

std::vector<Placement> PlaceLumina2(const TensorRule& rule, const ComponentRule& /*component*/) {
  if (const auto outside = RenameBeginning(rule.name, kLumina2Outside)) return {{.name = *outside}};
  for (const std::string stem : {"layers", "noise_refiner", "context_refiner"}) {
    std::string_view name = rule.name;
    const auto index = TakeBlock(name, stem);
    if (!index) continue;
    const std::string layer = stem + "." + std::to_string(*index) + ".";
    if (const auto inside = RenameBeginning(name, kLumina2Inside))
      return {{.name = layer + *inside}};
    if (name == "attention_norm1.weight") {
      // Beside a modulation it is part of that.
      const bool modulated = stem != "context_refiner";
      return {{.name = layer + (modulated ? "norm1.norm.weight" : "norm1.weight")}};
    }
    if (!name.starts_with("attention.qkv.")) return {};
    const std::uint64_t queries = rule.shape[1];
    const std::uint64_t keys = (rule.shape[0] - queries) / 2;
    return Fused(
        rule,
        {{layer + "attn.to_q", queries}, {layer + "attn.to_k", keys}, {layer + "attn.to_v", keys}},
        End(name));
  }
  return {};
}

ComponentConfig ConfigOfLumina2(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes model(rule);
  const std::uint64_t width = model.Dim("layers.0.attention.out.weight", 0);
  const std::uint64_t head = model.Dim("layers.0.attention.q_norm.weight", 0);
  const std::uint64_t fused = model.Dim("layers.0.attention.qkv.weight", 0);
  return DiffusersConfig(
      {{"_class_name", "Lumina2Transformer2DModel"},
       {"sample_size", 128},
       {"patch_size", 2},
       {"in_channels", model.Dim("x_embedder.weight", 1) / 4},
       {"out_channels", nullptr},
       {"hidden_size", width},
       {"num_layers", model.Count("layers", "attention.qkv.weight")},
       {"num_refiner_layers", model.Count("noise_refiner", "attention.qkv.weight")},
       {"num_attention_heads", width / head},
       {"num_kv_heads", (fused - width) / head / 2},
       {"multiple_of", 256},
       {"ffn_dim_multiplier", nullptr},
       {"norm_eps", 1e-5},
       {"scaling_factor", 1.0},
       {"axes_dim_rope", {head / 3, head / 3, head / 3}},
       {"axes_lens", {300, 512, 512}},
       {"cap_feat_dim", model.Dim("cap_embedder.1.weight", 1)}});
}

}  // namespace

const Naming& diffusers_lumina2() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "noise_refiner.0.adaLN_modulation.1.weight",
                                .place = PlaceLumina2,
                                .config = ConfigOfLumina2,
                                .beginnings = kLumina2Beginnings};
  return naming;
}

}  // namespace weightsmith::internal
