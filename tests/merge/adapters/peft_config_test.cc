#include "merge/adapters/peft_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using testing::HasSubstr;

PeftNumbers Of(std::string_view json, std::string_view module) {
  return ParsePeftConfig(std::string(json), "adapter_config.json").Of(module);
}

std::string Refusal(const std::string& json) {
  const Error error = Caught([&] { ParsePeftConfig(json, "adapter_config.json"); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  return error.message();
}

PeftConfig FromMetadata(const std::string& json) {
  return ReadPeftConfig("/nowhere/a.safetensors", Metadata{{"lora_adapter_metadata", json}});
}

TEST(PeftConfig, TheFirstPatternThatMatchesTheEndCounts) {
  constexpr std::string_view kJson =
      R"({"peft_type": "LORA", "r": 8, "lora_alpha": 16,
          "alpha_pattern": {"q_proj": 1, "layers.0.*": 2}, "rank_pattern": {"^model.k": 4}})";
  EXPECT_EQ(Of(kJson, "base_model.model.model.layers.0.q_proj").alpha, 1);
  EXPECT_EQ(Of(kJson, "base_model.model.model.layers.0.up").alpha, 2);
  EXPECT_EQ(Of(kJson, "base_model.model.model.layers.1.up").alpha, 16);
  EXPECT_EQ(Of(kJson, "base_model.model.model.k").rank, 4);
  EXPECT_EQ(Of(kJson, "base_model.model.x.model.k").rank, 8);
}

TEST(PeftConfig, HasPeftsDefaults) {
  EXPECT_EQ(Of(R"({"peft_type": "LORA"})", "q").alpha, 8);
  EXPECT_EQ(Of(R"({"peft_type": "LOKR"})", "q").alpha, 8);
  EXPECT_EQ(Of(R"({"peft_type": "OFT"})", "q").alpha, std::nullopt);
  EXPECT_EQ(Of(R"({"lora_alpha": null, "alpha_pattern": null})", "q").alpha, 8);
  EXPECT_EQ(ReadPeftConfig("/nowhere/a.safetensors", std::nullopt).Of("q").alpha, std::nullopt);
}

TEST(PeftConfig, FeedforwardModulesAreSuffixesOrOneExpressionForAll) {
  constexpr std::string_view kList =
      R"({"peft_type": "IA3", "feedforward_modules": ["down", "w.0"]})";
  EXPECT_TRUE(Of(kList, "base_model.model.mlp.down").feedforward);
  EXPECT_TRUE(Of(kList, "base_model.model.mlp.w.0").feedforward);
  EXPECT_FALSE(Of(kList, "base_model.model.mlp.wx0").feedforward) << "names are no expressions";
  constexpr std::string_view kText =
      R"_({"peft_type": "IA3", "feedforward_modules": ".*\\.(up|down)"})_";
  EXPECT_TRUE(Of(kText, "base_model.model.mlp.down").feedforward);
  EXPECT_FALSE(Of(kText, "base_model.model.mlp.downs").feedforward);
}

TEST(PeftConfig, MetadataSayItOfEachModelOrOfOne) {
  const PeftConfig several = FromMetadata(
      R"({"transformer.lora_alpha": 4, "transformer.r": 4, "transformer.alpha_pattern": {"to_q": 2},
          "text_encoder.lora_alpha": 32, "text_encoder.use_rslora": true})");
  EXPECT_EQ(several.Of("transformer.blocks.0.to_q").alpha, 2);
  EXPECT_EQ(several.Of("transformer.blocks.0.to_k").alpha, 4);
  EXPECT_FALSE(several.Of("transformer.blocks.0.to_k").rank_stabilised);
  EXPECT_TRUE(several.Of("text_encoder.layers.0.to_q").rank_stabilised);
  EXPECT_EQ(several.Of("text_encoder.layers.0.to_q").alpha, 32);
  EXPECT_EQ(several.Of("unet.blocks.0.to_q").alpha, std::nullopt);
  const PeftConfig one = FromMetadata(R"({"lora_alpha": 4, "alpha_pattern": {"to_q": 2}})");
  EXPECT_EQ(one.Of("blocks.0.to_q").alpha, 2);
  EXPECT_EQ(one.Of("blocks.0.to_k").alpha, 4);
}

TEST(PeftConfig, ExpressionsThatAreNotSupportedAreRefusedByName) {
  for (const char* key : {"alpha_pattern", "rank_pattern"}) {
    const std::string message = Refusal(fmt::format(R"({{"{}": {{"(?!to_q).*": 8}}}})", key));
    EXPECT_THAT(message, HasSubstr("'adapter_config.json'"));
    EXPECT_THAT(message, HasSubstr("'(?!to_q).*'"));
    EXPECT_THAT(message, HasSubstr(fmt::format("'{}'", key)));
    EXPECT_THAT(message, HasSubstr("look-ahead"));
  }
  EXPECT_THAT(Refusal(R"({"alpha_pattern": {"(a)\\1": 8}})"), HasSubstr("back-references"));
  EXPECT_THAT(Refusal(R"({"alpha_pattern": {"a{,3}": 8}})"), HasSubstr("{0,n}"));
  EXPECT_THAT(Refusal(R"({"alpha_pattern": {"a)|(b": 8}})"), HasSubstr("'a)|(b'"));
  EXPECT_THAT(Refusal(R"_({"peft_type": "IA3", "feedforward_modules": "(?=x)"})_"),
              HasSubstr("'feedforward_modules'"));
  const Error error = Caught([] { FromMetadata(R"({"unet.alpha_pattern": {"(?<=a)b": 8}})"); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.message(), HasSubstr("a.safetensors (lora_adapter_metadata)"));
  EXPECT_THAT(error.message(), HasSubstr("'unet.alpha_pattern'"));
}

TEST(PeftConfig, ParenthesesByTheThousandAreRefused) {
  const std::string nested = std::string(20'000, '(') + "a" + std::string(20'000, ')');
  EXPECT_THAT(Refusal(fmt::format(R"({{"alpha_pattern": {{"{}": 8}}}})", nested)),
              HasSubstr("40,001"));
  const std::string deep = std::string(490, '(') + "a" + std::string(490, ')');
  EXPECT_EQ(Of(fmt::format(R"({{"alpha_pattern": {{"{}": 8}}}})", deep), "a").alpha, 8);
}

TEST(PeftConfig, TooManyExpressionsAreRefused) {
  std::string json = R"({"alpha_pattern": {"a": 1)";
  for (int i = 0; i < 20'000; ++i) json += fmt::format(", \"a{}\": 1", i);
  EXPECT_THAT(Refusal(json + "}}"), HasSubstr("20,001"));
  json = R"({"alpha_pattern": {"a": 1)";
  for (int i = 0; i < 2'000; ++i) json += fmt::format(", \"{}{}\": 1", std::string(900, 'a'), i);
  EXPECT_THAT(Refusal(json + "}}"), HasSubstr("too large"));
  json = "{\"r\": 1";
  for (int i = 0; i < 100; ++i) json += fmt::format(", \"m{}.r\": 1", i);
  EXPECT_THAT(Caught([&] { FromMetadata(json + "}"); }).message(), HasSubstr("101 models"));
}

TEST(PeftConfig, JsonThatIsMalformedOrNestedIsRefused) {
  EXPECT_THAT(Refusal("{\"r\": 1,}"), HasSubstr("malformed JSON at byte 9"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("object expected"));
  EXPECT_THAT(Refusal("{\"r\": NaN}"), HasSubstr("malformed"));
  EXPECT_THAT(Refusal("{\"r\": 1e999}"), HasSubstr("out of range"));
  const std::string nested(1'000'000, '[');
  EXPECT_THAT(Refusal(R"({"feedforward_modules": )" + nested), HasSubstr("nested"));
}

TEST(PeftConfig, ValuesOfOtherTypesAreRefused) {
  EXPECT_THAT(Refusal(R"({"lora_alpha": "16"})"), HasSubstr("'lora_alpha' is of type string"));
  EXPECT_THAT(Refusal(R"({"alpha_pattern": ["q"]})"), HasSubstr("'alpha_pattern'"));
  EXPECT_THAT(Refusal(R"({"alpha_pattern": {"q": "1"}})"), HasSubstr("'q'"));
  EXPECT_THAT(Refusal(R"({"use_rslora": 1})"), HasSubstr("'use_rslora'"));
  EXPECT_THAT(Refusal(R"({"num_cayley_neumann_terms": 1e300})"), HasSubstr("expected 0 to 100"));
  EXPECT_THAT(Refusal(R"({"num_cayley_neumann_terms": -1})"), HasSubstr("expected 0 to 100"));
  EXPECT_THAT(Refusal(R"({"peft_type": "VERA"})"), HasSubstr("'VERA'"));
  EXPECT_THAT(Refusal(R"({"target_parameters": ["a"]})"), HasSubstr("'target_parameters'"));
}

}  // namespace
}  // namespace weightsmith::internal
