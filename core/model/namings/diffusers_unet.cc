// The UNet of Stable Diffusion as diffusers names it. Values are the same.

#include "core/model/naming.h"
#include "core/model/namings/config-inl.h"
#include "core/model/namings/renaming.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kUnetBeginnings[] = {"conv_in.", "down_blocks."};

constexpr std::uint64_t kPerLevel = 3;  ///< two blocks and a change of resolution

constexpr Renamed kUnetOutside[] = {
    {"time_embed.0", "time_embedding.linear_1"},
    {"time_embed.2", "time_embedding.linear_2"},
    {"time_embed.cond_proj", "time_embedding.cond_proj"},
    {"label_emb.0.0", "add_embedding.linear_1"},
    {"label_emb.0.2", "add_embedding.linear_2"},
    {"input_blocks.0.0", "conv_in"},
    {"out.0", "conv_norm_out"},
    {"out.2", "conv_out"},
    {"middle_block.1", "mid_block.attentions.0"},
};

constexpr Renamed kUnetResidual[] = {
    {"in_layers.0", "norm1"},  {"in_layers.2", "conv1"},  {"emb_layers.1", "time_emb_proj"},
    {"out_layers.0", "norm2"}, {"out_layers.3", "conv2"}, {"skip_connection", "conv_shortcut"},
};

std::string UnetResidual(std::string_view rest) {
  return RenameBeginning(rest, kUnetResidual).value_or(std::string(rest));
}

std::string Down(std::uint64_t block, std::string_view rest) {
  const std::string level = "down_blocks." + std::to_string((block - 1) / kPerLevel);
  const std::string index = std::to_string((block - 1) % kPerLevel);
  if (rest.starts_with("0.op."))
    return level + ".downsamplers.0.conv." + std::string(rest.substr(5));
  if (rest.starts_with("0."))
    return level + ".resnets." + index + "." + UnetResidual(rest.substr(2));
  return level + ".attentions." + index + "." + std::string(rest.substr(2));
}

std::string Up(std::uint64_t block, std::string_view rest) {
  const std::string level = "up_blocks." + std::to_string(block / kPerLevel);
  const std::string index = std::to_string(block % kPerLevel);
  if (rest.starts_with("0."))
    return level + ".resnets." + index + "." + UnetResidual(rest.substr(2));
  // Behind the attention, or in its place.
  if (rest.substr(1).starts_with(".conv.")) {
    return level + ".upsamplers.0.conv." + std::string(rest.substr(7));
  }
  return level + ".attentions." + index + "." + std::string(rest.substr(2));
}

std::string Name(std::string_view name) {
  if (const auto outside = RenameBeginning(name, kUnetOutside)) return *outside;
  if (const auto block = TakeBlock(name, "input_blocks")) return Down(*block, name);
  if (const auto block = TakeBlock(name, "output_blocks")) return Up(*block, name);
  if (const auto part = TakeBlock(name, "middle_block")) {
    return "mid_block.resnets." + std::to_string(*part / 2) + "." + UnetResidual(name);
  }
  return std::string(name);
}

std::vector<Placement> PlaceUnet(const TensorRule& rule, const ComponentRule& /*component*/) {
  return {{.name = Name(rule.name)}};
}

ComponentConfig ConfigOfUnet(const ComponentRule& rule, const Anatomy& anatomy) {
  const Shapes unet(rule);
  Json channels = Json::array();
  Json depths = Json::array();
  Json heads = Json::array();
  Json down = Json::array();
  Json up = Json::array();
  std::uint64_t context = 0;
  bool linear = false;
  for (std::uint64_t level = 0;; ++level) {
    const std::string block = "input_blocks." + std::to_string(kPerLevel * level + 1);
    const std::uint64_t width = unet.Dim(block + ".0.out_layers.3.weight", 0);
    if (width == 0) break;
    const std::string inside = block + ".1.transformer_blocks";
    const std::uint64_t depth = unet.Count(inside, "attn2.to_k.weight");
    if (depth > 0) {
      context = unet.Dim(inside + ".0.attn2.to_k.weight", 1);
      linear = unet.Dim(block + ".1.proj_in.weight", 2) == 0;
    }
    channels.push_back(width);
    depths.push_back(std::max<std::uint64_t>(1, depth));
    // The name is historical: it is the number of heads.
    heads.push_back(linear ? Heads(width, 64) : std::uint64_t{8});
    down.push_back(depth > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D");
    up.insert(up.begin(), depth > 0 ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  // Below the last level the middle goes on, as deep as the configuration has that level.
  if (!depths.empty()) {
    depths.back() = unet.Count("middle_block.1.transformer_blocks", "attn2.to_k.weight");
  }
  if (linear) {  // also where the first levels have no attention
    for (std::size_t i = 0; i < heads.size(); ++i) {
      heads[i] = Heads(channels[i].get<std::uint64_t>(), 64);
    }
  }
  const std::uint64_t width = unet.Dim("input_blocks.0.0.weight", 0);
  const bool sized =
      unet.Has("label_emb.0.0.weight");  // takes the size of the picture: 1024 × 1024
  Json config = {{"_class_name", "UNet2DConditionModel"},
                 {"in_channels", unet.Dim("input_blocks.0.0.weight", 1)},
                 {"out_channels", unet.Dim("out.2.weight", 0)},
                 {"sample_size", sized ? 128 : 64},
                 {"block_out_channels", channels},
                 {"layers_per_block", 2},
                 {"down_block_types", down},
                 {"up_block_types", up},
                 {"transformer_layers_per_block", depths},
                 {"attention_head_dim", linear ? heads : Json(8)},
                 {"cross_attention_dim", context},
                 {"use_linear_projection", linear},
                 {"norm_num_groups", Groups(width)}};
  if (sized) {
    config["addition_embed_type"] = "text_time";
    config["addition_time_embed_dim"] = 256;
    config["projection_class_embeddings_input_dim"] = unet.Dim("label_emb.0.0.weight", 1);
  }
  if (anatomy.distilled && anatomy.distilled->kind == "lcm") config["time_cond_proj_dim"] = 256;
  return DiffusersConfig(config);
}

}  // namespace

const Naming& diffusers_unet() {
  static const Naming naming = {.id = "diffusers",
                                .known_by = "input_blocks.0.0.weight",
                                .place = PlaceUnet,
                                .config = ConfigOfUnet,
                                .beginnings = kUnetBeginnings};
  return naming;
}

}  // namespace weightsmith::internal
