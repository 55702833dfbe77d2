// convert, split and assemble are recipes of one `copy` step: what these say, and that they make
// the same files when they are read as text.
#include "recipes/jobs/rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/error.h"
#include "core/synth/synth.h"
#include "merge/run/executor.h"
#include "recipes/jobs/assemble.h"
#include "recipes/jobs/convert.h"
#include "recipes/jobs/plan_recipe.h"
#include "recipes/jobs/split.h"
#include "recipes/show.h"
#include "tests/core/caught.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Bytes of every file below a folder, by its path there.
std::map<std::string, std::string> FilesBelow(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().lexically_relative(folder).string()] = Slurp(entry.path());
  }
  return files;
}

class Rewriting : public ::testing::Test {
 protected:
  Rewriting() {
    Synthesise({.name = "sdxl", .scale = "tiny", .seed = 3, .layout = SynthLayout::kMonolithic},
               model_);
  }

  /// The recipe as text, without the test's own folder.
  std::string Shown(const RewriteJob& job) const {
    Recipe recipe = job.recipe;
    recipe.folder = scratch_.folder();
    return ShowRecipe(recipe);
  }

  /// Runs the job, and its recipe as it reads as text, whose paths begin at another folder: the
  /// files of the two.
  void ExpectSameFiles(const RewriteJob& job) const {
    const fs::path made = scratch_ / "made";
    fs::create_directory(made);
    internal::Run(PlanOf(job), {});
    const auto by_job = FilesBelow(made);
    fs::remove_all(made);
    fs::create_directory(made);
    Diagnostics diagnostics;
    const auto recipe =
        ParseRecipe({"recipe.yaml", Shown(job)}, scratch_.folder(), {}, diagnostics);
    ASSERT_TRUE(recipe.has_value()) << Shown(job) << Render(diagnostics.all().front());
    internal::Run(PlanOfRecipe(*recipe, {}, diagnostics), {});
    EXPECT_THAT(diagnostics.all(), IsEmpty());
    EXPECT_FALSE(by_job.empty());
    EXPECT_EQ(by_job, FilesBelow(made)) << Shown(job);
  }

  const Scratch scratch_;
  const fs::path model_ = scratch_ / "model.safetensors";
};

TEST_F(Rewriting, ConvertingIsACopyInAnotherDtype) {
  const RewriteJob job = ConvertJob(
      {.path = model_, .output = scratch_ / "made/half.safetensors", .dtype = DType::kBF16});
  const std::string text = Shown(job);
  EXPECT_THAT(text, HasSubstr("models:\n  model: model.safetensors\n"));
  EXPECT_THAT(text, HasSubstr("steps:\n  copy:\n    op: copy\n    a: model\n"));
  EXPECT_THAT(text, HasSubstr("  - model: copy\n    path: made/half.safetensors\n    dtype: bf16\n"
                              "    metadata: keep\n"));
  EXPECT_THAT(text, HasSubstr("ema: keep"));
  EXPECT_THAT(job.notes, IsEmpty());
  ExpectSameFiles(job);
}

TEST_F(Rewriting, ConvertingToALayout) {
  const RewriteJob job = ConvertJob(
      {.path = model_, .output = scratch_ / "made/pipeline", .layout = OutputLayout::kDiffusers});
  EXPECT_THAT(Shown(job), HasSubstr("layout: diffusers\n"));
  ExpectSameFiles(job);
}

TEST_F(Rewriting, ConvertingChosenComponentsPrunedAndRepaired) {
  const RewriteJob job = ConvertJob({.path = model_,
                                     .output = scratch_ / "made/texts.safetensors",
                                     .components = {"te", "vae"},
                                     .prune = true,
                                     .fix = true});
  EXPECT_THAT(Shown(job),
              HasSubstr("  model: {clip_g: {path: model.safetensors, prune: true, fix: true}, "
                        "clip_l: {path: model.safetensors, prune: true, fix: true}, "
                        "vae: {path: model.safetensors, prune: true, fix: true}}\n"));
  EXPECT_THAT(job.notes, ElementsAre(HasSubstr("tensors of unet"), "there is no damage to repair"));
  ExpectSameFiles(job);
}

TEST_F(Rewriting, SplittingIsACopyByComponent) {
  const RewriteJob job = SplitJob(model_, scratch_ / "made/parts");
  EXPECT_THAT(Shown(job), HasSubstr("    path: made/parts\n    dtype: keep\n    split: true\n"));
  ExpectSameFiles(job);
}

TEST_F(Rewriting, SomeComponentsAreThoseOfTheWhole) {
  const auto parts = [&](const std::vector<std::string>& components) {
    const Scratch scratch;
    internal::Run(PlanOf(SplitJob(model_, scratch / "parts", components)), {});
    return FilesBelow(scratch / "parts");
  };
  const auto all = parts({});
  // Its tensors have other names in the file of their own, which they do not say by themselves.
  const auto one = parts({"clip_g"});
  ASSERT_EQ(one.size(), 1);
  EXPECT_EQ(one.at("clip_g.safetensors"), all.at("clip_g.safetensors"));
  ExpectSameFiles(SplitJob(model_, scratch_ / "made/parts", {"clip_g"}));
}

TEST_F(Rewriting, AssemblingIsACopyOfAModelByComponent) {
  internal::Run(PlanOf(SplitJob(model_, scratch_ / "parts")), {});
  const RewriteJob job = AssembleJob("sdxl",
                                     {{"unet", scratch_ / "parts/unet.safetensors"},
                                      {"te1", scratch_ / "parts/clip_l.safetensors"},
                                      {"te2", scratch_ / "parts/clip_g.safetensors"},
                                      {"vae", scratch_ / "parts/vae.safetensors"}},
                                     scratch_ / "made/whole.safetensors");
  EXPECT_THAT(Shown(job), HasSubstr("model: {like: sdxl, te1: parts/clip_l.safetensors, te2: "
                                    "parts/clip_g.safetensors, unet: parts/unet.safetensors, "
                                    "vae: parts/vae.safetensors}\n"));
  ExpectSameFiles(job);
  internal::Run(PlanOf(job), {.overwrite = true});
  const auto whole = Checkpoint::Open(scratch_ / "made/whole.safetensors");
  const auto model = Checkpoint::Open(model_);
  for (const CheckpointTensor& tensor : model->tensors()) {
    const CheckpointTensor* const again = whole->Find(tensor.name);
    ASSERT_NE(again, nullptr) << tensor.name;
    EXPECT_EQ(whole->Read(*again), model->Read(tensor)) << tensor.name;
  }
}

TEST_F(Rewriting, ErrorsNameTheCommand) {
  const Error error = Caught([&] { AssembleJob("sdlx", {}, scratch_ / "x.safetensors"); });
  EXPECT_STREQ(error.what(), "assemble: there is no architecture 'sdlx'. Did you mean 'sdxl'?");
  EXPECT_THAT(Caught([&] { SplitJob(model_, scratch_ / "p", {"clip_h"}); }).what(),
              HasSubstr("split: the file has no component 'clip_h'."));
}

TEST_F(Rewriting, AssembledModelsOfRecipesNameWhatIsWrong) {
  Synthesise({.name = "clip_l", .scale = "tiny", .seed = 3}, scratch_ / "clip_l.safetensors");
  Diagnostics diagnostics;
  const std::string text = R"(weightsmith: 1
models: {m: {like: sdxl, vae: clip_l.safetensors}}
output: {model: m, path: out.safetensors}
)";
  const auto recipe = ParseRecipe({"recipe.yaml", text}, scratch_.folder(), {}, diagnostics);
  ASSERT_TRUE(recipe.has_value());
  EXPECT_FALSE(Resolve(*recipe, {}, diagnostics).has_value());
  ASSERT_EQ(diagnostics.all().size(), 1);
  EXPECT_THAT(diagnostics.all().front().message, HasSubstr("is not a complete vae"));
  EXPECT_EQ(diagnostics.all().front().place.line, 2);
}

}  // namespace
}  // namespace weightsmith::internal
