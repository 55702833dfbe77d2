#include "core/model/blocks.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace weightsmith::internal {
namespace {

struct NamedFamily {
  std::string_view word;  ///< of the name: a stem in front of a number, or a beginning
  std::string_view family;
};

/// In front of ".N.": what numbered blocks are called in models.
constexpr NamedFamily kStems[] = {
    {"input_blocks", "in"},
    {"output_blocks", "out"},
    {"double_blocks", "double"},
    {"single_blocks", "single"},
    {"double_layers", "double"},
    {"single_layers", "single"},
    {"joint_blocks", "joint"},
    {"transformer_blocks", "layer"},
    {"blocks", "layer"},
    {"layers", "layer"},
    {"block", "layer"},
    {"resblocks", "layer"},
    {"h", "layer"},
};

/// Beginnings of names that stand in no numbered block.
constexpr NamedFamily kDiffusion[] = {
    {"middle_block.", "mid"},
    {"time_embed.", "time"},
    {"time_in.", "time"},
    {"t_embedder.", "time"},
    {"t_block.", "time"},
    {"time_embedding.", "time"},
    {"time_projection.", "time"},
    {"time_text_embed.", "time"},
    {"label_emb.", "label"},
    {"vector_in.", "label"},
    {"y_embedder.mlp.", "label"},
    {"guidance_in.", "label"},
    {"csize_embedder.", "label"},
    {"ar_embedder.", "label"},
    {"out.", "final"},
    {"final_layer.", "final"},
    {"final_linear.", "final"},
    {"modF.", "final"},
    {"norm_out.", "final"},
    {"proj_out.", "final"},
    {"norm_final.", "final"},
    {"head.", "final"},
    {"lm_head.", "head"},
    {"model.norm.", "final"},
    {"transformer.ln_f.", "final"},
    {"model.final_layernorm.", "final"},
    {"embed_out.", "head"},
};
constexpr NamedFamily kText[] = {
    {"text_model.final_layer_norm.", "final"},
    {"ln_final.", "final"},
    {"encoder.final_layer_norm.", "final"},
    {"text_projection", "final"},
};
constexpr NamedFamily kVae[] = {
    {"encoder.", "encoder"},
    {"quant_conv.", "encoder"},
    {"decoder.", "decoder"},
    {"post_quant_conv.", "decoder"},
};

/// In the direction of the computation; families that are not here stand with the layers.
constexpr std::string_view kOrder[] = {
    "embed", "time",  "label",  "encoder", "context_refiner", "noise_refiner",
    "in",    "mid",   "double", "joint",   "layer",           "single",
    "out",   "final", "head",   "decoder"};

std::string_view FamilyOfStem(std::string_view stem) {
  const auto* const found = std::ranges::find(kStems, stem, &NamedFamily::word);
  return found == std::end(kStems) ? stem : found->family;
}

/// The number of a block in a name.
struct BlockNumber {
  std::string_view stem;  ///< the step before it
  std::string_view text;  ///< a part of the name
  std::uint32_t index = 0;
};

/// The first number that is a whole step of the name, between two others.
std::optional<BlockNumber> NumberIn(std::string_view name) {
  std::string_view stem;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    const std::string_view step = name.substr(at, end - at);
    std::uint32_t index = 0;
    const char* const last = step.data() + step.size();
    const auto [stop, error] = std::from_chars(step.data(), last, index);
    const bool number = !step.empty() && error == std::errc() && stop == last;
    if (number && !stem.empty() && end < name.size()) return BlockNumber{stem, step, index};
    stem = step;
    at = end + 1;
  }
  return std::nullopt;
}

Block Numbered(std::string_view local) {
  const std::optional<BlockNumber> number = NumberIn(local);
  if (!number) return {};
  return {FamilyOfStem(number->stem), number->index};
}

std::string_view FamilyOf(std::span<const NamedFamily> table, std::string_view local) {
  for (const NamedFamily& row : table) {
    if (local.starts_with(row.word)) return row.family;
  }
  return {};
}

}  // namespace

Block BlockOf(ComponentKind kind, std::string_view local) {
  if (kind == ComponentKind::kVae) return {FamilyOf(kVae, local), std::nullopt};
  const std::span<const NamedFamily> named =
      kind == ComponentKind::kText ? std::span<const NamedFamily>(kText) : kDiffusion;
  if (const std::string_view family = FamilyOf(named, local); !family.empty()) {
    return {family, std::nullopt};
  }
  if (const Block block = Numbered(local); !block.family.empty()) return block;
  return {"embed", std::nullopt};
}

std::string WithBlock(std::string_view name, std::uint32_t index) {
  const std::optional<BlockNumber> number = NumberIn(name);
  if (!number) return std::string(name);
  const auto at = static_cast<std::size_t>(number->text.data() - name.data());
  std::string renamed(name.substr(0, at));
  renamed += std::to_string(index);
  renamed += name.substr(at + number->text.size());
  return renamed;
}

int DepthOfFamily(std::string_view family) {
  const auto* found = std::ranges::find(kOrder, family);
  if (found == std::end(kOrder)) found = std::ranges::find(kOrder, "layer");
  return static_cast<int>(found - std::begin(kOrder));
}

}  // namespace weightsmith::internal
