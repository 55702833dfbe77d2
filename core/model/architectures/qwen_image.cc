// Qwen-Image and Qwen-Image-Edit, which have the same tensors.

#include <string>

#include "core/model/architecture.h"
#include "core/model/builders/rule_list.h"

namespace weightsmith::internal {
namespace {

constexpr int kBlocks = 60;

struct QwenImage {
  std::uint64_t width, text, head, time;
};

QwenImage Of(Scale scale) {
  if (scale == Scale::kTiny) return {32, 28, 16, 256};
  return {3072, 3584, 128, 256};
}

void Block(RuleList& rules, const std::string& name, const QwenImage& qwen) {
  const std::uint64_t width = qwen.width;
  for (const char* stream : {"img", "txt"}) {
    rules.Linear(name + stream + "_mod.1", 6 * width, width);
    rules.Linear(name + stream + "_mlp.net.0.proj", 4 * width, width);
    rules.Linear(name + stream + "_mlp.net.2", width, 4 * width);
  }
  for (const char* matrix : {"to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj",
                             "to_out.0", "to_add_out"}) {
    rules.Linear(name + "attn." + matrix, width, width);
  }
  for (const char* norm : {"norm_q", "norm_k", "norm_added_q", "norm_added_k"}) {
    rules.RmsNorm(name + "attn." + norm, qwen.head);
  }
}

std::vector<TensorRule> Transformer(const QwenImage& qwen) {
  RuleList rules;
  rules.Linear("img_in", qwen.width, 64);
  rules.RmsNorm("txt_norm", qwen.text);
  rules.Linear("txt_in", qwen.width, qwen.text);
  rules.Linear("time_text_embed.timestep_embedder.linear_1", qwen.width, qwen.time);
  rules.Linear("time_text_embed.timestep_embedder.linear_2", qwen.width, qwen.width);
  for (int i = 0; i < kBlocks; ++i) {
    Block(rules, "transformer_blocks." + std::to_string(i) + ".", qwen);
  }
  rules.Linear("norm_out.linear", 2 * qwen.width, qwen.width);
  rules.Linear("proj_out", 64, qwen.width);
  return rules.Take();
}

ArchitectureRow Row(Scale scale) {
  const QwenImage qwen = Of(scale);
  const auto components = [=]() -> std::vector<ComponentRule> {
    return {{"transformer",
             ComponentKind::kBackbone,
             {"model.diffusion_model."},
             Transformer(qwen),
             {}}};
  };
  return {.variant = "base",
          .scale = ToString(scale),
          .synth = "qwen-image",
          .components = components,
          .signature = {{"txt_norm.weight", {qwen.text}},
                        {"img_in.bias", {qwen.width}},
                        {"transformer_blocks.0.attn.add_q_proj.bias", {qwen.width}},
                        {"transformer_blocks.59.attn.to_out.0.bias", {qwen.width}}},
          .absent = {"transformer_blocks.60."}};
}

}  // namespace

const Architecture& qwen_image() {
  static const Architecture architecture = {
      .id = "qwen-image",
      .title = "Qwen-Image",
      .modelspec = "qwen-image",
      .layout = "comfy",
      .prediction = Prediction::kFlow,
      .dtype = DType::kBF16,
      .keep_precision = {"img_in.", "txt_in.", "time_text_embed.", "norm_out.", "proj_out."},
      .input_weight = "img_in.weight",
      .rows = {Row(Scale::kFull), Row(Scale::kTiny)},
      .published_bare = true,
      .pipeline = "QwenImagePipeline"};
  return architecture;
}

}  // namespace weightsmith::internal
