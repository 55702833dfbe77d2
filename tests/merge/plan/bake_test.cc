#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "merge/adapters/adapter.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kSize = 96;
constexpr int kBlocks = 24;

// Square weights of kBlocks layers, and an adapter of rank 1 for each: what it adds to an element
// is the product of its row, its column and its layer.
class BakeTest : public ::testing::Test {
 protected:
  Model Take(const std::string& name, const Tensors& tensors) {
    const auto checkpoint = Checkpoint::Open(maker_.Write(name, DType::kF32, tensors));
    Model model{name, {}};
    model.parts.push_back({checkpoint, Examine(*checkpoint), std::nullopt});
    return model;
  }

  Plan Baked(double strength) {
    std::vector<double> ascending(kSize);
    for (std::uint64_t i = 0; i < kSize; ++i) ascending[i] = static_cast<double>(i);
    Tensors base;
    Tensors lora;
    for (int block = 0; block < kBlocks; ++block) {
      const std::string layer = fmt::format("blocks.{}.q", block);
      const std::string module = "diffusion_model." + layer;
      std::vector<double>& up = lora[module + ".lora_B.weight"] = ascending;
      for (double& value : up) value *= block;
      lora[module + ".lora_A.weight"] = ascending;
      base[layer + ".weight"] = std::vector<double>(kSize * kSize, block);
      maker_.shapes[module + ".lora_A.weight"] = {1, kSize};
      maker_.shapes[module + ".lora_B.weight"] = {kSize, 1};
      maker_.shapes[layer + ".weight"] = {kSize, kSize};
    }
    Expression& expression = maker_.expression;
    expression.models = {Take("base", base), Take("lora", lora)};
    Model& adapter = expression.models[1];
    adapter.adapter =
        std::make_shared<const Adapter>(ReadAdapter(*adapter.parts.front().checkpoint));
    expression.nodes.resize(3);
    for (std::uint32_t i = 0; i < 2; ++i) {
      expression.nodes[i].name = expression.models[i].name;
      expression.nodes[i].model = i;
    }
    expression.nodes[1].kind = Kind::kDelta;
    Node& step = expression.nodes[2];
    step.name = "baked";
    step.op = FindOperator("bake");
    step.operands = {0};
    step.list = {1};
    step.weights = {Weights(strength)};
    return maker_.MakePlanOf(2);
  }

  ModelMaker maker_;
};

TEST_F(BakeTest, AddsTheProductToEveryLayerWhateverTheThreads) {
  const Plan plan = Baked(0.5);
  for (const int threads : {1, 2, 5}) {
    RunOptions options;
    options.threads = threads;
    options.overwrite = true;
    const Report report = internal::Run(plan, options);
    EXPECT_EQ(report.applied.size(), kBlocks);
    for (int block = 0; block < kBlocks; ++block) {
      const std::vector<double> values =
          ModelMaker::ReadTensor(maker_.Out(), fmt::format("blocks.{}.q.weight", block));
      for (std::uint64_t i = 0; i < values.size(); ++i) {
        const auto row = static_cast<double>(i / kSize);
        const auto column = static_cast<double>(i % kSize);
        ASSERT_EQ(values[i], block + 0.5 * block * row * column) << block << ' ' << i;
      }
    }
  }
}

TEST_F(BakeTest, TellsTheDigestOfTheAdapterAsReadingItAgainDoes) {
  const Plan plan = Baked(1);
  const Report run = internal::Run(plan, {});
  const Report again = MakeReport(plan, Recompute(plan, {}), false);
  ASSERT_TRUE(run.inputs[1].digest);
  EXPECT_EQ(run.inputs[1].digest, again.inputs[1].digest);
  EXPECT_EQ(run.inputs[1].tensors_read, 2 * kBlocks);
}

TEST_F(BakeTest, RefusesWhatDoesNotFitTheDtype) {
  EXPECT_THROW(internal::Run(Baked(1e35), {}), Error);
}

TEST_F(BakeTest, TellsWhatItsModulesChanged) {
  const Report report = internal::Run(Baked(1), {});
  ASSERT_EQ(report.applied.size(), kBlocks);
  std::uint64_t changed = 0;
  for (const Effect& effect : report.applied) changed += effect.changed;
  // Row 0, column 0 and layer 0 add nothing.
  EXPECT_EQ(changed, (kBlocks - 1) * (kSize - 1) * (kSize - 1));
}

}  // namespace
}  // namespace weightsmith::internal
