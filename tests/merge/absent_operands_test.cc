// A difference that no model has is computed as one of zeros, by every operator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "merge/operator.h"
#include "tests/merge/model_maker.h"
#include "tests/merge/operator_values.h"
#include "tests/merge/program_harness.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kSources = 3;

/// A step over three sources, of which some are absent.
class AbsentOperands {
 public:
  AbsentOperands(const Operator& op, unsigned absent, Shape shape)
      : op_(op), absent_(absent), shape_(std::move(shape)) {
    for (std::size_t i = 0; i < op.operands.size(); ++i) operands_.push_back(SourceAt(i));
    if (op.list && !op.list->optional) {
      for (std::size_t i = op.operands.size(); i < kSources; ++i) {
        list_.push_back(SourceAt(i));
        if (op.list->weighted) weights_.push_back(0.25 * static_cast<double>(i + 1));
      }
    }
    for (const ParameterSpec& parameter : op.parameters) {
      const double between =
          std::clamp(parameter.optional ? 0.5 : 0.3, parameter.low, parameter.high);
      parameters_.push_back(parameter.default_value.value_or(between));
    }
  }

  /// Whether it is one of those, and may be absent: a model may not, but as an entry of a list.
  bool IsAbsent(std::size_t source) const {
    if ((absent_ >> source & 1) == 0) return false;
    if (source < op_.operands.size()) return op_.operands[source].kind != Kind::kWeight;
    return op_.list && !op_.list->optional;
  }
  bool AnyIsAbsent() const { return IsAbsent(0) || IsAbsent(1) || IsAbsent(2); }

  Lowering::Finished Program(Precision precision) const {
    Lowering tape(precision, kSources);
    const Value result = op_.lower(
        tape,
        {operands_, list_, weights_, ParameterValues(op_.parameters, parameters_), {}, shape_});
    return std::move(tape).Finish(std::array{result});
  }

 private:
  Value SourceAt(std::size_t i) const {
    return IsAbsent(i) ? Value::Zero() : Value::Of(static_cast<Register>(i));
  }

  const Operator& op_;
  unsigned absent_;
  Shape shape_;
  std::vector<Value> operands_;
  std::vector<Value> list_;
  std::vector<double> weights_;
  std::vector<double> parameters_;
};

template <class T>
using SourceValues = std::vector<std::vector<T>>;

/// With zeros of two signs, subnormals and what is almost too large.
SourceValues<float> SpecialValues() {
  SourceValues<float> all;
  for (const auto& bits : kInputs) {
    std::vector<float>& values = all.emplace_back();
    for (const std::uint32_t value : bits) values.push_back(std::bit_cast<float>(value));
  }
  return all;
}

template <class T>
SourceValues<T> OrdinaryValues(std::size_t n) {
  SourceValues<T> all;
  for (std::size_t i = 0; i < kSources; ++i) {
    const std::vector<double> values = PatternValues(n, static_cast<int>(5 * i + 1));
    std::vector<T>& own = all.emplace_back();
    for (const double value : values) own.push_back(static_cast<T>(value));
  }
  return all;
}

template <class T>
SourceValues<T> WithZeros(SourceValues<T> values, const AbsentOperands& step) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (step.IsAbsent(i)) std::ranges::fill(values[i], T{0});
  }
  return values;
}

/// Calls `check(op, step with something absent, step with everything)` for each operator and each
/// choice of what is absent.
template <class Check>
void ForEachAbsence(OperatorClass least, OperatorClass most, const Shape& shape,
                    const Check& check) {
  for (const Operator* op : Operators()) {
    const OperatorClass form = ClassOf(*op);
    if (form < least || form > most) continue;
    const AbsentOperands whole(*op, 0, shape);
    for (unsigned absent = 1; absent < 1U << kSources; ++absent) {
      const AbsentOperands step(*op, absent, shape);
      if (!step.AnyIsAbsent()) continue;
      SCOPED_TRACE(std::string(op->name) + " " + std::to_string(absent));
      check(*op, step, whole);
    }
  }
}

TEST(AbsentOperands, AreZerosToAnOperatorOfElements) {
  const Shape shape{4, kValues / 4};
  const SourceValues<float> present = SpecialValues();
  ForEachAbsence(OperatorClass::kElementwise, OperatorClass::kElementwise, shape,
                 [&](const Operator&, const AbsentOperands& step, const AbsentOperands& whole) {
                   EXPECT_EQ(
                       RunProgram(step.Program(Precision::kF32), present, shape),
                       RunProgram(whole.Program(Precision::kF32), WithZeros(present, step), shape));
                 });
}

/// Where a literal takes the place of a number that a pass finds, a last bit may be another.
template <class T>
void ExpectZerosInPasses(Precision precision) {
  const Shape shape{4, 16};
  const SourceValues<T> present = OrdinaryValues<T>(64);
  std::set<std::string_view> seen;
  ForEachAbsence(OperatorClass::kReduced, OperatorClass::kWhole, shape,
                 [&](const Operator& op, const AbsentOperands& step, const AbsentOperands& whole) {
                   seen.insert(op.name);
                   const auto zeroed = WithZeros(present, step);
                   const auto values = RunProgram(step.Program(precision), present, shape);
                   const auto expected = RunProgram(whole.Program(precision), zeroed, shape);
                   ASSERT_EQ(values.size(), expected.size());
                   for (std::size_t i = 0; i < values.size(); ++i) {
                     ASSERT_TRUE(std::isfinite(expected[i])) << i;
                     ASSERT_NEAR(values[i], expected[i], 2e-6) << i;
                   }
                 });
  for (const std::string_view name :
       {"slerp", "ties", "model_stock", "norm_match", "crossover", "cosine_a", "della", "karcher",
        "multislerp", "geometric_median", "tsv_merge", "truncate_rank", "breadcrumbs"}) {
    EXPECT_TRUE(seen.contains(name)) << name;
  }
}

TEST(AbsentOperands, AreZerosToAnOperatorOfPassesInF32) {
  ExpectZerosInPasses<float>(Precision::kF32);
}

TEST(AbsentOperands, AreZerosToAnOperatorOfPassesInF64) {
  ExpectZerosInPasses<double>(Precision::kF64);
}

/// The harness has the numbers of whole tensors: those of mergekit's slerp are 2e-6 near.
TEST(AbsentOperands, AreLookedAtByProgramsThatRun) {
  const Operator& op = *FindOperator("slerp");
  Lowering tape(Precision::kF32, 2);
  const std::array operands{Value::Of(0), Value::Of(1)};
  const Shape shape{3, 4};
  const std::vector<double> parameters{0.3, 0};
  const Value result =
      op.lower(tape, {operands, {}, {}, ParameterValues(op.parameters, parameters), {}, shape});
  SourceValues<float> models(2);
  for (int k = 0; k < 12; ++k) {
    const double base = std::sin(0.7 * k + 0.1);
    models[0].push_back(static_cast<float>(base + 0.1 * std::cos(1.3 * k + 0.2)));
    models[1].push_back(static_cast<float>(base + 0.1 * std::sin(2.1 * k + 0.5)));
  }
  const auto values = RunProgram(std::move(tape).Finish(std::array{result}), models, shape);
  constexpr std::array kGolden{0.183090,  0.738911,  0.902920,  0.784302, 0.299163, -0.409178,
                               -0.912472, -1.015309, -0.608595, 0.187547, 0.800747, 0.945151};
  for (std::size_t i = 0; i < kGolden.size(); ++i) EXPECT_NEAR(values[i], kGolden[i], 2e-6) << i;
}

}  // namespace
}  // namespace weightsmith::internal
