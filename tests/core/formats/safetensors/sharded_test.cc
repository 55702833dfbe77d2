#include "core/formats/safetensors/sharded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/caught.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

TEST(ParseShardIndex, ReadsTheMapAndSkipsTheRest) {
  const ShardIndex index = ParseShardIndex(R"({
  "metadata": {"total_size": 12.5e3, "x": [null]},
  "weight_map": {"b": "m-2.safetensors", "a": "m-10.safetensors", "c": "m-2.safetensors"},
  "more": []
})");
  EXPECT_THAT(index.shards, ElementsAre("m-10.safetensors", "m-2.safetensors"));
  ASSERT_EQ(index.entries.size(), 3u);
  EXPECT_EQ(index.entries[0].tensor, "a");
  EXPECT_EQ(index.shards[index.entries[0].shard], "m-10.safetensors");
  EXPECT_EQ(index.entries[1].tensor, "b");
  EXPECT_EQ(index.shards[index.entries[1].shard], "m-2.safetensors");
  EXPECT_EQ(index.entries[2].tensor, "c");
  EXPECT_EQ(index.shards[index.entries[2].shard], "m-2.safetensors");
}

TEST(ParseShardIndex, RefusesPathsThatLeaveTheFolder) {
  for (const char* name : {"", ".", "..", "../m", "a/b", "/etc/passwd", "a\\\\b", "..\\\\b",
                           "a\\u0000b", "\\u002e\\u002e\\u002fm", "C:\\\\m"}) {
    const std::string json = R"({"weight_map":{"t":")" + std::string(name) + "\"}}";
    const Error error = Caught([&] { ParseShardIndex(json); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr("path traversal refused: tensor 't'")) << name;
  }
  EXPECT_EQ(ParseShardIndex(R"({"weight_map":{"t":"a..b"}})").shards.size(), 1u);
}

struct RefusedIndex {
  std::string json;
  const char* why;
};

TEST(ParseShardIndex, RefusesWhatIsMalformed) {
  const std::vector<RefusedIndex> cases = {
      {"", "the index is malformed"},
      {"[]", "expected an object"},
      {"{}", "without a 'weight_map'"},
      {R"({"metadata":{}})", "without a 'weight_map'"},
      {R"({"weight_map":[]})", "expected an object"},
      {R"({"weight_map":null})", "expected an object"},
      {R"({"weight_map":{"a":1}})", "expected a string"},
      {R"({"weight_map":{"a":["x"]}})", "expected a string"},
      {R"({"weight_map":{"a":"x"}} x)", "expected the end"},
      {R"({"weight_map":{},"weight_map":{}})", "'weight_map' a second time"},
      {R"({"weight_map":{"a":"x","b":"x","\u0061":"y"}})", "tensor 'a' is in 'weight_map' twice"},
      {"{\"weight_map\":{\"\xFF\":\"x\"}}", "not valid UTF-8"},
      {"{\"x\":" + std::string(100'000, '['), "nested"},
  };
  for (const RefusedIndex& refused : cases) {
    const Error error = Caught([&] { ParseShardIndex(refused.json); });
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr(refused.why));
  }
}

TEST(LooksLikeShardIndex, TellsJsonFromSafetensors) {
  EXPECT_TRUE(LooksLikeShardIndex("{\"weight_map\":"));
  EXPECT_TRUE(LooksLikeShardIndex(" \r\n\t{"));
  EXPECT_FALSE(LooksLikeShardIndex(""));
  EXPECT_FALSE(LooksLikeShardIndex("   "));
  EXPECT_FALSE(LooksLikeShardIndex("[]"));
  EXPECT_FALSE(LooksLikeShardIndex("{\0\0\0\0\0\0\0{}"s));
  EXPECT_FALSE(LooksLikeShardIndex("\x10\0\0\0\0\0\0\0{}"s));
}

}  // namespace
}  // namespace weightsmith::internal
