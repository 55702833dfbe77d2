#include "core/anatomy/component_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace weightsmith {
namespace {

using Json = nlohmann::ordered_json;

/// Reads the numbers of a model off its tensors.
class Shapes {
 public:
  explicit Shapes(const ComponentRule& component) : component_(component) {}

  bool Is(std::string_view component) const { return component_.name == component; }
  bool Has(const std::string& name) const { return Find(name) != nullptr; }
  /// 0 where there is no such tensor.
  std::uint64_t Dim(const std::string& name, std::size_t axis) const {
    const TensorRule* rule = Find(name);
    return rule == nullptr || axis >= rule->shape.size() ? 0 : rule->shape[axis];
  }
  /// How many of before.0.behind, before.1.behind … there are.
  std::uint64_t Count(const std::string& before, const std::string& behind) const {
    std::uint64_t count = 0;
    while (Has(before + "." + std::to_string(count) + "." + behind)) ++count;
    return count;
  }

 private:
  const TensorRule* Find(const std::string& name) const {
    const auto found = std::ranges::find(component_.tensors, name, &TensorRule::name);
    return found == component_.tensors.end() ? nullptr : &*found;
  }
  const ComponentRule& component_;
};

/// What the shapes do not tell.
struct Subject {
  std::string_view architecture;
  std::string_view variant;
};

std::uint64_t Heads(std::uint64_t width, std::uint64_t head) {
  return std::max<std::uint64_t>(1, width / head);
}

/// Groups of a normalisation: 32, or one a channel where there are fewer.
std::uint64_t Groups(std::uint64_t channels) {
  return channels % 32 == 0 ? 32 : channels;
}

Json UnetConfig(const Shapes& unet, const Subject& subject) {
  constexpr std::uint64_t kPerLevel = 3;
  Json channels = Json::array();
  Json depths = Json::array();
  Json heads = Json::array();
  Json down = Json::array();
  Json up = Json::array();
  std::uint64_t context = 0;
  bool linear = false;
  for (std::uint64_t level = 0;; ++level) {
    const std::string block = "input_blocks." + std::to_string(kPerLevel * level + 1);
    const std::uint64_t width = unet.Dim(block + ".0.out_layers.3.weight", 0);
    if (width == 0) break;
    const std::string inside = block + ".1.transformer_blocks";
    const std::uint64_t depth = unet.Count(inside, "attn2.to_k.weight");
    if (depth > 0) {
      context = unet.Dim(inside + ".0.attn2.to_k.weight", 1);
      linear = unet.Dim(block + ".1.proj_in.weight", 2) == 0;
    }
    channels.push_back(width);
    depths.push_back(std::max<std::uint64_t>(1, depth));
    // The name is historical: it is the number of heads.
    heads.push_back(linear ? Heads(width, 64) : std::uint64_t{8});
    down.push_back(depth > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D");
    up.insert(up.begin(), depth > 0 ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  // Below the last level the middle goes on, as deep as the configuration has that level.
  if (!depths.empty()) {
    depths.back() = unet.Count("middle_block.1.transformer_blocks", "attn2.to_k.weight");
  }
  if (linear) {  // also where the first levels have no attention
    for (std::size_t i = 0; i < heads.size(); ++i) {
      heads[i] = Heads(channels[i].get<std::uint64_t>(), 64);
    }
  }
  const std::uint64_t width = unet.Dim("input_blocks.0.0.weight", 0);
  Json config = {{"_class_name", "UNet2DConditionModel"},
                 {"in_channels", unet.Dim("input_blocks.0.0.weight", 1)},
                 {"out_channels", unet.Dim("out.2.weight", 0)},
                 {"sample_size", subject.architecture.starts_with("sdxl") ? 128 : 64},
                 {"block_out_channels", channels},
                 {"layers_per_block", 2},
                 {"down_block_types", down},
                 {"up_block_types", up},
                 {"transformer_layers_per_block", depths},
                 {"attention_head_dim", linear ? heads : Json(8)},
                 {"cross_attention_dim", context},
                 {"use_linear_projection", linear},
                 {"norm_num_groups", Groups(width)}};
  if (unet.Has("label_emb.0.0.weight")) {
    config["addition_embed_type"] = "text_time";
    config["addition_time_embed_dim"] = 256;
    config["projection_class_embeddings_input_dim"] = unet.Dim("label_emb.0.0.weight", 1);
  }
  return config;
}

Json VaeConfig(const Shapes& vae, const Subject& subject) {
  Json channels = Json::array();
  Json down = Json::array();
  Json up = Json::array();
  for (std::uint64_t level = 0;; ++level) {
    const std::string block = "encoder.down." + std::to_string(level) + ".block.0.conv1.weight";
    if (!vae.Has(block)) break;
    channels.push_back(vae.Dim(block, 0));
    down.push_back("DownEncoderBlock2D");
    up.push_back("UpDecoderBlock2D");
  }
  const bool quant = vae.Has("quant_conv.weight");
  Json config = {{"_class_name", "AutoencoderKL"},
                 {"in_channels", 3},
                 {"out_channels", 3},
                 {"block_out_channels", channels},
                 {"layers_per_block", 2},
                 {"down_block_types", down},
                 {"up_block_types", up},
                 {"latent_channels", vae.Dim("decoder.conv_in.weight", 1)},
                 {"norm_num_groups", Groups(vae.Dim("encoder.conv_in.weight", 0))},
                 {"use_quant_conv", quant},
                 {"use_post_quant_conv", quant}};
  const bool alpha = subject.variant == "alpha";  // PixArt's, with the VAE of Stable Diffusion 1
  if (subject.architecture.starts_with("sdxl") || subject.architecture == "auraflow" ||
      (subject.architecture == "pixart" && !alpha)) {
    config["scaling_factor"] = 0.13025;
    config["force_upcast"] = true;
  } else if (subject.architecture.starts_with("sd3")) {
    config["scaling_factor"] = 1.5305;
    config["shift_factor"] = 0.0609;
  } else if (subject.architecture.starts_with("sd") || alpha) {
    config["scaling_factor"] = 0.18215;
  } else {
    config["scaling_factor"] = 0.3611;
    config["shift_factor"] = 0.1159;
  }
  return config;
}

Json FluxConfig(const Shapes& flux, const Subject& /*subject*/) {
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
  return config;
}

Json MmditConfig(const Shapes& mmdit, const Subject& /*subject*/) {
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
  return {{"_class_name", "SD3Transformer2DModel"},
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
          {"qk_norm", norm > 0 ? Json("rms_norm") : Json()}};
}

Json ZImageConfig(const Shapes& model, const Subject& /*subject*/) {
  const std::uint64_t width = model.Dim("layers.0.attention.out.weight", 0);
  const std::uint64_t head = model.Dim("layers.0.attention.q_norm.weight", 0);
  const std::uint64_t fused = model.Dim("layers.0.attention.qkv.weight", 0);
  return {{"_class_name", "ZImageTransformer2DModel"},
          {"all_patch_size", {2}},
          {"all_f_patch_size", {1}},
          {"in_channels", model.Dim("x_embedder.weight", 1) / 4},
          {"dim", width},
          {"n_layers", model.Count("layers", "attention.qkv.weight")},
          {"n_refiner_layers", model.Count("noise_refiner", "attention.qkv.weight")},
          {"n_heads", width / head},
          {"n_kv_heads", (fused / head - width / head) / 2},
          {"norm_eps", 1e-5},
          {"qk_norm", true},
          {"cap_feat_dim", model.Dim("cap_embedder.1.weight", 1)},
          {"rope_theta", 256.0},
          {"t_scale", 1000.0},
          {"axes_dims", {head - 2 * (head * 3 / 8), head * 3 / 8, head * 3 / 8}},
          {"axes_lens", {1536, 512, 512}}};
}

Json WanConfig(const Shapes& wan, const Subject& /*subject*/) {
  const std::uint64_t width = wan.Dim("patch_embedding.weight", 0);
  const std::uint64_t heads = Heads(width, 128);
  const bool image = wan.Has("img_emb.proj.1.weight");
  return {{"_class_name", "WanTransformer3DModel"},
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
          {"rope_max_seq_len", 1024}};
}

Json AuraFlowConfig(const Shapes& aura, const Subject& /*subject*/) {
  const std::uint64_t width = aura.Dim("init_x_linear.weight", 0);
  const std::uint64_t heads = Heads(width, 256);
  const std::uint64_t channels = aura.Dim("init_x_linear.weight", 1) / 4;
  return {{"_class_name", "AuraFlowTransformer2DModel"},
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
          {"pos_embed_max_size", aura.Dim("positional_encoding", 1)}};
}

Json PixArtConfig(const Shapes& pixart, const Subject& /*subject*/) {
  const std::uint64_t width = pixart.Dim("x_embedder.proj.weight", 0);
  const std::uint64_t heads = Heads(width, 72);
  const bool alpha = pixart.Has("ar_embedder.mlp.0.weight");
  return {{"_class_name", "PixArtTransformer2DModel"},
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
          {"interpolation_scale", 2}};
}

Json QwenImageConfig(const Shapes& qwen, const Subject& /*subject*/) {
  const std::uint64_t width = qwen.Dim("img_in.weight", 0);
  const std::uint64_t head = qwen.Dim("transformer_blocks.0.attn.norm_q.weight", 0);
  const std::uint64_t axis = 2 * (head * 7 / 32);  // of height and of width: even
  return {{"_class_name", "QwenImageTransformer2DModel"},
          {"patch_size", 2},
          {"in_channels", qwen.Dim("img_in.weight", 1)},
          {"out_channels", qwen.Dim("proj_out.weight", 0) / 4},
          {"num_layers", qwen.Count("transformer_blocks", "attn.to_q.weight")},
          {"num_attention_heads", width / head},
          {"attention_head_dim", head},
          {"joint_attention_dim", qwen.Dim("txt_in.weight", 1)},
          {"guidance_embeds", false},
          {"axes_dims_rope", {head - 2 * axis, axis, axis}}};
}

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

Json OpenClipConfig(const Shapes& clip, const Subject& subject) {
  const bool projected = subject.architecture != "sd2";
  const std::uint64_t layers = clip.Count("transformer.resblocks", "mlp.c_fc.weight");
  const std::string wide = "transformer.resblocks.0.mlp.c_fc.weight";
  // Stable Diffusion 2 takes what the last block but one gives: there the last one does not exist.
  return ClipJson({.width = clip.Dim(wide, 1),
                   .inner = clip.Dim(wide, 0),
                   .layers = projected ? layers : layers - 1,
                   .vocabulary = clip.Dim("token_embedding.weight", 0),
                   .positions = clip.Dim("positional_embedding", 0),
                   .projection = clip.Dim("text_projection", 1),
                   .projected = projected,
                   .open_ai = false});
}

Json ClipConfig(const Shapes& clip, const Subject& subject) {
  const std::string layer = "text_model.encoder.layers";
  return ClipJson({.width = clip.Dim(layer + ".0.mlp.fc1.weight", 1),
                   .inner = clip.Dim(layer + ".0.mlp.fc1.weight", 0),
                   .layers = clip.Count(layer, "mlp.fc1.weight"),
                   .vocabulary = clip.Dim("text_model.embeddings.token_embedding.weight", 0),
                   .positions = clip.Dim("text_model.embeddings.position_embedding.weight", 0),
                   .projection = clip.Dim("text_projection.weight", 0),
                   .projected = subject.architecture.starts_with("sd3"),
                   .open_ai = clip.Is("clip_l")});
}

Json T5Config(const Shapes& t5, const Subject& /*subject*/) {
  const std::string block = "encoder.block.0.layer.";
  const std::uint64_t heads = t5.Dim(block + "0.SelfAttention.relative_attention_bias.weight", 1);
  return {
      {"architectures", {"T5EncoderModel"}},
      {"model_type", "t5"},
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

struct KnownConfig {
  const char* known_by;
  const char* library;
  Json (*config)(const Shapes&, const Subject&);
};

constexpr KnownConfig kConfigs[] = {
    {"input_blocks.0.0.weight", "diffusers", UnetConfig},
    {"decoder.up.0.block.0.norm1.weight", "diffusers", VaeConfig},
    {"double_blocks.0.img_attn.qkv.weight", "diffusers", FluxConfig},
    {"joint_blocks.0.x_block.attn.qkv.weight", "diffusers", MmditConfig},
    {"noise_refiner.0.attention.qkv.weight", "diffusers", ZImageConfig},
    {"head.modulation", "diffusers", WanConfig},
    {"double_layers.0.attn.w1q.weight", "diffusers", AuraFlowConfig},
    {"t_block.1.weight", "diffusers", PixArtConfig},
    {"txt_norm.weight", "diffusers", QwenImageConfig},
    {"transformer.resblocks.0.attn.in_proj_weight", "transformers", OpenClipConfig},
    {"text_model.encoder.layers.0.mlp.fc1.weight", "transformers", ClipConfig},
    {"encoder.block.0.layer.0.SelfAttention.q.weight", "transformers", T5Config},
};

}  // namespace

ComponentConfig ConfigOf(const Anatomy& anatomy, const ComponentRule& component) {
  const Subject subject = {anatomy.id, anatomy.variant};
  const Shapes shapes(component);
  for (const KnownConfig& known : kConfigs) {
    if (!shapes.Has(known.known_by)) continue;
    const Json config = known.config(shapes, subject);
    const std::string class_name = config.contains("_class_name")
                                       ? config["_class_name"].get<std::string>()
                                       : config["architectures"][0].get<std::string>();
    return {known.library, class_name, config.dump(2) + "\n"};
  }
  return {};
}

}  // namespace weightsmith
