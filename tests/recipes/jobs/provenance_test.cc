#include "recipes/jobs/provenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "recipes/jobs/input_finder.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Provenance, IsEmptyWhereNothingIsRecorded) {
  EXPECT_FALSE(ReadProvenance(std::nullopt).recipe.has_value());
  EXPECT_FALSE(ReadProvenance(Metadata{{"format", "pt"}}).output_digest.has_value());
}

TEST(Provenance, ReadsRecipeInputsAndDigest) {
  const std::string digest = "b716220b01709c3114b52ab3a1dc04f9";
  const Provenance provenance = ReadProvenance(Metadata{
      {"weightsmith.recipe", "weightsmith: 1"},
      {"weightsmith.inputs", R"([{"name": "a", "component": "vae", "file": "a.safetensors", )"
                             R"("size": 7, "digest": ")" +
                                 digest + R"("}])"},
      {"weightsmith.digest", digest}});
  EXPECT_EQ(provenance.recipe, "weightsmith: 1");
  ASSERT_EQ(provenance.inputs.size(), 1U);
  EXPECT_EQ(provenance.inputs[0].component, "vae");
  EXPECT_EQ(provenance.inputs[0].size, 7U);
  EXPECT_EQ(provenance.inputs[0].digest, digest);
  EXPECT_EQ(provenance.output_digest, digest);
}

TEST(Provenance, ZerosAreNoDigest) {
  const Provenance provenance =
      ReadProvenance(Metadata{{"weightsmith.digest", std::string(32, '0')}});
  EXPECT_FALSE(provenance.output_digest.has_value());
}

TEST(Provenance, InputsThatCannotBeReadAreAnError) {
  EXPECT_THROW(ReadProvenance(Metadata{{"weightsmith.recipe", "x"}, {"weightsmith.inputs", "[{"}}),
               Error);
  EXPECT_THROW(ReadProvenance(Metadata{{"weightsmith.recipe", "x"}, {"weightsmith.inputs", "[1]"}}),
               Error);
}

RecordedInput InputOfSize(std::string file, std::uint64_t size) {
  return {"a", "", std::move(file), size, std::nullopt, std::nullopt};
}

TEST(InputFinder, FindsBySizeAndPrefersTheName) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "deep");
  scratch.Make("other.safetensors", "12345678");
  scratch.Make("deep/a.safetensors", "abcdefgh");
  scratch.Make("short.safetensors", "1");
  InputFinder finder({scratch.folder()}, {});
  EXPECT_THAT(finder.Candidates(InputOfSize("a.safetensors", 8)),
              ElementsAre(scratch / "deep/a.safetensors", scratch / "other.safetensors"));
}

TEST(InputFinder, TakesWhatIsNamed) {
  const Scratch scratch;
  scratch.Make("a.safetensors", "12345678");
  const InputFinder finder({scratch.folder()}, {{"a", "elsewhere.safetensors"}});
  EXPECT_EQ(finder.Named(InputOfSize("a.safetensors", 8)), "elsewhere.safetensors");
}

TEST(InputFinder, SaysWhereItLooked) {
  const Scratch scratch;
  InputFinder finder({scratch.folder(), "no/such/folder"}, {});
  const RecordedInput input = InputOfSize("a.safetensors", 2'130'000'000);
  EXPECT_TRUE(finder.Candidates(input).empty());
  const Error error = finder.NotFound(input, {});
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_THAT(error.what(), HasSubstr("'a.safetensors', 2.13 GB"));
  EXPECT_THAT(error.what(), HasSubstr("no/such/folder"));
  EXPECT_THAT(error.options(), Contains(Option::kModelPath));
}

}  // namespace
}  // namespace weightsmith::internal
