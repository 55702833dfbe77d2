// The UNet of Stable Diffusion as diffusers names it. Values are the same.

#include "core/anatomy/layout.h"
#include "core/anatomy/layouts/renaming.h"

namespace weightsmith {
namespace {

constexpr std::uint64_t kPerLevel = 3;  ///< two blocks and a change of resolution

constexpr Renamed kOutside[] = {
    {"time_embed.0", "time_embedding.linear_1"},
    {"time_embed.2", "time_embedding.linear_2"},
    {"label_emb.0.0", "add_embedding.linear_1"},
    {"label_emb.0.2", "add_embedding.linear_2"},
    {"input_blocks.0.0", "conv_in"},
    {"out.0", "conv_norm_out"},
    {"out.2", "conv_out"},
    {"middle_block.1", "mid_block.attentions.0"},
};

constexpr Renamed kResidual[] = {
    {"in_layers.0", "norm1"},  {"in_layers.2", "conv1"},  {"emb_layers.1", "time_emb_proj"},
    {"out_layers.0", "norm2"}, {"out_layers.3", "conv2"}, {"skip_connection", "conv_shortcut"},
};

std::string Residual(std::string_view rest) {
  return RenameBeginning(rest, kResidual).value_or(std::string(rest));
}

std::string Down(std::uint64_t block, std::string_view rest) {
  const std::string level = "down_blocks." + std::to_string((block - 1) / kPerLevel);
  const std::string index = std::to_string((block - 1) % kPerLevel);
  if (rest.starts_with("0.op."))
    return level + ".downsamplers.0.conv." + std::string(rest.substr(5));
  if (rest.starts_with("0.")) return level + ".resnets." + index + "." + Residual(rest.substr(2));
  return level + ".attentions." + index + "." + std::string(rest.substr(2));
}

std::string Up(std::uint64_t block, std::string_view rest) {
  const std::string level = "up_blocks." + std::to_string(block / kPerLevel);
  const std::string index = std::to_string(block % kPerLevel);
  if (rest.starts_with("0.")) return level + ".resnets." + index + "." + Residual(rest.substr(2));
  // Behind the attention, or in its place.
  if (rest.substr(1).starts_with(".conv.")) {
    return level + ".upsamplers.0.conv." + std::string(rest.substr(7));
  }
  return level + ".attentions." + index + "." + std::string(rest.substr(2));
}

std::string Name(std::string_view name) {
  if (const auto outside = RenameBeginning(name, kOutside)) return *outside;
  if (const auto block = TakeBlock(name, "input_blocks")) return Down(*block, name);
  if (const auto block = TakeBlock(name, "output_blocks")) return Up(*block, name);
  if (const auto part = TakeBlock(name, "middle_block")) {
    return "mid_block.resnets." + std::to_string(*part / 2) + "." + Residual(name);
  }
  return std::string(name);
}

std::vector<Placement> Place(const TensorRule& rule, const ComponentRule& /*component*/) {
  return {{.name = Name(rule.name)}};
}

}  // namespace

const Layout& diffusers_unet() {
  static const Layout layout = {"diffusers", "input_blocks.0.0.weight", Place};
  return layout;
}

}  // namespace weightsmith
