#include "merge/run/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/base/error.h"
#include "core/model/anatomy.h"
#include "core/tensor/digest.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

// Two files of one F32 tensor each, blended half and half.
class RecomputeTest : public ::testing::Test {
 protected:
  static std::string Bytes(const std::vector<float>& values) {
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }

  Model MakeModel(const std::string& name, const std::vector<float>& values) const {
    const std::string json =
        R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})" + std::string(6, ' ');
    const auto checkpoint =
        Checkpoint::Open(scratch_.Make(name + ".safetensors", FileOf(json, Bytes(values))));
    Model model;
    model.name = name;
    model.parts.push_back({checkpoint, Examine(*checkpoint), std::nullopt});
    return model;
  }

  Plan Half() const {
    Expression expression;
    expression.models = {MakeModel("a", {1, 2, 3, 4}), MakeModel("b", {3, 6, 5, 8})};
    expression.nodes.resize(3);
    for (std::uint32_t i = 0; i < 2; ++i) {
      expression.nodes[i].name = expression.models[i].name;
      expression.nodes[i].model = i;
    }
    Node& step = expression.nodes[2];
    step.name = "mix";
    step.op = FindOperator("weighted_sum");
    step.operands = {0, 1};
    step.parameters = {Weights(0.5)};
    OutputSpec output;
    output.root = 2;
    output.path = scratch_ / "out.safetensors";
    return MakePlan(expression, {output});
  }

  static Digest DigestOf(const std::vector<float>& values) {
    const std::string bytes = Bytes(values);
    const Digest block = Xxh3(std::as_bytes(std::span(bytes)));
    return TensorDigest({DType::kF32, {4}}, std::vector<Digest>{block});
  }

  Scratch scratch_;
};

TEST_F(RecomputeTest, GivesTheDigestsOfSourcesAndResults) {
  const Plan plan = Half();
  const std::vector<TaskResult> tasks = Recompute(plan, {});
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_THAT(tasks[0].sources,
              ::testing::ElementsAre(DigestOf({1, 2, 3, 4}), DigestOf({3, 6, 5, 8})));
  EXPECT_THAT(tasks[0].products, ::testing::ElementsAre(DigestOf({2, 4, 4, 6})));
}

TEST_F(RecomputeTest, MakesTheReportOfARun) {
  const Plan plan = Half();
  const Report recomputed = MakeReport(plan, Recompute(plan, {}), false);
  const Report run = internal::Run(plan, {});
  ASSERT_TRUE(run.outputs[0].digest.has_value());
  EXPECT_EQ(recomputed.outputs[0].digest, run.outputs[0].digest);
  EXPECT_EQ(recomputed.inputs[1].digest, run.inputs[1].digest);
}

TEST_F(RecomputeTest, WritesNothing) {
  const Plan plan = Half();
  Recompute(plan, {});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch_.folder()), {}), 2);
}

TEST_F(RecomputeTest, EndsWithTheWordOfTheProgressAndWithCancel) {
  const Plan plan = Half();
  RunOptions options;
  options.progress = [](const Progress& progress) {
    EXPECT_EQ(progress.bytes_done, 16U);
    return false;
  };
  EXPECT_THROW(Recompute(plan, options), Error);
  const std::atomic<bool> cancel{true};
  options.progress = {};
  options.cancel = &cancel;
  EXPECT_THROW(Recompute(plan, options), Error);
}

TEST_F(RecomputeTest, AnInputThatIsGoneIsAnError) {
  const Plan plan = Half();
  std::filesystem::remove(scratch_ / "a.safetensors");
  EXPECT_THROW(Recompute(plan, {}), Error);
}

}  // namespace
}  // namespace weightsmith::internal
