// What a tensor of an adapter is to its module, by the end of its name: "lora_down.weight".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weightsmith::internal {

/// Roles are named after what the tensor is in the formula, not after one trainer's word for it.
enum class AdapterRole : std::uint8_t {
  kDown,
  kUp,
  kMid,
  kUpBias,
  kEmbeddingDown,
  kEmbeddingUp,
  kSingularValues,
  kRankNumber,
  kHadaW1A,
  kHadaW1B,
  kHadaW2A,
  kHadaW2B,
  kHadaT1,
  kHadaT2,
  kLokrW1,
  kLokrW1A,
  kLokrW1B,
  kLokrW2,
  kLokrW2A,
  kLokrW2B,
  kLokrT2,
  kGloraA1,
  kGloraA2,
  kGloraB1,
  kGloraB2,
  kGloraMid,
  kRotation,        ///< blocks of kohya's and LyCORIS' OFT and BOFT
  kRotated,         ///< of older LyCORIS: the rotations themselves
  kRotationPeft,    ///< PEFT's OFT
  kRotationScaled,  ///< OneTrainer's mark that the one above is scaled
  kButterfly,       ///< PEFT's BOFT
  kButterflyScale,
  kRescale,
  kIa3,
  kWeight,  ///< of LyCORIS' IA3, beside kOnInput; elsewhere a plain weight
  kOnInput,
  kDiff,
  kDiffBias,
  kNormDiff,
  kNormDiffBias,
  kSetWeight,
  kReshapeWeight,
  kAlpha,
  kScale,
  kScalar,
  kDoraScale,  ///< LyCORIS: the axis is in the shape
  kMagnitude,  ///< PEFT: of the output axis
  kSparseIndices,
  kSparseValues,
  kSparseSize,
  kSavedWeight,  ///< PEFT's copy of the layer that it wraps: factors are for it
  kSavedBias,
  kPlain,  ///< a tensor of no role
};

/// The word that messages and tables use: "down".
std::string_view ToString(AdapterRole role);

/// A name, taken apart.
struct RoleName {
  std::string_view stem;  ///< the module, in the naming of the file
  AdapterRole role = AdapterRole::kDown;
  std::string_view token =
      {};  ///< PEFT's name of the adapter, or the number of a part; mostly none
};

/// Nothing where the name ends in no role. Roles that plain tensors have as well (kWeight, kScale)
/// count only beside others of their stem: that is the caller's to check.
std::optional<RoleName> SplitRole(std::string_view name);

}  // namespace weightsmith::internal
