// OpenCLIP's text encoder as Hugging Face names it: q, k and v apart, the projection transposed.
// logit_scale has no place there.

#include "core/model/naming.h"
#include "core/model/namings/fused.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr Renamed kHfOpenClipOutside[] = {
    {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
    {"token_embedding", "text_model.embeddings.token_embedding"},
    {"ln_final", "text_model.final_layer_norm"},
};

constexpr Renamed kHfOpenClipInside[] = {
    {"ln_1", "layer_norm1"},
    {"ln_2", "layer_norm2"},
    {"mlp.c_fc", "mlp.fc1"},
    {"mlp.c_proj", "mlp.fc2"},
    {"attn.out_proj", "self_attn.out_proj"},
};

std::vector<Placement> PlaceHfOpenClip(const TensorRule& rule, const ComponentRule& /*component*/) {
  if (rule.name == "text_projection") {
    return {{.name = "text_projection.weight",
             .shape = {rule.shape[1], rule.shape[0]},
             .transposed = true}};
  }
  if (const auto outside = RenameBeginning(rule.name, kHfOpenClipOutside))
    return {{.name = *outside}};
  std::string_view name = rule.name;
  const auto block = TakeBlock(name, "transformer.resblocks");
  if (!block) return {};
  const std::string layer = "text_model.encoder.layers." + std::to_string(*block) + ".";
  if (const auto inside = RenameBeginning(name, kHfOpenClipInside))
    return {{.name = layer + *inside}};
  const bool weight = name == "attn.in_proj_weight";
  if (!weight && name != "attn.in_proj_bias") return {};
  const std::string attention = layer + "self_attn.";
  const std::uint64_t rows = rule.shape[0] / 3;
  return Fused(
      rule,
      {{attention + "q_proj", rows}, {attention + "k_proj", rows}, {attention + "v_proj", rows}},
      weight ? ".weight" : ".bias");
}

}  // namespace

const Naming& hf_open_clip() {
  static const Naming naming = {"hf", "transformer.resblocks.0.attn.in_proj_weight",
                                PlaceHfOpenClip};
  return naming;
}

}  // namespace weightsmith::internal
