#include "merge/program/lowering.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace weightsmith::internal {

Lowering::Lowering(Precision precision, Register sources, std::string tensor)
    : precision_(precision), tensor_(std::move(tensor)), writer_(sources) {}

double Lowering::Round(double scalar) const {
  return precision_ == Precision::kF32 ? static_cast<double>(static_cast<float>(scalar)) : scalar;
}

Scalar Lowering::Compute(ScalarCode code, std::initializer_list<Scalar> in) {
  ScalarOp operation{.code = code};
  std::ranges::copy(in, operation.in.begin());
  if (!std::ranges::all_of(in, &Scalar::is_literal)) return writer_.Compute(operation);
  std::vector<double> numbers;
  for (const Scalar& scalar : in) numbers.push_back(Round(scalar.literal()));
  return Round(Evaluate(code, numbers));
}

Scalar Lowering::Call(const ScalarFunction& function, std::vector<Scalar> in, std::size_t index) {
  if (!std::ranges::all_of(in, &Scalar::is_literal)) {
    return writer_.Call(function, std::move(in), index);
  }
  std::vector<double> numbers;
  for (const Scalar& scalar : in) numbers.push_back(scalar.literal());
  return function.compute(numbers, index);
}

Scalar Lowering::SumOf(Value x) {
  if (x.zero()) return 0;
  return writer_.Gather({.code = ReductionCode::kSum, .in = {x.reg(), x.reg()}});
}

Scalar Lowering::Dot(Value x, Value y) {
  if (x.zero() || y.zero()) return 0;
  const Register first = std::min(x.reg(), y.reg());
  const Register second = std::max(x.reg(), y.reg());
  return writer_.Gather({.code = ReductionCode::kDot, .in = {first, second}});
}

Scalar Lowering::Largest(Value x) {
  if (x.zero()) return 0;
  return writer_.Gather({.code = ReductionCode::kLargest, .in = {x.reg(), x.reg()}});
}

Scalar Lowering::SumOf(const Grid& cells, Value x) {
  if (x.zero()) return 0;
  return writer_.Gather({.code = ReductionCode::kSum, .cells = cells, .in = {x.reg(), x.reg()}});
}

Scalar Lowering::DotOf(const Grid& cells, Value x, Value y) {
  if (x.zero() || y.zero()) return 0;
  const Register first = std::min(x.reg(), y.reg());
  const Register second = std::max(x.reg(), y.reg());
  return writer_.Gather({.code = ReductionCode::kDot, .cells = cells, .in = {first, second}});
}

Scalar Lowering::LargestOf(const Grid& cells, Value x) {
  if (x.zero()) return 0;
  return writer_.Gather(
      {.code = ReductionCode::kLargest, .cells = cells, .in = {x.reg(), x.reg()}});
}

Scalar Lowering::KthLargest(Value x, double fraction) {
  return Ranked(x, {.fraction = fraction});
}

Scalar Lowering::Ranked(Value x, const Rank& rank) {
  if (x.zero()) return 0;
  return writer_.Gather({.code = ReductionCode::kRanked, .in = {x.reg(), x.reg()}, .rank = rank});
}

Lowering::Range Lowering::RangeOverModel(Scalar of_cells, const Grid& cells) {
  if (!of_cells.is_literal()) surveyed_.push_back({step_, of_cells, cells});
  return {writer_.Given(FirstGiven(step_)), writer_.Given(FirstGiven(step_) + 1)};
}

Lowering::Totals Lowering::TotalsOverModel(Scalar first, Scalar second) {
  if (!first.is_literal() && !second.is_literal()) {
    surveyed_.push_back({step_, first, Grid::Whole(1), second});
  }
  return {writer_.Given(FirstGiven(step_)), writer_.Given(FirstGiven(step_) + 1)};
}

Register Lowering::Hold(Value x) {
  return x.zero() ? Constant(0).reg() : x.reg();
}

Value Lowering::Constant(double s) {
  return writer_.Emit(OpCode::kConstant, {}, {Round(s), 0});
}

Value Lowering::Scale(Scalar s, Value x) {
  s = Rounded(s);
  if (x.zero() || s.Is(0)) return Value::Zero();
  if (s.Is(1)) return x;
  return writer_.Emit(OpCode::kScale, {x.reg()}, {s, 0});
}

Value Lowering::Divide(Value x, Scalar s) {
  s = Rounded(s);
  if (x.zero() || s.Is(1)) return x;
  return writer_.Emit(OpCode::kDivide, {x.reg()}, {s, 0});
}

Value Lowering::Add(Value x, Value y) {
  if (x.zero()) return y;
  if (y.zero()) return x;
  return writer_.Emit(OpCode::kAdd, {x.reg(), y.reg()});
}

Value Lowering::Subtract(Value x, Value y) {
  if (y.zero()) return x;
  if (x.zero()) return Scale(-1, y);
  return writer_.Emit(OpCode::kSubtract, {x.reg(), y.reg()});
}

Value Lowering::Multiply(Value x, Value y) {
  if (x.zero() || y.zero()) return Value::Zero();
  return writer_.Emit(OpCode::kMultiply, {x.reg(), y.reg()});
}

Value Lowering::Quotient(Value x, Value y) {
  if (x.zero() || y.zero()) return x;
  return writer_.Emit(OpCode::kQuotient, {x.reg(), y.reg()});
}

Value Lowering::Blend(Scalar s, Value x, Scalar t, Value y) {
  s = Rounded(s);
  t = Rounded(t);
  if (s.Is(0) || x.zero()) return Scale(t, y);
  if (t.Is(0) || y.zero()) return Scale(s, x);
  if (s.Is(1)) return AddScaled(x, t, y);
  if (t.Is(1)) return AddScaled(y, s, x);
  return writer_.Emit(OpCode::kBlend, {x.reg(), y.reg()}, {s, t});
}

Value Lowering::AddScaled(Value x, Scalar s, Value y) {
  s = Rounded(s);
  if (x.zero()) return Scale(s, y);
  if (s.Is(0) || y.zero()) return x;
  if (s.Is(1)) return Add(x, y);
  return writer_.Emit(OpCode::kAddScaled, {x.reg(), y.reg()}, {s, 0});
}

Value Lowering::AddDifference(Value x, Scalar s, Value y, Value z) {
  s = Rounded(s);
  if (s.Is(0)) return x;
  if (z.zero()) return AddScaled(x, s, y);
  if (y.zero()) return AddScaled(x, Times(-1, s), z);
  if (x.zero()) return Scale(s, Subtract(y, z));
  return writer_.Emit(OpCode::kAddDifference, {x.reg(), y.reg(), z.reg()}, {s, 0});
}

Value Lowering::TrainDifference(Value x, double s, Value y, Value z) {
  s = Round(s);
  if (s == 0 || (y.zero() && z.zero())) return x;
  return writer_.Emit(OpCode::kTrainDifference, {Hold(x), Hold(y), Hold(z)}, {s, 0});
}

Value Lowering::Min(Value x, Value y) {
  return x == y ? x : writer_.Emit(OpCode::kMin, {Hold(x), Hold(y)});
}

Value Lowering::Max(Value x, Value y) {
  return x == y ? x : writer_.Emit(OpCode::kMax, {Hold(x), Hold(y)});
}

Value Lowering::Magnitude(Value x) {
  return x.zero() ? x : writer_.Emit(OpCode::kMagnitude, {x.reg()});
}

Value Lowering::SquareRoot(Value x) {
  return x.zero() ? x : writer_.Emit(OpCode::kSquareRoot, {x.reg()});
}

Value Lowering::OrElse(Value x, Value y) {
  return x.zero() || x == y ? x : writer_.Emit(OpCode::kOrElse, {x.reg(), Hold(y)});
}

Value Lowering::Exponential(Value x) {
  return x.zero() ? Constant(1) : writer_.Emit(OpCode::kExponential, {x.reg()});
}

Value Lowering::Logarithm(Value x) {
  return writer_.Emit(OpCode::kLogarithm, {Hold(x)});
}

Value Lowering::HyperbolicTangent(Value x) {
  return x.zero() ? x : writer_.Emit(OpCode::kHyperbolicTangent, {x.reg()});
}

Value Lowering::Cosine(Value x) {
  return x.zero() ? Constant(1) : writer_.Emit(OpCode::kCosine, {x.reg()});
}

Value Lowering::Power(Value x, Scalar s) {
  s = Rounded(s);
  if (s.Is(0)) return Constant(1);
  if (s.Is(1)) return x;
  return writer_.Emit(OpCode::kPower, {Hold(x)}, {s, 0});
}

Value Lowering::Power(Value x, Value y) {
  return y.zero() ? Constant(1) : writer_.Emit(OpCode::kPowerOf, {Hold(x), y.reg()});
}

Value Lowering::KeepExtra(Value shared, Value wide, std::uint64_t row,
                          std::uint64_t shared_columns) {
  if (shared == wide || shared_columns == 0) return wide;
  if (shared_columns >= row) return shared;
  return writer_.Emit(OpCode::kKeepExtra, {Hold(shared), Hold(wide)},
                      {static_cast<double>(row), static_cast<double>(shared_columns)});
}

Value Lowering::KeepAtLeast(Value x, Scalar threshold) {
  threshold = Rounded(threshold);
  if (x.zero() || threshold.Is(0)) return x;
  return writer_.Emit(OpCode::kKeepAtLeast, {x.reg()}, {threshold, 0});
}

Value Lowering::KeepSign(Value x, Value y) {
  if (x.zero() || x == y) return x;
  return writer_.Emit(OpCode::kKeepSign, {x.reg(), Hold(y)});
}

Value Lowering::WhereNotZero(Scalar s, Value x) {
  s = Rounded(s);
  if (x.zero() || s.Is(0)) return Value::Zero();
  return writer_.Emit(OpCode::kWhereNotZero, {x.reg()}, {s, 0});
}

Value Lowering::KeepBelow(Value x, Value y, Value z) {
  if (x.zero()) return x;
  return writer_.Emit(OpCode::kKeepBelow, {x.reg(), Hold(y), Hold(z)});
}

Value Lowering::KeepAtMost(Value x, Scalar limit) {
  limit = Rounded(limit);
  return x.zero() ? x : writer_.Emit(OpCode::kKeepAtMost, {x.reg()}, {limit, 0});
}

Value Lowering::Choose(Value mask, Value x, Value y) {
  if (mask.zero() || x == y) return y;
  return writer_.Emit(OpCode::kChoose, {mask.reg(), Hold(x), Hold(y)});
}

Value Lowering::Sign(Value x) {
  return x.zero() ? x : writer_.Emit(OpCode::kSign, {x.reg()});
}

Value Lowering::KeepLargest(Value x, std::size_t keep, std::size_t group) {
  if (x.zero() || keep == 0) return Value::Zero();
  if (keep >= group) return x;
  return writer_.Emit(OpCode::kKeepLargest, {x.reg()},
                      {static_cast<double>(keep), static_cast<double>(group)});
}

Value Lowering::Uniform(std::uint64_t seed, std::string_view op, std::size_t operand) {
  return writer_.Emit(OpCode::kUniform, {}, {0, 0}, {}, StreamOf(seed, op, operand, tensor_));
}

Value Lowering::Normal(std::uint64_t seed, std::string_view op, std::size_t operand) {
  return writer_.Emit(OpCode::kNormal, {}, {0, 0}, {}, StreamOf(seed, op, operand, tensor_));
}

Scalar Lowering::SumOfCells(Scalar of_cells, std::uint64_t count) {
  if (of_cells.is_literal()) return Times(static_cast<double>(count), of_cells);
  return Compute(ScalarCode::kSumOfCells, {of_cells});
}

Value Lowering::Spread(Scalar of_cells, const Grid& cells) {
  if (of_cells.is_literal()) return Constant(of_cells.literal());
  return writer_.Emit(OpCode::kSpread, {}, {of_cells, 0}, cells);
}

KeptIndex Lowering::KeepFor(Value value, Register source) {
  const KeptIndex kept = writer_.Keep(Hold(value));
  writer_.Delay(source, kept);
  return kept;
}

Value Lowering::Called(std::shared_ptr<const TensorCall> call, std::span<const Value> in,
                       std::vector<CompanionIndex> companions) {
  std::vector<Register> held;
  for (const Value& value : in) held.push_back(Hold(value));
  return writer_.Compute({.call = std::move(call), .companions = std::move(companions)}, held);
}

Value Lowering::CalledByRow(std::shared_ptr<const TensorCall> call, Value x, const Shape& shape) {
  const ByRow rows = call->Rows(shape);
  if (rows.elements == 0 || rows.elements > kLargestRow) {
    return Called(std::move(call), std::span(&x, 1), {});
  }
  return writer_.ComputeRows({.call = std::move(call), .in = Hold(x)});
}

Scalar Lowering::ToldBy(Value transformed, std::size_t index) {
  return writer_.Told(transformed, index);
}

void Lowering::Tell(std::string_view label, Scalar number, Unit unit, Subject subject) {
  writer_.Add({.label = label, .unit = unit, .subject = subject, .number = number, .result = {}});
}

void Lowering::TellCount(std::string_view label, Scalar count, Scalar of, Subject subject) {
  writer_.Add({.label = label,
               .unit = Unit::kCount,
               .subject = subject,
               .number = count,
               .of = of,
               .result = {}});
}

void Lowering::TellShare(std::string_view label, Value marked, Subject subject) {
  if (marked.zero()) return Tell(label, 0, Unit::kShare, subject);
  writer_.Add({.label = label,
               .unit = Unit::kShare,
               .subject = subject,
               .marked = marked.reg(),
               .result = {}});
}

void Lowering::TellIfAny(std::string_view label, Scalar share, Subject subject) {
  Tell(label, share, Unit::kShare, subject);
  writer_.findings().back().rare = true;
}

void Lowering::TellMean(std::string_view label, Value shares, Subject subject) {
  TellShare(label, shares, subject);
  Finding& told = writer_.findings().back();
  told.mean = told.marked.has_value();
}

std::span<Finding> Lowering::FindingsFrom(std::size_t count) {
  return writer_.findings().subspan(count);
}

void Lowering::AddProbe(const Probe& probe) {
  if (probe.against_zero || probe.before != probe.after) writer_.Add(probe);
}

Lowering::Finished Lowering::Finish(std::span<const Value> results,
                                    std::span<const Scalar> slots) && {
  std::vector<Slot> asked;
  for (const Scalar& scalar : slots) asked.push_back(scalar.slot());
  return internal::Finish(writer_.draft(), results, asked);
}

}  // namespace weightsmith::internal
