#include "core/model/component_config.h"

#include <algorithm>
#include <vector>

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"

namespace weightsmith::internal {
namespace {

struct Clip {
  std::uint64_t width;
  std::uint64_t inner;
  std::uint64_t layers;
  std::uint64_t vocabulary;
  std::uint64_t positions;
  std::uint64_t projection;
  bool projected;  ///< the pipeline wants the projection
  bool open_ai;
};

Json ClipJson(const Clip& clip) {
  return {
      {"architectures", {clip.projected ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
      {"model_type", "clip_text_model"},
      {"hidden_act", clip.open_ai ? "quick_gelu" : "gelu"},
      {"hidden_size", clip.width},
      {"intermediate_size", clip.inner},
      {"num_attention_heads", Heads(clip.width, 64)},
      {"num_hidden_layers", clip.layers},
      {"max_position_embeddings", clip.positions},
      {"vocab_size", clip.vocabulary},
      {"projection_dim", clip.projection == 0 ? clip.width : clip.projection},
      // As in the published files: with these, the end of a text is found by its largest number.
      {"bos_token_id", 0},
      {"eos_token_id", 2},
      {"pad_token_id", 1},
      {"layer_norm_eps", 1e-5}};
}

Json OpenClipConfig(const Shapes& clip, const Anatomy& anatomy) {
  const bool projected = anatomy.id != "sd2" && clip.Has("text_projection");
  const std::uint64_t layers = clip.Count("transformer.resblocks", "mlp.c_fc.weight");
  const std::string wide = "transformer.resblocks.0.mlp.c_fc.weight";
  // Stable Diffusion 2 takes what the last block but one gives: there the last one does not exist.
  return ClipJson({.width = clip.Dim(wide, 1),
                   .inner = clip.Dim(wide, 0),
                   .layers = anatomy.id != "sd2" ? layers : layers - 1,
                   .vocabulary = clip.Dim("token_embedding.weight", 0),
                   .positions = clip.Dim("positional_embedding", 0),
                   .projection = clip.Dim("text_projection", 1),
                   .projected = projected,
                   .open_ai = false});
}

Json ClipConfig(const Shapes& clip, const Anatomy& anatomy) {
  const std::string layer = "text_model.encoder.layers";
  return ClipJson({.width = clip.Dim(layer + ".0.mlp.fc1.weight", 1),
                   .inner = clip.Dim(layer + ".0.mlp.fc1.weight", 0),
                   .layers = clip.Count(layer, "mlp.fc1.weight"),
                   .vocabulary = clip.Dim("text_model.embeddings.token_embedding.weight", 0),
                   .positions = clip.Dim("text_model.embeddings.position_embedding.weight", 0),
                   .projection = clip.Dim("text_projection.weight", 0),
                   .projected = anatomy.id.starts_with("sd3") ||
                                (anatomy.part != nullptr && clip.Has("text_projection.weight")),
                   .open_ai = clip.Is("clip_l")});
}

Json T5Config(const Shapes& t5, const Anatomy& /*anatomy*/) {
  const std::string block = "encoder.block.0.layer.";
  const std::uint64_t heads = t5.Dim(block + "0.SelfAttention.relative_attention_bias.weight", 1);
  return {
      {"architectures", {t5.Is("umt5xxl") ? "UMT5EncoderModel" : "T5EncoderModel"}},
      {"model_type", t5.Is("umt5xxl") ? "umt5" : "t5"},
      {"d_model", t5.Dim("shared.weight", 1)},
      {"d_ff", t5.Dim(block + "1.DenseReluDense.wi_0.weight", 0)},
      {"d_kv", t5.Dim(block + "0.SelfAttention.q.weight", 0) / std::max<std::uint64_t>(1, heads)},
      {"num_heads", heads},
      {"num_layers", t5.Count("encoder.block", "layer.0.SelfAttention.q.weight")},
      {"vocab_size", t5.Dim("shared.weight", 0)},
      {"relative_attention_num_buckets",
       t5.Dim(block + "0.SelfAttention.relative_attention_bias.weight", 0)},
      {"dense_act_fn", "gelu_new"},
      {"feed_forward_proj", "gated-gelu"},
      {"is_gated_act", true},
      {"layer_norm_epsilon", 1e-6},
      {"tie_word_embeddings", false}};
}

/// Text encoders, whose configurations are transformers'.
struct KnownConfig {
  const char* known_by;
  Json (*config)(const Shapes&, const Anatomy&);
};

constexpr KnownConfig kConfigs[] = {
    {"transformer.resblocks.0.attn.in_proj_weight", OpenClipConfig},
    {"text_model.encoder.layers.0.mlp.fc1.weight", ClipConfig},
    {"encoder.block.0.layer.0.SelfAttention.q.weight", T5Config},
};

}  // namespace

ComponentConfig ConfigOf(const Anatomy& anatomy, const ComponentRule& component) {
  const Naming* const naming = NamingOf(component);
  if (naming != nullptr && naming->config != nullptr) return naming->config(component, anatomy);
  const Shapes shapes(component);
  for (const KnownConfig& known : kConfigs) {
    if (!shapes.Has(known.known_by)) continue;
    const Json config = known.config(shapes, anatomy);
    return {"transformers", config["architectures"][0].get<std::string>(), config.dump(2) + "\n"};
  }
  return {};
}

}  // namespace weightsmith::internal
