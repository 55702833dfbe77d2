#include "core/model/builders/llama.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/model/builders/rule_list.h"
#include "core/model/detect.h"

namespace weightsmith::internal {
namespace {

using Tensors = std::span<const CheckpointTensor>;

/// No published model is so narrow.
constexpr std::uint64_t kTinyWidth = 64;

constexpr std::string_view kLayers = "model.layers.";

std::string Layer(std::uint64_t index) {
  return std::string(kLayers) + std::to_string(index) + ".";
}

void AddLayer(RuleList& rules, const std::string& name, const LlamaTraits& traits,
              const LlamaSizes& sizes) {
  const std::string attention = name + "self_attn.";
  rules.RmsNorm(name + "input_layernorm", sizes.hidden);
  rules.Linear(attention + "q_proj", sizes.query, sizes.hidden, traits.attention_bias);
  rules.Linear(attention + "k_proj", sizes.key, sizes.hidden, traits.attention_bias);
  rules.Linear(attention + "v_proj", sizes.key, sizes.hidden, traits.attention_bias);
  rules.Linear(attention + "o_proj", sizes.hidden, sizes.query, Bias::kNo);
  if (traits.qk_norm) {
    rules.RmsNorm(attention + "q_norm", sizes.head);
    rules.RmsNorm(attention + "k_norm", sizes.head);
  }
  rules.RmsNorm(name + "post_attention_layernorm", sizes.hidden);
  if (traits.sandwich_norms) {
    rules.RmsNorm(name + "pre_feedforward_layernorm", sizes.hidden);
    rules.RmsNorm(name + "post_feedforward_layernorm", sizes.hidden);
  }
  rules.Linear(name + "mlp.gate_proj", sizes.intermediate, sizes.hidden, Bias::kNo);
  rules.Linear(name + "mlp.up_proj", sizes.intermediate, sizes.hidden, Bias::kNo);
  rules.Linear(name + "mlp.down_proj", sizes.hidden, sizes.intermediate, Bias::kNo);
}

std::vector<TensorRule> Rules(const LlamaTraits& traits, const LlamaSizes& sizes) {
  RuleList rules;
  rules.Tensor("model.embed_tokens.weight", {sizes.vocabulary, sizes.hidden});
  for (std::uint64_t i = 0; i < sizes.layers; ++i) AddLayer(rules, Layer(i), traits, sizes);
  rules.RmsNorm("model.norm", sizes.hidden);
  if (!sizes.tied) rules.Tensor("lm_head.weight", {sizes.vocabulary, sizes.hidden});
  return rules.Take();
}

/// One more than the highest number of a layer.
std::uint64_t CountLayers(Tensors tensors) {
  std::uint64_t count = 0;
  for (const CheckpointTensor& tensor : tensors) {
    if (!tensor.name.starts_with(kLayers)) continue;
    std::uint32_t index = 0;
    const char* const last = tensor.name.data() + tensor.name.size();
    if (std::from_chars(tensor.name.data() + kLayers.size(), last, index).ec != std::errc())
      return 0;
    count = std::max<std::uint64_t>(count, index + std::uint64_t{1});
  }
  return count;
}

/// Sizes of a tensor's axes; all 0 where it is missing or has another rank.
Shape ShapeOf(Tensors tensors, std::string_view name, std::size_t rank) {
  const CheckpointTensor* const tensor = FindTensor(tensors, name);
  if (tensor != nullptr && tensor->info.shape.size() == rank) return tensor->info.shape;
  return Shape(rank, 0);
}

ArchitectureRow LlamaRow(const LlamaTraits& traits, const LlamaSizes& sizes, Scale scale,
                         std::string_view synth) {
  return {.variant = "base",
          .scale = ToString(scale),
          .synth = synth,
          .components = [=]() -> std::vector<ComponentRule> {
            return {{"transformer", ComponentKind::kBackbone, {""}, Rules(traits, sizes), {}}};
          },
          .signature = {}};
}

/// The sizes of a header that has these traits and no others; nothing for any other header.
std::optional<LlamaSizes> FitLlama(const LlamaTraits& traits, Tensors tensors) {
  constexpr std::uint64_t kMostLayers = 1024;
  const std::string first = Layer(0);
  const auto has = [&](std::string_view name) {
    return FindTensor(tensors, first + std::string(name)) != nullptr;
  };
  const Shape embedding = ShapeOf(tensors, "model.embed_tokens.weight", 2);
  const Shape query = ShapeOf(tensors, first + "self_attn.q_proj.weight", 2);
  const Shape key = ShapeOf(tensors, first + "self_attn.k_proj.weight", 2);
  const Shape gate = ShapeOf(tensors, first + "mlp.gate_proj.weight", 2);
  LlamaSizes sizes = {.vocabulary = embedding[0],
                      .hidden = embedding[1],
                      .intermediate = gate[0],
                      .layers = 0,
                      .query = query[0],
                      .key = key[0],
                      .head = ShapeOf(tensors, first + "self_attn.q_norm.weight", 1)[0],
                      .tied = FindTensor(tensors, "lm_head.weight") == nullptr};
  const bool traits_fit = has("self_attn.q_proj.bias") == (traits.attention_bias == Bias::kYes) &&
                          (sizes.head > 0) == traits.qk_norm &&
                          has("pre_feedforward_layernorm.weight") == traits.sandwich_norms &&
                          has("input_layernorm.weight") && has("post_attention_layernorm.weight");
  const bool sizes_fit = sizes.hidden > 0 && query[1] == sizes.hidden && key[1] == sizes.hidden &&
                         gate[1] == sizes.hidden;
  if (!traits_fit || !sizes_fit) return std::nullopt;
  // Last: most files are of no such family, and this looks at every name.
  sizes.layers = CountLayers(tensors);
  if (sizes.layers > kMostLayers) return std::nullopt;
  return sizes;
}

}  // namespace

Architecture LlamaArchitecture(const LlamaFamily& family) {
  const auto fit = [family](Tensors tensors) -> std::optional<ArchitectureRow> {
    const std::optional<LlamaSizes> sizes = FitLlama(family.traits, tensors);
    if (!sizes) return std::nullopt;
    const bool tiny = sizes->hidden <= kTinyWidth;
    if (family.accept != nullptr && !family.accept(*sizes)) return std::nullopt;
    return LlamaRow(family.traits, *sizes, tiny ? Scale::kTiny : Scale::kFull, family.id);
  };
  return {.id = family.id,
          .title = family.title,
          .modelspec = {},
          .kind = ModelKind::kLanguage,
          .layout = "hf",
          .dtype = DType::kBF16,
          .keep_precision = {"model.embed_tokens.", "lm_head."},
          .rows = {LlamaRow(family.traits, family.published, Scale::kFull, family.id),
                   LlamaRow(family.traits, family.tiny, Scale::kTiny, family.id)},
          .bare_layout = "hf",
          .published_bare = true,
          .fit = fit,
          .form = family.form.empty() ? family.id : family.form};
}

}  // namespace weightsmith::internal
