// Stable Diffusion 3's transformer as diffusers names it: q, k and v apart, and the halves swapped
// of the modulations that only shift and scale.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/fused.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kMmditBeginnings[] = {"transformer_blocks."};

constexpr Renamed kMmditOutside[] = {
    {"pos_embed", "pos_embed.pos_embed"},
    {"x_embedder.proj", "pos_embed.proj"},
    {"context_embedder", "context_embedder"},
    {"t_embedder.mlp.0", "time_text_embed.timestep_embedder.linear_1"},
    {"t_embedder.mlp.2", "time_text_embed.timestep_embedder.linear_2"},
    {"y_embedder.mlp.0", "time_text_embed.text_embedder.linear_1"},
    {"y_embedder.mlp.2", "time_text_embed.text_embedder.linear_2"},
    {"final_layer.linear", "proj_out"},
};

constexpr Renamed kMmditInside[] = {
    {"x_block.adaLN_modulation.1", "norm1.linear"},
    {"context_block.adaLN_modulation.1", "norm1_context.linear"},
    {"x_block.attn.proj", "attn.to_out.0"},
    {"context_block.attn.proj", "attn.to_add_out"},
    {"x_block.attn.ln_q", "attn.norm_q"},
    {"x_block.attn.ln_k", "attn.norm_k"},
    {"context_block.attn.ln_q", "attn.norm_added_q"},
    {"context_block.attn.ln_k", "attn.norm_added_k"},
    {"x_block.attn2.proj", "attn2.to_out.0"},
    {"x_block.attn2.ln_q", "attn2.norm_q"},
    {"x_block.attn2.ln_k", "attn2.norm_k"},
    {"x_block.mlp.fc1", "ff.net.0.proj"},
    {"x_block.mlp.fc2", "ff.net.2"},
    {"context_block.mlp.fc1", "ff_context.net.0.proj"},
    {"context_block.mlp.fc2", "ff_context.net.2"},
};

std::vector<Placement> Thirds(const TensorRule& rule, const std::string& before,
                              const std::string& behind, std::string_view end) {
  std::vector<FusedPart> parts;
  for (const char* part : {"q", "k", "v"}) {
    parts.push_back({before + part + behind, rule.shape[0] / 3});
  }
  return Fused(rule, parts, end);
}

/// Whether a modulation has the two parts of a last layer, and not six or nine.
bool ShiftsAndScales(const TensorRule& rule, const ComponentRule& component) {
  for (const TensorRule& other : component.tensors) {
    if (other.name == "context_embedder.bias") return rule.shape[0] == 2 * other.shape[0];
  }
  return false;
}

std::vector<Placement> PlaceMmdit(const TensorRule& rule, const ComponentRule& component) {
  std::string_view name = rule.name;
  if (name.starts_with("final_layer.adaLN_modulation.1.")) {
    return Swapped(rule, "norm_out.linear" + std::string(End(name)));
  }
  if (const auto outside = RenameBeginning(name, kMmditOutside)) return {{.name = *outside}};
  const auto index = TakeBlock(name, "joint_blocks");
  if (!index) return {};
  const std::string block = "transformer_blocks." + std::to_string(*index) + ".";
  if (name.starts_with("x_block.attn.qkv.")) return Thirds(rule, block + "attn.to_", "", End(name));
  if (name.starts_with("x_block.attn2.qkv.")) {
    return Thirds(rule, block + "attn2.to_", "", End(name));
  }
  if (name.starts_with("context_block.attn.qkv.")) {
    return Thirds(rule, block + "attn.add_", "_proj", End(name));
  }
  const auto inside = RenameBeginning(name, kMmditInside);
  if (!inside) return {};
  const bool modulation = name.starts_with("context_block.adaLN_modulation.1.");
  if (modulation && ShiftsAndScales(rule, component)) return Swapped(rule, block + *inside);
  return {{.name = block + *inside}};
}

ComponentConfig ConfigOfMmdit(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes mmdit(rule);
  const std::uint64_t width = mmdit.Dim("context_embedder.weight", 0);
  const std::uint64_t depth = mmdit.Count("joint_blocks", "x_block.attn.qkv.weight");
  const std::uint64_t norm = mmdit.Dim("joint_blocks.0.x_block.attn.ln_q.weight", 0);
  const std::uint64_t head = norm > 0 ? norm : width / depth;
  std::uint64_t side = 1;
  while (side * side < mmdit.Dim("pos_embed", 1)) ++side;
  Json dual = Json::array();
  for (std::uint64_t i = 0; i < depth; ++i) {
    const std::string block = "joint_blocks." + std::to_string(i);
    if (mmdit.Has(block + ".x_block.attn2.qkv.weight")) dual.push_back(i);
  }
  return DiffusersConfig({{"_class_name", "SD3Transformer2DModel"},
                          {"sample_size", 128},
                          {"patch_size", mmdit.Dim("x_embedder.proj.weight", 2)},
                          {"in_channels", mmdit.Dim("x_embedder.proj.weight", 1)},
                          {"out_channels", mmdit.Dim("x_embedder.proj.weight", 1)},
                          {"num_layers", depth},
                          {"attention_head_dim", head},
                          {"num_attention_heads", width / head},
                          {"joint_attention_dim", mmdit.Dim("context_embedder.weight", 1)},
                          {"caption_projection_dim", width},
                          {"pooled_projection_dim", mmdit.Dim("y_embedder.mlp.0.weight", 1)},
                          {"pos_embed_max_size", side},
                          {"dual_attention_layers", dual},
                          {"qk_norm", norm > 0 ? Json("rms_norm") : Json()}});
}

}  // namespace

const Naming& diffusers_mmdit() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "joint_blocks.0.x_block.attn.qkv.weight",
                                .place = PlaceMmdit,
                                .config = ConfigOfMmdit,
                                .beginnings = kMmditBeginnings};
  return naming;
}

}  // namespace weightsmith::internal
