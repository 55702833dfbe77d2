#include "merge/run/memory_destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/formats/safetensors/header.h"
#include "core/io/memory_source.h"
#include "core/model/anatomy.h"
#include "merge/run/executor.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<const Checkpoint> InMemory(
    const std::vector<std::pair<std::string, std::vector<float>>>& tensors) {
  std::vector<CheckpointTensor> stored;
  std::vector<std::shared_ptr<const ByteSource>> files;
  for (const auto& [name, values] : tensors) {
    const auto owned = std::make_shared<std::vector<float>>(values);
    stored.push_back({.name = name,
                      .info = {DType::kF32, {values.size()}},
                      .file = static_cast<std::uint32_t>(files.size())});
    files.push_back(
        std::make_shared<MemorySource>("memory", std::as_bytes(std::span(*owned)), owned));
  }
  return Checkpoint::OfTensors(std::move(stored), "memory", std::move(files));
}

std::vector<float> ValuesOf(const Checkpoint& checkpoint, const std::string& name) {
  const std::vector<std::byte> bytes = checkpoint.Read(*checkpoint.Find(name));
  std::vector<float> values(bytes.size() / sizeof(float));
  std::ranges::copy(bytes, std::as_writable_bytes(std::span(values)).begin());
  return values;
}

// Models in memory, of two tensors and one without elements, blended half and half.
class InMemoryTest : public ::testing::Test {
 protected:
  Plan Half(const std::filesystem::path& output) const {
    Expression expression;
    const auto a = InMemory({{"v", {1, 2}}, {"w", {1, 2, 3, 4}}, {"none", {}}});
    const auto b = InMemory({{"v", {3, 4}}, {"w", {3, 6, 5, 8}}, {"none", {}}});
    for (const auto& [name, checkpoint] : {std::pair("a", a), std::pair("b", b)}) {
      Model model;
      model.name = name;
      model.parts.push_back({checkpoint, Examine(*checkpoint), std::nullopt});
      expression.models.push_back(std::move(model));
    }
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
    OutputSpec spec;
    spec.root = 2;
    spec.path = output;
    return MakePlan(expression, {spec});
  }

  Scratch scratch_;
};

TEST_F(InMemoryTest, ComputesEveryTensorWithoutAFile) {
  const auto result = RunInMemory(Half(scratch_ / "out.safetensors"), {});
  ASSERT_EQ(result->tensors().size(), 3U);
  EXPECT_THAT(ValuesOf(*result, "v"), ElementsAre(2, 3));
  EXPECT_THAT(ValuesOf(*result, "w"), ElementsAre(2, 4, 4, 6));
  EXPECT_THAT(ValuesOf(*result, "none"), ElementsAre());
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.folder()));
}

TEST_F(InMemoryTest, WritesModelsOfMemoryToAFile) {
  const std::filesystem::path path = scratch_ / "out.safetensors";
  internal::Run(Half(path), {});
  EXPECT_THAT(ValuesOf(*Checkpoint::Open(path), "w"), ElementsAre(2, 4, 4, 6));
}

TEST_F(InMemoryTest, AStepWithoutEffectIsAnErrorAsInARun) {
  Expression expression;
  const auto a = InMemory({{"w", {1, 2}}});
  for (const char* const name : {"a", "b"}) {
    Model model;
    model.name = name;
    model.parts.push_back({a, Examine(*a), std::nullopt});
    expression.models.push_back(std::move(model));
  }
  expression.nodes.resize(3);
  for (std::uint32_t i = 0; i < 2; ++i) expression.nodes[i].model = i;
  expression.nodes[2].name = "mix";
  expression.nodes[2].op = FindOperator("weighted_sum");
  expression.nodes[2].operands = {0, 1};
  expression.nodes[2].parameters = {Weights(0.5)};
  OutputSpec spec;
  spec.root = 2;
  spec.path = "out";
  const Plan plan = MakePlan(expression, {spec});
  try {
    RunInMemory(plan, {});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNoEffect);
  }
}

TEST_F(InMemoryTest, AnInterruptedRunLeavesNothingWhereThatIsAskedFor) {
  RunOptions options;
  options.keep_partial = false;
  options.progress = [](const Progress&) { return false; };
  EXPECT_THROW(internal::Run(Half(scratch_ / "out.safetensors"), options), Error);
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.folder()));
}

}  // namespace
}  // namespace weightsmith::internal
