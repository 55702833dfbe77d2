// PixArt's transformer as diffusers names it: q, k and v apart. It has no embedding of the empty
// caption.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/fused.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kPixartBeginnings[] = {"adaln_single."};

constexpr std::string_view kLacks[] = {"y_embedder.y_embedding"};

constexpr Renamed kPixartOutside[] = {
    {"x_embedder.proj", "pos_embed.proj"},
    {"t_embedder.mlp.0", "adaln_single.emb.timestep_embedder.linear_1"},
    {"t_embedder.mlp.2", "adaln_single.emb.timestep_embedder.linear_2"},
    {"csize_embedder.mlp.0", "adaln_single.emb.resolution_embedder.linear_1"},
    {"csize_embedder.mlp.2", "adaln_single.emb.resolution_embedder.linear_2"},
    {"ar_embedder.mlp.0", "adaln_single.emb.aspect_ratio_embedder.linear_1"},
    {"ar_embedder.mlp.2", "adaln_single.emb.aspect_ratio_embedder.linear_2"},
    {"t_block.1", "adaln_single.linear"},
    {"y_embedder.y_proj.fc1", "caption_projection.linear_1"},
    {"y_embedder.y_proj.fc2", "caption_projection.linear_2"},
    {"final_layer.linear", "proj_out"},
    {"final_layer.scale_shift_table", "scale_shift_table"},
};

constexpr Renamed kPixartInside[] = {
    {"attn.proj", "attn1.to_out.0"},
    {"cross_attn.q_linear", "attn2.to_q"},
    {"cross_attn.proj", "attn2.to_out.0"},
    {"mlp.fc1", "ff.net.0.proj"},
    {"mlp.fc2", "ff.net.2"},
};

std::vector<Placement> PlacePixart(const TensorRule& rule, const ComponentRule& /*component*/) {
  std::string_view name = rule.name;
  if (const auto outside = RenameBeginning(name, kPixartOutside)) return {{.name = *outside}};
  const auto index = TakeBlock(name, "blocks");
  if (!index) return {};
  const std::string block = "transformer_blocks." + std::to_string(*index) + ".";
  if (const auto inside = RenameBeginning(name, kPixartInside)) return {{.name = block + *inside}};
  if (name.starts_with("attn.qkv.")) {
    const std::uint64_t width = rule.shape[0] / 3;
    const std::string attention = block + "attn1.";
    return Fused(
        rule,
        {{attention + "to_q", width}, {attention + "to_k", width}, {attention + "to_v", width}},
        End(name));
  }
  if (name.starts_with("cross_attn.kv_linear.")) {
    const std::uint64_t width = rule.shape[0] / 2;
    return Fused(rule, {{block + "attn2.to_k", width}, {block + "attn2.to_v", width}}, End(name));
  }
  return {{.name = block + std::string(name)}};
}

ComponentConfig ConfigOfPixart(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes pixart(rule);
  const std::uint64_t width = pixart.Dim("x_embedder.proj.weight", 0);
  const std::uint64_t heads = Heads(width, 72);
  const bool alpha = pixart.Has("ar_embedder.mlp.0.weight");
  return DiffusersConfig({{"_class_name", "PixArtTransformer2DModel"},
                          {"sample_size", 128},
                          {"patch_size", pixart.Dim("x_embedder.proj.weight", 2)},
                          {"in_channels", pixart.Dim("x_embedder.proj.weight", 1)},
                          {"out_channels", 2 * pixart.Dim("x_embedder.proj.weight", 1)},
                          {"num_layers", pixart.Count("blocks", "scale_shift_table")},
                          {"num_attention_heads", heads},
                          {"attention_head_dim", width / heads},
                          {"cross_attention_dim", width},
                          {"caption_channels", pixart.Dim("y_embedder.y_proj.fc1.weight", 1)},
                          {"use_additional_conditions", alpha},
                          {"interpolation_scale", 2}});
}

}  // namespace

const Naming& diffusers_pixart() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "t_block.1.weight",
                                .place = PlacePixart,
                                .config = ConfigOfPixart,
                                .lacks = kLacks,
                                .beginnings = kPixartBeginnings};
  return naming;
}

}  // namespace weightsmith::internal
