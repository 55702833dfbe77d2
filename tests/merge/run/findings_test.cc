// What steps tell in their methods' own words, through the engine and into reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "merge/run/executor.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class FindingsTest : public ::testing::Test {
 protected:
  /// What parameters are where nothing is said; a half of what has to be said.
  static std::vector<double> Usual(const std::string& op) {
    std::vector<double> parameters;
    for (const ParameterSpec& parameter : FindOperator(op)->parameters) {
      parameters.push_back(parameter.optional ? std::nan("")
                                              : parameter.default_value.value_or(0.5));
    }
    return parameters;
  }

  NodeId Ties() {
    std::vector<double> numbers = Usual("ties");
    numbers.front() = 0.5;  // the density
    const NodeId step = maker.Step("mix", "ties", {base}, numbers);
    Node& node = maker.expression.nodes[step];
    node.list = {x, y};
    for (const double weight : {0.6, 0.4}) node.weights.emplace_back(weight);
    return step;
  }

  Report RunOf(NodeId step, bool effects = true) const {
    return internal::Run(maker.MakePlanOf(step),
                         {.overwrite = true, .effects = effects, .by_tensor = true});
  }

  ModelMaker maker;
  NodeId base = maker.Add("z", DType::kF32, {{"w", std::vector<double>(8)}});
  NodeId x = maker.Add("x", DType::kF32, {{"w", {8, 7, 6, 5, 1, 1, 1, 1}}});
  NodeId y = maker.Add("y", DType::kF32, {{"w", {-8, 7, -1, -1, -1, -1, 6, 5}}});
};

TEST_F(FindingsTest, TiesTellsWhatItKeptAndWhereSignsConflict) {
  const Report report = RunOf(Ties());
  ASSERT_THAT(report.steps, SizeIs(1));
  const std::vector<FindingReport>& findings = report.steps[0].findings;
  ASSERT_THAT(findings, SizeIs(3));
  EXPECT_EQ(findings[0].label, "kept");
  EXPECT_EQ(findings[0].operand, "x");
  EXPECT_EQ(findings[1].operand, "y");
  EXPECT_EQ(findings[0].mean, 0.5);
  EXPECT_EQ(findings[1].mean, 0.5);
  EXPECT_EQ(findings[2].label, "sign conflicts");
  EXPECT_EQ(findings[2].operand, "");
  EXPECT_EQ(findings[2].mean, 0.125);
  EXPECT_EQ(findings[2].unit, Unit::kShare);
  ASSERT_THAT(report.tensors, SizeIs(1));
  ASSERT_THAT(report.tensors[0].findings, SizeIs(3));
  EXPECT_EQ(report.tensors[0].findings[2].step, "mix");
  EXPECT_EQ(report.tensors[0].findings[2].value, 0.125);
}

TEST_F(FindingsTest, SlerpTellsTheAngleInDegrees) {
  const NodeId a = maker.Add("a", DType::kF32, {{"w", {1, 0}}, {"v", {1, 1, 1}}});
  const NodeId b = maker.Add("b", DType::kF32, {{"w", {1, 1}}, {"v", {-1, -1, -1}}});
  const Report report = RunOf(maker.Step("mix", "slerp", {a, b}, {0.5, 0}));
  ASSERT_THAT(report.steps[0].findings, SizeIs(2));
  const FindingReport& angle = report.steps[0].findings[0];
  EXPECT_EQ(angle.unit, Unit::kDegrees);
  EXPECT_EQ(angle.tensors, 2u);
  EXPECT_NEAR(angle.lowest, 45, 1e-5);
  EXPECT_NEAR(angle.highest, 180, 1e-5);
  // By elements: two of 45 degrees, three of 180.
  EXPECT_NEAR(angle.mean, (2 * 45 + 3 * 180) / 5.0, 1e-5);
  const FindingReport& straight = report.steps[0].findings[1];
  EXPECT_EQ(straight.label, "opposite");
  EXPECT_NEAR(straight.mean, 3 / 5.0, 1e-9);
}

TEST_F(FindingsTest, ModelStockTellsAngleAndRatio) {
  const NodeId near = maker.Add("near", DType::kF32, {{"w", {8, -7, 1, 1, 1, 1, 6, 5}}});
  const NodeId step = maker.Step("mix", "model_stock", {base}, Usual("model_stock"));
  maker.expression.nodes[step].list = {x, near};
  const Report report = RunOf(step);
  const std::vector<FindingReport>& findings = report.steps[0].findings;
  ASSERT_THAT(findings, SizeIs(2));
  const double cosine = 39.0 / 178;  // both have the norm √178
  EXPECT_NEAR(findings[0].mean, std::acos(cosine) * 180 / std::acos(-1.0), 1e-9);
  EXPECT_EQ(findings[1].label, "ratio");
  EXPECT_NEAR(findings[1].mean, 2 * cosine / (1 + cosine), 1e-12);
}

TEST_F(FindingsTest, AreNotTakenWithoutEffects) {
  EXPECT_THAT(RunOf(Ties(), false).steps[0].findings, IsEmpty());
}

TEST_F(FindingsTest, LeaveTheBytesAsTheyAre) {
  const NodeId step = Ties();
  RunOf(step);
  const auto with = ModelMaker::ReadTensor(maker.Out(), "w");
  RunOf(step, false);
  EXPECT_EQ(ModelMaker::ReadTensor(maker.Out(), "w"), with);
}

TEST_F(FindingsTest, AreInASample) {
  const Report sample = Sample(maker.MakePlanOf(Ties()), {}, 1 << 20);
  ASSERT_THAT(sample.steps[0].findings, SizeIs(3));
  EXPECT_EQ(sample.steps[0].findings[0].mean, 0.5);
}

}  // namespace
}  // namespace weightsmith::internal
