// Builds the tape of one tensor. Operators call it; it folds what need not be computed: a weight of
// exactly 0 or 1 removes the other operand, and a difference that is absent is zero.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "merge/program/draft_writer.h"
#include "merge/program/finish.h"

namespace weightsmith::internal {

enum class Precision : std::uint8_t { kF32, kF64 };

/// Elements of a row that is computed by itself, at most. Pieces and chunks end inside of rows, and
/// what lies at the end of a chunk is computed for the next one again.
inline constexpr std::uint64_t kLargestRow = std::uint64_t{1} << 17;

class Lowering {
 public:
  /// `tensor` is the canonical name of the tensor, which random numbers are those of.
  Lowering(Precision precision, Register sources, std::string tensor = {});

  // Scalars. Of literals, rounded to the working precision after every operation; of slots in f64,
  // and rounded where a tile meets them.
  double Round(double scalar) const;
  double Sum(double a, double b) const { return Round(Round(a) + Round(b)); }
  double Difference(double a, double b) const { return Round(Round(a) - Round(b)); }
  double Product(double a, double b) const { return Round(Round(a) * Round(b)); }
  Scalar Plus(Scalar a, Scalar b) { return Compute(ScalarCode::kAdd, {a, b}); }
  Scalar Minus(Scalar a, Scalar b) { return Compute(ScalarCode::kSubtract, {a, b}); }
  Scalar Times(Scalar a, Scalar b) { return Compute(ScalarCode::kMultiply, {a, b}); }
  Scalar Over(Scalar a, Scalar b) { return Compute(ScalarCode::kDivide, {a, b}); }
  Scalar Lesser(Scalar a, Scalar b) { return Compute(ScalarCode::kMinimum, {a, b}); }
  Scalar Greater(Scalar a, Scalar b) { return Compute(ScalarCode::kMaximum, {a, b}); }
  Scalar Magnitude(Scalar a) { return Compute(ScalarCode::kMagnitude, {a}); }
  Scalar SquareRoot(Scalar a) { return Compute(ScalarCode::kSquareRoot, {a}); }
  Scalar Sine(Scalar a) { return Compute(ScalarCode::kSine, {a}); }
  Scalar Cosine(Scalar a) { return Compute(ScalarCode::kCosine, {a}); }
  Scalar ArcCosine(Scalar a) { return Compute(ScalarCode::kArcCosine, {a}); }
  Scalar Degrees(Scalar radians) { return Times(180 / std::numbers::pi, radians); }
  Scalar Exponential(Scalar a) { return Compute(ScalarCode::kExponential, {a}); }
  Scalar Logarithm(Scalar a) { return Compute(ScalarCode::kLogarithm, {a}); }
  Scalar HyperbolicTangent(Scalar a) { return Compute(ScalarCode::kHyperbolicTangent, {a}); }
  Scalar Power(Scalar a, Scalar b) { return Compute(ScalarCode::kPower, {a, b}); }  ///< a^b, a ≥ 0
  Scalar Round32(Scalar a) { return Compute(ScalarCode::kRound32, {a}); }
  Scalar RoundF16(Scalar a) { return Compute(ScalarCode::kRoundF16, {a}); }
  Scalar RoundBF16(Scalar a) { return Compute(ScalarCode::kRoundBF16, {a}); }
  /// `yes` where a < b, else `no`.
  Scalar Select(Scalar a, Scalar b, Scalar yes, Scalar no) {
    return Compute(ScalarCode::kSelect, {a, b, yes, no});
  }
  /// The number at an index that a function gives.
  Scalar Call(const ScalarFunction& function, std::vector<Scalar> in, std::size_t index);

  // Scalars of a whole tensor, which cost a pass over it.
  Scalar SumOf(Value x);
  Scalar Dot(Value x, Value y);
  Scalar Norm(Value x) { return SquareRoot(Dot(x, x)); }
  Scalar Largest(Value x);  ///< max |x|
  /// The trunc(fraction·n)-th largest |x|; NaN, which nothing reaches, where that is the 0-th.
  Scalar KthLargest(Value x, double fraction);
  /// The |x| of another rank.
  Scalar Ranked(Value x, const Rank& rank);
  // Of each cell, for Spread. What is computed of them is computed of each cell; those of one
  // operation are of the same cells, or of the whole tensor.
  Scalar SumOf(const Grid& cells, Value x);
  Scalar DotOf(const Grid& cells, Value x, Value y);
  Scalar NormOf(const Grid& cells, Value x) { return SquareRoot(DotOf(cells, x, x)); }
  Scalar LargestOf(const Grid& cells, Value x);  ///< max |x|
  /// The sum of a number of `count` cells over all of them.
  Scalar SumOfCells(Scalar of_cells, std::uint64_t count);

  struct Range {
    Scalar low;
    Scalar high;
  };
  /// The range of a number of cells over all tensors that the step computes, without the outermost
  /// hundredth at either end. It is known before the first pass: all tensors are read for it
  /// before.
  Range RangeOverModel(Scalar of_cells, const Grid& cells);
  struct Totals {
    Scalar first;
    Scalar second;
  };
  /// The sums of two numbers of a tensor over all tensors that the step computes, likewise. Of a
  /// tensor that has one of them as a literal, or where one is no number, neither counts.
  Totals TotalsOverModel(Scalar first, Scalar second);

  // Tiles, in the association that the names give.
  Value Constant(double s);  ///< always a register, also for 0
  Value Scale(Scalar s, Value x);
  Value Divide(Value x, Scalar s);
  Value Add(Value x, Value y);
  Value Subtract(Value x, Value y);
  Value Multiply(Value x, Value y);
  Value Quotient(Value x, Value y);                          ///< x / y, x where y is 0
  Value Blend(Scalar s, Value x, Scalar t, Value y);         ///< s·x + t·y
  Value AddScaled(Value x, Scalar s, Value y);               ///< x + s·y
  Value AddDifference(Value x, Scalar s, Value y, Value z);  ///< x + s·(y - z)
  Value TrainDifference(Value x, double s, Value y, Value z);
  Value Min(Value x, Value y);
  Value Max(Value x, Value y);
  Value Magnitude(Value x);
  Value SquareRoot(Value x);
  Value OrElse(Value x, Value y);  ///< x, y where x is no number
  // Computed in f64 and rounded once to the working precision.
  Value Exponential(Value x);
  Value Logarithm(Value x);
  Value HyperbolicTangent(Value x);
  Value Cosine(Value x);
  Value Power(Value x, Scalar s);  ///< x^s; NaN for an x below 0
  Value Power(Value x, Value y);   ///< x^y
  Value KeepExtra(Value shared, Value wide, std::uint64_t row, std::uint64_t shared_columns);
  Value KeepAtLeast(Value x, Scalar threshold);  ///< x where |x| reaches it, else 0
  Value KeepSign(Value x, Value y);              ///< x where it has the sign of y, else 0
  Value WhereNotZero(Scalar s, Value x);         ///< s where x is not 0, else 0
  Value KeepBelow(Value x, Value y, Value z);    ///< x where y < z, else 0
  Value KeepAtMost(Value x, Scalar limit);       ///< x where |x| does not exceed it, else 0
  Value Choose(Value mask, Value x, Value y);    ///< x where the mask is not 0, else y
  Value Sign(Value x);                           ///< 1, -1 or 0
  /// The `keep` largest |x| of every `group` elements in order, else 0, of equal ones the first.
  /// REQUIRES: group divides kTile.
  Value KeepLargest(Value x, std::size_t keep, std::size_t group);
  /// The number of each element's cell.
  Value Spread(Scalar of_cells, const Grid& cells);

  // Random numbers, those that the seed gives operand number `operand` of an operator in this
  // tensor.
  Value Uniform(std::uint64_t seed, std::string_view op, std::size_t operand);  ///< in [0, 1)
  /// Of mean 0 and deviation 1.
  Value Normal(std::uint64_t seed, std::string_view op, std::size_t operand);

  /// A function of whole tensors, which costs a pass that keeps them; and of companions, which are
  /// read for it. REQUIRES: the function outlives what is computed.
  template <class Parameters>
  Value Transformed(const TensorFunction<Parameters>& function, std::span<const Value> in,
                    std::type_identity_t<Parameters> parameters,
                    std::vector<CompanionIndex> companions = {}) {
    return Called(std::make_shared<TensorCallOf<Parameters>>(function, std::move(parameters)), in,
                  std::move(companions));
  }
  /// Likewise of a function that may compute rows by themselves: then it costs no pass, and nothing
  /// is kept but rows at hand. REQUIRES: it has by_row.
  template <class Parameters>
  Value Transformed(const TensorFunction<Parameters>& function, Value x,
                    std::type_identity_t<Parameters> parameters, const Shape& shape) {
    return CalledByRow(std::make_shared<TensorCallOf<Parameters>>(function, std::move(parameters)),
                       x, shape);
  }
  /// A number that the function says of what it did: see its declaration. NaN where it had nothing
  /// to say. REQUIRES: `transformed` is what the first Transformed gave.
  Scalar ToldBy(Value transformed, std::size_t index);
  /// Keeps a value whole, for what is no function of a tensor alone; `source` cannot be read
  /// before.
  KeptIndex KeepFor(Value value, Register source);

  /// The register that holds x; a zero gets one.
  Register Hold(Value x);

  /// A step begins, by its index in Plan::steps.
  void BeginStep(std::uint32_t step) { step_ = step; }
  /// Numbers of this tensor that a range was asked of, or two that totals were.
  struct Surveyed {
    std::uint32_t step = 0;
    Scalar of_cells;
    Grid cells;
    std::optional<Scalar> second{};
  };
  const std::vector<Surveyed>& surveyed() const { return surveyed_; }

  // What the step did to the tensor, in its method's own words; reports show it. Costs no pass:
  // what depends on a reduction, or on a value kept whole, that the result does without is left
  // out.
  void Tell(std::string_view label, Scalar number, Unit unit = Unit::kNumber,
            Subject subject = Subject::Step());
  /// "rank 48 of 320".
  void TellCount(std::string_view label, Scalar count, Scalar of,
                 Subject subject = Subject::Step());
  /// The share of the elements that are not 0. What is computed for it alone is computed for some
  /// tiles of a tensor alone.
  void TellShare(std::string_view label, Value marked, Subject subject = Subject::Step());
  /// A share of the tensor, of which nothing is said where it is 0: of a component in all tensors.
  void TellIfAny(std::string_view label, Scalar share, Subject subject = Subject::Step());
  /// The mean of shares, each from 0 to 1. What is no number does not count.
  void TellMean(std::string_view label, Value shares, Subject subject = Subject::Step());
  /// What was told since there were `count` of it; the evaluator adds the step.
  std::span<Finding> FindingsFrom(std::size_t count);
  std::size_t finding_count() const { return writer_.draft().findings.size(); }

  /// Watches a step; one that left its value as it was has nothing to watch.
  void AddProbe(const Probe& probe);

  /// What is left of it when nothing is in it that neither `results` nor `slots` need.
  using Finished = FinishedProgram;
  Finished Finish(std::span<const Value> results, std::span<const Scalar> slots = {}) &&;

 private:
  Scalar Rounded(Scalar s) const { return s.is_literal() ? Scalar(Round(s.literal())) : s; }
  Scalar Compute(ScalarCode code, std::initializer_list<Scalar> in);
  Value Called(std::shared_ptr<const TensorCall> call, std::span<const Value> in,
               std::vector<CompanionIndex> companions);
  Value CalledByRow(std::shared_ptr<const TensorCall> call, Value x, const Shape& shape);

  Precision precision_;
  std::string tensor_;
  DraftWriter writer_;
  std::uint32_t step_ = 0;
  std::vector<Surveyed> surveyed_;
};

}  // namespace weightsmith::internal
