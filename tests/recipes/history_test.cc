#include "recipes/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using Json = nlohmann::ordered_json;

std::string DigestOf(char digit) {
  return std::string(32, digit);
}

Metadata Merged(char digit, const std::string& recipe, const std::string& ancestors = "") {
  Metadata metadata{{"weightsmith.digest", DigestOf(digit)},
                    {"weightsmith.recipe", recipe},
                    {"weightsmith.inputs", R"([{"name": "a", "size": 8}])"}};
  if (!ancestors.empty()) metadata["weightsmith.ancestors"] = ancestors;
  return metadata;
}

std::string AncestorsOf(const std::vector<Metadata>& inputs) {
  return AncestorsText(inputs);
}

std::vector<std::string> KeysOf(const std::string& text) {
  const Json json = Json::parse(text);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  return keys;
}

TEST(Ancestors, AreNothingWhereNoInputWasMerged) {
  EXPECT_EQ(AncestorsOf({}), "");
  EXPECT_EQ(AncestorsOf({{{"format", "pt"}}}), "");
}

TEST(Ancestors, HaveRecipeAndInputsByDigest) {
  EXPECT_EQ(Json::parse(AncestorsOf({Merged('a', "text")})),
            Json::parse(R"({"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":
                            {"recipe": "text", "inputs": [{"name": "a", "size": 8}]}})"));
}

TEST(Ancestors, AreThereOnceEachTheYoungestFirst) {
  const std::string grandparents = AncestorsOf({Merged('a', "1"), Merged('b', "2")});
  const Metadata parent = Merged('c', "3", grandparents);
  const std::string all = AncestorsOf({parent, Merged('b', "2"), parent});
  EXPECT_THAT(KeysOf(all), ElementsAre(DigestOf('c'), DigestOf('b'), DigestOf('a')));
}

TEST(Ancestors, LeaveOutTheOldestBeyondTheirLimitAndSaySo) {
  constexpr std::size_t kLimit = 256 << 10;
  const std::string long_text(100 << 10, 'x');
  const std::string older = AncestorsOf({Merged('a', long_text), Merged('b', "short")});
  const std::string all = AncestorsOf({Merged('c', long_text, older), Merged('d', long_text)});
  EXPECT_THAT(KeysOf(all), ElementsAre(DigestOf('c'), DigestOf('d'), "truncated"));
  EXPECT_LE(all.size(), kLimit);
  const std::string next = AncestorsOf({Merged('e', "short", all)});
  EXPECT_TRUE(Json::parse(next).at("truncated").get<bool>());
}

TEST(Ancestors, PassOverWhatHasAnotherForm) {
  Metadata no_list = Merged('a', "text");
  no_list["weightsmith.inputs"] = "{";
  Metadata no_digest = Merged('0', "text");
  Metadata word = Merged('a', "text");
  word["weightsmith.digest"] = "truncated";
  EXPECT_EQ(AncestorsOf({no_list, no_digest, word}), "");
  for (const char* older : {"[]", "7", R"({"x": {}})", R"({"truncated": {"recipe": 1}, "b": 2})"}) {
    EXPECT_EQ(KeysOf(AncestorsOf({Merged('a', "text", older)})).front(), DigestOf('a')) << older;
  }
}

TEST(Ancestors, PassOverNestingThatCouldExhaustTheStack) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  Metadata input = Merged('a', "text");
  input["weightsmith.inputs"] = deep;
  EXPECT_EQ(AncestorsOf({input}), "");
  EXPECT_THAT(KeysOf(AncestorsOf({Merged('a', "text", R"({"b": )" + deep + "}")})),
              ElementsAre(DigestOf('a')));
}

TEST(SdMergeModels, NameFilesBySha256WithTheirOwnRecipes) {
  const std::vector<MergedFile> files{
      {"a.safetensors", "aa", "01", {{"sd_merge_recipe", R"({"type": "webui"})"}}},
      {"b.safetensors", "bb", "02", {{"sd_merge_recipe", "no JSON"}}}};
  EXPECT_EQ(Json::parse(SdMergeModelsText(files)), Json::parse(R"({
    "aa": {"name": "a.safetensors", "legacy_hash": "01", "sd_merge_recipe": {"type": "webui"}},
    "bb": {"name": "b.safetensors", "legacy_hash": "02", "sd_merge_recipe": null}})"));
}

}  // namespace
}  // namespace weightsmith::internal
