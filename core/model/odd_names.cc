#include "core/model/odd_names.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/tensor/encoding.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kMarkers[] = {
    "edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min", "v_pred", "ztsnr",
};

constexpr std::string_view kTrainingBuffers[] = {
    "alphas_cumprod",
    "alphas_cumprod_prev",
    "betas",
    "denoiser.log_sigmas",
    "denoiser.sigmas",
    "log_one_minus_alphas_cumprod",
    "logvar",
    "model.model_sampling.sigmas",
    "posterior_log_variance_clipped",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
    "posterior_variance",
    "scale_factor",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
};

/// What VAE training leaves inside the VAE.
constexpr std::string_view kEmaPrefixes[] = {"model_ema.", "first_stage_model.model_ema.",
                                             "vae.model_ema."};
constexpr std::string_view kLossPrefixes[] = {"first_stage_model.loss.", "vae.loss.", "loss."};

struct Companion {
  std::string_view suffix;
  std::string_view scheme;
};

/// Of schemes that are named and not decoded: those of encodings are in their declarations.
constexpr Companion kCompanions[] = {
    {".weight_scale_2", "scaled"},
    {".absmax", "bnb"},
    {".quant_map", "bnb"},
    {".nested_absmax", "bnb"},
    {".nested_quant_map", "bnb"},
    {".quant_state.bitsandbytes__nf4", "bnb_nf4"},
    {".quant_state.bitsandbytes__fp4", "bnb_fp4"},
    {".SCB", "bnb_int8"},
    {".qweight", "packed"},
    {".qzeros", "packed"},
    {".g_idx", "packed"},
    {".wscales", "packed"},
};

constexpr std::string_view kTokenizers[] = {"spiece_model", "tekken_model", "tokenizer_json"};

template <std::size_t N>
bool Contains(const std::string_view (&sorted)[N], std::string_view name) {
  return std::binary_search(std::begin(sorted), std::end(sorted), name);
}

bool StartsWithAny(std::span<const std::string_view> prefixes, std::string_view name) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

bool IsMarkerName(std::string_view name) {
  return Contains(kMarkers, name);
}

bool IsTrainingBufferName(std::string_view name) {
  return Contains(kTrainingBuffers, name) || StartsWithAny(kLossPrefixes, name);
}

bool IsEmaName(std::string_view name) {
  return StartsWithAny(kEmaPrefixes, name);
}

bool IsInputName(std::string_view name) {
  static constexpr std::string_view kNames[] = {"conv_in.weight",         "img_in.proj.weight",
                                                "img_in.weight",          "input_blocks.0.0.weight",
                                                "patch_embedding.weight", "x_embedder.weight"};
  return Contains(kNames, name);
}

std::optional<std::string_view> QuantizationScheme(std::string_view name) {
  if (const auto scheme = CompanionScheme(name)) return scheme;
  for (const Companion& companion : kCompanions) {
    if (name.ends_with(companion.suffix)) return companion.scheme;
  }
  // Blocks of GGUF, carried in another container.
  if (name.find("gguf") != std::string_view::npos) return "gguf";
  return std::nullopt;
}

Role RoleByName(std::string_view name, DType dtype) {
  if (IsMarkerName(name)) return Role::kMarker;
  if (IsTrainingBufferName(name)) return Role::kBuffer;
  if (IsEmaName(name)) return Role::kEma;
  if (QuantizationScheme(name)) return Role::kQuantization;
  if (name.ends_with("embeddings.position_ids")) return Role::kPositionIds;
  if (std::any_of(std::begin(kTokenizers), std::end(kTokenizers),
                  [name](std::string_view tokenizer) { return name.ends_with(tokenizer); })) {
    return Role::kTokenizer;
  }
  return Info(dtype).kind == DTypeKind::kFloat ? Role::kWeight : Role::kBuffer;
}

}  // namespace weightsmith::internal
