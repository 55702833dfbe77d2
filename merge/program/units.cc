#include "merge/program/units.h"

#include <algorithm>

#include "merge/program/assignment.h"
#include "merge/program/change.h"
#include "merge/program/orthogonal.h"

namespace weightsmith::internal {
namespace {

/// What a function of units was given.
class UnitInputs {
 public:
  /// REQUIRES: both outlive it.
  UnitInputs(TensorInputs in, const SharedUnits& shared) : in_(in), shared_(shared) {}

  std::size_t units() const { return shared_.units; }
  std::span<const UnitSlice> slices() const { return shared_.slices; }
  bool IsOwn(const UnitSlice& slice) const { return slice.companion == shared_.own; }

  /// A slice with its units as runs of rows; of the first model, or of the other.
  Matrix Rows(const UnitSlice& slice, bool other, const Poll& poll) const {
    const std::size_t each = (in_.size() - 1) / 2;
    const std::span<const float> values = in_[1 + (other ? each : 0) + slice.companion];
    Matrix whole = MatrixOf(values, {slice.rows, slice.columns}, poll);
    if (slice.turned) whole = Transposed(whole, poll);
    return RowsOf(whole, slice.first, slice.count, poll);
  }

  /// Puts the rows of a slice into its places.
  void Write(const Matrix& rows, const UnitSlice& slice, std::span<float> out,
             const Poll& poll) const {
    for (std::size_t i = 0; i < rows.rows; ++i) {
      poll();
      for (std::size_t j = 0; j < rows.columns; ++j) {
        const std::size_t at = slice.turned ? j * slice.columns + slice.first + i
                                            : (slice.first + i) * slice.columns + j;
        out[at] = static_cast<float>(rows.at(i, j));
      }
    }
  }

 private:
  TensorInputs in_;
  const SharedUnits& shared_;
};

/// Each unit as one row.
Matrix AsUnits(Matrix rows, std::size_t units) {
  rows.columns = rows.values.size() / units;
  rows.rows = units;
  return rows;
}

void MatchUnits(TensorInputs in, const Shape& /*shape*/, const SharedUnits& shared,
                std::span<float> out, const Poll& poll, Told told) {
  std::ranges::copy(in[0], out.begin());
  if (shared.slices.empty() || !AreFinite(in, poll)) return;
  const UnitInputs given(in, shared);
  Matrix gain(given.units(), given.units(), poll);
  for (const UnitSlice& slice : given.slices()) {
    const Matrix theirs = AsUnits(given.Rows(slice, /*other=*/true, poll), given.units());
    const Matrix ours = AsUnits(given.Rows(slice, /*other=*/false, poll), given.units());
    AddTo(gain, 1, MultiplyTransposed(theirs, ours, poll), poll);
  }
  const std::vector<std::size_t> order = BestAssignment(gain, poll);
  std::size_t moved = 0;
  for (std::size_t u = 0; u < order.size(); ++u) moved += order[u] != u ? 1 : 0;
  told.Say(0, static_cast<double>(moved));
  told.Say(1, static_cast<double>(order.size()));
  for (const UnitSlice& slice : given.slices()) {
    if (!given.IsOwn(slice)) continue;
    const Matrix rows = given.Rows(slice, /*other=*/false, poll);
    const std::size_t each = rows.rows / given.units();
    Matrix ordered(rows.rows, rows.columns, poll);
    for (std::size_t i = 0; i < rows.rows; ++i) {
      poll();
      const std::span<const double> from = rows.row(order[i / each] * each + i % each);
      std::ranges::copy(from, ordered.row(i).begin());
    }
    given.Write(ordered, slice, out, poll);
  }
}

/// The rows of one unit.
Matrix UnitOf(const Matrix& rows, std::size_t unit, std::size_t units) {
  Matrix own(rows.rows / units, rows.columns);
  std::copy_n(rows.values.begin() + static_cast<std::ptrdiff_t>(unit * own.values.size()),
              own.values.size(), own.values.begin());
  return own;
}

/// The turn of each unit of a pair.
std::vector<Matrix> TurnsOf(const UnitInputs& given, std::size_t pair, const Poll& poll) {
  std::vector<Matrix> products(given.units());
  for (const UnitSlice& slice : given.slices()) {
    if (slice.pair != pair) continue;
    const Matrix theirs = given.Rows(slice, /*other=*/true, poll);
    const Matrix ours = given.Rows(slice, /*other=*/false, poll);
    for (std::size_t u = 0; u < given.units(); ++u) {
      Matrix product = MultiplyTransposed(UnitOf(theirs, u, given.units()),
                                          UnitOf(ours, u, given.units()), poll);
      if (products[u].values.empty()) products[u] = Matrix(product.rows, product.columns);
      AddTo(products[u], slice.scale, product, poll);
    }
  }
  for (Matrix& product : products) product = NearestOrthogonal(product, /*proper=*/false, poll);
  return products;
}

void TurnUnits(TensorInputs in, const Shape& /*shape*/, const SharedUnits& shared,
               std::span<float> out, const Poll& poll, Told told) {
  std::ranges::copy(in[0], out.begin());
  if (shared.slices.empty() || !AreFinite(in, poll)) return;
  const UnitInputs given(in, shared);
  for (const UnitSlice& slice : given.slices()) {
    if (!given.IsOwn(slice)) continue;
    const std::vector<Matrix> turns = TurnsOf(given, slice.pair, poll);
    const Matrix rows = given.Rows(slice, /*other=*/false, poll);
    Matrix turned(rows.rows, rows.columns, poll);
    auto to = turned.values.begin();
    for (std::size_t u = 0; u < given.units(); ++u) {
      to = std::ranges::copy(Multiply(turns[u], UnitOf(rows, u, given.units()), poll).values, to)
               .out;
    }
    given.Write(turned, slice, out, poll);
  }
  if (told.Wants(0)) told.Say(0, AngleBetween(in[0], out, poll));
}

/// Rows of the largest unit, as many as a turn has.
std::uint64_t LargestUnit(const SharedUnits& shared) {
  std::uint64_t unit = 0;
  for (const UnitSlice& slice : shared.slices) {
    unit = std::max<std::uint64_t>(unit, slice.count / shared.units);
  }
  return unit;
}

std::uint64_t UnitsBytesOfPart(const Shape& /*shape*/, std::size_t /*inputs*/,
                               const SharedUnits& shared) {
  if (shared.slices.empty()) return 0;
  const auto unit = static_cast<std::size_t>(LargestUnit(shared));
  return TurnBytesOfPart({unit, unit});
}

std::uint64_t UnitsBytes(const Shape& /*shape*/, std::size_t /*inputs*/,
                         const SharedUnits& shared) {
  if (shared.slices.empty()) return 0;
  std::uint64_t largest = 0;
  const std::uint64_t unit = LargestUnit(shared);
  const std::size_t units = shared.units;
  for (const UnitSlice& slice : shared.slices) {
    largest = std::max<std::uint64_t>(largest, slice.rows * slice.columns);
  }
  // What each unit gains by each, or its turn; slices of two models, transposed and cut out.
  return BytesOfNumbers(2 * units * std::max<std::uint64_t>(units, unit * unit) + 6 * largest) +
         NearestOrthogonalBytes(unit);
}

}  // namespace

const TensorFunction<SharedUnits>& UnitsMatched() {
  static constexpr TensorFunction<SharedUnits> function{.name = "units_matched",
                                                        .compute = MatchUnits,
                                                        .bytes = UnitsBytes,
                                                        .bytes_of_part = UnitsBytesOfPart};
  return function;
}

const TensorFunction<SharedUnits>& UnitsTurned() {
  static constexpr TensorFunction<SharedUnits> function{.name = "units_turned",
                                                        .compute = TurnUnits,
                                                        .bytes = UnitsBytes,
                                                        .bytes_of_part = UnitsBytesOfPart};
  return function;
}

}  // namespace weightsmith::internal
