#include "merge/program/lowering.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "merge/program/primitive.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kMost = std::numeric_limits<Register>::max();

/// A literal and a slot as one number each, to find what is known already.
void AppendKey(const Scalar& scalar, std::vector<std::uint64_t>& key) {
  key.push_back(std::bit_cast<std::uint64_t>(scalar.literal()));
  key.push_back(scalar.slot());
}

void AppendKey(const Grid& cells, std::vector<std::uint64_t>& key) {
  key.insert(key.end(), {cells.columns, cells.cell_rows, cells.cell_columns});
}

[[noreturn]] void FailForSize() {
  throw Error(ErrorCode::kResources, "the arithmetic of one tensor needs over 65,535 values",
              "Split the recipe: write an intermediate result and merge that.");
}

}  // namespace

Lowering::Lowering(Precision precision, Register sources, std::string tensor)
    : precision_(precision), tensor_(std::move(tensor)) {
  draft_.tape.sources = sources;
  draft_.tape.registers = sources;
  draft_.levels.resize(sources);
}

double Lowering::Round(double scalar) const {
  return precision_ == Precision::kF32 ? static_cast<double>(static_cast<float>(scalar)) : scalar;
}

std::uint16_t Lowering::LevelOf(Scalar scalar) const {
  if (scalar.is_literal() || draft_.slots[scalar.slot()].given) return 0;
  return static_cast<std::uint16_t>(draft_.slots[scalar.slot()].level + 1);
}

Value Lowering::Emit(OpCode code, std::array<Register, 3> in, std::array<Scalar, 2> scalar,
                     const Grid& cells, const RandomStream& stream) {
  std::vector<std::uint64_t> key{static_cast<std::uint64_t>(code), in[0], in[1], in[2]};
  for (const Scalar& s : scalar) AppendKey(s, key);
  AppendKey(cells, key);
  key.insert(key.end(), {stream.seed, stream.place});
  Tape& tape = draft_.tape;
  const auto [known, fresh] = known_.try_emplace(std::move(key), tape.registers);
  if (fresh) {
    if (tape.registers == kMost) FailForSize();
    std::uint16_t level = std::max(LevelOf(scalar[0]), LevelOf(scalar[1]));
    for (std::size_t i = 0; i < Inputs(code); ++i) level = std::max(level, draft_.levels[in[i]]);
    draft_.levels.push_back(level);
    tape.instructions.push_back({.code = code,
                                 .out = tape.registers++,
                                 .in = in,
                                 .scalar = {scalar[0].literal(), scalar[1].literal()},
                                 .slot = {scalar[0].slot(), scalar[1].slot()},
                                 .cells = cells,
                                 .stream = stream});
  }
  return Value::Of(known->second);
}

Scalar Lowering::Compute(ScalarCode code, std::initializer_list<Scalar> in) {
  std::uint16_t level = 0;
  bool literal = true;
  std::vector<double> numbers;
  std::vector<std::uint64_t> key{static_cast<std::uint64_t>(code)};
  ScalarOp operation{.code = code};
  std::size_t place = 0;
  for (const Scalar& scalar : in) {
    literal = literal && scalar.is_literal();
    if (!scalar.is_literal()) level = std::max(level, draft_.slots[scalar.slot()].level);
    numbers.push_back(Round(scalar.literal()));
    AppendKey(scalar, key);
    operation.in[place++] = scalar;
  }
  if (literal) return Round(Evaluate(code, numbers));
  const auto [known, fresh] =
      known_slots_.try_emplace(std::move(key), static_cast<Slot>(draft_.slots.size()));
  if (fresh) {
    if (draft_.slots.size() == kNoSlot) FailForSize();
    draft_.slots.push_back({level, false, draft_.scalars.size()});
    draft_.scalars.push_back(operation);
  }
  return Scalar::Of(known->second);
}

Scalar Lowering::Call(const ScalarFunction& function, std::vector<Scalar> in, std::size_t index) {
  if (draft_.slots.size() == kNoSlot) FailForSize();
  if (std::ranges::all_of(in, &Scalar::is_literal)) {
    std::vector<double> numbers;
    for (const Scalar& scalar : in) numbers.push_back(scalar.literal());
    return function.compute(numbers, index);
  }
  std::uint16_t level = 0;
  for (const Scalar& scalar : in) {
    if (!scalar.is_literal()) level = std::max(level, draft_.slots[scalar.slot()].level);
  }
  const auto slot = static_cast<Slot>(draft_.slots.size());
  draft_.slots.push_back({level, false, draft_.scalars.size()});
  draft_.scalars.push_back({.code = ScalarCode::kFunction,
                            .function = &function,
                            .operands = std::move(in),
                            .index = index});
  return Scalar::Of(slot);
}

Scalar Lowering::Gather(const Reduction& reduction) {
  const auto [x, y] = reduction.in;
  std::vector<std::uint64_t> key{1000 + static_cast<std::uint64_t>(reduction.code),
                                 x,
                                 y,
                                 static_cast<std::uint64_t>(reduction.rank.rule),
                                 std::bit_cast<std::uint64_t>(reduction.rank.fraction),
                                 std::bit_cast<std::uint64_t>(reduction.rank.second)};
  if (reduction.cells) AppendKey(*reduction.cells, key);
  const auto [known, fresh] =
      known_slots_.try_emplace(std::move(key), static_cast<Slot>(draft_.slots.size()));
  if (fresh) {
    if (draft_.slots.size() == kNoSlot) FailForSize();
    const std::uint16_t level = std::max(draft_.levels[x], draft_.levels[y]);
    draft_.slots.push_back({level, true, draft_.reductions.size()});
    draft_.reductions.push_back(reduction);
  }
  return Scalar::Of(known->second);
}

Scalar Lowering::SumOf(Value x) {
  if (x.zero()) return 0;
  return Gather({.code = ReductionCode::kSum, .in = {x.reg(), x.reg()}});
}

Scalar Lowering::Dot(Value x, Value y) {
  if (x.zero() || y.zero()) return 0;
  const Register first = std::min(x.reg(), y.reg());
  const Register second = std::max(x.reg(), y.reg());
  return Gather({.code = ReductionCode::kDot, .in = {first, second}});
}

Scalar Lowering::Largest(Value x) {
  if (x.zero()) return 0;
  return Gather({.code = ReductionCode::kLargest, .in = {x.reg(), x.reg()}});
}

Scalar Lowering::SumOf(const Grid& cells, Value x) {
  if (x.zero()) return 0;
  return Gather({.code = ReductionCode::kSum, .cells = cells, .in = {x.reg(), x.reg()}});
}

Scalar Lowering::DotOf(const Grid& cells, Value x, Value y) {
  if (x.zero() || y.zero()) return 0;
  const Register first = std::min(x.reg(), y.reg());
  const Register second = std::max(x.reg(), y.reg());
  return Gather({.code = ReductionCode::kDot, .cells = cells, .in = {first, second}});
}

Scalar Lowering::LargestOf(const Grid& cells, Value x) {
  if (x.zero()) return 0;
  return Gather({.code = ReductionCode::kLargest, .cells = cells, .in = {x.reg(), x.reg()}});
}

Scalar Lowering::KthLargest(Value x, double fraction) {
  return Ranked(x, {.fraction = fraction});
}

Scalar Lowering::Ranked(Value x, const Rank& rank) {
  if (x.zero()) return 0;
  return Gather({.code = ReductionCode::kRanked, .in = {x.reg(), x.reg()}, .rank = rank});
}

Scalar Lowering::Given(std::uint32_t number) {
  constexpr std::uint64_t kKey = 2000;
  const auto [known, fresh] =
      known_slots_.try_emplace({kKey, number}, static_cast<Slot>(draft_.slots.size()));
  if (fresh) {
    if (draft_.slots.size() == kNoSlot) FailForSize();
    draft_.slots.push_back({.index = number, .given = true});
  }
  return Scalar::Of(known->second);
}

Lowering::Range Lowering::RangeOverModel(Scalar of_cells, const Grid& cells) {
  if (!of_cells.is_literal()) surveyed_.push_back({step_, of_cells, cells});
  return {Given(FirstGiven(step_)), Given(FirstGiven(step_) + 1)};
}

Register Lowering::Hold(Value x) {
  return x.zero() ? Constant(0).reg() : x.reg();
}

Value Lowering::Constant(double s) {
  return Emit(OpCode::kConstant, {}, {Round(s), 0});
}

Value Lowering::Scale(Scalar s, Value x) {
  s = Rounded(s);
  if (x.zero() || s.Is(0)) return Value::Zero();
  if (s.Is(1)) return x;
  return Emit(OpCode::kScale, {x.reg()}, {s, 0});
}

Value Lowering::Divide(Value x, Scalar s) {
  s = Rounded(s);
  if (x.zero() || s.Is(1)) return x;
  return Emit(OpCode::kDivide, {x.reg()}, {s, 0});
}

Value Lowering::Add(Value x, Value y) {
  if (x.zero()) return y;
  if (y.zero()) return x;
  return Emit(OpCode::kAdd, {x.reg(), y.reg()});
}

Value Lowering::Subtract(Value x, Value y) {
  if (y.zero()) return x;
  if (x.zero()) return Scale(-1, y);
  return Emit(OpCode::kSubtract, {x.reg(), y.reg()});
}

Value Lowering::Multiply(Value x, Value y) {
  if (x.zero() || y.zero()) return Value::Zero();
  return Emit(OpCode::kMultiply, {x.reg(), y.reg()});
}

Value Lowering::Quotient(Value x, Value y) {
  if (x.zero() || y.zero()) return x;
  return Emit(OpCode::kQuotient, {x.reg(), y.reg()});
}

Value Lowering::Blend(Scalar s, Value x, Scalar t, Value y) {
  s = Rounded(s);
  t = Rounded(t);
  if (s.Is(0) || x.zero()) return Scale(t, y);
  if (t.Is(0) || y.zero()) return Scale(s, x);
  if (s.Is(1)) return AddScaled(x, t, y);
  if (t.Is(1)) return AddScaled(y, s, x);
  return Emit(OpCode::kBlend, {x.reg(), y.reg()}, {s, t});
}

Value Lowering::AddScaled(Value x, Scalar s, Value y) {
  s = Rounded(s);
  if (x.zero()) return Scale(s, y);
  if (s.Is(0) || y.zero()) return x;
  if (s.Is(1)) return Add(x, y);
  return Emit(OpCode::kAddScaled, {x.reg(), y.reg()}, {s, 0});
}

Value Lowering::AddDifference(Value x, Scalar s, Value y, Value z) {
  s = Rounded(s);
  if (s.Is(0)) return x;
  if (z.zero()) return AddScaled(x, s, y);
  if (y.zero()) return AddScaled(x, Times(-1, s), z);
  if (x.zero()) return Scale(s, Subtract(y, z));
  return Emit(OpCode::kAddDifference, {x.reg(), y.reg(), z.reg()}, {s, 0});
}

Value Lowering::TrainDifference(Value x, double s, Value y, Value z) {
  s = Round(s);
  if (s == 0 || (y.zero() && z.zero())) return x;
  return Emit(OpCode::kTrainDifference, {Hold(x), Hold(y), Hold(z)}, {s, 0});
}

Value Lowering::Min(Value x, Value y) {
  return x == y ? x : Emit(OpCode::kMin, {Hold(x), Hold(y)});
}

Value Lowering::Max(Value x, Value y) {
  return x == y ? x : Emit(OpCode::kMax, {Hold(x), Hold(y)});
}

Value Lowering::Magnitude(Value x) {
  return x.zero() ? x : Emit(OpCode::kMagnitude, {x.reg()});
}

Value Lowering::SquareRoot(Value x) {
  return x.zero() ? x : Emit(OpCode::kSquareRoot, {x.reg()});
}

Value Lowering::OrElse(Value x, Value y) {
  return x.zero() || x == y ? x : Emit(OpCode::kOrElse, {x.reg(), Hold(y)});
}

Value Lowering::Exponential(Value x) {
  return x.zero() ? Constant(1) : Emit(OpCode::kExponential, {x.reg()});
}

Value Lowering::Logarithm(Value x) {
  return Emit(OpCode::kLogarithm, {Hold(x)});
}

Value Lowering::HyperbolicTangent(Value x) {
  return x.zero() ? x : Emit(OpCode::kHyperbolicTangent, {x.reg()});
}

Value Lowering::Cosine(Value x) {
  return x.zero() ? Constant(1) : Emit(OpCode::kCosine, {x.reg()});
}

Value Lowering::Power(Value x, Scalar s) {
  s = Rounded(s);
  if (s.Is(0)) return Constant(1);
  if (s.Is(1)) return x;
  return Emit(OpCode::kPower, {Hold(x)}, {s, 0});
}

Value Lowering::Power(Value x, Value y) {
  return y.zero() ? Constant(1) : Emit(OpCode::kPowerOf, {Hold(x), y.reg()});
}

Value Lowering::KeepExtra(Value shared, Value wide, std::uint64_t row,
                          std::uint64_t shared_columns) {
  if (shared == wide || shared_columns == 0) return wide;
  if (shared_columns >= row) return shared;
  return Emit(OpCode::kKeepExtra, {Hold(shared), Hold(wide)},
              {static_cast<double>(row), static_cast<double>(shared_columns)});
}

Value Lowering::KeepAtLeast(Value x, Scalar threshold) {
  threshold = Rounded(threshold);
  if (x.zero() || threshold.Is(0)) return x;
  return Emit(OpCode::kKeepAtLeast, {x.reg()}, {threshold, 0});
}

Value Lowering::KeepSign(Value x, Value y) {
  if (x.zero() || x == y) return x;
  return Emit(OpCode::kKeepSign, {x.reg(), Hold(y)});
}

Value Lowering::WhereNotZero(Scalar s, Value x) {
  s = Rounded(s);
  if (x.zero() || s.Is(0)) return Value::Zero();
  return Emit(OpCode::kWhereNotZero, {x.reg()}, {s, 0});
}

Value Lowering::KeepBelow(Value x, Value y, Value z) {
  if (x.zero()) return x;
  return Emit(OpCode::kKeepBelow, {x.reg(), Hold(y), Hold(z)});
}

Value Lowering::KeepAtMost(Value x, Scalar limit) {
  limit = Rounded(limit);
  return x.zero() ? x : Emit(OpCode::kKeepAtMost, {x.reg()}, {limit, 0});
}

Value Lowering::Choose(Value mask, Value x, Value y) {
  if (mask.zero() || x == y) return y;
  return Emit(OpCode::kChoose, {mask.reg(), Hold(x), Hold(y)});
}

Value Lowering::Sign(Value x) {
  return x.zero() ? x : Emit(OpCode::kSign, {x.reg()});
}

Value Lowering::KeepLargest(Value x, std::size_t keep, std::size_t group) {
  if (x.zero() || keep == 0) return Value::Zero();
  if (keep >= group) return x;
  return Emit(OpCode::kKeepLargest, {x.reg()},
              {static_cast<double>(keep), static_cast<double>(group)});
}

Value Lowering::Uniform(std::uint64_t seed, std::string_view op, std::size_t operand) {
  return Emit(OpCode::kUniform, {}, {0, 0}, {}, StreamOf(seed, op, operand, tensor_));
}

Value Lowering::Normal(std::uint64_t seed, std::string_view op, std::size_t operand) {
  return Emit(OpCode::kNormal, {}, {0, 0}, {}, StreamOf(seed, op, operand, tensor_));
}

Value Lowering::Spread(Scalar of_cells, const Grid& cells) {
  if (of_cells.is_literal()) return Constant(of_cells.literal());
  return Emit(OpCode::kSpread, {}, {of_cells, 0}, cells);
}

KeptIndex Lowering::Keep(Value value) {
  const Register held = Hold(value);
  const auto [known, fresh] =
      known_kept_.try_emplace(held, static_cast<KeptIndex>(draft_.kept.size()));
  if (fresh) draft_.kept.push_back({draft_.levels[held], false, held});
  return known->second;
}

KeptIndex Lowering::KeepFor(Value value, Register source) {
  const KeptIndex kept = Keep(value);
  draft_.waits_for[source] = kept;
  draft_.levels[source] = static_cast<std::uint16_t>(draft_.kept[kept].level + 1);
  return kept;
}

Value Lowering::Transformed(const TensorFunction& function, std::span<const Value> in,
                            std::vector<double> numbers, std::vector<CompanionIndex> companions) {
  if (draft_.tape.registers == kMost) FailForSize();
  Transform transform{
      .function = &function, .numbers = std::move(numbers), .companions = std::move(companions)};
  std::uint16_t level = 0;
  for (const Value& value : in) {
    transform.in.push_back(Keep(value));
    level = std::max(level, draft_.kept[transform.in.back()].level);
  }
  transform.out = static_cast<KeptIndex>(draft_.kept.size());
  draft_.kept.push_back({level, true, draft_.transforms.size()});
  draft_.read_as[draft_.tape.registers] = transform.out;
  draft_.transforms.push_back(std::move(transform));
  draft_.levels.push_back(static_cast<std::uint16_t>(level + 1));
  return Value::Of(draft_.tape.registers++);
}

Scalar Lowering::ToldBy(Value transformed, std::size_t index) {
  const KeptMaker& maker = draft_.kept[draft_.read_as.at(transformed.reg())];
  constexpr std::uint64_t kKey = 3000;
  const auto [known, fresh] =
      known_slots_.try_emplace({kKey, maker.index, index}, static_cast<Slot>(draft_.slots.size()));
  if (fresh) {
    if (draft_.slots.size() == kNoSlot) FailForSize();
    draft_.slots.push_back(
        {.level = maker.level, .index = maker.index, .told = true, .number = index});
  }
  return Scalar::Of(known->second);
}

void Lowering::Tell(std::string_view label, Scalar number, Unit unit, Subject subject) {
  draft_.findings.push_back(
      {.label = label, .unit = unit, .subject = subject, .number = number, .result = {}});
}

void Lowering::TellCount(std::string_view label, Scalar count, Scalar of, Subject subject) {
  draft_.findings.push_back({.label = label,
                             .unit = Unit::kCount,
                             .subject = subject,
                             .number = count,
                             .of = of,
                             .result = {}});
}

void Lowering::TellShare(std::string_view label, Value marked, Subject subject) {
  if (marked.zero()) return Tell(label, 0, Unit::kShare, subject);
  draft_.findings.push_back({.label = label,
                             .unit = Unit::kShare,
                             .subject = subject,
                             .marked = marked.reg(),
                             .result = {}});
}

void Lowering::TellMean(std::string_view label, Value shares, Subject subject) {
  const std::size_t count = draft_.findings.size();
  TellShare(label, shares, subject);
  draft_.findings[count].mean = draft_.findings[count].marked.has_value();
}

std::span<Finding> Lowering::FindingsFrom(std::size_t count) {
  return std::span(draft_.findings).subspan(count);
}

void Lowering::AddProbe(const Probe& probe) {
  if (probe.against_zero || probe.before != probe.after) draft_.tape.probes.push_back(probe);
}

Lowering::Finished Lowering::Finish(std::span<const Value> results,
                                    std::span<const Scalar> slots) && {
  std::vector<Slot> asked;
  for (const Scalar& scalar : slots) asked.push_back(scalar.slot());
  return internal::Finish(draft_, results, asked);
}

}  // namespace weightsmith::internal
