#include "core/model/components.h"

#include <string_view>
#include <utility>

#include "core/model/builders/clip_text.h"
#include "core/model/builders/kl_vae.h"
#include "core/model/builders/t5_encoder.h"

namespace weightsmith::internal {
namespace {

// Indexed by Scale.
constexpr ClipText kClipL[] = {
    {.layers = 12, .width = 768, .vocabulary = 49408},
    {.layers = 12, .width = 32, .vocabulary = 256},
};
constexpr ClipText kClipG[] = {
    {.layers = 32, .width = 1280, .vocabulary = 49408},
    {.layers = 32, .width = 40, .vocabulary = 256},
};
constexpr ClipText kClipH[] = {
    {.layers = 24, .width = 1024, .vocabulary = 49408},
    {.layers = 24, .width = 36, .vocabulary = 256},
};
constexpr T5Encoder kT5Xxl[] = {
    {.blocks = 24, .width = 4096, .inner = 10240, .heads = 64, .vocabulary = 32128},
    {.blocks = 24, .width = 48, .inner = 120, .heads = 4, .vocabulary = 256},
};
constexpr T5Encoder kUmt5Xxl[] = {
    {.blocks = 24,
     .width = 4096,
     .inner = 10240,
     .heads = 64,
     .vocabulary = 256384,
     .own_biases = true},
    {.blocks = 24, .width = 32, .inner = 80, .heads = 4, .vocabulary = 260, .own_biases = true},
};
constexpr std::uint64_t kVaeChannels[] = {128, 8};

constexpr std::size_t ScaleIndex(Scale scale) {
  return static_cast<std::size_t>(scale);
}

/// The encoder of the first NovelAI model, and of many after it, lacks the outer module's name.
constexpr NameAlias kNovelAi = {NameAlias::Where::kPrefix, "", "text_model."};

constexpr TextModel kOpenAiClip = {.class_name = "CLIPTextModel",
                                   .model_type = "clip_text_model",
                                   .activation = "quick_gelu",
                                   .tokenizer = "CLIPTokenizer",
                                   .output = ClipOutput::kHidden};
constexpr TextModel kOpenClip = {.class_name = "CLIPTextModel",
                                 .model_type = "clip_text_model",
                                 .activation = "gelu",
                                 .tokenizer = "CLIPTokenizer"};
constexpr TextModel kT5 = {.class_name = "T5EncoderModel",
                           .model_type = "t5",
                           .activation = "gelu_new",
                           .tokenizer = "T5TokenizerFast"};
constexpr TextModel kUmt5 = {.class_name = "UMT5EncoderModel",
                             .model_type = "umt5",
                             .activation = "gelu_new",
                             .tokenizer = "T5TokenizerFast"};

ComponentRule Text(std::string name, std::vector<std::string> prefixes,
                   std::vector<TensorRule> tensors, const TextModel& model) {
  ComponentRule rule{
      std::move(name), ComponentKind::kText, std::move(prefixes), std::move(tensors), {}};
  rule.text = model;
  return rule;
}

/// CLIP is too small for 8 bits to be worth it.
ComponentRule LargeText(std::string name, std::vector<std::string> prefixes, const T5Encoder& t5,
                        const TextModel& model) {
  ComponentRule rule = Text(std::move(name), std::move(prefixes), BuildT5Encoder(t5), model);
  rule.reducible = true;
  return rule;
}

/// Stable Diffusion 2 reads the last but one block: some files lack the last and what follows it.
std::vector<TensorRule> WithoutLast(std::vector<TensorRule> rules, std::string_view block,
                                    std::string_view projection) {
  for (TensorRule& rule : rules) {
    if (rule.name.starts_with(block) || rule.name == projection) rule.optional = true;
  }
  return rules;
}

ComponentRule Vae(std::vector<std::string> prefixes, const KlVae& vae, const Latents& latents) {
  ComponentRule rule{"vae",
                     ComponentKind::kVae,
                     std::move(prefixes),
                     BuildKlVae(vae),
                     {{NameAlias::Where::kPrefix, "encoder.quant_conv.", "quant_conv."},
                      {NameAlias::Where::kPrefix, "decoder.post_quant_conv.", "post_quant_conv."}}};
  rule.merged_by_default = false;
  rule.latents = latents;
  return rule;
}

}  // namespace

ComponentRule ClipL(Scale scale, std::vector<std::string> prefixes, PositionIds position_ids) {
  const ClipTextUsual usual = {.position_ids = position_ids == PositionIds::kUsual};
  ComponentRule rule = Text("clip_l", std::move(prefixes),
                            BuildClipText(kClipL[ScaleIndex(scale)], usual), kOpenAiClip);
  rule.aliases = {kNovelAi};
  return rule;
}

ComponentRule ClipG(Scale scale, std::vector<std::string> prefixes) {
  return Text("clip_g", std::move(prefixes), BuildOpenClipText(kClipG[ScaleIndex(scale)]),
              kOpenClip);
}

ComponentRule ClipGHf(Scale scale, std::vector<std::string> prefixes) {
  return Text("clip_g", std::move(prefixes),
              BuildClipText(kClipG[ScaleIndex(scale)], {.projection = true}), kOpenClip);
}

ComponentRule ClipH(Scale scale, std::vector<std::string> prefixes) {
  return Text("clip_h", std::move(prefixes),
              WithoutLast(BuildOpenClipText(kClipH[ScaleIndex(scale)]), "transformer.resblocks.23.",
                          "text_projection"),
              kOpenClip);
}

ComponentRule ClipHHf(Scale scale, std::vector<std::string> prefixes) {
  return Text("clip_h", std::move(prefixes),
              WithoutLast(BuildClipText(kClipH[ScaleIndex(scale)], {.projection = true}),
                          "text_model.encoder.layers.23.", "text_projection.weight"),
              kOpenClip);
}

ComponentRule T5Xxl(Scale scale, std::vector<std::string> prefixes) {
  ComponentRule rule = LargeText("t5xxl", std::move(prefixes), kT5Xxl[ScaleIndex(scale)], kT5);
  // FLUX.1's is the second to some trainers and the third to others, as it is in SD 3.
  rule.adapters = {.dotted = {"t5."}, .flat = {"lora_te2_", "lora_te3_"}};
  return rule;
}

ComponentRule Umt5Xxl(Scale scale, std::vector<std::string> prefixes) {
  return LargeText("umt5xxl", std::move(prefixes), kUmt5Xxl[ScaleIndex(scale)], kUmt5);
}

ComponentRule VaeZ4(Scale scale, std::vector<std::string> prefixes, const Latents& latents) {
  return Vae(std::move(prefixes),
             {.latent = 4, .channels = kVaeChannels[ScaleIndex(scale)], .quant_convs = true},
             latents);
}

ComponentRule VaeZ16(Scale scale, std::vector<std::string> prefixes, const Latents& latents) {
  return Vae(std::move(prefixes),
             {.latent = 16, .channels = kVaeChannels[ScaleIndex(scale)], .quant_convs = false},
             latents);
}

std::uint64_t ClipLWidth(Scale scale) {
  return kClipL[ScaleIndex(scale)].width;
}
std::uint64_t ClipHWidth(Scale scale) {
  return kClipH[ScaleIndex(scale)].width;
}
std::uint64_t ClipGWidth(Scale scale) {
  return kClipG[ScaleIndex(scale)].width;
}
std::uint64_t T5XxlWidth(Scale scale) {
  return kT5Xxl[ScaleIndex(scale)].width;
}

}  // namespace weightsmith::internal
