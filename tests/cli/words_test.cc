#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cli/render/plan_words.h"
#include "cli/render/report_words.h"
#include "core/base/json-inl.h"
#include "recipes/jobs/report_json.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Combination(std::vector<double> coefficients) {
  return FormatCombination(coefficients, {"a", "b", "c"});
}

TEST(FormatCombination, ReadsAsPeopleWriteIt) {
  EXPECT_EQ(Combination({0.7, 0.3, 0}), "0.70·a + 0.30·b");
  EXPECT_EQ(Combination({1, 0.5, -0.5}), "a + 0.50·b - 0.50·c");
  EXPECT_EQ(Combination({-1, 0, 0}), "-a");
  EXPECT_EQ(Combination({0, 1, 0}), "b");
  EXPECT_EQ(Combination({0, 0, 0}), "0");
  EXPECT_EQ(Combination({0.125, 0.875, 0}), "0.125·a + 0.875·b");
}

TEST(FormatCombination, HidesTheRoundingOfSinglePrecision) {
  EXPECT_EQ(Combination({0.699999988079071, 0.300000011920929, 0}), "0.70·a + 0.30·b");
}

TEST(FormatCombination, KeepsATinyWeight) {
  EXPECT_EQ(Combination({1, 1.5e-9, 0}), "a + 1.5e-09·b");
}

TEST(FormatRanges, SaysTheLeastAndTheMostOfEach) {
  EXPECT_EQ(FormatRanges({0.5, 0, 0}, {1, 0.5, 0}, {"a", "b", "c"}),
            "(0.50 to 1.00)·a + (0 to 0.50)·b, by tensor");
  EXPECT_EQ(FormatRanges({1, -0.5, 0}, {1, 0.5, 0}, {"a", "b", "c"}),
            "a + (-0.50 to 0.50)·b, by tensor");
}

Plan TwoModels() {
  Plan plan;
  plan.models.resize(2);
  plan.models[0].name = "photo";
  plan.models[1].name = "anime";
  plan.model_keys.resize(2);
  plan.outputs.resize(1);
  plan.outputs[0].spec.path = "out.safetensors";
  return plan;
}

ComponentCoefficients Component(std::string name, std::vector<double> coefficients) {
  ComponentCoefficients component;
  component.component = std::move(name);
  component.coefficients = std::move(coefficients);
  return component;
}

TEST(ResultLines, AreOneWhereAllComponentsAreAlike) {
  Plan plan = TwoModels();
  plan.coefficients = {{Component("unet", {0.7, 0.3}), Component("clip_l", {0.7, 0.3})}};
  EXPECT_THAT(ResultLines(plan, 0), ElementsAre("result = 0.70·photo + 0.30·anime"));
}

TEST(ResultLines, NameTheComponentsWhereTheyDiffer) {
  Plan plan = TwoModels();
  plan.coefficients = {{Component("unet", {0.7, 0.3}), Component("vae", {1, 0}),
                        Component("clip_l", {0.7, 0.3}), Component("other", {0, 0})}};
  plan.coefficients[0][3].linear = false;
  EXPECT_THAT(ResultLines(plan, 0), ElementsAre("unet, clip_l = 0.70·photo + 0.30·anime",
                                                "vae = photo", "other = not a sum of its inputs"));
}

TEST(FormatEffect, TellsShareAndRelativeNorm) {
  EXPECT_EQ(FormatEffect({1000, 987, 4, 400}), "98.7 % of elements changed, relative change 0.1");
  EXPECT_EQ(FormatEffect({1000, 1000, 0, 0}), "100 % of elements changed");
  EXPECT_EQ(FormatEffect({1000, 1000, -NAN, 400}), "100 % of elements changed");
}

TEST(FormatEffect, AlmostAllIsNotAllAndAlmostNothingIsNotNothing) {
  EXPECT_EQ(FormatEffect({1'000'000, 999'999, 0, 0}), "over 99.9 % of elements changed");
  EXPECT_EQ(FormatEffect({1'000'000, 1, 0, 0}), "under 0.1 % of elements changed");
  EXPECT_EQ(FormatEffect({1'000'000, 0, 0, 0}), "0 % of elements changed");
}

Report OneStep() {
  Report report;
  report.inputs = {{"photo", "p.safetensors", Digest{}, 10, 9}};
  report.steps = {{"mix", "weighted_sum", std::nullopt, 8, 7, {100, 50, 1, 4}}};
  report.outputs = {{"out.safetensors", 2'130'000'000, 10, 3, std::nullopt, std::nullopt}};
  report.tensors = {{"w", "unet", false, 100, {{"mix", {100, 50, 1, 4}}}, 0}};
  report.bytes_read = 4'000'000'000;
  report.bytes_written = 2'000'000'000;
  report.seconds = 2;
  return report;
}

/// What a step found in two components.
Report WithFindings() {
  Report report = OneStep();
  report.steps[0].findings = {
      {"unet", "kept", "photo", Unit::kShare, 3, 0.183, 0.2, 0.21},
      {"unet", "sign conflicts", "", Unit::kShare, 3, 0.34, 0.34, 0.34},
      {"unet", "angle", "", Unit::kDegrees, 3, 0.44, 3.14, 9.8},
      {"vae", "rank", "", Unit::kCount, 1, 48, 48, 48, 320.0},
      {"vae", "ratio", "", Unit::kNumber, 2, 0.5, 0.7123, 0.9},
  };
  return report;
}

TEST(ReportWords, TellWhatMethodsFoundByComponent) {
  const std::string words = ReportWords(TwoModels(), WithFindings());
  EXPECT_THAT(words, HasSubstr("unet: kept 20.0 % (18.3 % to 21.0 %) of photo, sign conflicts "
                               "34.0 %, angle 3.1° (0.4° to 9.8°)\n"));
  EXPECT_THAT(words, HasSubstr("vae: rank 48 of 320, ratio 0.712 (0.5 to 0.9)\n"));
}

TEST(SampleWords, AreThoseOfStepsThatFoundSomething) {
  EXPECT_EQ(SampleWords(OneStep()), "");
  const std::string words = SampleWords(WithFindings());
  EXPECT_TRUE(words.starts_with("In a sample:\n  mix (weighted_sum)  unet: kept"));
}

TEST(ReportWords, TellInputsStepsAndOutputs) {
  Plan plan = TwoModels();
  plan.model_keys[0] = {};
  plan.model_keys[0].matched = 10;
  plan.model_keys[0].used = 9;
  const std::string words = ReportWords(plan, OneStep());
  EXPECT_THAT(words, HasSubstr("photo  10 tensors matched, 0 unmatched, 9 used"));
  EXPECT_THAT(words, HasSubstr("mix (weighted_sum)"));
  EXPECT_THAT(words, HasSubstr("7 of 8 tensors changed, 50.0 % of elements"));
  EXPECT_THAT(words, HasSubstr("2.13 GB, 10 tensors (3 copied)"));
  EXPECT_EQ(ThroughputWords(OneStep()),
            "read 4.00 GB, wrote 2.00 GB in 2.00 s, 1.00 GB/s of output");
}

TEST(ReportJson, HasNumbersInFull) {
  const Json json = Json::parse(ReportJson(TwoModels(), OneStep()));
  EXPECT_EQ(json["steps"][0]["relative_change"], 0.5);
  EXPECT_EQ(json["steps"][0]["elements_changed"], 50);
  EXPECT_EQ(json["tensors"][0]["effects"]["mix"]["change_norm"], 1.0);
  EXPECT_EQ(json["outputs"][0]["bytes"], 2'130'000'000);
  EXPECT_FALSE(json["outputs"][0].contains("sha256"));
}

}  // namespace
}  // namespace weightsmith::internal
