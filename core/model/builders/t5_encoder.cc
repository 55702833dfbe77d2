#include "core/model/builders/t5_encoder.h"

#include <string>

#include "core/model/builders/rule_list.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kRelativeBuckets = 32;

void AddBlock(RuleList& rules, const T5Encoder& t5, std::uint64_t index) {
  const std::string block = "encoder.block." + std::to_string(index);
  const std::string attention = block + ".layer.0.SelfAttention.";
  for (const char* projection : {"q", "k", "v", "o"}) {
    rules.Linear(attention + projection, t5.width, t5.width, Bias::kNo);
  }
  if (index == 0 || t5.own_biases) {
    rules.Tensor(attention + "relative_attention_bias.weight", {kRelativeBuckets, t5.heads});
  }
  rules.Tensor(block + ".layer.0.layer_norm.weight", {t5.width});
  const std::string dense = block + ".layer.1.DenseReluDense.";
  rules.Linear(dense + "wi_0", t5.inner, t5.width, Bias::kNo);
  rules.Linear(dense + "wi_1", t5.inner, t5.width, Bias::kNo);
  rules.Linear(dense + "wo", t5.width, t5.inner, Bias::kNo);
  rules.Tensor(block + ".layer.1.layer_norm.weight", {t5.width});
}

}  // namespace

std::vector<TensorRule> BuildT5Encoder(const T5Encoder& t5) {
  RuleList rules;
  const Shape embedding = {t5.vocabulary, t5.width};
  rules.Tensor("shared.weight", embedding);
  // Some writers store the embedding a second time under the encoder's own name.
  rules.Add({.name = "encoder.embed_tokens.weight",
             .shape = embedding,
             .optional = true,
             .usual = false});
  for (std::uint64_t i = 0; i < t5.blocks; ++i) AddBlock(rules, t5, i);
  rules.Tensor("encoder.final_layer_norm.weight", {t5.width});
  rules.Add({.name = "logit_scale", .shape = {}, .optional = true, .usual = false, .beside = true});
  return rules.Take();
}

}  // namespace weightsmith::internal
