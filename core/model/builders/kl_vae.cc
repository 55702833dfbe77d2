#include "core/model/builders/kl_vae.h"

#include <array>
#include <string>

#include "core/model/builders/rule_list.h"

namespace weightsmith::internal {
namespace {

constexpr std::array<std::uint64_t, 4> kMultipliers = {1, 2, 4, 4};
constexpr std::uint64_t kBlocksPerLevel = 2;
constexpr std::uint64_t kImageChannels = 3;

void Residual(RuleList& rules, const std::string& name, std::uint64_t in, std::uint64_t out) {
  rules.Norm(name + ".norm1", in);
  rules.Conv(name + ".conv1", out, in, 3);
  rules.Norm(name + ".norm2", out);
  rules.Conv(name + ".conv2", out, out, 3);
  if (in != out) rules.Conv(name + ".nin_shortcut", out, in, 1);
}

void Middle(RuleList& rules, const std::string& name, std::uint64_t width) {
  Residual(rules, name + ".block_1", width, width);
  rules.Norm(name + ".attn_1.norm", width);
  for (const char* projection : {"q", "k", "v", "proj_out"}) {
    rules.Conv(name + ".attn_1." + projection, width, width, 1);
  }
  Residual(rules, name + ".block_2", width, width);
}

void Encoder(RuleList& rules, const KlVae& vae) {
  std::uint64_t width = vae.channels;
  rules.Conv("encoder.conv_in", width, kImageChannels, 3);
  for (std::size_t level = 0; level < kMultipliers.size(); ++level) {
    const std::string name = "encoder.down." + std::to_string(level);
    for (std::uint64_t i = 0; i < kBlocksPerLevel; ++i) {
      const std::uint64_t out = vae.channels * kMultipliers[level];
      Residual(rules, name + ".block." + std::to_string(i), width, out);
      width = out;
    }
    if (level + 1 < kMultipliers.size()) rules.Conv(name + ".downsample.conv", width, width, 3);
  }
  Middle(rules, "encoder.mid", width);
  rules.Norm("encoder.norm_out", width);
  rules.Conv("encoder.conv_out", 2 * vae.latent, width, 3);
}

void Decoder(RuleList& rules, const KlVae& vae) {
  std::uint64_t width = vae.channels * kMultipliers.back();
  rules.Conv("decoder.conv_in", width, vae.latent, 3);
  Middle(rules, "decoder.mid", width);
  for (std::size_t level = kMultipliers.size(); level-- > 0;) {
    const std::string name = "decoder.up." + std::to_string(level);
    for (std::uint64_t i = 0; i <= kBlocksPerLevel; ++i) {
      const std::uint64_t out = vae.channels * kMultipliers[level];
      Residual(rules, name + ".block." + std::to_string(i), width, out);
      width = out;
    }
    if (level > 0) rules.Conv(name + ".upsample.conv", width, width, 3);
  }
  rules.Norm("decoder.norm_out", width);
  rules.Conv("decoder.conv_out", kImageChannels, width, 3);
}

}  // namespace

std::vector<TensorRule> BuildKlVae(const KlVae& vae) {
  RuleList rules;
  Encoder(rules, vae);
  Decoder(rules, vae);
  if (vae.quant_convs) {
    rules.Conv("quant_conv", 2 * vae.latent, 2 * vae.latent, 1);
    rules.Conv("post_quant_conv", vae.latent, vae.latent, 1);
  }
  return rules.Take();
}

}  // namespace weightsmith::internal
