#include "cli/flags/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/command.h"
#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const Command& Sample() {
  static const Command command = {
      .name = "sample",
      .summary = "A command to parse",
      .positionals = {{.name = "A", .doc = "first"},
                      {.name = "REST", .doc = "others", .required = false, .repeatable = true}},
      .flags =
          {{.name = "alpha", .kind = ValueKind::kNumber, .value = "V", .doc = "a number"},
           {.name = "seed", .letter = 'c', .kind = ValueKind::kInteger, .value = "N"},
           {.name = "max-memory", .kind = ValueKind::kBytes, .value = "SIZE"},
           {.name = "set", .kind = ValueKind::kAssignment, .value = "K=V", .repeatable = true},
           {.name = "dtype", .kind = ValueKind::kDType, .value = "DTYPE"},
           {.name = "io", .kind = ValueKind::kText, .value = "WAY", .choices = {"map", "read"}},
           {.name = "output", .letter = 'o', .kind = ValueKind::kFile, .value = "FILE"},
           {.name = "step", .kind = ValueKind::kText, .value = "NAME"},
           {.name = "force", .letter = 'f', .doc = "a switch"}},
  };
  return command;
}

ParsedArguments Parse(std::vector<std::string> words) {
  return ParseArguments(Sample(), words);
}

// The message of the refusal.
std::string Refusal(std::vector<std::string> words) {
  try {
    Parse(std::move(words));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.advice(), HasSubstr("weightsmith sample -h"));
    return error.what();
  }
  return "accepted";
}

TEST(Flags, ComeInAnyOrderWithThePaths) {
  const ParsedArguments arguments = Parse({"x", "--force", "y", "-o", "out", "--alpha=0.25", "z"});
  EXPECT_THAT(arguments.positionals(), ElementsAre("x", "y", "z"));
  EXPECT_TRUE(arguments.Has("force"));
  EXPECT_EQ(arguments.Path("output"), "out");
  EXPECT_EQ(arguments.Number("alpha"), 0.25);
  EXPECT_FALSE(arguments.Has("max-memory"));
  EXPECT_EQ(arguments.Text("max-memory"), std::nullopt);
}

TEST(Flags, TakeValuesThatBeginWithADash) {
  EXPECT_EQ(Parse({"x", "--alpha", "-0.5"}).Number("alpha"), -0.5);
  EXPECT_EQ(Parse({"x", "--alpha=-1e-3"}).Number("alpha"), -1e-3);
  EXPECT_EQ(Parse({"x", "-o", "-"}).Text("output"), "-");
  EXPECT_EQ(Parse({"x", "--output", "-strange-"}).Text("output"), "-strange-");
}

TEST(Flags, DoNotSwallowTheNextFlag) {
  EXPECT_THAT(Refusal({"x", "--output", "--force"}), HasSubstr("--output needs a value"));
  EXPECT_THAT(Refusal({"x", "--output"}), HasSubstr("--output needs a value"));
}

TEST(Flags, ADashIsAPathAndTwoEndTheFlags) {
  EXPECT_THAT(Parse({"-"}).positionals(), ElementsAre("-"));
  const ParsedArguments arguments = Parse({"x", "--", "--force", "-o"});
  EXPECT_THAT(arguments.positionals(), ElementsAre("x", "--force", "-o"));
  EXPECT_FALSE(arguments.Has("force"));
}

TEST(Flags, AreNeverGuessedFromAPrefix) {
  EXPECT_THAT(Refusal({"x", "--forc"}),
              HasSubstr("unknown flag '--forc'. Did you mean '--force'?"));
  EXPECT_THAT(Refusal({"x", "--max", "1M"}), HasSubstr("unknown flag '--max'"));
  EXPECT_THAT(Refusal({"x", "--out", "file"}),
              HasSubstr("unknown flag '--out'. Did you mean '--output'?"));
}

TEST(Flags, UnknownOnesAreRefusedWithTheNearestName) {
  EXPECT_THAT(Refusal({"x", "--alhpa=1"}), HasSubstr("'--alhpa'. Did you mean '--alpha'?"));
  EXPECT_THAT(Refusal({"x", "-z"}), HasSubstr("unknown flag '-z'."));
  EXPECT_THAT(Refusal({"x", "--force=1"}), HasSubstr("--force takes no value"));
}

TEST(Flags, ValuesAreCheckedByKind) {
  EXPECT_THAT(Refusal({"x", "--alpha", "0.3x"}), HasSubstr("--alpha is '0.3x', expected a number"));
  EXPECT_THAT(Refusal({"x", "--alpha", "nan"}), HasSubstr("expected a number"));
  EXPECT_THAT(Refusal({"x", "-c", "-1"}), HasSubstr("--seed is '-1', expected a whole number"));
  EXPECT_THAT(Refusal({"x", "--max-memory", "much"}), HasSubstr("expected a size such as"));
  EXPECT_THAT(Refusal({"x", "--dtype", "f17"}), HasSubstr("expected a dtype"));
  EXPECT_THAT(Refusal({"x", "--set", "=1"}), HasSubstr("expected K=V"));
  EXPECT_THAT(Refusal({"x", "--io", "write"}), HasSubstr("expected one of map, read"));
  EXPECT_THAT(Refusal({"x", "--output", ""}), HasSubstr("non-empty"));
}

TEST(Flags, GiveTypedValues) {
  const ParsedArguments arguments = Parse({"x", "--max-memory", "1.5GiB", "-c7", "--set", "w=0.4",
                                           "--set=path=a=b", "--set", "empty="});
  EXPECT_EQ(arguments.Bytes("max-memory"), 1610612736U);
  EXPECT_EQ(arguments.Integer("seed"), 7U);
  EXPECT_THAT(arguments.Assignments("set"),
              ElementsAre(Pair("w", "0.4"), Pair("path", "a=b"), Pair("empty", "")));
}

TEST(Flags, OnlyRepeatableOnesMayComeTwice) {
  EXPECT_THAT(Refusal({"x", "--alpha", "1", "--alpha", "2"}), HasSubstr("--alpha is given twice"));
  EXPECT_TRUE(Parse({"x", "--force", "-f"}).Has("force"));
}

TEST(Flags, LettersMayShareADash) {
  const ParsedArguments arguments = Parse({"x", "-fq", "-c3"});
  EXPECT_TRUE(arguments.Has("force"));
  EXPECT_TRUE(arguments.Has("quiet"));
  EXPECT_EQ(arguments.Integer("seed"), 3U);
}

TEST(Flags, PathsAreCounted) {
  EXPECT_THAT(Refusal({}), HasSubstr("A is missing (first)"));
  const Command none = {.name = "none"};
  const std::vector<std::string> words = {"extra"};
  EXPECT_THROW(ParseArguments(none, words), Error);
}

TEST(Flags, OneThatTheTableLacksIsNotGivenAndTheAskingIsRecorded) {
  const ParsedArguments arguments = Parse({"x", "--alpha", "1"});
  EXPECT_FALSE(arguments.Has("sha256"));
  EXPECT_EQ(arguments.Path("vae"), std::nullopt);
  EXPECT_FALSE(arguments.Knows("vae"));
  EXPECT_THAT(arguments.asked(), ElementsAre("sha256", "vae"));
}

TEST(Commands, HaveTablesThatAreWhole) {
  std::set<std::string_view> names;
  for (const Command* command : Commands()) {
    SCOPED_TRACE(command->name);
    EXPECT_TRUE(names.insert(command->name).second);
    EXPECT_NE(command->run, nullptr);
    EXPECT_FALSE(command->summary.empty() || command->summary.ends_with('.'));
    EXPECT_THAT(command->doc, HasSubstr("."));
    EXPECT_FALSE(command->examples.empty());
    std::set<std::string_view> flags;
    std::set<char> letters;
    std::vector<Flag> all(command->flags.begin(), command->flags.end());
    all.insert(all.end(), CommonFlags().begin(), CommonFlags().end());
    for (const Flag& flag : all) {
      SCOPED_TRACE(flag.name);
      EXPECT_TRUE(flags.insert(flag.name).second) << "twice";
      EXPECT_TRUE(flag.letter == 0 || letters.insert(flag.letter).second) << flag.letter;
      EXPECT_FALSE(flag.doc.empty() || flag.doc.ends_with('.'));
      EXPECT_EQ(flag.kind == ValueKind::kNone, flag.value.empty());
    }
    for (const Positional& positional : command->positionals) {
      EXPECT_TRUE(!positional.repeatable || &positional == &command->positionals.back());
      EXPECT_FALSE(positional.doc.empty() || positional.doc.ends_with('.'));
    }
    for (const Example& example : command->examples) {
      EXPECT_THAT(example.line, HasSubstr("weightsmith"));
    }
  }
}

}  // namespace
}  // namespace weightsmith::internal
