// FLUX.1's transformer as diffusers names it: q, k, v and the mlp's entry apart, the last
// modulation's halves swapped.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/fused.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kFluxBeginnings[] = {"transformer_blocks.",
                                                "single_transformer_blocks."};

constexpr Renamed kFluxOutside[] = {
    {"img_in", "x_embedder"},
    {"txt_in", "context_embedder"},
    {"time_in.in_layer", "time_text_embed.timestep_embedder.linear_1"},
    {"time_in.out_layer", "time_text_embed.timestep_embedder.linear_2"},
    {"vector_in.in_layer", "time_text_embed.text_embedder.linear_1"},
    {"vector_in.out_layer", "time_text_embed.text_embedder.linear_2"},
    {"guidance_in.in_layer", "time_text_embed.guidance_embedder.linear_1"},
    {"guidance_in.out_layer", "time_text_embed.guidance_embedder.linear_2"},
    {"final_layer.linear", "proj_out"},
};

constexpr Renamed kFluxDouble[] = {
    {"img_mod.lin", "norm1.linear"},
    {"txt_mod.lin", "norm1_context.linear"},
    {"img_attn.proj", "attn.to_out.0"},
    {"txt_attn.proj", "attn.to_add_out"},
    {"img_attn.norm.query_norm.scale", "attn.norm_q.weight"},
    {"img_attn.norm.key_norm.scale", "attn.norm_k.weight"},
    {"txt_attn.norm.query_norm.scale", "attn.norm_added_q.weight"},
    {"txt_attn.norm.key_norm.scale", "attn.norm_added_k.weight"},
    {"img_mlp.0", "ff.net.0.proj"},
    {"img_mlp.2", "ff.net.2"},
    {"txt_mlp.0", "ff_context.net.0.proj"},
    {"txt_mlp.2", "ff_context.net.2"},
};

constexpr Renamed kFluxSingle[] = {
    {"linear2", "proj_out"},
    {"modulation.lin", "norm.linear"},
    {"norm.query_norm.scale", "attn.norm_q.weight"},
    {"norm.key_norm.scale", "attn.norm_k.weight"},
};

/// In the network that makes Chroma's modulations.
constexpr Renamed kModulator[] = {{"in_layer", "linear_1"}, {"out_layer", "linear_2"}};

std::vector<Placement> Double(const TensorRule& rule, std::string_view name,
                              const std::string& block) {
  if (const auto inside = RenameBeginning(name, kFluxDouble)) return {{.name = block + *inside}};
  const std::uint64_t width = rule.shape[0] / 3;
  const std::string attention = block + "attn.";
  if (name.starts_with("img_attn.qkv")) {
    return Fused(
        rule,
        {{attention + "to_q", width}, {attention + "to_k", width}, {attention + "to_v", width}},
        End(name));
  }
  return Fused(rule,
               {{attention + "add_q_proj", width},
                {attention + "add_k_proj", width},
                {attention + "add_v_proj", width}},
               End(name));
}

std::vector<Placement> Single(const TensorRule& rule, std::string_view name,
                              const std::string& block) {
  if (const auto inside = RenameBeginning(name, kFluxSingle)) return {{.name = block + *inside}};
  const std::uint64_t width = rule.shape[0] / 7;  // q, k, v, and four for the mlp
  return Fused(rule,
               {{block + "attn.to_q", width},
                {block + "attn.to_k", width},
                {block + "attn.to_v", width},
                {block + "proj_mlp", 4 * width}},
               End(name));
}

std::vector<Placement> PlaceFlux(const TensorRule& rule, const ComponentRule& /*component*/) {
  std::string_view name = rule.name;
  if (const auto outside = RenameBeginning(name, kFluxOutside)) return {{.name = *outside}};
  if (name.starts_with("final_layer.adaLN_modulation.1.")) {
    return Swapped(rule, "norm_out.linear" + std::string(End(name)));
  }
  if (const auto block = TakeBlock(name, "double_blocks")) {
    return Double(rule, name, "transformer_blocks." + std::to_string(*block) + ".");
  }
  if (const auto block = TakeBlock(name, "single_blocks")) {
    return Single(rule, name, "single_transformer_blocks." + std::to_string(*block) + ".");
  }
  if (const auto layer = TakeBlock(name, "distilled_guidance_layer.layers")) {
    return {{.name = "distilled_guidance_layer.layers." + std::to_string(*layer) + "." +
                     RenameBeginning(name, kModulator).value_or(std::string(name))}};
  }
  if (const auto norm = TakeBlock(name, "distilled_guidance_layer.norms")) {
    return {{.name = "distilled_guidance_layer.norms." + std::to_string(*norm) + ".weight"}};
  }
  return {};
}

ComponentConfig ConfigOfFlux(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes flux(rule);
  const std::uint64_t width = flux.Dim("img_in.weight", 0);
  const std::uint64_t head = flux.Dim("double_blocks.0.img_attn.norm.query_norm.scale", 0);
  const std::uint64_t axis = head * 7 / 16;  // of height and of width
  const bool chroma = flux.Has("distilled_guidance_layer.in_proj.weight");
  Json config = {{"_class_name", chroma ? "ChromaTransformer2DModel" : "FluxTransformer2DModel"},
                 {"patch_size", 1},
                 {"in_channels", flux.Dim("img_in.weight", 1)},
                 {"out_channels", flux.Dim("final_layer.linear.weight", 0)},
                 {"num_layers", flux.Count("double_blocks", "img_attn.qkv.weight")},
                 {"num_single_layers", flux.Count("single_blocks", "linear1.weight")},
                 {"attention_head_dim", head},
                 {"num_attention_heads", width / head},
                 {"joint_attention_dim", flux.Dim("txt_in.weight", 1)},
                 {"axes_dims_rope", {head - 2 * axis, axis, axis}}};
  if (chroma) {
    config["approximator_num_channels"] = flux.Dim("distilled_guidance_layer.in_proj.weight", 1);
    config["approximator_hidden_dim"] = flux.Dim("distilled_guidance_layer.in_proj.weight", 0);
    config["approximator_layers"] =
        flux.Count("distilled_guidance_layer.layers", "in_layer.weight");
  } else {
    config["pooled_projection_dim"] = flux.Dim("vector_in.in_layer.weight", 1);
    config["guidance_embeds"] = flux.Has("guidance_in.in_layer.weight");
  }
  return DiffusersConfig(config);
}

}  // namespace

const Naming& diffusers_flux() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "double_blocks.0.img_attn.qkv.weight",
                                .place = PlaceFlux,
                                .config = ConfigOfFlux,
                                .beginnings = kFluxBeginnings};
  return naming;
}

}  // namespace weightsmith::internal
