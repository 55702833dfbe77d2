#include "merge/adapters/adapter_role.h"

#include <algorithm>
#include <iterator>

namespace weightsmith::internal {
namespace {

/// The end of a name. At a '|' PEFT may put the adapter's name, as a step of its own.
struct Ending {
  std::string_view text;
  AdapterRole role;
};

/// The first that fits is meant: longer ones stand before those that they end in.
constexpr Ending kEndings[] = {
    {".lora_linear_layer.down.weight", AdapterRole::kDown},
    {".lora_linear_layer.up.weight", AdapterRole::kUp},
    {".lora.down.weight", AdapterRole::kDown},
    {".lora.up.weight", AdapterRole::kUp},
    {"_lora.down.weight", AdapterRole::kDown},
    {"_lora.up.weight", AdapterRole::kUp},
    {".lora_down.weight", AdapterRole::kDown},
    {".lora_up.weight", AdapterRole::kUp},
    {".lora_mid.weight", AdapterRole::kMid},
    {".lora_A|.weight", AdapterRole::kDown},
    {".lora_B|.weight", AdapterRole::kUp},
    {".lora_B|.bias", AdapterRole::kUpBias},
    {".lora_A|", AdapterRole::kDown},
    {".lora_B|", AdapterRole::kUp},
    {".down.weight", AdapterRole::kDown},
    {".up.weight", AdapterRole::kUp},
    {".down", AdapterRole::kDown},
    {".up", AdapterRole::kUp},
    {".lora_embedding_A|", AdapterRole::kEmbeddingDown},
    {".lora_embedding_B|", AdapterRole::kEmbeddingUp},
    {".lora_E|", AdapterRole::kSingularValues},
    {".ranknum|", AdapterRole::kRankNumber},
    {".hada_w1_a|", AdapterRole::kHadaW1A},
    {".hada_w1_b|", AdapterRole::kHadaW1B},
    {".hada_w2_a|", AdapterRole::kHadaW2A},
    {".hada_w2_b|", AdapterRole::kHadaW2B},
    {".hada_t1|", AdapterRole::kHadaT1},
    {".hada_t2|", AdapterRole::kHadaT2},
    {".lokr_w1|", AdapterRole::kLokrW1},
    {".lokr_w1_a|", AdapterRole::kLokrW1A},
    {".lokr_w1_b|", AdapterRole::kLokrW1B},
    {".lokr_w2|", AdapterRole::kLokrW2},
    {".lokr_w2_a|", AdapterRole::kLokrW2A},
    {".lokr_w2_b|", AdapterRole::kLokrW2B},
    {".lokr_t2|", AdapterRole::kLokrT2},
    {".a1.weight", AdapterRole::kGloraA1},
    {".a2.weight", AdapterRole::kGloraA2},
    {".b1.weight", AdapterRole::kGloraB1},
    {".b2.weight", AdapterRole::kGloraB2},
    {".bm.weight", AdapterRole::kGloraMid},
    {".oft_blocks|", AdapterRole::kRotation},
    {".oft_diag", AdapterRole::kRotated},
    {".oft_R|.weight", AdapterRole::kRotationPeft},
    {".oft_R|", AdapterRole::kRotationPeft},
    {".scaled_oft", AdapterRole::kRotationScaled},
    {".boft_R|", AdapterRole::kButterfly},
    {".boft_s|", AdapterRole::kButterflyScale},
    {".rescale", AdapterRole::kRescale},
    {".ia3_l|", AdapterRole::kIa3},
    {".on_input", AdapterRole::kOnInput},
    {".diff", AdapterRole::kDiff},
    {".diff_b", AdapterRole::kDiffBias},
    {".w_norm", AdapterRole::kNormDiff},
    {".b_norm", AdapterRole::kNormDiffBias},
    {".set_weight", AdapterRole::kSetWeight},
    {".reshape_weight", AdapterRole::kReshapeWeight},
    {".alpha", AdapterRole::kAlpha},
    {".scalar", AdapterRole::kScalar},
    {".scale", AdapterRole::kScale},
    {".dora_scale", AdapterRole::kDoraScale},
    {".lora_magnitude_vector|.weight", AdapterRole::kMagnitude},
    {".lora_magnitude_vector|", AdapterRole::kMagnitude},
    {".magnitude", AdapterRole::kMagnitude},
    {".bias_indices", AdapterRole::kSparseIndices},
    {".bias_values", AdapterRole::kSparseValues},
    {".bias_size", AdapterRole::kSparseSize},
    {".base_layer.weight", AdapterRole::kSavedWeight},
    {".base_layer.bias", AdapterRole::kSavedBias},
    {".weight", AdapterRole::kWeight},
};

struct RoleWord {
  AdapterRole role;
  std::string_view word;
};

constexpr RoleWord kWords[] = {
    {AdapterRole::kDown, "down"},
    {AdapterRole::kUp, "up"},
    {AdapterRole::kMid, "mid"},
    {AdapterRole::kUpBias, "up bias"},
    {AdapterRole::kEmbeddingDown, "embedding down"},
    {AdapterRole::kEmbeddingUp, "embedding up"},
    {AdapterRole::kSingularValues, "lora_E"},
    {AdapterRole::kRankNumber, "ranknum"},
    {AdapterRole::kHadaW1A, "hada_w1_a"},
    {AdapterRole::kHadaW1B, "hada_w1_b"},
    {AdapterRole::kHadaW2A, "hada_w2_a"},
    {AdapterRole::kHadaW2B, "hada_w2_b"},
    {AdapterRole::kHadaT1, "hada_t1"},
    {AdapterRole::kHadaT2, "hada_t2"},
    {AdapterRole::kLokrW1, "lokr_w1"},
    {AdapterRole::kLokrW1A, "lokr_w1_a"},
    {AdapterRole::kLokrW1B, "lokr_w1_b"},
    {AdapterRole::kLokrW2, "lokr_w2"},
    {AdapterRole::kLokrW2A, "lokr_w2_a"},
    {AdapterRole::kLokrW2B, "lokr_w2_b"},
    {AdapterRole::kLokrT2, "lokr_t2"},
    {AdapterRole::kGloraA1, "a1"},
    {AdapterRole::kGloraA2, "a2"},
    {AdapterRole::kGloraB1, "b1"},
    {AdapterRole::kGloraB2, "b2"},
    {AdapterRole::kGloraMid, "bm"},
    {AdapterRole::kRotation, "oft_blocks"},
    {AdapterRole::kRotated, "oft_diag"},
    {AdapterRole::kRotationPeft, "oft_R"},
    {AdapterRole::kRotationScaled, "scaled_oft"},
    {AdapterRole::kButterfly, "boft_R"},
    {AdapterRole::kButterflyScale, "boft_s"},
    {AdapterRole::kRescale, "rescale"},
    {AdapterRole::kIa3, "ia3_l"},
    {AdapterRole::kWeight, "weight"},
    {AdapterRole::kOnInput, "on_input"},
    {AdapterRole::kDiff, "diff"},
    {AdapterRole::kDiffBias, "diff_b"},
    {AdapterRole::kNormDiff, "w_norm"},
    {AdapterRole::kNormDiffBias, "b_norm"},
    {AdapterRole::kSetWeight, "set_weight"},
    {AdapterRole::kReshapeWeight, "reshape_weight"},
    {AdapterRole::kAlpha, "alpha"},
    {AdapterRole::kScale, "scale"},
    {AdapterRole::kScalar, "scalar"},
    {AdapterRole::kDoraScale, "dora_scale"},
    {AdapterRole::kMagnitude, "magnitude"},
    {AdapterRole::kSparseIndices, "bias_indices"},
    {AdapterRole::kSparseValues, "bias_values"},
    {AdapterRole::kSparseSize, "bias_size"},
    {AdapterRole::kSavedWeight, "base_layer.weight"},
    {AdapterRole::kSavedBias, "base_layer.bias"},
    {AdapterRole::kPlain, "tensor"},
};

std::optional<RoleName> Cut(std::string_view name, const Ending& ending) {
  const std::size_t bar = ending.text.find('|');
  const std::string_view before = ending.text.substr(0, bar);
  if (bar == std::string_view::npos) {
    if (!name.ends_with(before) || name.size() == before.size()) return std::nullopt;
    return RoleName{name.substr(0, name.size() - before.size()), ending.role};
  }
  const std::string_view after = ending.text.substr(bar + 1);
  if (!name.ends_with(after)) return std::nullopt;
  name.remove_suffix(after.size());
  if (name.ends_with(before) && name.size() > before.size()) {
    return RoleName{name.substr(0, name.size() - before.size()), ending.role};
  }
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view token = name.substr(dot + 1);
  name = name.substr(0, dot);
  const bool named = !token.empty() && token != "weight" && token != "bias";
  if (!named || !name.ends_with(before) || name.size() == before.size()) return std::nullopt;
  return RoleName{name.substr(0, name.size() - before.size()), ending.role, token};
}

}  // namespace

std::string_view ToString(AdapterRole role) {
  return std::ranges::find(kWords, role, &RoleWord::role)->word;
}

std::optional<RoleName> SplitRole(std::string_view name) {
  for (const Ending& ending : kEndings) {
    if (auto role = Cut(name, ending)) return role;
  }
  return std::nullopt;
}

}  // namespace weightsmith::internal
