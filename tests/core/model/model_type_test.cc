#include "core/model/model_type.h"

#include <gtest/gtest.h>

#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

ModelConfiguration Said(std::string_view config) {
  const Scratch scratch;
  scratch.Make("config.json", config);
  return ConfigurationOf(scratch / "model.safetensors");
}

TEST(ModelType, IsThatOfTheConfigurationBesideTheFileOrInTheFolder) {
  const Scratch scratch;
  EXPECT_EQ(ConfigurationOf(scratch.folder()).type, "");
  scratch.Make("config.json", R"({"model_type": "mistral"})");
  EXPECT_EQ(ConfigurationOf(scratch.folder()).type, "mistral");
  EXPECT_EQ(ConfigurationOf(scratch / "model.safetensors").type, "mistral");
}

TEST(ModelType, HeadsAreAsWideAsIsSaidOrAsAllOfThemTogether) {
  EXPECT_EQ(Said(R"({"head_dim": 128, "hidden_size": 64, "num_attention_heads": 2})").head_size,
            128u);
  EXPECT_EQ(Said(R"({"hidden_size": 64, "num_attention_heads": 2})").head_size, 32u);
  EXPECT_EQ(Said(R"({"hidden_size": 64, "num_attention_heads": 3})").head_size, 0u);
  EXPECT_EQ(Said(R"({"head_dim": null, "hidden_size": 64})").head_size, 0u);
}

TEST(ModelType, ATextThatIsNoConfigurationSaysNothing) {
  for (const std::string_view text : {"", "{", "[1]", R"({"model_type": 3, "head_dim": -1})"}) {
    EXPECT_EQ(Said(text).type, "") << text;
    EXPECT_EQ(Said(text).head_size, 0u) << text;
  }
}

}  // namespace
}  // namespace weightsmith::internal
