#include "merge/plan/fill_dtype.h"

#include <limits>

#include "core/tensor/codec.h"

namespace weightsmith::internal {
namespace {

/// A scale as a dtype stores it: in its range, not 0, and not so much smaller that codes overflow.
Scalar AsStored(Lowering& tape, Scalar scale, DType dtype) {
  struct Stored {
    DType dtype;
    Scalar (*round)(Lowering&, Scalar);
    double least;
  };
  static constexpr Stored kStored[] = {
      {DType::kF16, [](Lowering& on, Scalar s) { return on.RoundF16(s); }, 0x1p-24},
      {DType::kBF16, [](Lowering& on, Scalar s) { return on.RoundBF16(s); }, 0x1p-133},
  };
  for (const Stored& row : kStored) {
    if (row.dtype != dtype) continue;
    // What codes have above their largest value before they are rounded to infinity.
    constexpr double kRoom = 1.03;
    scale = tape.Lesser(scale, LargestFinite(dtype));
    const Scalar stored = row.round(tape, scale);
    const Scalar enough =
        tape.Select(tape.Times(stored, kRoom), scale, tape.Plus(stored, row.least), stored);
    return tape.Greater(enough, row.least);
  }
  return tape.Greater(tape.Round32(scale), 0x1p-149);
}

}  // namespace

ScaledValue FillDType(Lowering& tape, Value value, DType dtype, const Grid& cells, DType of_scales,
                      bool whole) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Scalar largest = tape.Round32(whole ? tape.Largest(value) : tape.LargestOf(cells, value));
  const Scalar share = AsStored(tape, tape.Over(largest, LargestFinite(dtype)), of_scales);
  const Scalar scale = tape.Select(0, largest, tape.Select(largest, kInfinity, share, 1), 1);
  if (whole) return {scale, tape.Divide(value, scale)};
  return {scale, tape.Quotient(value, tape.Spread(scale, cells))};
}

}  // namespace weightsmith::internal
