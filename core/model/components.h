// The components that several architectures share: text encoders and VAEs, at full size and tiny.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/architecture.h"

namespace weightsmith::internal {

enum class PositionIds : bool { kUnusual, kUsual };

/// OpenAI's CLIP ViT-L/14, in Hugging Face's names. Most models take its last layer's result.
ComponentRule ClipL(Scale scale, std::vector<std::string> prefixes, PositionIds position_ids);
/// OpenCLIP's ViT-bigG/14, in its own names and in Hugging Face's.
ComponentRule ClipG(Scale scale, std::vector<std::string> prefixes);
ComponentRule ClipGHf(Scale scale, std::vector<std::string> prefixes);
/// OpenCLIP's ViT-H/14, in its own names and in Hugging Face's; the last block is not used.
ComponentRule ClipH(Scale scale, std::vector<std::string> prefixes);
ComponentRule ClipHHf(Scale scale, std::vector<std::string> prefixes);
/// The encoder of T5 v1.1 XXL.
ComponentRule T5Xxl(Scale scale, std::vector<std::string> prefixes);
/// The encoder of UMT5 XXL, which has T5's form and more languages.
ComponentRule Umt5Xxl(Scale scale, std::vector<std::string> prefixes);
/// The KL autoencoder with 4 latent channels, or 16. Models that have the same one differ in how
/// they scale its latents.
ComponentRule VaeZ4(Scale scale, std::vector<std::string> prefixes, const Latents& latents);
ComponentRule VaeZ16(Scale scale, std::vector<std::string> prefixes, const Latents& latents);

inline constexpr Latents kLatentsOfSd1 = {.scale = 0.18215};
inline constexpr Latents kLatentsOfSdxl = {.scale = 0.13025, .upcast = true};
inline constexpr Latents kLatentsOfSd3 = {.scale = 1.5305, .shift = 0.0609};
inline constexpr Latents kLatentsOfFlux = {.scale = 0.3611, .shift = 0.1159};

/// Widths that the diffusion models see of them.
std::uint64_t ClipLWidth(Scale scale);
std::uint64_t ClipGWidth(Scale scale);
std::uint64_t ClipHWidth(Scale scale);
std::uint64_t T5XxlWidth(Scale scale);

}  // namespace weightsmith::internal
