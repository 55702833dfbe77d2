#include "core/model/builders/clip_text.h"

#include <string>

#include "core/model/builders/rule_list.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kPositions = 77;

}  // namespace

std::vector<TensorRule> BuildClipText(const ClipText& clip, const ClipTextUsual& usual) {
  RuleList rules;
  const std::uint64_t width = clip.width;
  rules.Tensor("text_model.embeddings.token_embedding.weight", {clip.vocabulary, width});
  rules.Tensor("text_model.embeddings.position_embedding.weight", {kPositions, width});
  rules.Add({.name = "text_model.embeddings.position_ids",
             .shape = {1, kPositions},
             .role = Role::kPositionIds,
             .optional = true,
             .usual = usual.position_ids});
  for (std::uint64_t i = 0; i < clip.layers; ++i) {
    const std::string layer = "text_model.encoder.layers." + std::to_string(i);
    rules.Norm(layer + ".layer_norm1", width);
    for (const char* projection : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      rules.Linear(layer + ".self_attn." + projection, width, width);
    }
    rules.Norm(layer + ".layer_norm2", width);
    rules.Linear(layer + ".mlp.fc1", 4 * width, width);
    rules.Linear(layer + ".mlp.fc2", width, 4 * width);
  }
  rules.Norm("text_model.final_layer_norm", width);
  rules.Add({.name = "text_projection.weight",
             .shape = {width, width},
             .optional = true,
             .usual = usual.projection});
  rules.Add({.name = "logit_scale", .shape = {}, .optional = true, .usual = false, .beside = true});
  return rules.Take();
}

std::vector<TensorRule> BuildOpenClipText(const ClipText& clip) {
  RuleList rules;
  const std::uint64_t width = clip.width;
  rules.Tensor("positional_embedding", {kPositions, width});
  rules.Tensor("token_embedding.weight", {clip.vocabulary, width});
  for (std::uint64_t i = 0; i < clip.layers; ++i) {
    const std::string block = "transformer.resblocks." + std::to_string(i);
    rules.Norm(block + ".ln_1", width);
    rules.Tensor(block + ".attn.in_proj_weight", {3 * width, width});
    rules.Tensor(block + ".attn.in_proj_bias", {3 * width});
    rules.Linear(block + ".attn.out_proj", width, width);
    rules.Norm(block + ".ln_2", width);
    rules.Linear(block + ".mlp.c_fc", 4 * width, width);
    rules.Linear(block + ".mlp.c_proj", width, 4 * width);
  }
  rules.Norm("ln_final", width);
  rules.Tensor("text_projection", {width, width});
  rules.Add({.name = "logit_scale", .shape = {}, .optional = true});
  return rules.Take();
}

}  // namespace weightsmith::internal
