// AuraFlow's transformer as diffusers names it: the last modulation's halves swapped.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/fused.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kAuraflowBeginnings[] = {"joint_transformer_blocks."};

constexpr Renamed kAuraflowOutside[] = {
    {"init_x_linear", "pos_embed.proj"},
    {"positional_encoding", "pos_embed.pos_embed"},
    {"cond_seq_linear", "context_embedder"},
    {"t_embedder.mlp.0", "time_step_proj.linear_1"},
    {"t_embedder.mlp.2", "time_step_proj.linear_2"},
    {"final_linear", "proj_out"},
};

/// The first stream is the text's, the second the picture's.
constexpr Renamed kAuraflowDouble[] = {
    {"modX.1", "norm1.linear"},
    {"modC.1", "norm1_context.linear"},
    {"attn.w2q", "attn.to_q"},
    {"attn.w2k", "attn.to_k"},
    {"attn.w2v", "attn.to_v"},
    {"attn.w2o", "attn.to_out.0"},
    {"attn.w1q", "attn.add_q_proj"},
    {"attn.w1k", "attn.add_k_proj"},
    {"attn.w1v", "attn.add_v_proj"},
    {"attn.w1o", "attn.to_add_out"},
    {"mlpX.c_fc1", "ff.linear_1"},
    {"mlpX.c_fc2", "ff.linear_2"},
    {"mlpX.c_proj", "ff.out_projection"},
    {"mlpC.c_fc1", "ff_context.linear_1"},
    {"mlpC.c_fc2", "ff_context.linear_2"},
    {"mlpC.c_proj", "ff_context.out_projection"},
};

constexpr Renamed kAuraflowSingle[] = {
    {"modCX.1", "norm1.linear"},  {"attn.w1q", "attn.to_q"},           {"attn.w1k", "attn.to_k"},
    {"attn.w1v", "attn.to_v"},    {"attn.w1o", "attn.to_out.0"},       {"mlp.c_fc1", "ff.linear_1"},
    {"mlp.c_fc2", "ff.linear_2"}, {"mlp.c_proj", "ff.out_projection"},
};

std::vector<Placement> InBlock(std::string_view name, std::span<const Renamed> table,
                               const std::string& block) {
  return {{.name = block + RenameBeginning(name, table).value_or(std::string(name))}};
}

std::vector<Placement> PlaceAuraflow(const TensorRule& rule, const ComponentRule& /*component*/) {
  std::string_view name = rule.name;
  if (const auto outside = RenameBeginning(name, kAuraflowOutside)) return {{.name = *outside}};
  if (name.starts_with("modF.1.")) {
    return Swapped(rule, "norm_out.linear" + std::string(End(name)));
  }
  if (const auto layer = TakeBlock(name, "double_layers")) {
    return InBlock(name, kAuraflowDouble,
                   "joint_transformer_blocks." + std::to_string(*layer) + ".");
  }
  if (const auto layer = TakeBlock(name, "single_layers")) {
    return InBlock(name, kAuraflowSingle,
                   "single_transformer_blocks." + std::to_string(*layer) + ".");
  }
  return {};
}

ComponentConfig ConfigOfAuraflow(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes aura(rule);
  const std::uint64_t width = aura.Dim("init_x_linear.weight", 0);
  const std::uint64_t heads = Heads(width, 256);
  const std::uint64_t channels = aura.Dim("init_x_linear.weight", 1) / 4;
  return DiffusersConfig({{"_class_name", "AuraFlowTransformer2DModel"},
                          {"sample_size", 64},
                          {"patch_size", 2},
                          {"in_channels", channels},
                          {"out_channels", channels},
                          {"num_mmdit_layers", aura.Count("double_layers", "attn.w1q.weight")},
                          {"num_single_dit_layers", aura.Count("single_layers", "attn.w1q.weight")},
                          {"num_attention_heads", heads},
                          {"attention_head_dim", width / heads},
                          {"caption_projection_dim", width},
                          {"joint_attention_dim", aura.Dim("cond_seq_linear.weight", 1)},
                          {"pos_embed_max_size", aura.Dim("positional_encoding", 1)}});
}

}  // namespace

const Naming& diffusers_auraflow() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "double_layers.0.attn.w1q.weight",
                                .place = PlaceAuraflow,
                                .config = ConfigOfAuraflow,
                                .beginnings = kAuraflowBeginnings};
  return naming;
}

}  // namespace weightsmith::internal
