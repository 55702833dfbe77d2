#include "core/model/layer_configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/base/error.h"
#include "core/base/json-inl.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kConfig = R"({"model_type": "x", "num_hidden_layers": 3,
    "layer_types": ["a", "b", "c"], "eos_token_id": [7, 8, 9], "mlp_only_layers": [2],
    "hidden_size": 8})";

Json Made(std::string_view config, std::vector<ConfiguredLayer> layers) {
  return ParseJson(WithLayers(config, layers));
}

TEST(LayerConfiguration, HasTheNumberOfLayers) {
  const Json made = Made(kConfig, {{"", 0}, {"", 1}, {"", 1}, {"", 2}});
  EXPECT_EQ(made["num_hidden_layers"], 4);
  EXPECT_EQ(made["hidden_size"], 8);
  EXPECT_EQ(made["model_type"], "x");
}

TEST(LayerConfiguration, ListsByLayerFollowTheLayers) {
  const Json made = Made(kConfig, {{"", 2}, {"", 2}, {"", 0}, {"", 1}});
  EXPECT_EQ(made["layer_types"], Json::parse(R"(["c", "c", "a", "b"])"));
  EXPECT_EQ(made["eos_token_id"], Json::parse("[7, 8, 9]"));
  EXPECT_EQ(made["mlp_only_layers"], Json::parse("[0, 1]"));
}

TEST(LayerConfiguration, AskTheModelThatALayerComesFrom) {
  constexpr std::string_view kOther =
      R"({"num_hidden_layers": 4, "layer_types": ["w", "x", "y", "z"]})";
  const Json made = Made(kConfig, {{kConfig, 0}, {kOther, 0}, {kOther, 3}});
  EXPECT_EQ(made["layer_types"], Json::parse(R"(["a", "w", "z"])"));
}

TEST(LayerConfiguration, IsFoundInThatOfTheText) {
  const Json made = Made(R"({"text_config": {"num_hidden_layers": 1}})", {{"", 0}, {"", 0}});
  EXPECT_EQ(made["text_config"]["num_hidden_layers"], 2);
  EXPECT_EQ(Made(R"({"n_layer": 12})", {{"", 0}})["n_layer"], 1);
}

std::string ErrorOf(std::string_view config, std::vector<ConfiguredLayer> layers) {
  try {
    WithLayers(config, layers);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    return std::string(error.what());
  }
  return {};
}

TEST(LayerConfiguration, OfNoModelIsAnError) {
  for (const char* config : {"", "[]", "{", "{}", R"({"num_hidden_layers": "3"})"}) {
    EXPECT_THAT(ErrorOf(config, {{"", 0}}), HasSubstr("how many layers")) << config;
  }
}

TEST(LayerConfiguration, ThatSaysNothingOfALayerIsAnError) {
  EXPECT_THAT(ErrorOf(kConfig, {{"", 3}}), HasSubstr("'layer_types' of the configuration"));
}

}  // namespace
}  // namespace weightsmith::internal
