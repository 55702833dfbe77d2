// Qwen-Image's transformer, whose publisher names it as diffusers does.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"

namespace weightsmith::internal {
namespace {

std::vector<Placement> PlaceQwenImage(const TensorRule& /*rule*/,
                                      const ComponentRule& /*component*/) {
  return {};
}

ComponentConfig ConfigOfQwenImage(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes qwen(rule);
  const std::uint64_t width = qwen.Dim("img_in.weight", 0);
  const std::uint64_t head = qwen.Dim("transformer_blocks.0.attn.norm_q.weight", 0);
  const std::uint64_t axis = 2 * (head * 7 / 32);  // of height and of width: even
  return DiffusersConfig({{"_class_name", "QwenImageTransformer2DModel"},
                          {"patch_size", 2},
                          {"in_channels", qwen.Dim("img_in.weight", 1)},
                          {"out_channels", qwen.Dim("proj_out.weight", 0) / 4},
                          {"num_layers", qwen.Count("transformer_blocks", "attn.to_q.weight")},
                          {"num_attention_heads", width / head},
                          {"attention_head_dim", head},
                          {"joint_attention_dim", qwen.Dim("txt_in.weight", 1)},
                          {"guidance_embeds", false},
                          {"axes_dims_rope", {head - 2 * axis, axis, axis}}});
}

}  // namespace

const Naming& diffusers_qwen_image() {
  static const Naming naming = {"diffusers", "time_text_embed.timestep_embedder.linear_1.weight",
                                PlaceQwenImage, ConfigOfQwenImage};
  return naming;
}

}  // namespace weightsmith::internal
