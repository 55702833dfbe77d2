// The KL autoencoder as diffusers names it: the decoder's levels counted from the other end, and
// the attention's 1x1 convolutions as matrices.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kVaeBeginnings[] = {"encoder.down_blocks."};

constexpr std::uint64_t kLastLevel = 3;

constexpr Renamed kMiddle[] = {
    {"mid.block_1", "mid_block.resnets.0"},
    {"mid.block_2", "mid_block.resnets.1"},
    {"mid.attn_1.norm", "mid_block.attentions.0.group_norm"},
    {"mid.attn_1.q", "mid_block.attentions.0.to_q"},
    {"mid.attn_1.k", "mid_block.attentions.0.to_k"},
    {"mid.attn_1.v", "mid_block.attentions.0.to_v"},
    {"mid.attn_1.proj_out", "mid_block.attentions.0.to_out.0"},
    {"norm_out", "conv_norm_out"},
};

/// As diffusers before 0.17 had them.
constexpr Renamed kOlder[] = {
    {"mid.attn_1.q", "mid_block.attentions.0.query"},
    {"mid.attn_1.k", "mid_block.attentions.0.key"},
    {"mid.attn_1.v", "mid_block.attentions.0.value"},
    {"mid.attn_1.proj_out", "mid_block.attentions.0.proj_attn"},
};

constexpr Renamed kVaeResidual[] = {{"nin_shortcut", "conv_shortcut"}};

std::string VaeResidual(std::string_view rest) {
  return RenameBeginning(rest, kVaeResidual).value_or(std::string(rest));
}

/// Inside the encoder or the decoder.
std::string Inside(std::string_view name) {
  if (const auto middle = RenameBeginning(name, kMiddle)) return VaeResidual(*middle);
  if (const auto level = TakeBlock(name, "down")) {
    const std::string block = "down_blocks." + std::to_string(*level);
    if (const auto index = TakeBlock(name, "block")) {
      return block + ".resnets." + std::to_string(*index) + "." + VaeResidual(name);
    }
    return block + ".downsamplers.0." + std::string(name.substr(name.find('.') + 1));
  }
  if (const auto level = TakeBlock(name, "up")) {
    const std::string block = "up_blocks." + std::to_string(kLastLevel - *level);
    if (const auto index = TakeBlock(name, "block")) {
      return block + ".resnets." + std::to_string(*index) + "." + VaeResidual(name);
    }
    return block + ".upsamplers.0." + std::string(name.substr(name.find('.') + 1));
  }
  return std::string(name);
}

std::vector<Placement> PlaceVae(const TensorRule& rule, const ComponentRule& /*component*/) {
  const std::size_t dot = rule.name.find('.') + 1;
  const std::string half = rule.name.substr(0, dot);
  if (half != "encoder." && half != "decoder.") return {};
  const std::string_view inside = std::string_view(rule.name).substr(dot);
  Placement placement{.name = half + Inside(inside)};
  if (const auto older = RenameBeginning(inside, kOlder)) placement.other_name = half + *older;
  const bool matrix = inside.find("attn_1.") != std::string_view::npos && rule.shape.size() == 4;
  if (matrix) placement.shape = {rule.shape[0], rule.shape[1]};
  return {placement};
}

ComponentConfig ConfigOfVae(const ComponentRule& rule, const Anatomy& /*anatomy*/) {
  const Shapes vae(rule);
  Json channels = Json::array();
  Json down = Json::array();
  Json up = Json::array();
  for (std::uint64_t level = 0;; ++level) {
    const std::string block = "encoder.down." + std::to_string(level) + ".block.0.conv1.weight";
    if (!vae.Has(block)) break;
    channels.push_back(vae.Dim(block, 0));
    down.push_back("DownEncoderBlock2D");
    up.push_back("UpDecoderBlock2D");
  }
  const bool quant = vae.Has("quant_conv.weight");
  Json config = {{"_class_name", "AutoencoderKL"},
                 {"in_channels", 3},
                 {"out_channels", 3},
                 {"block_out_channels", channels},
                 {"layers_per_block", 2},
                 {"down_block_types", down},
                 {"up_block_types", up},
                 {"latent_channels", vae.Dim("decoder.conv_in.weight", 1)},
                 {"norm_num_groups", Groups(vae.Dim("encoder.conv_in.weight", 0))},
                 {"use_quant_conv", quant},
                 {"use_post_quant_conv", quant}};
  config["scaling_factor"] = rule.latents.scale;
  if (rule.latents.upcast) config["force_upcast"] = true;
  if (rule.latents.shift != 0) config["shift_factor"] = rule.latents.shift;
  return DiffusersConfig(config);
}

}  // namespace

const Naming& diffusers_vae() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "decoder.up.0.block.0.norm1.weight",
                                .place = PlaceVae,
                                .config = ConfigOfVae,
                                .beginnings = kVaeBeginnings};
  return naming;
}

}  // namespace weightsmith::internal
