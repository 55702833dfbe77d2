#include "recipes/source/source_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

struct Result {
  std::optional<SourceNode> tree;
  Diagnostics diagnostics;

  std::string First() const {
    return diagnostics.all().empty() ? "" : Render(diagnostics.all().front());
  }
};

Result Read(std::string text, std::string name = "r.yaml") {
  Result result;
  const auto source =
      std::make_shared<const SourceText>(SourceText{std::move(name), std::move(text)});
  result.tree = ReadSource(source, result.diagnostics);
  return result;
}

std::string PlaceOf(const SourceNode& node) {
  return std::to_string(node.place.line) + ":" + std::to_string(node.place.column);
}

TEST(SourceNode, YamlKnowsThePlaceOfEveryPart) {
  const Result r = Read("a: 1\nmix:\n  of: [x, {y: 'z'}]\n");
  ASSERT_TRUE(r.tree) << r.First();
  EXPECT_EQ(PlaceOf(r.tree->keys[1]), "2:1");
  const SourceNode& of = *r.tree->Find("mix")->Find("of");
  EXPECT_EQ(PlaceOf(of), "3:7");
  EXPECT_EQ(PlaceOf(of.items[0]), "3:8");
  EXPECT_EQ(PlaceOf(of.items[1].keys[0]), "3:12");
  EXPECT_EQ(PlaceOf(of.items[1].items[0]), "3:15");
}

TEST(SourceNode, JsonKnowsThePlaceOfEveryPart) {
  const Result r =
      Read("{\n \"a\": -1.5e3,\n \"b\": [true, null, \"x\\\"y\"],\n \"c\": {\"d\":7}\n}");
  ASSERT_TRUE(r.tree) << r.First();
  EXPECT_EQ(PlaceOf(*r.tree->Find("a")), "2:7");
  EXPECT_EQ(r.tree->Find("a")->text, "-1.5e3");
  const SourceNode& b = *r.tree->Find("b");
  EXPECT_EQ(PlaceOf(b.items[0]), "3:8");
  EXPECT_EQ(PlaceOf(b.items[1]), "3:14");
  EXPECT_EQ(PlaceOf(b.items[2]), "3:20");
  EXPECT_EQ(b.items[2].text, "x\"y");
  EXPECT_EQ(PlaceOf(r.tree->keys[2]), "4:2");
  EXPECT_EQ(PlaceOf(*r.tree->Find("c")->Find("d")), "4:12");
}

TEST(SourceNode, ColumnsCountCharacters) {
  const Result r = Read("{\"é×\": 1, \"b\": 2}");
  ASSERT_TRUE(r.tree);
  EXPECT_EQ(PlaceOf(r.tree->keys[1]), "1:11");
  const Result y = Read("{é×: 1, b: 2}", "x.yaml");
  EXPECT_FALSE(y.tree) << "a first byte { is JSON";
  const Result z = Read("m: {é×: 1, b: 2}");
  ASSERT_TRUE(z.tree);
  EXPECT_EQ(PlaceOf(z.tree->Find("m")->keys[1]), "1:12");
}

TEST(SourceNode, QuotesMakeATextOfANumber) {
  const Result r = Read("a: 1\nb: '1'\nc: \"true\"\n");
  EXPECT_TRUE(r.tree->Find("a")->plain);
  EXPECT_FALSE(r.tree->Find("b")->plain);
  EXPECT_FALSE(r.tree->Find("c")->plain);
}

TEST(SourceNode, AliasesAreCopies) {
  const Result r = Read("a: &x {k: 1}\nb: *x\n");
  ASSERT_TRUE(r.tree);
  EXPECT_EQ(r.tree->Find("b")->Find("k")->text, "1");
}

TEST(SourceNode, AliasesDoNotExpandWithoutEnd) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string n = std::to_string(i), p = std::to_string(i - 1);
    text += "a" + n + ": &a" + n + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", *a" : "*a") + p;
    text += "]\n";
  }
  EXPECT_THAT(Read(text).First(), HasSubstr("aliases expand to more than 10000 nodes"));
}

TEST(SourceNode, DuplicateKeysAreErrorsInBothForms) {
  EXPECT_EQ(Read("a: 1\nb: 2\na: 3\n").First(),
            "r.yaml:3:1: error: the key 'a' is there twice, first in line 1\n"
            "  3 | a: 3\n"
            "    | ^\n"
            "  Remove one of the two.");
  EXPECT_EQ(Read("{\"a\": 1,\n \"\\u0061\": 2}", "r.json").First(),
            "r.json:2:2: error: the key 'a' is there twice, first in line 1\n"
            "  2 |  \"\\u0061\": 2}\n"
            "    |  ^\n"
            "  Remove one of the two.");
}

TEST(SourceNode, RefusesWhatIsNotPartOfTheLanguage) {
  EXPECT_THAT(Read("a: !!str 1\n").First(), HasSubstr("r.yaml:1:4: error: tags (tag:yaml.org"));
  EXPECT_THAT(Read("a: &x {b: 1}\nc:\n  <<: *x\n").First(),
              HasSubstr("r.yaml:3:3: error: merge keys"));
  EXPECT_THAT(Read("a: 1\n---\nb: 2\n").First(), HasSubstr("a second one starts here"));
  EXPECT_THAT(Read("? [a]\n: 1\n").First(), HasSubstr("a key is a word, not a list"));
  EXPECT_THAT(Read("a: [b\n").First(), HasSubstr("this [ is not closed"));
  EXPECT_THAT(Read("m: {/a[0-9]/: 1}\n").First(), HasSubstr("put a /regex/"));
  EXPECT_THAT(Read("a: \xFF\n").First(),
              HasSubstr("r.yaml:1:4: error: the byte 0xff is not UTF-8"));
  EXPECT_THAT(Read(std::string("a: \0b", 5)).First(), HasSubstr("a zero byte"));
  EXPECT_THAT(Read("a: &a [*a]\n").First(), HasSubstr("an alias stands inside what it names"));
}

TEST(SourceNode, AQuoteThatIsNotClosedIsAnError) {
  for (const char* cut : {"a: \"b\n", "a: 'b", "a: 'b''", "a: \"b\\\"", "a: &x \"b", "é: \"ü\n"}) {
    EXPECT_THAT(Read(cut).First(), HasSubstr("quote is not closed")) << cut;
  }
  for (const char* whole : {"a: \"b\"", "a: 'b'''", "a: \"b\\\"\"", "a: &x \"b\"", "a: |\n  \"b\n",
                            "é: \"ü\"\nb: ['x', \"y\"]\n", "a: b\"c\n"}) {
    EXPECT_EQ(Read(whole).First(), "") << whole;
  }
}

TEST(SourceNode, NestingHasAnEnd) {
  EXPECT_THAT(Read(std::string(500, '[')).First(), HasSubstr("nested more than 64 deep"));
  EXPECT_THAT(Read("{\"a\":" + std::string(500, '['), "r.json").First(),
              HasSubstr("nested more than 64 deep"));
}

TEST(SourceNode, JsonErrorsHavePlaces) {
  EXPECT_THAT(Read("{\"a\": 1,}").First(),
              HasSubstr("r.yaml:1:8: error: this comma stands in front of }"));
  EXPECT_THAT(Read("{\"a\": \"\\ud800x\"}").First(), HasSubstr("not valid JSON"));
  EXPECT_THAT(Read("{\"a\": \"\\udc00\"}").First(), HasSubstr("not valid JSON"));
  EXPECT_THAT(Read("{\"a\": 1} x").First(), HasSubstr("'x' is not JSON"));
  EXPECT_THAT(Read("{\"a\": 1e999}").First(), HasSubstr("not valid JSON"));
  EXPECT_THAT(Read("[1", "r.json").First(), HasSubstr("the text ends here, before its last ]"));
}

TEST(SourceNode, JsonReadsSurrogatePairs) {
  EXPECT_EQ(Read("{\"a\": \"\\ud83d\\ude00\"}").tree->Find("a")->text, "\xF0\x9F\x98\x80");
}

}  // namespace
}  // namespace weightsmith::internal
