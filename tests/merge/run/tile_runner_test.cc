#include "merge/run/tile_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/simd.h"
#include "merge/run/executor.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::Each;

constexpr DType kDTypes[] = {DType::kF16,    DType::kBF16, DType::kF8E4M3,
                             DType::kF8E5M2, DType::kF32,  DType::kF64};

class TileRunnerTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ForceSimdTarget(GetParam());
    maker.shapes["w"] = {1, 41};  // vectors are not stored in 8 bits
    maker.expression.policies.effect = EffectPolicy::kAny;
    maker.expression.policies.non_finite = NonFinitePolicy::kAllow;
  }
  void TearDown() override { ForceSimdTarget(""); }

  /// NaN of both signs in one model, in the other and in both, in whole vectors and a tail.
  NodeId Step(const std::string& op, const std::vector<double>& parameters = {0.3}) {
    std::vector<double> x(41, kNan);
    std::vector<double> y(41, kNan);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (i % 3 == 0) x[i] = 0.5;
      if (i % 3 == 1) y[i] = -0.5;
      if (i % 2 == 0) x[i] = -x[i];
      if (i % 4 < 2) y[i] = -y[i];
    }
    const NodeId a = maker.Add("a", DType::kF32, {{"w", x}});
    const NodeId b = maker.Add("b", DType::kF32, {{"w", y}});
    return maker.Step(op, op, {a, b}, parameters);
  }

  /// The elements of w that another form of NaN than the positive quiet one, or a number, is in.
  std::size_t Others(NodeId root, DType dtype, bool stochastic = false) const {
    OutputSpec output;
    output.root = root;
    output.path = maker.Out();
    output.dtype = PlaceMap<std::optional<StoredAs>>(std::optional<StoredAs>(dtype));
    output.rounding.stochastic = stochastic;
    internal::Run(MakePlan(maker.expression, {output}), {.overwrite = true});
    const auto checkpoint = Checkpoint::Open(maker.Out());
    const CheckpointTensor& tensor = *checkpoint->Find("w");
    EXPECT_EQ(tensor.info.dtype, dtype);
    const std::vector<double> nans(tensor.info.elements(), kNan);
    const auto bytes = checkpoint->Read(tensor);
    std::vector<std::byte> expected(bytes.size());
    Encode(dtype, std::span(nans), expected);
    return CountDifferent(bytes, expected, Info(dtype).bits / 8);
  }

  static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  ModelMaker maker;
};

INSTANTIATE_TEST_SUITE_P(Simd, TileRunnerTest, ::testing::ValuesIn(SimdTargets()),
                         [](const auto& test) { return test.param; });

TEST_P(TileRunnerTest, StoresOneNanForAllThatArithmeticGives) {
  const NodeId sum = Step("weighted_sum");
  for (const DType dtype : kDTypes) EXPECT_EQ(Others(sum, dtype), 0U) << Info(dtype).name;
}

TEST_P(TileRunnerTest, StoresOneNanForWhatPassesGive) {
  const NodeId mix = Step("slerp", {0.3, 0});
  for (const DType dtype : kDTypes) EXPECT_EQ(Others(mix, dtype), 0U) << Info(dtype).name;
}

TEST_P(TileRunnerTest, StoresOneNanInDoublePrecision) {
  maker.expression.policies.precision = Precision::kF64;
  const NodeId sum = Step("weighted_sum");
  for (const DType dtype : kDTypes) EXPECT_EQ(Others(sum, dtype), 0U) << Info(dtype).name;
}

TEST_P(TileRunnerTest, StoresOneNanWhereRoundingIsStochastic) {
  const NodeId sum = Step("weighted_sum");
  for (const DType dtype : kDTypes) EXPECT_EQ(Others(sum, dtype, true), 0U) << Info(dtype).name;
}

TEST_P(TileRunnerTest, KeepsTheSignOfANanThatIsConvertedOnly) {
  const NodeId a = maker.Add("a", DType::kF32, {{"w", std::vector<double>(41, -kNan)}});
  for (const DType dtype : kDTypes) {
    EXPECT_EQ(Others(a, dtype), 41U) << Info(dtype).name;
    EXPECT_THAT(ModelMaker::ReadTensor(maker.Out(), "w"),
                Each(::testing::Truly([](double x) { return std::isnan(x) && std::signbit(x); })));
  }
}

}  // namespace
}  // namespace weightsmith::internal
