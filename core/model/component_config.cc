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
  std::uint64_t projection;  ///< 0: the file has none
};

/// Whether the pipeline wants the projection.
bool IsProjected(const Clip& clip, ClipOutput output) {
  return output == ClipOutput::kProjected ||
         (output == ClipOutput::kAsStored && clip.projection != 0);
}

Json ClipJson(const Clip& clip, const TextModel& model) {
  const std::string_view end = IsProjected(clip, model.output) ? "WithProjection" : "";
  return {
      {"architectures", {std::string(model.class_name).append(end)}},
      {"model_type", model.model_type},
      {"hidden_act", model.activation},
      {"hidden_size", clip.width},
      {"intermediate_size", clip.inner},
      {"num_attention_heads", Heads(clip.width, 64)},
      {"num_hidden_layers",
       model.output == ClipOutput::kPenultimate ? clip.layers - 1 : clip.layers},
      {"max_position_embeddings", clip.positions},
      {"vocab_size", clip.vocabulary},
      {"projection_dim", clip.projection == 0 ? clip.width : clip.projection},
      // As in the published files: with these, the end of a text is found by its largest number.
      {"bos_token_id", 0},
      {"eos_token_id", 2},
      {"pad_token_id", 1},
      {"layer_norm_eps", 1e-5}};
}

Json OpenClipConfig(const Shapes& clip, const TextModel& model) {
  const std::string wide = "transformer.resblocks.0.mlp.c_fc.weight";
  return ClipJson({.width = clip.Dim(wide, 1),
                   .inner = clip.Dim(wide, 0),
                   .layers = clip.Count("transformer.resblocks", "mlp.c_fc.weight"),
                   .vocabulary = clip.Dim("token_embedding.weight", 0),
                   .positions = clip.Dim("positional_embedding", 0),
                   .projection = clip.Dim("text_projection", 1)},
                  model);
}

Json ClipConfig(const Shapes& clip, const TextModel& model) {
  const std::string layer = "text_model.encoder.layers";
  return ClipJson({.width = clip.Dim(layer + ".0.mlp.fc1.weight", 1),
                   .inner = clip.Dim(layer + ".0.mlp.fc1.weight", 0),
                   .layers = clip.Count(layer, "mlp.fc1.weight"),
                   .vocabulary = clip.Dim("text_model.embeddings.token_embedding.weight", 0),
                   .positions = clip.Dim("text_model.embeddings.position_embedding.weight", 0),
                   .projection = clip.Dim("text_projection.weight", 0)},
                  model);
}

Json T5Config(const Shapes& t5, const TextModel& model) {
  const std::string block = "encoder.block.0.layer.";
  const std::uint64_t heads = t5.Dim(block + "0.SelfAttention.relative_attention_bias.weight", 1);
  return {
      {"architectures", {model.class_name}},
      {"model_type", model.model_type},
      {"d_model", t5.Dim("shared.weight", 1)},
      {"d_ff", t5.Dim(block + "1.DenseReluDense.wi_0.weight", 0)},
      {"d_kv", t5.Dim(block + "0.SelfAttention.q.weight", 0) / std::max<std::uint64_t>(1, heads)},
      {"num_heads", heads},
      {"num_layers", t5.Count("encoder.block", "layer.0.SelfAttention.q.weight")},
      {"vocab_size", t5.Dim("shared.weight", 0)},
      {"relative_attention_num_buckets",
       t5.Dim(block + "0.SelfAttention.relative_attention_bias.weight", 0)},
      {"dense_act_fn", model.activation},
      {"feed_forward_proj", "gated-gelu"},
      {"is_gated_act", true},
      {"layer_norm_epsilon", 1e-6},
      {"tie_word_embeddings", false}};
}

/// Text encoders, whose configurations are transformers'.
struct KnownConfig {
  const char* known_by;
  Json (*config)(const Shapes&, const TextModel&);
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
    const Json config = known.config(shapes, component.text);
    return {"transformers", config["architectures"][0].get<std::string>(), ToText(config)};
  }
  return {};
}

}  // namespace weightsmith::internal
