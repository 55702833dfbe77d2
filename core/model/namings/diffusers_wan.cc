// Wan's transformer as diffusers names it: every tensor whole.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kWanBeginnings[] = {"condition_embedder."};

constexpr Renamed kWanOutside[] = {
    {"time_embedding.0", "condition_embedder.time_embedder.linear_1"},
    {"time_embedding.2", "condition_embedder.time_embedder.linear_2"},
    {"text_embedding.0", "condition_embedder.text_embedder.linear_1"},
    {"text_embedding.2", "condition_embedder.text_embedder.linear_2"},
    {"time_projection.1", "condition_embedder.time_proj"},
    {"img_emb.proj.0", "condition_embedder.image_embedder.norm1"},
    {"img_emb.proj.1", "condition_embedder.image_embedder.ff.net.0.proj"},
    {"img_emb.proj.3", "condition_embedder.image_embedder.ff.net.2"},
    {"img_emb.proj.4", "condition_embedder.image_embedder.norm2"},
    {"head.head", "proj_out"},
    {"head.modulation", "scale_shift_table"},
};

constexpr Renamed kWanInside[] = {
    {"self_attn", "attn1"},
    {"cross_attn", "attn2"},
    {"norm3", "norm2"},  // the only norm with weights, counted in another order
    {"ffn.0", "ffn.net.0.proj"},
    {"ffn.2", "ffn.net.2"},
    {"modulation", "scale_shift_table"},
};

constexpr Renamed kAttention[] = {
    {"q", "to_q"},
    {"k", "to_k"},
    {"v", "to_v"},
    {"o", "to_out.0"},
    {"k_img", "add_k_proj"},
    {"v_img", "add_v_proj"},
    {"norm_k_img", "norm_added_k"},
};

std::vector<Placement> PlaceWan(const TensorRule& rule, const ComponentRule& /*component*/) {
  std::string_view name = rule.name;
  if (const auto outside = RenameBeginning(name, kWanOutside)) return {{.name = *outside}};
  const auto index = TakeBlock(name, "blocks");
  if (!index) return {};
  std::string inside = RenameBeginning(name, kWanInside).value_or(std::string(name));
  if (inside.starts_with("attn")) {
    const std::size_t dot = inside.find('.') + 1;
    if (const auto matrix = RenameBeginning(std::string_view(inside).substr(dot), kAttention)) {
      inside = inside.substr(0, dot) + *matrix;
    }
  }
  return {{.name = "blocks." + std::to_string(*index) + "." + inside}};
}

ComponentConfig ConfigOfWan(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes wan(rule);
  const std::uint64_t width = wan.Dim("patch_embedding.weight", 0);
  const std::uint64_t heads = Heads(width, 128);
  const bool image = wan.Has("img_emb.proj.1.weight");
  return DiffusersConfig({{"_class_name", "WanTransformer3DModel"},
                          {"patch_size", {1, 2, 2}},
                          {"num_attention_heads", heads},
                          {"attention_head_dim", width / heads},
                          {"in_channels", wan.Dim("patch_embedding.weight", 1)},
                          {"out_channels", wan.Dim("head.head.weight", 0) / 4},
                          {"text_dim", wan.Dim("text_embedding.0.weight", 1)},
                          {"freq_dim", wan.Dim("time_embedding.0.weight", 1)},
                          {"ffn_dim", wan.Dim("blocks.0.ffn.0.weight", 0)},
                          {"num_layers", wan.Count("blocks", "modulation")},
                          {"cross_attn_norm", true},
                          {"qk_norm", "rms_norm_across_heads"},
                          {"eps", 1e-6},
                          {"image_dim", image ? Json(wan.Dim("img_emb.proj.1.weight", 1)) : Json()},
                          {"added_kv_proj_dim", image ? Json(width) : Json()},
                          {"rope_max_seq_len", 1024}});
}

}  // namespace

const Naming& diffusers_wan() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "head.modulation",
                                .place = PlaceWan,
                                .config = ConfigOfWan,
                                .beginnings = kWanBeginnings};
  return naming;
}

}  // namespace weightsmith::internal
