#include "merge/operator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/merge/operator_values.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<Value> Sources(std::string_view letters) {
  std::vector<Value> values;
  for (const char letter : letters)
    values.push_back(Value::Of(static_cast<Register>(letter - 'a')));
  return values;
}

template <class T>
std::vector<std::vector<T>> Inputs() {
  std::vector<std::vector<T>> inputs;
  for (const auto& bits : kInputs) {
    std::vector<T>& values = inputs.emplace_back();
    for (const std::uint32_t value : bits) values.push_back(std::bit_cast<float>(value));
  }
  return inputs;
}

template <class T>
std::vector<T> Compute(const ExpectedValues& expected, Precision precision) {
  const Operator* op = FindOperator(expected.op);
  const std::vector<Value> operands = Sources(expected.operands);
  const std::vector<Value> list = Sources(expected.list);
  Lowering tape(precision, 3);
  const ParameterValues parameters(op->parameters, expected.parameters);
  const Value result =
      op->lower(tape, {operands, list, expected.weights, parameters, {}, Shape{4, kValues / 4}});
  return RunOn(std::move(tape).Finish(std::array{result}), Inputs<T>());
}

/// Every bit, or those that two libraries have alike.
template <class T>
void ExpectValues(const std::vector<T>& values, const std::array<BitsOf<T>, kValues>& expected,
                  bool near) {
  constexpr double kNear = sizeof(T) == 4 ? 1e-6 : 1e-13;
  if (!near) {
    EXPECT_THAT(Bits<T>(values), ElementsAreArray(expected));
    return;
  }
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = std::bit_cast<T>(expected[i]);
    EXPECT_NEAR(values[i], value, kNear * std::abs(value)) << i;
  }
}

Value LowerWith(const Operator& op, Lowering& tape, std::span<const Value> operands,
                std::span<const Value> list, std::span<const double> weights,
                const std::vector<double>& parameters) {
  return op.lower(tape, {operands, list, weights, ParameterValues(op.parameters, parameters)});
}

/// What check_tensor says of a list with these weights.
std::string CheckedTensor(const Operator& op, std::span<const double> weights,
                          const std::vector<double>& parameters) {
  Arguments given{{}, {}, weights, ParameterValues(op.parameters, parameters)};
  return op.check_tensor(given);
}

std::vector<double> DefaultsOf(const Operator& op) {
  std::vector<double> values;
  for (const ParameterSpec& parameter : op.parameters) {
    values.push_back(parameter.default_value.value_or(0.5));
  }
  return values;
}

TEST(Operators, ComputeWhatNumpyComputesInF32) {
  for (const ExpectedValues& expected : kExpected) {
    SCOPED_TRACE(std::string(expected.op) + " " + ::testing::PrintToString(expected.parameters));
    const auto values = Compute<float>(expected, Precision::kF32);
    ExpectValues(values, expected.f32, expected.near);
  }
}

TEST(Operators, ComputeWhatNumpyComputesInF64) {
  for (const ExpectedValues& expected : kExpected) {
    SCOPED_TRACE(std::string(expected.op) + " " + ::testing::PrintToString(expected.parameters));
    const auto values = Compute<double>(expected, Precision::kF64);
    ExpectValues(values, expected.f64, expected.near);
  }
}

TEST(Operators, EveryOneHasValuesFromNumpy) {
  for (const Operator* op : Operators()) {
    // Those that need whole tensors have tests of their own: passes_test.
    if (ClassOf(*op) != OperatorClass::kElementwise) continue;
    EXPECT_TRUE(std::ranges::any_of(kExpected, [&](auto& row) { return row.op == op->name; }))
        << op->name << " has no row in operator_values.py";
  }
}

TEST(Operators, AreThoseOfTheLanguageSortedByName) {
  std::vector<std::string_view> names;
  for (const Operator* op : Operators()) names.push_back(op->name);
  EXPECT_THAT(
      names,
      ElementsAre("add", "add_difference", "add_opposite", "adjust", "align_attention", "aoe",
                  "arcee_fusion", "average", "bake", "breadcrumbs", "breadcrumbs_ties", "cabs",
                  "channel_sum", "clamp", "consensus", "copy", "core_space", "cosine_a", "cosine_b",
                  "crossover", "dare_linear", "dare_ties", "della", "della_linear",
                  "distribution_crossover", "dropout", "ema", "emr", "euclidean_add_difference",
                  "extract", "fallback", "frequency", "geometric_median", "geometric_sum", "iso_c",
                  "iso_cts", "karcher", "linear", "maximum", "model_stock", "multiply",
                  "multiply_difference", "multiply_quotient", "multislerp", "nearswap", "noise",
                  "norm_match", "normalized_sum", "nuslerp", "passthrough", "pcb", "perpendicular",
                  "ram", "ramplus_tl", "rebasin", "rotate", "scale", "sce",
                  "similarity_add_difference", "slerp", "smooth_add", "stack", "star", "subtract",
                  "sum_twice", "svc", "task_arithmetic", "tensor_sum", "tensor_sum_2", "ties",
                  "top_k_tensor_sum", "train_difference", "triple_sum", "truncate_rank",
                  "tsv_merge", "weighted_sum", "within"));
}

TEST(Operators, AreFoundByNameAndOnlyByName) {
  for (const Operator* op : Operators()) EXPECT_EQ(FindOperator(op->name), op);
  for (const char* unknown : {"", "aaa", "Add", "add ", "weighted", "zzz"}) {
    EXPECT_EQ(FindOperator(unknown), nullptr) << unknown;
  }
}

TEST(Operators, AreDocumented) {
  for (const Operator* op : Operators()) {
    SCOPED_TRACE(op->name);
    EXPECT_THAT(op->summary, Not(IsEmpty()));
    EXPECT_EQ(op->summary.back(), '.');
    EXPECT_LE(op->summary.size(), 80u);
    EXPECT_THAT(op->doc, Not(IsEmpty()));
    EXPECT_THAT(op->formula, Not(IsEmpty()));
    EXPECT_THAT(op->source, Not(IsEmpty()));
    EXPECT_THAT(op->uses, Not(IsEmpty()));
    for (const std::string_view use : op->uses) {
      EXPECT_THAT(use, Not(IsEmpty()));
      EXPECT_NE(use.back(), '.') << use;
      EXPECT_LE(use.size(), 70u) << use;
    }
    for (const OperandSpec& operand : op->operands) EXPECT_THAT(operand.doc, Not(IsEmpty()));
    EXPECT_TRUE(!op->list || !op->list->doc.empty());
    for (const ParameterSpec& parameter : op->parameters) {
      EXPECT_THAT(parameter.doc, Not(IsEmpty())) << parameter.name;
    }
  }
}

TEST(Operators, HaveAnExampleThatNamesTheOperatorAndWhatItRequires) {
  for (const Operator* op : Operators()) {
    const std::string example(op->example);
    EXPECT_THAT(example, HasSubstr("op: " + std::string(op->name) + ","));
    EXPECT_EQ(std::ranges::count(example, '{'), std::ranges::count(example, '}')) << example;
    for (const OperandSpec& operand : op->operands) {
      if (operand.optional) continue;
      EXPECT_THAT(example, HasSubstr(", " + std::string(operand.name) + ": "));
    }
    if (!op->where.empty()) {
      EXPECT_THAT(example, HasSubstr(", where: {"));
    }
    for (const ParameterSpec& parameter : op->parameters) {
      if (parameter.optional || parameter.default_value) continue;
      EXPECT_THAT(example, HasSubstr(", " + std::string(parameter.name) + ": "));
    }
  }
}

TEST(Operators, HaveNamesThatAreDistinctAndDefaultsInTheirRange) {
  for (const Operator* op : Operators()) {
    SCOPED_TRACE(op->name);
    std::vector<std::string_view> names{"op", "policy"};
    for (const OperandSpec& operand : op->operands) names.push_back(operand.name);
    if (op->list) names.push_back(op->list->name);
    if (!op->where.empty()) names.push_back(kWhere);
    for (const ParameterSpec& parameter : op->parameters) {
      names.push_back(parameter.name);
      EXPECT_FALSE(parameter.optional && parameter.default_value) << parameter.name;
      EXPECT_LE(parameter.low, parameter.default_value.value_or(parameter.low));
      EXPECT_GE(parameter.high, parameter.default_value.value_or(parameter.high));
    }
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  }
}

TEST(Operators, TakeWeightsByPlaceWhereTheyAreNumbersOfOneTensor) {
  // Of the loop that finds a result, or of the step as a whole; "low" and "high" are of clamp
  // alone.
  constexpr std::string_view kEverywhere[] = {"group", "iterations", "task", "tolerance"};
  for (const Operator* op : Operators()) {
    for (const ParameterSpec& parameter : op->parameters) {
      const bool everywhere =
          parameter.type != ParameterType::kNumber || op->name == "clamp" || op->name == "adjust" ||
          (op->name == "dropout" && parameter.name == "rescale") ||
          std::ranges::find(kEverywhere, parameter.name) != std::end(kEverywhere);
      EXPECT_EQ(parameter.by_place, !everywhere) << op->name << " " << parameter.name;
    }
  }
}

TEST(Operators, AreExpectedToHaveAnEffectUnlessTheyCopy) {
  constexpr std::string_view kCopy[] = {"align_attention", "copy",  "fallback", "passthrough",
                                        "rebasin",         "stack", "within"};
  for (const Operator* op : Operators()) {
    const bool copies = std::ranges::find(kCopy, op->name) != std::end(kCopy);
    EXPECT_EQ(op->expects_effect, !copies) << op->name;
  }
}

TEST(WeightedSum, OfWeightZeroOrOneIsTheOtherOperand) {
  const Operator& op = *FindOperator("weighted_sum");
  Lowering tape(Precision::kF32, 2);
  const std::array operands{Value::Of(0), Value::Of(1)};
  EXPECT_EQ(LowerWith(op, tape, operands, {}, {}, {0.0}), operands[0]);
  EXPECT_EQ(LowerWith(op, tape, operands, {}, {}, {1.0}), operands[1]);
}

TEST(TripleSum, WithAllTheWeightOnOneIsThatOne) {
  const Operator& op = *FindOperator("triple_sum");
  Lowering tape(Precision::kF32, 3);
  const auto operands = Sources("abc");
  EXPECT_EQ(LowerWith(op, tape, operands, {}, {}, {0.0, 0.0}), operands[0]);
  EXPECT_EQ(LowerWith(op, tape, operands, {}, {}, {1.0, 0.0}), operands[1]);
  EXPECT_EQ(LowerWith(op, tape, operands, {}, {}, {0.0, 1.0}), operands[2]);
}

TEST(Linear, DoesNotReadAnOperandOfWeightZero) {
  const Operator& op = *FindOperator("linear");
  Lowering tape(Precision::kF32, 3);
  const auto list = Sources("abc");
  const std::array weights{0.5, 0.0, 0.5};
  const Value result = LowerWith(op, tape, {}, list, weights, {1.0});
  EXPECT_THAT(std::move(tape).Finish(std::array{result}).sources, ElementsAre(0, 2));
}

TEST(Linear, RefusesToNormalizeWeightsThatAddUpToZero) {
  const Operator& op = *FindOperator("linear");
  const std::array weights{1.0, -1.0};
  EXPECT_THAT(CheckedTensor(op, weights, {0.0}), IsEmpty());
  EXPECT_THAT(CheckedTensor(op, weights, {1.0}), HasSubstr("add up to 0"));
}

TEST(Ties, RefusesToNormalizeWeightsThatAddUpToZeroUnlessAllAreZero) {
  const Operator& op = *FindOperator("ties");
  const std::vector<double> parameters = DefaultsOf(op);
  EXPECT_THAT(CheckedTensor(op, std::array{0.1, 0.2, -0.3}, parameters), HasSubstr("add up to 0"));
  EXPECT_THAT(CheckedTensor(op, std::array{0.1, 0.2, -0.25}, parameters), IsEmpty());
  EXPECT_THAT(CheckedTensor(op, std::array{0.0, 0.0}, parameters), IsEmpty());
}

TEST(Linear, NeedsAnOperand) {
  for (const char* name : {"linear", "average", "stack"}) {
    const Operator& op = *FindOperator(name);
    EXPECT_THAT(op.check({0, {}}), HasSubstr("`of` is empty"));
    EXPECT_THAT(op.check({1, {}}), IsEmpty());
  }
}

TEST(Operators, NeedAnEntryWhereTheirListMayNotBeLeftOut) {
  for (const Operator* op : Operators()) {
    if (!op->list || op->list->optional || op->list->adapters) continue;
    ASSERT_NE(op->check, nullptr) << op->name;
    EXPECT_THAT(op->check({0, {}}), HasSubstr("`of`")) << op->name;
  }
}

TEST(Clamp, TakesNumbersOrModelsAndNotBoth) {
  const Operator& op = *FindOperator("clamp");
  EXPECT_THAT(op.check({0, {}}), HasSubstr("give `low`"));
  EXPECT_THAT(op.check({2, {"low"}}), HasSubstr("not both"));
  EXPECT_THAT(op.check({1, {}}), HasSubstr("two or more"));
  EXPECT_THAT(op.check({0, {"low"}}), IsEmpty());
  EXPECT_THAT(op.check({0, {"high"}}), IsEmpty());
  EXPECT_THAT(op.check({2, {}}), IsEmpty());
  EXPECT_THAT(op.check({2, {"stiffness"}}), IsEmpty());
  EXPECT_THAT(op.check({0, {"low", "stiffness"}}), HasSubstr("`stiffness` is of limits that `to`"));
}

TEST(Clamp, RefusesLimitsThatCross) {
  const Operator& op = *FindOperator("clamp");
  const auto checked = [&](double low, double high) {
    return op.check({0, {"low", "high"}, {{"low", low}, {"high", high}}});
  };
  EXPECT_THAT(checked(0.5, 0.25), HasSubstr("`low` is 0.5, above `high`, 0.25"));
  EXPECT_THAT(checked(0.5, 0.5), IsEmpty());
  EXPECT_THAT(checked(0.5, std::nan("")), IsEmpty());
}

TEST(ParameterValues, AreReadByNameAndType) {
  const std::vector<ParameterSpec> specs = {
      {.name = "alpha"},
      {.name = "low", .optional = true},
      {.name = "normalize", .type = ParameterType::kBoolean},
      {.name = "sign", .type = ParameterType::kWord, .words = {"total", "frequency"}},
      {.name = "seed", .type = ParameterType::kSeed},
  };
  const std::vector<double> values = {0.25, std::nan(""), 1, 1, kMostSeed};
  const ParameterValues given(specs, values);
  EXPECT_EQ(given.Number("alpha"), 0.25);
  EXPECT_EQ(given.NumberIfGiven("alpha"), 0.25);
  EXPECT_EQ(given.NumberIfGiven("low"), std::nullopt);
  EXPECT_TRUE(given.Flag("normalize"));
  EXPECT_EQ(given.Word("sign"), "frequency");
  EXPECT_EQ(given.Seed("seed"), 9'007'199'254'740'991u);
  EXPECT_THROW(given.Number("beta"), std::logic_error);
  EXPECT_THROW(given.Flag("alpha"), std::logic_error);
}

TEST(Kinds, HaveTheNamesOfTheLanguage) {
  EXPECT_EQ(ToString(Kind::kWeight), "weight");
  EXPECT_EQ(ToString(Kind::kDelta), "delta");
  EXPECT_EQ(ToString(Kind::kSame), "K");
  EXPECT_EQ(ToString(OperatorClass::kElementwise), "elementwise");
}

TEST(Operators, SayWhatTheyNeedToSee) {
  const auto of_class = [](OperatorClass form) {
    std::vector<std::string_view> names;
    for (const Operator* op : Operators()) {
      if (ClassOf(*op) == form) names.push_back(op->name);
    }
    return names;
  };
  EXPECT_THAT(of_class(OperatorClass::kReduced),
              ElementsAre("aoe", "arcee_fusion", "breadcrumbs", "breadcrumbs_ties", "channel_sum",
                          "cosine_a", "cosine_b", "della", "della_linear", "emr",
                          "euclidean_add_difference", "extract", "geometric_median", "karcher",
                          "model_stock", "multislerp", "noise", "norm_match", "normalized_sum",
                          "nuslerp", "pcb", "perpendicular", "ramplus_tl", "sce", "slerp", "ties"));
  EXPECT_THAT(of_class(OperatorClass::kWhole),
              ElementsAre("align_attention", "core_space", "crossover", "distribution_crossover",
                          "frequency", "iso_c", "iso_cts", "rebasin", "rotate", "smooth_add",
                          "star", "svc", "top_k_tensor_sum", "truncate_rank", "tsv_merge"));
}

}  // namespace
}  // namespace weightsmith::internal
