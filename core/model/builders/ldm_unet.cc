#include "core/model/builders/ldm_unet.h"

#include <string>

#include "core/model/builders/rule_list.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kBlocksPerLevel = 2;
constexpr std::uint64_t kOutChannels = 4;

class Builder {
 public:
  explicit Builder(const LdmUnet& unet) : unet_(unet), time_(4 * unet.channels) {}

  std::vector<TensorRule> Build() {
    Embeddings();
    std::vector<std::uint64_t> skips;
    std::uint64_t width = Down(skips);
    Residual("middle_block.0", width, width);
    Transformer("middle_block.1", width, unet_.middle_depth);
    Residual("middle_block.2", width, width);
    Up(width, skips);
    rules_.Norm("out.0", unet_.channels);
    rules_.Conv("out.2", kOutChannels, unet_.channels, 3);
    return rules_.Take();
  }

 private:
  void Embeddings() {
    rules_.Linear("time_embed.0", time_, unet_.channels);
    rules_.Linear("time_embed.2", time_, time_);
    // Of latent consistency models, which are told how much guidance to imitate.
    rules_.Add({.name = "time_embed.cond_proj.weight",
                .shape = {unet_.channels, 256},
                .optional = true,
                .usual = false});
    if (unet_.label == 0) return;
    rules_.Linear("label_emb.0.0", time_, unet_.label);
    rules_.Linear("label_emb.0.2", time_, time_);
  }

  /// Returns the width at the bottom; `skips` gets what every block hands over to the way up.
  std::uint64_t Down(std::vector<std::uint64_t>& skips) {
    std::uint64_t width = unet_.channels;
    std::uint64_t block = 0;
    const auto name = [&block] { return "input_blocks." + std::to_string(block); };
    const auto finish = [&] {
      skips.push_back(width);
      ++block;
    };
    rules_.Conv(name() + ".0", width, unet_.in_channels, 3);
    finish();
    for (std::size_t level = 0; level < unet_.multipliers.size(); ++level) {
      for (std::uint64_t i = 0; i < kBlocksPerLevel; ++i) {
        const std::uint64_t out = unet_.channels * unet_.multipliers[level];
        Residual(name() + ".0", width, out);
        width = out;
        Transformer(name() + ".1", width, unet_.depth[level]);
        finish();
      }
      if (level + 1 == unet_.multipliers.size()) continue;
      rules_.Conv(name() + ".0.op", width, width, 3);
      finish();
    }
    return width;
  }

  void Up(std::uint64_t width, std::vector<std::uint64_t>& skips) {
    std::uint64_t block = 0;
    for (std::size_t level = unet_.multipliers.size(); level-- > 0;) {
      for (std::uint64_t i = 0; i <= kBlocksPerLevel; ++i, ++block) {
        const std::string name = "output_blocks." + std::to_string(block);
        const std::uint64_t out = unet_.channels * unet_.multipliers[level];
        Residual(name + ".0", width + skips.back(), out);
        skips.pop_back();
        width = out;
        Transformer(name + ".1", width, unet_.depth[level]);
        if (level == 0 || i < kBlocksPerLevel) continue;
        rules_.Conv(name + (unet_.depth[level] > 0 ? ".2" : ".1") + ".conv", width, width, 3);
      }
    }
  }

  void Residual(const std::string& name, std::uint64_t in, std::uint64_t out) {
    rules_.Norm(name + ".in_layers.0", in);
    rules_.Conv(name + ".in_layers.2", out, in, 3);
    rules_.Linear(name + ".emb_layers.1", out, time_);
    rules_.Norm(name + ".out_layers.0", out);
    rules_.Conv(name + ".out_layers.3", out, out, 3);
    if (in != out) rules_.Conv(name + ".skip_connection", out, in, 1);
  }

  void Transformer(const std::string& name, std::uint64_t width, std::uint64_t depth) {
    if (depth == 0) return;
    rules_.Norm(name + ".norm", width);
    Projection(name + ".proj_in", width);
    for (std::uint64_t i = 0; i < depth; ++i) {
      const std::string block = name + ".transformer_blocks." + std::to_string(i);
      Attention(block + ".attn1", width, width);
      rules_.Linear(block + ".ff.net.0.proj", 8 * width, width);
      rules_.Linear(block + ".ff.net.2", width, 4 * width);
      Attention(block + ".attn2", width, unet_.context);
      for (const char* norm : {".norm1", ".norm2", ".norm3"}) rules_.Norm(block + norm, width);
    }
    Projection(name + ".proj_out", width);
  }

  void Projection(const std::string& name, std::uint64_t width) {
    if (unet_.linear_projection) {
      rules_.Linear(name, width, width);
    } else {
      rules_.Conv(name, width, width, 1);
    }
  }

  void Attention(const std::string& name, std::uint64_t width, std::uint64_t context) {
    rules_.Linear(name + ".to_q", width, width, Bias::kNo);
    rules_.Linear(name + ".to_k", width, context, Bias::kNo);
    rules_.Linear(name + ".to_v", width, context, Bias::kNo);
    rules_.Linear(name + ".to_out.0", width, width);
  }

  const LdmUnet& unet_;
  const std::uint64_t time_;
  RuleList rules_;
};

}  // namespace

std::vector<TensorRule> BuildLdmUnet(const LdmUnet& unet) {
  return Builder(unet).Build();
}

}  // namespace weightsmith::internal
