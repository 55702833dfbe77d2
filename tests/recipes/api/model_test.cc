#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <weightsmith/weightsmith.h>

#include <atomic>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/core/caught.h"
#include "tests/core/scratch.h"
#include "tests/merge/model_maker.h"

namespace weightsmith {
namespace {

using internal::Caught;
using internal::Slurp;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// Two models of two tensors: a has ones and b has threes.
class ModelApi : public ::testing::Test {
 protected:
  Model Made(const std::string& name, double value) const {
    return Model::Open(maker_.Write(
        name, DType::kF32, {{"layer.weight", {value, value, value, value}}, {"out", {value}}}));
  }
  std::filesystem::path File(const char* name) const { return maker_.scratch / name; }

  internal::ModelMaker maker_;
  Model a_ = Made("a", 1);
  Model b_ = Made("b", 3);
  Model mix_ = Apply("weighted_sum", {a_, b_}, {{"alpha", 0.25}});
};

TEST_F(ModelApi, ReadsOneTensorAsItIsSaved) {
  mix_.Save(File("mix.safetensors"));
  const Checkpoint saved = Checkpoint::Open(File("mix.safetensors"));
  const Checkpoint computed = mix_.Compute({.threads = 2});
  EXPECT_THAT(mix_.names(), ElementsAre("layer.weight", "out"));
  EXPECT_EQ(saved.names(), mix_.names());
  for (const std::string& name : mix_.names()) {
    EXPECT_EQ(mix_[name].info(), saved[name].info());
    EXPECT_EQ(mix_[name].Read(), saved[name].Read());
    EXPECT_EQ(computed[name].Read(), saved[name].Read());
  }
  EXPECT_THAT(mix_["layer.weight"].Floats(), ElementsAre(1.5F, 1.5F, 1.5F, 1.5F));
  EXPECT_TRUE(mix_.Contains("out"));
  EXPECT_FALSE(mix_.Contains("outer"));
}

TEST_F(ModelApi, TakesWeightsByPlaceAndLists) {
  const Model placed =
      Apply("weighted_sum", {a_, b_}, {{"alpha", ByPlace{{"default", 0.5}, {"/^out/", 1}}}});
  EXPECT_THAT(placed["layer.weight"].Floats(), ::testing::Each(2.0F));
  EXPECT_THAT(placed["out"].Floats(), ElementsAre(3.0F));
  const Model sum = Apply({.op = "linear", .list = {{a_, 0.5}, {b_, 2}}});
  EXPECT_THAT(sum["out"].Floats(), ElementsAre(6.5F));
  EXPECT_THAT(Apply("average", {a_, b_})["out"].Floats(), ElementsAre(2.0F));
}

TEST_F(ModelApi, IsAnOperandOfOthers) {
  const Model both = Apply("weighted_sum", {mix_, b_}, {{"alpha", 0.5}});
  EXPECT_THAT(both["out"].Floats(), ElementsAre(2.25F));
  const Model computed = Apply("weighted_sum", {Model::Of(mix_.Compute()), b_}, {{"alpha", 0.5}});
  EXPECT_THAT(computed["out"].Floats(), ElementsAre(2.25F));
  const Error error = Caught([&] { static_cast<void>(computed.ToRecipe()); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("tensors in memory"));
}

TEST_F(ModelApi, IsMadeOfTensorsInMemory) {
  const std::vector<float> values{5, 5, 5, 5};
  const std::vector<float> one{7};
  const Shape four{4};
  const Shape single{1};
  const Model held = Model::Of(Checkpoint::OfTensors(
      {{"layer.weight", {DType::kF32, four, std::as_bytes(std::span(values))}},
       {"out", {DType::kF32, single, std::as_bytes(std::span(one))}}}));
  const Model mixed = Apply("weighted_sum", {held, a_}, {{"alpha", 0.5}});
  EXPECT_THAT(mixed["layer.weight"].Floats(), ::testing::Each(3.0F));
  EXPECT_THAT(mixed["out"].Floats(), ElementsAre(4.0F));
  held.Save(File("held.safetensors"), {.private_metadata = true});
  EXPECT_EQ(Checkpoint::Open(File("held.safetensors"))["layer.weight"].Floats(), values);
  const Error error = Caught([&] {
    static_cast<void>(
        Checkpoint::OfTensors({{"w", {DType::kF32, four, std::as_bytes(std::span(one))}}}));
  });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_STREQ(error.what(), "tensor 'w': F32 of shape [4] does not take 4 bytes");
}

TEST_F(ModelApi, IsWrittenAsARecipeThatMakesTheSame) {
  mix_.Save(File("saved.safetensors"), {.private_metadata = true});
  const Recipe recipe = Recipe::Parse(
      mix_.ToRecipe(), {}, {.output = File("merged.safetensors"), .private_metadata = true});
  EXPECT_THAT(recipe.warnings(), ElementsAre());
  recipe.Run();
  EXPECT_EQ(Slurp(File("saved.safetensors")), Slurp(File("merged.safetensors")));
}

TEST_F(ModelApi, IsPlannedFromHeaders) {
  const Plan plan = mix_.Plan();
  EXPECT_EQ(plan.weightsmith, Version());
  ASSERT_EQ(plan.models.size(), 2);
  EXPECT_EQ(plan.models[1].tensors_matched, 2);
  EXPECT_EQ(plan.tensors, 2);
  EXPECT_EQ(plan.bytes_to_read, 2 * 5 * sizeof(float));
  ASSERT_EQ(plan.outputs.size(), 1);
  ASSERT_EQ(plan.outputs[0].result.size(), 1);
  EXPECT_THAT(plan.outputs[0].result[0].coefficients,
              UnorderedElementsAre(Pair("a", 0.75), Pair("b", 0.25)));
}

TEST_F(ModelApi, ReportsWhatItsRunDid) {
  const Report report = mix_.Save(File("mix.safetensors"), {.dtype = DType::kF16},
                                  {.sha256 = true, .by_tensor = true});
  ASSERT_EQ(report.steps.size(), 1);
  EXPECT_EQ(report.steps[0].op, "weighted_sum");
  EXPECT_EQ(report.steps[0].elements_changed, 5);
  EXPECT_DOUBLE_EQ(report.steps[0].relative_change.value(), 0.5);
  ASSERT_EQ(report.inputs.size(), 2);
  EXPECT_EQ(report.inputs[0].tensors_read, 2);
  EXPECT_THAT(report.inputs[0].steps, ElementsAre("weighted_sum"));
  ASSERT_EQ(report.outputs.size(), 1);
  EXPECT_EQ(report.outputs[0].path, File("mix.safetensors"));
  EXPECT_EQ(report.outputs[0].bytes, std::filesystem::file_size(File("mix.safetensors")));
  EXPECT_EQ(report.outputs[0].sha256.value().size(), 64);
  ASSERT_EQ(report.tensors.size(), 2);
  EXPECT_EQ(report.tensors[0].effects.at("weighted_sum").elements_changed,
            report.tensors[0].elements);
  EXPECT_EQ(Checkpoint::Open(File("mix.safetensors"))["out"].dtype(), DType::kF16);
}

TEST_F(ModelApi, TakesComponentsFromOthersAndMetadata) {
  mix_.Save(File("mix.safetensors"), {.metadata = {{"title", "Mix"}}});
  EXPECT_THAT(Checkpoint::Open(File("mix.safetensors")).metadata(),
              Contains(Pair("modelspec.title", "Mix")));
  const Error error = Caught([&] {
    mix_.Save(File("other.safetensors"), {.components = {{"vae", b_}}});
  });
  EXPECT_EQ(error.code(), ErrorCode::kMismatch);
}

TEST_F(ModelApi, RefusesWhatMakesNoSenseWhenItIsApplied) {
  const Error op = Caught([&] { static_cast<void>(Apply("weighted_sun", {a_, b_})); });
  EXPECT_EQ(op.code(), ErrorCode::kUsage);
  EXPECT_THAT(op.what(), HasSubstr("Did you mean 'weighted_sum'?"));
  const Error count = Caught([&] { static_cast<void>(Apply("weighted_sum", {a_})); });
  EXPECT_THAT(count.what(), HasSubstr("weighted_sum takes 2 operands, and 1 are given"));
  const Error parameter = Caught([&] {
    static_cast<void>(Apply("weighted_sum", {a_, b_}, {{"alhpa", 1}}));
  });
  EXPECT_THAT(parameter.what(), HasSubstr("Did you mean 'alpha'?"));
  const Error list = Caught([&] {
    static_cast<void>(Apply({.op = "weighted_sum", .operands = {a_, b_}, .list = {a_}}));
  });
  EXPECT_THAT(list.what(), HasSubstr("no list"));
}

TEST_F(ModelApi, RefusesValuesWhenItIsPlanned) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Model never = Apply("weighted_sum", {a_, b_}, {{"alpha", nan}});
  EXPECT_THAT(Caught([&] { static_cast<void>(never.Plan()); }).what(),
              HasSubstr("weighted_sum: alpha is nan"));
  const Model word = Apply("weighted_sum", {a_, b_}, {{"alpha", "NO_SUCH_PRESET"}});
  try {
    static_cast<void>(word.names());
    FAIL() << "a preset that there is not";
  } catch (const RecipeError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    ASSERT_EQ(error.problems().size(), 1);
    EXPECT_EQ(error.problems()[0].file, "");
    EXPECT_THAT(error.problems()[0].message, HasSubstr("NO_SUCH_PRESET"));
  }
}

TEST_F(ModelApi, SaysWhichOptionWouldHelp) {
  mix_.Save(File("mix.safetensors"));
  const Error error = Caught([&] { mix_.Save(File("mix.safetensors")); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("mix.safetensors"));
  EXPECT_THAT(error.options(), ElementsAre(Option::kOverwrite));
  EXPECT_EQ(NameOf(Option::kOverwrite), "RunOptions::overwrite");
  mix_.Save(File("mix.safetensors"), {}, {.overwrite = true});
}

TEST_F(ModelApi, RefusesWhatHasNoEffectUnlessItMay) {
  const Model same = Apply("weighted_sum", {a_, Made("c", 1)}, {{"alpha", 0.5}});
  const Error error = Caught([&] { same.Save(File("same.safetensors")); });
  EXPECT_EQ(error.code(), ErrorCode::kNoEffect);
  EXPECT_FALSE(std::filesystem::exists(File("same.safetensors")));
  same.With({{"effect", "any"}}).Save(File("same.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(File("same.safetensors")));
}

TEST_F(ModelApi, TellsItsProgress) {
  std::vector<Progress> told;
  mix_.Save(File("mix.safetensors"), {}, {.progress = [&](const Progress& progress) {
              told.push_back(progress);
              return true;
            }});
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().phase, "merging");
  EXPECT_EQ(told.back().bytes_done, told.back().bytes_total);
  EXPECT_GT(told.back().bytes_total, 0);
}

TEST_F(ModelApi, IsStoppedByItsCaller) {
  const auto file = File("mix.safetensors");
  const std::atomic<bool> cancel = true;
  EXPECT_EQ(Caught([&] { mix_.Save(file, {}, {.cancel = &cancel}); }).code(),
            ErrorCode::kInterrupted);
  const auto stop = [](const Progress&) { return false; };
  EXPECT_EQ(Caught([&] { mix_.Save(file, {}, {.progress = stop}); }).code(),
            ErrorCode::kInterrupted);
  const auto fail = [](const Progress&) -> bool { throw std::runtime_error("enough"); };
  EXPECT_THROW(mix_.Save(file, {}, {.progress = fail}), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(Caught([&] { mix_.Save(file, {}, {.threads = -1}); }).code(), ErrorCode::kUsage);
}

TEST_F(ModelApi, BakesWhatIsAnAdapterOnly) {
  const Model baked = a_.Bake(File("b.safetensors"), 0.5);
  const Error error = Caught([&] { static_cast<void>(baked.Plan()); });
  EXPECT_EQ(error.code(), ErrorCode::kInput);
  EXPECT_EQ(Caught([&] { static_cast<void>(a_.Bake(std::vector<Adapter>())); }).code(),
            ErrorCode::kUsage);
  const Adapter listed{.path = "x", .strength = Value::List{1, 2}, .te_strength = 0.5};
  EXPECT_EQ(Caught([&] { static_cast<void>(a_.Bake({listed})); }).code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace weightsmith
