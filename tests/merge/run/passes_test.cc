// Operators that need numbers of whole tensors, through the engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "merge/run/executor.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::Each;
using ::testing::Pointwise;

MATCHER(Near, "") {
  return std::abs(std::get<0>(arg) - std::get<1>(arg)) <= 2e-6;
}

class PassesTest : public ::testing::Test {
 protected:
  /// The inputs of mergekit's golden numbers: 12 values each.
  void AddGolden() {
    const auto made = [](double scale, double step, double start) {
      std::vector<double> values(12);
      for (int k = 0; k < 12; ++k) {
        values[k] = std::sin(0.7 * k + 0.1);
        if (scale != 0) values[k] += scale * std::sin(step * k + start);
      }
      return values;
    };
    const auto cosine = [](double step, double start) {
      std::vector<double> values(12);
      for (int k = 0; k < 12; ++k) {
        values[k] = std::sin(0.7 * k + 0.1) + 0.1 * std::cos(step * k + start);
      }
      return values;
    };
    maker.shapes["w"] = {3, 4};
    base = maker.Add("z", DType::kF32, {{"w", made(0, 0, 0)}});
    a = maker.Add("a", DType::kF32, {{"w", cosine(1.3, 0.2)}});
    b = maker.Add("b", DType::kF32, {{"w", made(0.1, 2.1, 0.5)}});
    c = maker.Add("c", DType::kF32, {{"w", cosine(0.9, 1.1)}});
  }

  NodeId ListStep(const std::string& op, std::vector<NodeId> list,
                  const std::vector<double>& weights, const std::vector<double>& parameters) {
    const NodeId step = maker.Step("mix", op, {base}, parameters);
    Node& node = maker.expression.nodes[step];
    node.list = std::move(list);
    for (const double weight : weights) node.weights.emplace_back(weight);
    return step;
  }

  std::vector<double> Result(NodeId step) const {
    internal::Run(maker.MakePlanOf(step), {});
    return ModelMaker::ReadTensor(maker.Out(), "w");
  }

  ModelMaker maker;
  NodeId base = 0;
  NodeId a = 0;
  NodeId b = 0;
  NodeId c = 0;
};

TEST_F(PassesTest, SlerpHasTheGoldenNumbersOfMergekit) {
  AddGolden();
  EXPECT_THAT(Result(maker.Step("mix", "slerp", {a, b}, {0.3, 0})),
              Pointwise(Near(), {0.183090, 0.738911, 0.902920, 0.784302, 0.299163, -0.409178,
                                 -0.912472, -1.015309, -0.608595, 0.187547, 0.800747, 0.945151}));
}

TEST_F(PassesTest, ColumnsOfWideRowsHaveTheirOwnNumbers) {
  // Rows of more than two tiles, which end inside tiles, pieces and blocks.
  constexpr std::size_t kRows = 70;
  constexpr std::size_t kColumns = 2100;
  std::vector<double> x(kRows * kColumns);
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i * i % 1013) / 1013 - 0.5;
    y[i] = x[i] + static_cast<double>(i % 31 * (i % kColumns)) / 65'100 - 0.5;
  }
  maker.shapes["w"] = {kRows, kColumns};
  a = maker.Add("a", DType::kF64, {{"w", x}});
  b = maker.Add("b", DType::kF64, {{"w", y}});
  std::vector<double> expected(x.size());
  for (std::size_t column = 0; column < kColumns; ++column) {
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (std::size_t i = column; i < x.size(); i += kColumns) {
      xx += x[i] * x[i];
      xy += x[i] * y[i];
      yy += y[i] * y[i];
    }
    const double share = std::clamp(xy / std::sqrt(xx * yy) - 0.1, 0.0, 1.0);
    for (std::size_t i = column; i < x.size(); i += kColumns) {
      expected[i] = share * x[i] + (1 - share) * y[i];
    }
  }
  EXPECT_THAT(Result(maker.Step("mix", "cosine_a", {a, b}, {0.1, 1})), Pointwise(Near(), expected));
}

TEST_F(PassesTest, ModelStockHasTheGoldenNumbersOfMergekit) {
  AddGolden();
  const double unset = std::nan("");
  EXPECT_THAT(Result(ListStep("model_stock", {a, b, c}, {}, {0, unset})),
              Pointwise(Near(), {0.119478, 0.719103, 0.967581, 0.799545, 0.250784, -0.435436,
                                 -0.902409, -0.959615, -0.569338, 0.119982, 0.734072, 0.984683}));
}

TEST_F(PassesTest, SlerpOfOppositeModelsIsTheStraightLine) {
  const NodeId x = maker.Add("x", DType::kF32, {{"w", {1, -2, 3}}});
  const NodeId y = maker.Add("y", DType::kF32, {{"w", {-1, 2, -3}}});
  EXPECT_THAT(Result(maker.Step("mix", "slerp", {x, y}, {0.25, 0})),
              Pointwise(Near(), {0.5, -1.0, 1.5}));
}

TEST_F(PassesTest, SlerpOfNothingIsAQuarterOfACircle) {
  const NodeId x = maker.Add("x", DType::kF32, {{"w", {0, 0, 0}}});
  const NodeId y = maker.Add("y", DType::kF32, {{"w", {1, 2, 3}}});
  const double part = std::sin(std::acos(0.0) * 0.5);
  EXPECT_THAT(Result(maker.Step("mix", "slerp", {x, y}, {0.5, 0})),
              Pointwise(Near(), {part, 2 * part, 3 * part}));
}

TEST_F(PassesTest, SlerpThatBlendsLengthsTurnsByTheAngleAlone) {
  const NodeId x = maker.Add("x", DType::kF32, {{"w", {3, 0}}});
  const NodeId y = maker.Add("y", DType::kF32, {{"w", {0, 8}}});
  const double part = 4.25 * std::sin(std::acos(0.0) * 0.75);
  EXPECT_THAT(Result(maker.Step("mix", "slerp", {x, y}, {0.25, 1})),
              Pointwise(Near(), {part, 4.25 * std::sin(std::acos(0.0) * 0.25)}));
}

TEST_F(PassesTest, SlerpThatBlendsLengthsIsTheStraightLineBetweenOpposites) {
  const NodeId x = maker.Add("x", DType::kF32, {{"w", {1, -2, 3}}});
  const NodeId y = maker.Add("y", DType::kF32, {{"w", {-2, 4, -6}}});
  EXPECT_THAT(Result(maker.Step("mix", "slerp", {x, y}, {0.25, 1})),
              Pointwise(Near(), {0.25, -0.5, 0.75}));
}

TEST_F(PassesTest, SlerpThatBlendsLengthsIsTheStraightLineFromNothing) {
  const NodeId x = maker.Add("x", DType::kF32, {{"w", {0, 0, 0}}});
  const NodeId y = maker.Add("y", DType::kF32, {{"w", {-2, 4, -6}}});
  EXPECT_THAT(Result(maker.Step("mix", "slerp", {x, y}, {0.5, 1})),
              Pointwise(Near(), {-1.0, 2.0, -3.0}));
}

TEST_F(PassesTest, NormMatchGivesTheSecondModelTheNormsOfTheFirst) {
  const NodeId x = maker.Add("x", DType::kF32, {{"w", {3, -4, 0}}});
  const NodeId y = maker.Add("y", DType::kF32, {{"w", {6, 0, 8}}});
  EXPECT_THAT(Result(maker.Step("mix", "norm_match", {x, y}, {1.0, 0})),
              Pointwise(Near(), {3.0, 0.0, 4.0}));
}

TEST_F(PassesTest, NormMatchBetweenInterpolatesTheNorm) {
  const NodeId x = maker.Add("x", DType::kF32, {{"w", {3, -4, 0}}});
  const NodeId y = maker.Add("y", DType::kF32, {{"w", {6, 0, 8}}});
  EXPECT_THAT(Result(maker.Step("mix", "norm_match", {x, y}, {0.25, 0})),
              Pointwise(Near(), {5.25, 0.0, 7.0}));
}

TEST_F(PassesTest, NormMatchOfNothingIsNothing) {
  const NodeId x = maker.Add("x", DType::kF32, {{"w", {1, 2, 3}}});
  const NodeId y = maker.Add("y", DType::kF32, {{"w", {0, 0, 0}}});
  EXPECT_THAT(Result(maker.Step("mix", "norm_match", {x, y}, {1.0, 0})),
              Pointwise(Near(), {0.0, 0.0, 0.0}));
}

TEST_F(PassesTest, TiesOfNothingIsTheBase) {
  base = maker.Add("z", DType::kF32, {{"w", {1, 2, 3}}});
  a = maker.Add("a", DType::kF32, {{"w", {5, 6, 7}}});
  b = maker.Add("b", DType::kF32, {{"w", {0, 0, 8}}});
  maker.expression.policies.effect = EffectPolicy::kAny;
  EXPECT_THAT(Result(ListStep("ties", {a, b}, {1, 1}, {0.2, 1, 0, 1, 0, 2, 0})),
              Pointwise(Near(), {1.0, 2.0, 3.0}));
}

TEST_F(PassesTest, LargeTensorsHaveTheSameBytesOnAnyNumberOfThreads) {
  // Blocks, chunks and tiles end inside; one tensor has fewer elements than a tile.
  const auto values = [](std::size_t n, int seed) {
    std::vector<double> all(n);
    for (std::size_t i = 0; i < n; ++i) {
      all[i] = static_cast<double>((static_cast<int>(i) * 37 + seed * 101) % 2001 - 1000) / 1024;
    }
    return all;
  };
  const auto tensors = [&](int seed) {
    return Tensors{{"w", values(1'312'500, seed)},
                   {"x", values(700'000, seed + 1)},
                   {"y", values(5, seed + 2)}};
  };
  base = maker.Add("z", DType::kF16, tensors(1));
  a = maker.Add("a", DType::kF16, tensors(5));
  b = maker.Add("b", DType::kF16, tensors(9));
  const NodeId arc = maker.Step("arc", "slerp", {a, b}, {0.4, 0});
  const NodeId step = ListStep("ties", {arc, b}, {1, 0.5}, {0.3, 1, 0, 1, 0, 2, 0});
  const NodeId crossed = maker.Step("crossed", "crossover", {step, a}, {0.5, 0.25});
  const Plan plan = maker.MakePlanOf(crossed);
  std::vector<std::optional<Digest>> digests;
  for (const int threads : {1, 2, 7}) {
    RunOptions options;
    options.threads = threads;
    options.overwrite = true;
    digests.push_back(internal::Run(plan, options).outputs[0].digest);
  }
  ASSERT_TRUE(digests[0].has_value());
  EXPECT_THAT(digests, Each(digests[0]));
}

TEST_F(PassesTest, ProgressEndsAtTheWhole) {
  AddGolden();
  const Plan plan = maker.MakePlanOf(maker.Step("mix", "slerp", {a, b}, {0.3, 0}));
  RunOptions options;
  std::uint64_t last = 0;
  options.progress = [&](const Progress& progress) {
    EXPECT_GE(progress.bytes_done, last);
    last = progress.bytes_done;
    return true;
  };
  const Report report = internal::Run(plan, options);
  EXPECT_EQ(last, 12 * sizeof(float));
  EXPECT_EQ(report.outputs.size(), 1u);
}

}  // namespace
}  // namespace weightsmith::internal
