// Lumina-Image 2.0 and what was made of it (Neta Lumina, NetaYume): a single stream of image and
// text, each refined before it. Several heads of queries share one of keys and values.

#include <string>

#include "core/model/architecture.h"
#include "core/model/builders/rule_list.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

struct Lumina2 {
  std::uint64_t width, inner, caption, head, shared, modulation;
};

/// As diffusers makes them of the width: `inner` is four times that, rounded up to 256s, and
/// `modulation` at most 1024. `shared` has the rows of the keys, and of the values.
Lumina2 Of(Scale scale) {
  if (scale == Scale::kTiny) return {24, 256, 32, 6, 12, 24};
  return {2304, 9216, 2304, 96, 768, 1024};
}

void Layer(RuleList& rules, const std::string& name, const Lumina2& lumina, bool modulated) {
  const std::uint64_t width = lumina.width;
  rules.Linear(name + ".attention.qkv", width + 2 * lumina.shared, width, Bias::kNo);
  rules.Linear(name + ".attention.out", width, width, Bias::kNo);
  rules.RmsNorm(name + ".attention.q_norm", lumina.head);
  rules.RmsNorm(name + ".attention.k_norm", lumina.head);
  for (const char* norm : {".attention_norm1", ".attention_norm2", ".ffn_norm1", ".ffn_norm2"}) {
    rules.RmsNorm(name + norm, width);
  }
  rules.Linear(name + ".feed_forward.w1", lumina.inner, width, Bias::kNo);
  rules.Linear(name + ".feed_forward.w2", width, lumina.inner, Bias::kNo);
  rules.Linear(name + ".feed_forward.w3", lumina.inner, width, Bias::kNo);
  if (modulated) rules.Linear(name + ".adaLN_modulation.1", 4 * width, lumina.modulation);
}

std::vector<TensorRule> Transformer(const Lumina2& lumina) {
  RuleList rules;
  rules.Linear("x_embedder", lumina.width, 64);
  rules.RmsNorm("cap_embedder.0", lumina.caption);
  rules.Linear("cap_embedder.1", lumina.width, lumina.caption);
  rules.Linear("t_embedder.mlp.0", lumina.modulation, 256);
  rules.Linear("t_embedder.mlp.2", lumina.modulation, lumina.modulation);
  for (int i = 0; i < 2; ++i) {
    Layer(rules, "noise_refiner." + std::to_string(i), lumina, true);
    Layer(rules, "context_refiner." + std::to_string(i), lumina, false);
  }
  for (int i = 0; i < 26; ++i) Layer(rules, "layers." + std::to_string(i), lumina, true);
  rules.Linear("final_layer.linear", 64, lumina.width);
  rules.Linear("final_layer.adaLN_modulation.1", lumina.width, lumina.modulation);
  rules.Add(
      {.name = "norm_final.weight", .shape = {lumina.width}, .optional = true, .usual = false});
  return rules.Take();
}

ArchitectureRow Row(Scale scale) {
  const Lumina2 lumina = Of(scale);
  const auto components = [=]() -> std::vector<ComponentRule> {
    return {{"transformer",
             ComponentKind::kBackbone,
             {"model.diffusion_model."},
             Transformer(lumina),
             {}},
            VaeZ16(scale, {"vae.", "first_stage_model."}, kLatentsOfFlux)};
  };
  return {.variant = "base",
          .scale = ToString(scale),
          .synth = "lumina2",
          .components = components,
          .signature = {{"cap_embedder.1.weight", {lumina.width, lumina.caption}},
                        {"noise_refiner.1.attention.k_norm.weight", {lumina.head}},
                        {"layers.25.attention.k_norm.weight", {lumina.head}}},
          .absent = {"layers.26.", "clip_text_pooled_proj.", "x_pad_token"}};
}

}  // namespace

const Architecture& lumina2() {
  static const Architecture architecture = {
      .id = "lumina2",
      .title = "Lumina-Image 2.0",
      .modelspec = "lumina-2",
      .layout = "comfy",
      .prediction = Prediction::kFlow,
      .dtype = DType::kBF16,
      .keep_precision = {"x_embedder.", "cap_embedder.", "t_embedder.", "final_layer."},
      .input_weight = "x_embedder.weight",
      .rows = {Row(Scale::kFull), Row(Scale::kTiny)},
      .published_bare = true,
      .pipeline = "Lumina2Pipeline",
      .schedule = {.shift = 6},
      .nicknames = {{"neta lumina", "lumina2"}, {"netayume lumina", "lumina2"}}};
  return architecture;
}

}  // namespace weightsmith::internal
