#include "core/model/text_encoders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/model/pipeline_folders.h"
#include "merge/adapters/alias_table.h"

namespace weightsmith::internal {
namespace {

/// As the loaders of each model number them: diffusers' folders, kohya's adapters.
const std::map<std::string_view, std::map<std::uint32_t, std::string>> kPublished = {
    {"sd1", {{1, "clip_l"}}},
    {"sd2", {{1, "clip_h"}}},
    {"sdxl", {{1, "clip_l"}, {2, "clip_g"}}},
    {"sdxl-refiner", {{2, "clip_g"}}},
    {"sd3", {{1, "clip_l"}, {2, "clip_g"}, {3, "t5xxl"}}},
    {"sd3.5-medium", {{1, "clip_l"}, {2, "clip_g"}, {3, "t5xxl"}}},
    {"sd3.5-large", {{1, "clip_l"}, {2, "clip_g"}, {3, "t5xxl"}}},
    {"flux1", {{1, "clip_l"}, {2, "t5xxl"}}},
    {"chroma", {{1, "t5xxl"}}},
    {"pixart", {{1, "t5xxl"}}},
    {"wan", {{1, "umt5xxl"}}},
};

TEST(TextEncoders, HaveTheNumbersOfTheirPublishers) {
  for (const Architecture* architecture : Architectures()) {
    SCOPED_TRACE(architecture->id);
    std::map<std::uint32_t, std::string> numbers;
    for (const ComponentRule& component : architecture->rows.front().components()) {
      const std::uint32_t number = TextEncoderNumber(architecture, component.name);
      EXPECT_EQ(number != 0, component.kind == ComponentKind::kText) << component.name;
      const bool once = number == 0 || numbers.emplace(number, component.name).second;
      EXPECT_TRUE(once) << number;
    }
    const auto published = kPublished.find(architecture->id);
    if (published != kPublished.end()) {
      EXPECT_EQ(numbers, published->second);
    }
  }
}

TEST(TextEncoders, HaveOneNumberInEveryVariant) {
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      const std::vector<ComponentRule> components = row.components();
      for (const ComponentRule& component : components) {
        EXPECT_EQ(TextEncoderNumber(components, component.name),
                  TextEncoderNumber(architecture, component.name))
            << architecture->id << " " << row.variant << " " << component.name;
      }
    }
  }
}

/// A linear layer that every encoder of its kind has, in the names of Hugging Face.
std::string ModuleOf(const std::string& encoder) {
  return encoder.ends_with("t5xxl") ? "encoder.block.0.layer.0.SelfAttention.q"
                                    : "text_model.encoder.layers.0.mlp.fc1";
}

TEST(TextEncoders, HaveTheSameNumberInFoldersAndAdapters) {
  for (const Architecture* architecture : Architectures()) {
    const ArchitectureRow& row = architecture->rows.front();
    const std::vector<ComponentRule> components = row.components();
    std::vector<AliasedTensor> tensors;
    for (const ComponentRule& component : components) {
      for (const TensorRule& tensor : component.tensors) {
        if (tensor.role != Role::kWeight) continue;
        const auto number = static_cast<std::uint32_t>(tensors.size());
        tensors.push_back({component.name, component.kind, tensor.name, number});
      }
    }
    const AliasTable aliases(tensors, components);
    for (const ComponentRule& component : components) {
      const std::uint32_t number = TextEncoderNumber(architecture, component.name);
      if (number == 0) continue;
      SCOPED_TRACE(std::string(architecture->id) + " " + component.name);
      const std::string digits = std::to_string(number);
      const std::string folder = number == 1 ? "text_encoder" : "text_encoder_" + digits;
      EXPECT_EQ(PipelineFolder(components, component.name), folder);
      const std::string module = ModuleOf(component.name);
      for (const std::string& stem :
           {"lora_te" + digits + "_" + FlatName(module), folder + "." + module}) {
        const AliasedModule* found = aliases.Find(stem);
        ASSERT_NE(found, nullptr) << stem;
        EXPECT_EQ(tensors[found->weight.front().tensor].component, component.name) << stem;
      }
    }
  }
}

TEST(TextEncoders, AloneHaveANumberOnlyWhereAllArchitecturesAgree) {
  EXPECT_EQ(TextEncoderNumber(nullptr, "clip_l"), 1);
  EXPECT_EQ(TextEncoderNumber(nullptr, "clip_g"), 2);
  EXPECT_EQ(TextEncoderNumber(nullptr, "clip_h"), 1);
  EXPECT_EQ(TextEncoderNumber(nullptr, "t5xxl"), 0);
  EXPECT_EQ(TextEncoderNumber(nullptr, "vae"), 0);
}

}  // namespace
}  // namespace weightsmith::internal
