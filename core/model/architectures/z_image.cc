// Z-Image, base and turbo, which have the same tensors: a single stream of image and text, each
// refined before it.

#include <string>

#include "core/model/architecture.h"
#include "core/model/builders/rule_list.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

struct ZImage {
  std::uint64_t width, inner, caption, head, modulation, time;
};

ZImage Of(Scale scale) {
  if (scale == Scale::kTiny) return {24, 64, 20, 4, 24, 1024};
  return {3840, 10240, 2560, 128, 256, 1024};
}

void Layer(RuleList& rules, const std::string& name, const ZImage& z, bool modulated) {
  rules.Linear(name + ".attention.qkv", 3 * z.width, z.width, Bias::kNo);
  rules.Linear(name + ".attention.out", z.width, z.width, Bias::kNo);
  rules.RmsNorm(name + ".attention.q_norm", z.head);
  rules.RmsNorm(name + ".attention.k_norm", z.head);
  for (const char* norm : {".attention_norm1", ".attention_norm2", ".ffn_norm1", ".ffn_norm2"}) {
    rules.RmsNorm(name + norm, z.width);
  }
  rules.Linear(name + ".feed_forward.w1", z.inner, z.width, Bias::kNo);
  rules.Linear(name + ".feed_forward.w2", z.width, z.inner, Bias::kNo);
  rules.Linear(name + ".feed_forward.w3", z.inner, z.width, Bias::kNo);
  if (modulated) rules.Linear(name + ".adaLN_modulation.0", 4 * z.width, z.modulation);
}

std::vector<TensorRule> Transformer(const ZImage& z) {
  RuleList rules;
  rules.Linear("x_embedder", z.width, 64);
  rules.RmsNorm("cap_embedder.0", z.caption);
  rules.Linear("cap_embedder.1", z.width, z.caption);
  rules.Linear("t_embedder.mlp.0", z.time, 256);
  rules.Linear("t_embedder.mlp.2", z.modulation, z.time);
  rules.Tensor("x_pad_token", {1, z.width});
  rules.Tensor("cap_pad_token", {1, z.width});
  for (int i = 0; i < 2; ++i) {
    Layer(rules, "noise_refiner." + std::to_string(i), z, true);
    Layer(rules, "context_refiner." + std::to_string(i), z, false);
  }
  for (int i = 0; i < 30; ++i) Layer(rules, "layers." + std::to_string(i), z, true);
  rules.Linear("final_layer.linear", 64, z.width);
  rules.Linear("final_layer.adaLN_modulation.1", z.width, z.modulation);
  rules.Add({.name = "norm_final.weight", .shape = {z.width}, .optional = true, .usual = false});
  return rules.Take();
}

ArchitectureRow Row(Scale scale) {
  const ZImage z = Of(scale);
  const auto components = [=]() -> std::vector<ComponentRule> {
    return {
        {"transformer", ComponentKind::kBackbone, {"model.diffusion_model."}, Transformer(z), {}},
        VaeZ16(scale, {"vae.", "first_stage_model."}, kLatentsOfFlux)};
  };
  return {.variant = "base",
          .scale = ToString(scale),
          .synth = "z-image",
          .components = components,
          .signature = {{"cap_embedder.1.bias", {z.width}},
                        {"cap_embedder.0.weight", {z.caption}},
                        {"noise_refiner.1.attention.k_norm.weight", {z.head}},
                        {"layers.29.attention.k_norm.weight", {z.head}}},
          .absent = {"layers.30."}};
}

}  // namespace

const Architecture& z_image() {
  static const Architecture architecture = {
      .id = "z-image",
      .title = "Z-Image",
      .modelspec = "z-image",
      .layout = "comfy",
      .prediction = Prediction::kFlow,
      .dtype = DType::kBF16,
      .keep_precision = {"x_embedder.", "cap_embedder.", "t_embedder.", "final_layer."},
      .input_weight = "x_embedder.weight",
      .rows = {Row(Scale::kFull), Row(Scale::kTiny)},
      .published_bare = true,
      .pipeline = "ZImagePipeline",
      .nicknames = {{"z-image turbo", "z-image"}}};
  return architecture;
}

}  // namespace weightsmith::internal
