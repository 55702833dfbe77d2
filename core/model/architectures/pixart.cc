// PixArt, in the names of its publisher: sigma, and alpha, which is also told the picture's size.

#include <string>

#include "core/model/architecture.h"
#include "core/model/builders/rule_list.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

constexpr int kBlocks = 28;

struct PixArt {
  std::uint64_t width, time, size, tokens, text;
  bool alpha;
};

PixArt Of(bool alpha, Scale scale) {
  return {At(scale, 1152, 24), 256,
          At(scale, 384, 8),   alpha ? At(scale, 120, 12) : At(scale, 300, 30),
          T5XxlWidth(scale),   alpha};
}

void Embedder(RuleList& rules, const std::string& name, std::uint64_t out, std::uint64_t in) {
  rules.Linear(name + ".mlp.0", out, in);
  rules.Linear(name + ".mlp.2", out, out);
}

void Block(RuleList& rules, const std::string& name, std::uint64_t width) {
  rules.Linear(name + ".attn.qkv", 3 * width, width);
  rules.Linear(name + ".attn.proj", width, width);
  rules.Linear(name + ".cross_attn.q_linear", width, width);
  rules.Linear(name + ".cross_attn.kv_linear", 2 * width, width);
  rules.Linear(name + ".cross_attn.proj", width, width);
  rules.Linear(name + ".mlp.fc1", 4 * width, width);
  rules.Linear(name + ".mlp.fc2", width, 4 * width);
  rules.Tensor(name + ".scale_shift_table", {6, width});
}

std::vector<TensorRule> Transformer(const PixArt& pixart) {
  RuleList rules;
  const std::uint64_t width = pixart.width;
  rules.Conv("x_embedder.proj", width, 4, 2);
  Embedder(rules, "t_embedder", width, pixart.time);
  if (pixart.alpha) {
    Embedder(rules, "csize_embedder", pixart.size, pixart.time);
    Embedder(rules, "ar_embedder", pixart.size, pixart.time);
  }
  rules.Linear("t_block.1", 6 * width, width);
  rules.Linear("y_embedder.y_proj.fc1", width, pixart.text);
  rules.Linear("y_embedder.y_proj.fc2", width, width);
  // Of the empty caption; diffusers does not have it.
  rules.Add(
      {.name = "y_embedder.y_embedding", .shape = {pixart.tokens, pixart.text}, .optional = true});
  for (int i = 0; i < kBlocks; ++i) Block(rules, "blocks." + std::to_string(i), width);
  rules.Linear("final_layer.linear", 32, width);
  rules.Tensor("final_layer.scale_shift_table", {2, width});
  return rules.Take();
}

ArchitectureRow Row(std::string_view variant, Scale scale, std::string_view synth) {
  const PixArt pixart = Of(variant == "alpha", scale);
  const auto components = [=]() -> std::vector<ComponentRule> {
    return {{"transformer",
             ComponentKind::kBackbone,
             {"model.diffusion_model."},
             Transformer(pixart),
             {}},
            T5Xxl(scale, {"text_encoders.t5xxl.transformer."}),
            VaeZ4(scale, {"vae.", "first_stage_model."},
                  pixart.alpha ? kLatentsOfSd1 : kLatentsOfSdxl)};
  };
  ArchitectureRow row = {
      .variant = variant,
      .scale = ToString(scale),
      .synth = synth,
      .components = components,
      .signature = {{"t_block.1.bias", {6 * pixart.width}},
                    {"y_embedder.y_proj.fc1.weight", {pixart.width, pixart.text}},
                    {"blocks.27.attn.proj.bias", {pixart.width}}},
      .absent = {"blocks.28."}};
  if (pixart.alpha) {
    row.signature.push_back({"ar_embedder.mlp.2.bias", {pixart.size}});
    row.pipeline = "PixArtAlphaPipeline";
  } else {
    row.absent.emplace_back("ar_embedder.");
  }
  return row;
}

}  // namespace

const Architecture& pixart() {
  static const Architecture architecture = {
      .id = "pixart",
      .title = "PixArt",
      .modelspec = "pixart",
      .layout = "comfy",
      .prediction = Prediction::kEpsilon,
      .dtype = DType::kF16,
      .keep_precision = {"x_embedder.", "t_embedder.", "t_block.", "y_embedder.", "csize_embedder.",
                         "ar_embedder.", "final_layer."},
      .input_weight = "x_embedder.proj.weight",
      .rows = {Row("sigma", Scale::kFull, "pixart-sigma"),
               Row("alpha", Scale::kFull, "pixart-alpha"),
               Row("sigma", Scale::kTiny, "pixart-sigma"),
               Row("alpha", Scale::kTiny, "pixart-alpha")},
      .published_bare = true,
      .pipeline = "PixArtSigmaPipeline",
      .schedule = {.beta_start = 0.0001, .beta_end = 0.02, .betas = "linear"}};
  return architecture;
}

}  // namespace weightsmith::internal
