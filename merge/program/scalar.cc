#include "merge/program/scalar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "core/base/elementary.h"
#include "core/tensor/codec.h"

namespace weightsmith::internal {
namespace {

double RoundedTo(DType dtype, double value) {
  std::array<std::byte, sizeof(double)> stored{};
  const std::span<std::byte> bytes = std::span(stored).first(Info(dtype).bits / 8);
  Encode(dtype, std::span<const double>(&value, 1), bytes);
  Decode(dtype, bytes, std::span<double>(&value, 1));
  return value;
}

/// What an operation reads: a number, or one for each cell.
struct ScalarOperand {
  double operator[](std::size_t cell) const {
    if (values.empty()) return literal;
    return values[values.size() == 1 ? 0 : cell];
  }

  double literal = 0;
  std::span<const double> values{};
};

/// Evaluate for many cells, of the operations that models have most of; false for another one.
bool EvaluateCells(ScalarCode code, std::span<const ScalarOperand> in, std::span<double> out) {
  const auto each = [&](const auto& compute) {
    for (std::size_t at = 0; at < out.size(); ++at) out[at] = compute(at);
    return true;
  };
  switch (code) {
    case ScalarCode::kAdd:
      return each([&](std::size_t at) { return in[0][at] + in[1][at]; });
    case ScalarCode::kSubtract:
      return each([&](std::size_t at) { return in[0][at] - in[1][at]; });
    case ScalarCode::kMultiply:
      return each([&](std::size_t at) { return in[0][at] * in[1][at]; });
    case ScalarCode::kDivide:
      return each([&](std::size_t at) { return in[0][at] / in[1][at]; });
    case ScalarCode::kMinimum:
      return each([&](std::size_t at) { return std::min(in[0][at], in[1][at]); });
    case ScalarCode::kMaximum:
      return each([&](std::size_t at) { return std::max(in[0][at], in[1][at]); });
    case ScalarCode::kSquareRoot:
      return each([&](std::size_t at) { return std::sqrt(in[0][at]); });
    default:
      return false;
  }
}

}  // namespace

std::size_t Inputs(ScalarCode code) {
  switch (code) {
    case ScalarCode::kMagnitude:
    case ScalarCode::kSquareRoot:
    case ScalarCode::kSine:
    case ScalarCode::kCosine:
    case ScalarCode::kExponential:
    case ScalarCode::kLogarithm:
    case ScalarCode::kHyperbolicTangent:
    case ScalarCode::kArcCosine:
    case ScalarCode::kRound32:
    case ScalarCode::kRoundF16:
    case ScalarCode::kRoundBF16:
    case ScalarCode::kSumOfCells:
      return 1;
    case ScalarCode::kAdd:
    case ScalarCode::kSubtract:
    case ScalarCode::kMultiply:
    case ScalarCode::kDivide:
    case ScalarCode::kMinimum:
    case ScalarCode::kMaximum:
    case ScalarCode::kPower:
      return 2;
    case ScalarCode::kSelect:
      return 4;
    case ScalarCode::kFunction:
      break;
  }
  return 0;
}

std::span<const Scalar> Reads(const ScalarOp& operation) {
  if (operation.code == ScalarCode::kFunction) return operation.operands;
  return std::span(operation.in).first(Inputs(operation.code));
}

double Evaluate(ScalarCode code, std::span<const double> in) {
  switch (code) {
    case ScalarCode::kAdd:
      return in[0] + in[1];
    case ScalarCode::kSubtract:
      return in[0] - in[1];
    case ScalarCode::kMultiply:
      return in[0] * in[1];
    case ScalarCode::kDivide:
      return in[0] / in[1];
    case ScalarCode::kMinimum:
      return std::min(in[0], in[1]);
    case ScalarCode::kMaximum:
      return std::max(in[0], in[1]);
    case ScalarCode::kMagnitude:
      return std::abs(in[0]);
    case ScalarCode::kSquareRoot:
      return std::sqrt(in[0]);
    case ScalarCode::kSine:
      return Sine(in[0]);
    case ScalarCode::kCosine:
      return Cosine(in[0]);
    case ScalarCode::kExponential:
      return Exponential(in[0]);
    case ScalarCode::kLogarithm:
      return Logarithm(in[0]);
    case ScalarCode::kHyperbolicTangent:
      return HyperbolicTangent(in[0]);
    case ScalarCode::kPower:
      return Power(in[0], in[1]);
    case ScalarCode::kArcCosine:
      return ArcCosine(in[0]);
    case ScalarCode::kRound32:
      return static_cast<double>(static_cast<float>(in[0]));
    case ScalarCode::kRoundF16:
      return RoundedTo(DType::kF16, in[0]);
    case ScalarCode::kRoundBF16:
      return RoundedTo(DType::kBF16, in[0]);
    case ScalarCode::kSelect:
      return in[0] < in[1] ? in[2] : in[3];
    case ScalarCode::kSumOfCells:
    case ScalarCode::kFunction:
      break;
  }
  return 0;
}

void Evaluate(const ScalarOp& operation, SlotValues& slots) {
  const std::span<const Scalar> reads = Reads(operation);
  if (operation.code == ScalarCode::kSumOfCells) {
    const std::vector<double>& cells = slots[reads.front().slot()];
    slots[operation.out] = {std::accumulate(cells.begin(), cells.end(), 0.0)};
    return;
  }
  std::size_t count = 1;
  for (const Scalar& in : reads) {
    if (!in.is_literal() && slots[in.slot()].size() != 1) count = slots[in.slot()].size();
  }
  std::vector<ScalarOperand> operands;
  for (const Scalar& in : reads) {
    operands.push_back(in.is_literal() ? ScalarOperand{.literal = in.literal()}
                                       : ScalarOperand{.values = slots[in.slot()]});
  }
  std::vector<double> out(count);
  if (!EvaluateCells(operation.code, operands, out)) {
    std::vector<double> in(reads.size());
    for (std::size_t at = 0; at < count; ++at) {
      for (std::size_t i = 0; i < reads.size(); ++i) in[i] = operands[i][at];
      out[at] = operation.function != nullptr ? operation.function->compute(in, operation.index)
                                              : Evaluate(operation.code, in);
    }
  }
  slots[operation.out] = std::move(out);
}

}  // namespace weightsmith::internal
