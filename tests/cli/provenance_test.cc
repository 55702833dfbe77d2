#include "cli/provenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/input_finder.h"
#include "core/error.h"
#include "tests/core/scratch.h"

namespace weightsmith {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Provenance, IsNothingWhereNoRecipeIsRecorded) {
  EXPECT_FALSE(ReadProvenance(std::nullopt).has_value());
  EXPECT_FALSE(ReadProvenance(Metadata{{"format", "pt"}}).has_value());
}

RecordedInput InputOfSize(std::string file, std::uint64_t size) {
  return {"a", "", std::move(file), size, ""};
}

TEST(InputFinder, FindsBySizeAndPrefersTheName) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "deep");
  scratch.Make("other.safetensors", "12345678");
  scratch.Make("deep/a.safetensors", "abcdefgh");
  scratch.Make("short.safetensors", "1");
  const InputFinder finder({scratch.folder()}, {});
  EXPECT_THAT(finder.Candidates(InputOfSize("a.safetensors", 8)),
              ElementsAre(scratch / "deep/a.safetensors", scratch / "other.safetensors"));
}

TEST(InputFinder, TakesWhatIsNamed) {
  const Scratch scratch;
  scratch.Make("a.safetensors", "12345678");
  const InputFinder finder({scratch.folder()}, {{"a", "elsewhere.safetensors"}});
  EXPECT_THAT(finder.Candidates(InputOfSize("a.safetensors", 8)),
              ElementsAre("elsewhere.safetensors"));
}

TEST(InputFinder, SaysWhereItLooked) {
  const Scratch scratch;
  const InputFinder finder({scratch.folder(), "no/such/folder"}, {});
  try {
    finder.Candidates(InputOfSize("a.safetensors", 2'130'000'000));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.what(), HasSubstr("'a.safetensors', 2.13 GB"));
    EXPECT_THAT(error.what(), HasSubstr("no/such/folder"));
    EXPECT_THAT(error.advice(), HasSubstr("--model a=PATH"));
  }
}

}  // namespace
}  // namespace weightsmith
