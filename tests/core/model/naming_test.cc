#include "core/model/naming.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "tests/core/anatomy/declared.h"

namespace weightsmith::internal {
namespace {

/// Rows of every tensor of the other naming that some canonical tensor is, and its shape.
struct Theirs {
  Shape shape;
  std::set<std::pair<std::uint64_t, std::uint64_t>> rows;
};

std::map<std::string, Theirs> OtherNaming(const ComponentRule& component) {
  std::map<std::string, Theirs> theirs;
  const Naming* naming = NamingOf(component);
  if (naming == nullptr) return theirs;
  for (const TensorRule& rule : component.tensors) {
    std::uint64_t ours = 0;
    for (const Placement& placement : PlaceIn(*naming, rule, component)) {
      Theirs& tensor = theirs[placement.name];
      EXPECT_TRUE(tensor.shape.empty() || tensor.shape == placement.shape) << placement.name;
      tensor.shape = placement.shape;
      const std::uint64_t all = placement.shape.empty() ? 1 : placement.shape[0];
      const RowMap rows = placement.rows.Counted(all);
      EXPECT_TRUE(tensor.rows.emplace(rows.theirs, rows.count).second) << placement.name;
      EXPECT_EQ(rows.ours, ours) << rule.name;
      ours += rows.count;
    }
    EXPECT_EQ(ours, rule.shape.empty() ? 1 : rule.shape[0]) << rule.name;
  }
  return theirs;
}

TEST(Naming, EveryRowOfBothNamingsIsOnceInTheOther) {
  std::set<std::string_view> covered;
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      for (const ComponentRule& component : row.components()) {
        SCOPED_TRACE(std::string(architecture->id) + " " + component.name);
        std::uint64_t elements = 0;
        for (const auto& [name, tensor] : OtherNaming(component)) {
          std::uint64_t next = 0;
          for (const auto& [first, rows] : tensor.rows) {
            EXPECT_EQ(first, next) << name;
            next = first + rows;
          }
          EXPECT_EQ(next, tensor.shape.empty() ? 1 : tensor.shape[0]) << name;
          elements += ElementCount(tensor.shape).value();
        }
        if (NamingOf(component) == nullptr) continue;
        covered.insert(architecture->id);
        std::uint64_t canonical = 0;
        for (const TensorRule& rule : component.tensors) {
          canonical += ElementCount(rule.shape).value();
        }
        EXPECT_EQ(elements, canonical);
      }
    }
  }
  for (const char* id :
       {"sd1", "sd2", "sdxl", "sdxl-refiner", "flux1", "chroma", "sd3", "sd3.5-medium",
        "sd3.5-large", "z-image", "qwen-image", "wan", "auraflow", "pixart", "lumina2"}) {
    EXPECT_TRUE(covered.contains(id)) << id;
  }
}

/// A file that begins in no such way is not looked at further.
TEST(Naming, HasABeginningThatFilesAreFoundBy) {
  const auto begins = [](std::string_view name) {
    return std::ranges::any_of(Namings(), [name](const Naming* naming) {
      return std::ranges::any_of(
          naming->beginnings, [name](std::string_view start) { return name.starts_with(start); });
    });
  };
  for (const Architecture* architecture : Architectures()) {
    const ComponentRule component = architecture->rows.front().components().front();
    const Naming* naming = NamingOf(component);
    if (naming == nullptr) continue;
    SCOPED_TRACE(architecture->id);
    bool renamed = false;
    bool found = false;
    for (const auto& [name, tensor] : OtherNaming(component)) {
      found = found || begins(name);
      const auto same = [&own = name](const TensorRule& rule) { return rule.name == own; };
      renamed = renamed || std::ranges::none_of(component.tensors, same);
    }
    EXPECT_TRUE(found || !renamed);
  }
}

std::size_t Count(std::string_view id, std::string_view variant, std::size_t component) {
  ComponentRule rule = RowOf(id, variant, "full").components().at(component);
  std::erase_if(rule.tensors, [](const TensorRule& tensor) { return !tensor.usual; });
  return OtherNaming(rule).size();
}

TEST(Naming, HasAsManyTensorsAsArePublished) {
  EXPECT_EQ(Count("sd1", "base", 0), 686u);
  EXPECT_EQ(Count("sd1", "base", 2), 248u);
  EXPECT_EQ(Count("sdxl", "base", 0), 1680u);
  EXPECT_EQ(Count("sdxl", "base", 2), 518u) << "517 and logit_scale, which has no place there";
  EXPECT_EQ(Count("flux1", "dev", 0), 1160u);
  EXPECT_EQ(Count("flux1", "schnell", 0), 1156u);
  EXPECT_EQ(Count("lumina2", "base", 0), 459u);
}

TEST(Naming, HasThePublishedNames) {
  const auto unet = OtherNaming(RowOf("sdxl", "base", "full").components().at(0));
  for (const char* name :
       {"down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_out.0.bias",
        "down_blocks.1.downsamplers.0.conv.weight", "up_blocks.1.upsamplers.0.conv.bias",
        "mid_block.resnets.1.conv2.weight", "up_blocks.2.resnets.2.conv_shortcut.weight",
        "add_embedding.linear_2.bias", "conv_norm_out.weight"}) {
    EXPECT_TRUE(unet.contains(name)) << name;
  }
  const auto vae = OtherNaming(RowOf("sdxl", "base", "full").components().at(3));
  EXPECT_TRUE(vae.contains("decoder.up_blocks.0.resnets.2.norm1.bias"));
  EXPECT_TRUE(vae.contains("decoder.up_blocks.2.upsamplers.0.conv.weight"));
  EXPECT_EQ(vae.at("encoder.mid_block.attentions.0.to_out.0.weight").shape, (Shape{512, 512}));
  const auto sd3 = OtherNaming(RowOf("sd3.5-medium", "base", "full").components().at(0));
  EXPECT_TRUE(sd3.contains("transformer_blocks.12.attn2.to_q.weight"));
  EXPECT_TRUE(sd3.contains("transformer_blocks.23.norm1_context.linear.weight"));
  EXPECT_EQ(sd3.at("transformer_blocks.0.attn.add_k_proj.weight").shape, (Shape{1536, 1536}));
  const auto lumina = OtherNaming(RowOf("lumina2", "base", "full").components().at(0));
  for (const char* name :
       {"layers.25.norm1.norm.weight", "noise_refiner.1.norm1.linear.bias",
        "context_refiner.0.norm1.weight", "layers.0.feed_forward.linear_3.weight",
        "time_caption_embed.caption_embedder.0.weight", "norm_out.linear_2.bias"}) {
    EXPECT_TRUE(lumina.contains(name)) << name;
  }
  EXPECT_EQ(lumina.at("layers.0.attn.to_q.weight").shape, (Shape{2304, 2304}));
  EXPECT_EQ(lumina.at("layers.0.attn.to_v.weight").shape, (Shape{768, 2304}));
}

}  // namespace
}  // namespace weightsmith::internal
