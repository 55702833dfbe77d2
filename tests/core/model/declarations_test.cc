// What every declaration must hold, beside its tensors: facts that other files read off it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/model/architecture.h"
#include "core/model/blocks.h"
#include "core/model/naming.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Declarations, DiffusionModelsAloneHavePipelinesOfDiffusers) {
  for (const Architecture* architecture : Architectures()) {
    SCOPED_TRACE(architecture->id);
    const bool diffusion = architecture->kind == ModelKind::kDiffusion;
    EXPECT_EQ(!architecture->pipeline.empty(), diffusion);
    EXPECT_EQ(architecture->pipeline.ends_with("Pipeline"), diffusion);
    EXPECT_EQ(NamingOf(architecture->rows.front().components().front()) != nullptr, diffusion);
    for (const ArchitectureRow& row : architecture->rows) {
      EXPECT_TRUE(row.pipeline.empty() || row.pipeline.ends_with("Pipeline")) << row.variant;
    }
  }
}

TEST(Declarations, MergeEverythingButVaesByDefault) {
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      SCOPED_TRACE(row.synth);
      std::set<std::string> merged;
      for (const ComponentRule& component : row.components()) {
        const bool vae = component.kind == ComponentKind::kVae;
        EXPECT_EQ(component.merged_by_default, !vae) << component.name;
        EXPECT_FALSE(vae && architecture->kind == ModelKind::kLanguage);
        if (component.merged_by_default) merged.insert(component.name);
      }
      EXPECT_THAT(merged, Not(IsEmpty()));
    }
  }
}

TEST(Declarations, DescribeTextEncodersAndVaes) {
  std::vector<ComponentRule> all;
  for (const Part* part : Parts()) {
    for (const PartRow& row : part->rows) all.push_back(row.component());
  }
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      for (ComponentRule& component : row.components()) all.push_back(std::move(component));
    }
  }
  for (const ComponentRule& component : all) {
    SCOPED_TRACE(component.name);
    const bool text = component.kind == ComponentKind::kText;
    EXPECT_EQ(!component.text.class_name.empty(), text);
    EXPECT_EQ(!component.text.model_type.empty(), text);
    EXPECT_EQ(!component.text.activation.empty(), text);
    EXPECT_EQ(!component.text.tokenizer.empty(), text);
    EXPECT_EQ(component.latents.scale != 1, component.kind == ComponentKind::kVae);
  }
}

TEST(Declarations, NicknamesAreOfTheirOwnRows) {
  for (const Architecture* architecture : Architectures()) {
    for (const Nickname& nickname : architecture->nicknames) {
      EXPECT_NE(std::ranges::find(architecture->rows, nickname.synth, &ArchitectureRow::synth),
                architecture->rows.end())
          << nickname.name;
    }
  }
}

std::vector<std::size_t> LengthsOf(const std::vector<BlockList>& lists) {
  std::vector<std::size_t> lengths;
  for (const BlockList& list : lists) lengths.push_back(list.length());
  return lengths;
}

TEST(BlockLists, HaveThePublishedLengths) {
  for (const Architecture* architecture : Architectures()) {
    SCOPED_TRACE(architecture->id);
    const std::string_view id = architecture->id;
    const std::vector<std::size_t> merge = LengthsOf(architecture->merge_lists);
    const std::vector<std::size_t> adapter = LengthsOf(architecture->adapter_lists);
    if (id == "sd1" || id == "sd2") {
      EXPECT_THAT(merge, ElementsAre(26));
      EXPECT_THAT(adapter, ElementsAre(17, 26));
    } else if (id == "sdxl") {
      EXPECT_THAT(merge, ElementsAre(20, 21, 26));
      EXPECT_THAT(adapter, ElementsAre(12, 20, 26));
    } else if (id == "flux1") {
      EXPECT_THAT(merge, ElementsAre(61));
      EXPECT_THAT(adapter, ElementsAre(61));
    } else {
      EXPECT_THAT(merge, IsEmpty());
      EXPECT_THAT(adapter, IsEmpty());
    }
  }
}

/// By place: the blocks of the architecture whose number it is.
std::map<std::size_t, std::set<std::string>> BlocksByPlace(const Architecture& architecture,
                                                           const BlockList& list) {
  std::map<std::size_t, std::set<std::string>> blocks;
  for (const ComponentRule& component : architecture.rows.front().components()) {
    for (const TensorRule& tensor : component.tensors) {
      const Block block = BlockOf(component.kind, tensor.name);
      const ListRow* row = list.RowOf(component.kind, component.name, block);
      const auto place = row == nullptr ? std::nullopt : BlockList::PlaceIn(*row, block);
      if (!place) continue;
      std::string name = component.name + "." + std::string(block.family);
      if (block.index) name += "." + std::to_string(*block.index);
      blocks[*place].insert(std::move(name));
    }
  }
  return blocks;
}

TEST(BlockLists, HaveAPlaceForEveryNumberAndATensorForEveryPlace) {
  for (const Architecture* architecture : Architectures()) {
    for (const auto* lists : {&architecture->merge_lists, &architecture->adapter_lists}) {
      for (const BlockList& list : *lists) {
        SCOPED_TRACE(std::string(architecture->id) + " " + std::to_string(list.length()));
        const std::set<std::string> names(list.names.begin(), list.names.end());
        EXPECT_EQ(names.size(), list.length());
        const auto blocks = BlocksByPlace(*architecture, list);
        ASSERT_FALSE(blocks.empty());
        EXPECT_LT(blocks.rbegin()->first, list.length());
        // Lists of SD 1 have three places more on each way than SDXL has blocks.
        const std::size_t beyond =
            architecture->id == "sdxl" && list.length() == 26 ? std::size_t{6} : 0;
        EXPECT_EQ(blocks.size() + beyond, list.length());
      }
    }
  }
}

const Architecture& Named(std::string_view id) {
  return **std::ranges::find(Architectures(), id, &Architecture::id);
}

TEST(BlockLists, FoldAsSuperMergerDoes) {
  const Architecture& sdxl = Named("sdxl");
  const auto plain = BlocksByPlace(sdxl, sdxl.merge_lists[0]);
  EXPECT_THAT(plain.at(1), ElementsAre("unet.in.0", "unet.label", "unet.time"));
  EXPECT_THAT(plain.at(19), ElementsAre("unet.final", "unet.out.8"));
  EXPECT_TRUE(plain.at(0).contains("vae.decoder"));
  const auto with_vae = BlocksByPlace(sdxl, sdxl.merge_lists[1]);
  EXPECT_THAT(with_vae.at(20), ElementsAre("vae.decoder", "vae.encoder"));
  const auto of_sd1 = BlocksByPlace(sdxl, sdxl.merge_lists[2]);
  EXPECT_THAT(of_sd1.at(13), ElementsAre("unet.mid"));
  EXPECT_THAT(of_sd1.at(22), ElementsAre("unet.final", "unet.out.8"));
  const Architecture& flux = Named("flux1");
  const auto merge = BlocksByPlace(flux, flux.merge_lists[0]);
  EXPECT_THAT(merge.at(60), ElementsAre("transformer.final"));
  EXPECT_THAT(merge.at(22), ElementsAre("transformer.single.0"));
  EXPECT_TRUE(merge.at(1).contains("t5xxl.layer.23"));
}

TEST(BlockLists, OfAdaptersLeaveBlocksOutAndSayNothingOfEmbeddings) {
  const BlockList& list = Named("sd1").adapter_lists[0];
  const auto row = [&](std::string_view family, std::optional<std::uint32_t> index) {
    return list.RowOf(ComponentKind::kBackbone, "unet", {family, index});
  };
  ASSERT_NE(row("in", 4), nullptr);
  EXPECT_EQ(BlockList::PlaceIn(*row("in", 4), {"in", 4}), 3u);
  ASSERT_NE(row("in", 0), nullptr);
  EXPECT_EQ(BlockList::PlaceIn(*row("in", 0), {"in", 0}), std::nullopt);
  EXPECT_EQ(row("time", std::nullopt), nullptr);
  EXPECT_EQ(list.RowOf(ComponentKind::kVae, "vae", {"encoder", std::nullopt}), nullptr);
}

}  // namespace
}  // namespace weightsmith::internal
