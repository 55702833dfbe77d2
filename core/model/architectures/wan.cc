// Wan 2.1 and 2.2: video from text (t2v), from an image (i2v), or from both (ti2v).

#include <string>

#include "core/model/architecture.h"
#include "core/model/builders/rule_list.h"
#include "core/model/builders/variant_rows.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

struct Variant {
  std::string_view name;
  std::string_view synth;
  std::uint64_t width, inner;
  std::uint64_t in_channels, out_channels;  ///< of the latent video, and what comes with it
  int blocks;
  bool image;                      ///< attends to an image as CLIP sees it
  std::string_view pipeline = {};  ///< empty: the architecture's
};

constexpr Variant kVariants[] = {
    {"t2v-1.3b", "wan-t2v-1.3b", 1536, 8960, 16, 16, 30, false},
    {"t2v-14b", "wan-t2v-14b", 5120, 13824, 16, 16, 40, false},
    {"i2v-14b", "wan-i2v-14b", 5120, 13824, 36, 16, 40, true, "WanImageToVideoPipeline"},
    {"i2v-2.2-14b", "wan-i2v-2.2-14b", 5120, 13824, 36, 16, 40, false, "WanImageToVideoPipeline"},
    {"ti2v-5b", "wan-ti2v-5b", 3072, 14336, 48, 48, 30, false},
};

/// Tiny models of one depth differ in width, as full ones do.
Variant Scaled(Variant variant, Scale scale) {
  if (scale == Scale::kFull) return variant;
  variant.width /= 128;
  variant.inner /= 256;
  return variant;
}

std::uint64_t Text(Scale scale) {
  return At(scale, 4096, 32);
}
std::uint64_t Time(Scale scale) {
  return At(scale, 256, 16);
}
std::uint64_t Clip(Scale scale) {
  return At(scale, 1280, 20);
}

void Attention(RuleList& rules, const std::string& name, std::uint64_t width) {
  for (const char* matrix : {"q", "k", "v", "o"}) rules.Linear(name + matrix, width, width);
  rules.RmsNorm(name + "norm_q", width);
  rules.RmsNorm(name + "norm_k", width);
}

void Block(RuleList& rules, const std::string& name, const Variant& wan) {
  Attention(rules, name + "self_attn.", wan.width);
  Attention(rules, name + "cross_attn.", wan.width);
  if (wan.image) {
    rules.Linear(name + "cross_attn.k_img", wan.width, wan.width);
    rules.Linear(name + "cross_attn.v_img", wan.width, wan.width);
    rules.RmsNorm(name + "cross_attn.norm_k_img", wan.width);
  }
  rules.Norm(name + "norm3", wan.width);
  rules.Linear(name + "ffn.0", wan.inner, wan.width);
  rules.Linear(name + "ffn.2", wan.width, wan.inner);
  rules.Tensor(name + "modulation", {1, 6, wan.width});
}

std::vector<TensorRule> Transformer(const Variant& wan, Scale scale) {
  RuleList rules;
  rules.Tensor("patch_embedding.weight", {wan.width, wan.in_channels, 1, 2, 2});
  rules.Tensor("patch_embedding.bias", {wan.width});
  rules.Linear("text_embedding.0", wan.width, Text(scale));
  rules.Linear("text_embedding.2", wan.width, wan.width);
  rules.Linear("time_embedding.0", wan.width, Time(scale));
  rules.Linear("time_embedding.2", wan.width, wan.width);
  rules.Linear("time_projection.1", 6 * wan.width, wan.width);
  if (wan.image) {
    rules.Norm("img_emb.proj.0", Clip(scale));
    rules.Linear("img_emb.proj.1", Clip(scale), Clip(scale));
    rules.Linear("img_emb.proj.3", wan.width, Clip(scale));
    rules.Norm("img_emb.proj.4", wan.width);
  }
  for (int i = 0; i < wan.blocks; ++i) {
    Block(rules, "blocks." + std::to_string(i) + ".", wan);
  }
  rules.Linear("head.head", 4 * wan.out_channels, wan.width);
  rules.Tensor("head.modulation", {1, 2, wan.width});
  return rules.Take();
}

ArchitectureRow Row(const Variant& full, Scale scale) {
  const Variant wan = Scaled(full, scale);
  const auto components = [=]() -> std::vector<ComponentRule> {
    return {{"transformer",
             ComponentKind::kBackbone,
             {"model.diffusion_model."},
             Transformer(wan, scale),
             {}},
            Umt5Xxl(scale, {"text_encoders.umt5xxl.transformer."})};
  };
  const std::string block = "blocks." + std::to_string(wan.blocks - 1);
  ArchitectureRow row = {
      .variant = wan.name,
      .scale = ToString(scale),
      .synth = wan.synth,
      .components = components,
      .signature = {{"patch_embedding.weight", {wan.width, wan.in_channels, 1, 2, 2}},
                    {"head.modulation", {1, 2, wan.width}},
                    {block + ".cross_attn.norm_k.weight", {wan.width}}},
      .absent = {"blocks." + std::to_string(wan.blocks) + "."},
      .pipeline = wan.pipeline};
  if (wan.image) row.signature.push_back({"img_emb.proj.3.bias", {wan.width}});
  if (!wan.image) row.absent.emplace_back("img_emb.");
  return row;
}

}  // namespace

const Architecture& wan() {
  static const Architecture architecture = {
      .id = "wan",
      .title = "Wan",
      .modelspec = "wan",
      .layout = "comfy",
      .prediction = Prediction::kFlow,
      .dtype = DType::kF16,
      .keep_precision = {"patch_embedding.", "text_embedding.", "time_embedding.",
                         "time_projection.", "img_emb.", "head."},
      .input_weight = "patch_embedding.weight",
      .rows = RowsOf(kVariants, Row),
      .published_bare = true,
      .pipeline = "WanPipeline",
      .nicknames = {{"wan 2.1", "wan-t2v-14b"}, {"wan 2.2", "wan-i2v-2.2-14b"}}};
  return architecture;
}

}  // namespace weightsmith::internal
