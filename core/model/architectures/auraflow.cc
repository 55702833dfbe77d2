// AuraFlow: a few blocks with two streams, then many with one.

#include <string>

#include "core/model/architecture.h"
#include "core/model/builders/rule_list.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

constexpr int kDoubleLayers = 4;
constexpr int kSingleLayers = 32;

struct AuraFlow {
  std::uint64_t width, inner, text, time, positions;
};

AuraFlow Of(Scale scale) {
  if (scale == Scale::kTiny) return {24, 256, 16, 256, 64};
  return {3072, 8192, 2048, 256, 9216};
}

void Mlp(RuleList& rules, const std::string& name, const AuraFlow& aura) {
  rules.Linear(name + ".c_fc1", aura.inner, aura.width, Bias::kNo);
  rules.Linear(name + ".c_fc2", aura.inner, aura.width, Bias::kNo);
  rules.Linear(name + ".c_proj", aura.width, aura.inner, Bias::kNo);
}

void Attention(RuleList& rules, const std::string& name, const AuraFlow& aura, int streams) {
  for (int stream = 1; stream <= streams; ++stream) {
    for (const char* matrix : {"q", "k", "v", "o"}) {
      rules.Linear(name + ".w" + std::to_string(stream) + matrix, aura.width, aura.width,
                   Bias::kNo);
    }
  }
}

std::vector<TensorRule> Transformer(const AuraFlow& aura) {
  RuleList rules;
  const std::uint64_t width = aura.width;
  rules.Linear("init_x_linear", width, 16);
  rules.Tensor("positional_encoding", {1, aura.positions, width});
  rules.Tensor("register_tokens", {1, 8, width});
  rules.Linear("cond_seq_linear", width, aura.text, Bias::kNo);
  rules.Linear("t_embedder.mlp.0", width, aura.time);
  rules.Linear("t_embedder.mlp.2", width, width);
  for (int i = 0; i < kDoubleLayers; ++i) {
    const std::string layer = "double_layers." + std::to_string(i);
    Attention(rules, layer + ".attn", aura, 2);
    for (const char* stream : {"C", "X"}) {
      rules.Linear(layer + ".mod" + stream + ".1", 6 * width, width, Bias::kNo);
      Mlp(rules, layer + ".mlp" + stream, aura);
    }
  }
  for (int i = 0; i < kSingleLayers; ++i) {
    const std::string layer = "single_layers." + std::to_string(i);
    Attention(rules, layer + ".attn", aura, 1);
    rules.Linear(layer + ".modCX.1", 6 * width, width, Bias::kNo);
    Mlp(rules, layer + ".mlp", aura);
  }
  rules.Linear("modF.1", 2 * width, width, Bias::kNo);
  rules.Linear("final_linear", 16, width, Bias::kNo);
  return rules.Take();
}

ArchitectureRow Row(Scale scale) {
  const AuraFlow aura = Of(scale);
  const auto components = [=]() -> std::vector<ComponentRule> {
    return {{"transformer",
             ComponentKind::kBackbone,
             {"model.diffusion_model.", "model."},
             Transformer(aura),
             {}},
            VaeZ4(scale, {"vae.", "first_stage_model."}, kLatentsOfSdxl)};
  };
  return {.variant = "base",
          .scale = ToString(scale),
          .synth = "auraflow",
          .components = components,
          .signature = {{"double_layers.3.attn.w1q.weight", {aura.width, aura.width}},
                        {"cond_seq_linear.weight", {aura.width, aura.text}},
                        {"single_layers.31.attn.w1q.weight", {aura.width, aura.width}}},
          .absent = {"single_layers.32."}};
}

}  // namespace

const Architecture& auraflow() {
  static const Architecture architecture = {
      .id = "auraflow",
      .title = "AuraFlow",
      .modelspec = "auraflow-v1",
      .layout = "comfy",
      .prediction = Prediction::kFlow,
      .dtype = DType::kF16,
      .keep_precision = {"init_x_linear.", "cond_seq_linear.", "t_embedder.", "modF.",
                         "final_linear."},
      .input_weight = "init_x_linear.weight",
      .rows = {Row(Scale::kFull), Row(Scale::kTiny)},
      .published_bare = true,
      .pipeline = "AuraFlowPipeline"};
  return architecture;
}

}  // namespace weightsmith::internal
