#include "merge/program/reflections.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "merge/program/sweeps.h"

namespace weightsmith::internal {
namespace {

/// Reflections that are taken together.
constexpr std::size_t kTogether = 32;
/// Numbers below which the products of rows with a vector, about a millisecond, are not shared.
constexpr std::size_t kSharedRows = std::size_t{1} << 20;
/// Rows that a thread multiplies.
constexpr std::size_t kRowsOfPart = 64;

/// Makes x the vector v of a reflection 1 - factor·v·vᵀ that takes it to a multiple of the first
/// direction, and gives the factor, or 0 where there is nothing to do. `multiple` becomes that
/// multiple.
double ReflectorOf(std::span<double> x, double& multiple) {
  const double norm = Norm(x);
  multiple = norm == 0 || x[0] > 0 ? -norm : norm;
  if (norm == 0) return 0;
  x[0] -= multiple;
  // Of length 1, so that its square neither vanishes nor overflows.
  ScaleBy(1 / Norm(x), x);
  return 2;
}

/// The product of reflections as 1 - vᵀ·t·v; v has them as rows.
class Reflections {
 public:
  explicit Reflections(std::size_t size)
      : vectors_(kTogether, size), factors_(kTogether, kTogether) {}

  std::size_t count() const { return count_; }

  /// After those that there are. `v` is its end, from some place on.
  void Add(std::span<const double> v, double factor) {
    const std::span<double> own = vectors_.row(count_);
    std::ranges::copy(v, own.end() - static_cast<std::ptrdiff_t>(v.size()));
    for (std::size_t i = 0; i < count_; ++i) {
      double sum = 0;
      for (std::size_t j = i; j < count_; ++j) {
        sum += factors_.at(i, j) * Dot(vectors_.row(j), own);
      }
      factors_.at(i, count_) = -factor * sum;
    }
    factors_.at(count_, count_) = factor;
    ++count_;
  }

  /// rows ← rows·product, or by its transpose. REQUIRES: as many columns as the vectors have.
  void Apply(MatrixPart rows, bool transposed, const Poll& poll) const {
    Matrix products(rows.rows, kTogether);
    const ConstMatrixPart constant{rows.values, rows.stride, rows.rows, rows.columns};
    AddProductOf(constant, AllOf(Transposed(vectors_, poll)),
                 PartOfMatrix(products, 0, 0, rows.rows, kTogether), poll);
    ScaleBy(-1, products.values);
    products = Multiply(products, transposed ? Transposed(factors_, poll) : factors_, poll);
    AddProductOf(AllOf(products), AllOf(vectors_), rows, poll);
  }

 private:
  Matrix vectors_;
  Matrix factors_;
  std::size_t count_ = 0;
};

}  // namespace

Matrix TriangleOf(const Matrix& a, const Poll& poll) {
  Matrix columns = Transposed(a, poll);
  for (std::size_t first = 0; first < columns.rows; first += kTogether) {
    const std::size_t end = std::min(first + kTogether, columns.rows);
    // Behind the last there is nothing to reflect.
    std::optional<Reflections> reflections;
    if (end < columns.rows) reflections.emplace(columns.columns - first);
    for (std::size_t k = first; k < end; ++k) {
      poll();
      double multiple = 0;
      const std::span<double> own = columns.row(k).subspan(k);
      const double factor = ReflectorOf(own, multiple);
      for (std::size_t j = k + 1; j < end && factor != 0; ++j) {
        const std::span<double> other = columns.row(j).subspan(k);
        AddTo(other, -factor * Dot(own, other), own);
      }
      if (reflections) reflections->Add(own, factor);
      own[0] = multiple;
    }
    if (!reflections) break;
    reflections->Apply(
        PartOfMatrix(columns, end, first, columns.rows - end, columns.columns - first), false,
        poll);
  }
  Matrix triangle(a.columns, a.columns, poll);
  for (std::size_t i = 0; i < a.columns; ++i) {
    poll();
    for (std::size_t j = i; j < a.columns; ++j) triangle.at(i, j) = columns.at(j, i);
  }
  return triangle;
}

namespace {

/// A run of steps of a bidiagonalisation, as LAPACK's dlabrd: the matrix stays as it is until the
/// run ends, and is a - columnsᵀ·rightwards - downwardsᵀ·rows.
class BidiagonalRun {
 public:
  BidiagonalRun(Matrix& a, std::size_t first)
      : a_(a),
        first_(first),
        end_(std::min(first + kTogether, a.rows)),
        columns_(kTogether, a.rows),
        rightwards_(kTogether, a.rows),
        downwards_(kTogether, a.rows),
        rows_(kTogether, a.rows) {}

  void Run(Bidiagonal& result, Reflections& right, const Poll& poll) {
    for (std::size_t k = first_; k < end_; ++k) {
      poll();
      result.diagonal.push_back(ReflectColumn(k, poll));
      if (k + 1 == a_.rows) break;
      poll();
      result.above.push_back(ReflectRow(k, right, poll));
    }
    if (end_ == a_.rows) return;
    const std::size_t left = a_.rows - end_;
    const MatrixPart rest = PartOfMatrix(a_, end_, end_, left, left);
    ScaleBy(-1, columns_.values);
    ScaleBy(-1, downwards_.values);
    AddProductOf(AllOf(TransposedFrom(columns_, end_)),
                 PartOfMatrix(std::as_const(rightwards_), 0, end_, kTogether, left), rest, poll);
    AddProductOf(AllOf(TransposedFrom(downwards_, end_)),
                 PartOfMatrix(std::as_const(rows_), 0, end_, kTogether, left), rest, poll);
  }

 private:
  static Matrix TransposedFrom(const Matrix& a, std::size_t from) {
    Matrix turned(a.columns - from, a.rows);
    for (std::size_t i = 0; i < a.rows; ++i) {
      for (std::size_t j = from; j < a.columns; ++j) turned.at(j - from, i) = a.at(i, j);
    }
    return turned;
  }

  static std::span<const double> From(const Matrix& a, std::size_t row, std::size_t column) {
    return a.row(row).subspan(column);
  }

  /// x ← x - Σ (vectors of first, at its place, or their products with `with`)·second, from
  /// `column` on, for so many steps.
  static void Subtract(std::span<double> x, const Matrix& second, std::span<const double> factors,
                       std::size_t column) {
    for (std::size_t s = 0; s < factors.size(); ++s) {
      AddTo(x, -factors[s], From(second, s, column));
    }
  }

  static std::vector<double> At(const Matrix& a, std::size_t steps, std::size_t column) {
    std::vector<double> numbers;
    for (std::size_t s = 0; s < steps; ++s) numbers.push_back(a.at(s, column));
    return numbers;
  }

  static std::vector<double> Products(const Matrix& a, std::size_t steps, std::size_t column,
                                      std::span<const double> with) {
    std::vector<double> numbers;
    for (std::size_t s = 0; s < steps; ++s) numbers.push_back(Dot(From(a, s, column), with));
    return numbers;
  }

  /// The product of each row with x.
  static void MultiplyRows(ConstMatrixPart rows, std::span<const double> x,
                           std::span<double> products, const Poll& poll) {
    const auto multiply = [&](std::size_t first, std::size_t count) {
      for (std::size_t i = first; i < first + count; ++i) products[i] = Dot(rows.row(i), x);
    };
    if (rows.rows * rows.columns < kSharedRows) return multiply(0, rows.rows);
    poll.ForEach((rows.rows + kRowsOfPart - 1) / kRowsOfPart, [&](std::size_t part) {
      const std::size_t first = part * kRowsOfPart;
      multiply(first, std::min(kRowsOfPart, rows.rows - first));
    });
  }

  double ReflectColumn(std::size_t k, const Poll& poll) {
    const std::size_t step = k - first_;
    const std::span<double> own = columns_.row(step).subspan(k);
    for (std::size_t i = k; i < a_.rows; ++i) own[i - k] = a_.at(i, k);
    Subtract(own, columns_, At(rightwards_, step, k), k);
    Subtract(own, downwards_, At(rows_, step, k), k);
    double multiple = 0;
    const double factor = ReflectorOf(own, multiple);
    if (k + 1 == a_.rows || factor == 0) return multiple;
    const std::span<double> along = rightwards_.row(step).subspan(k + 1);
    const std::size_t left = a_.rows - k;
    AddRowsTo(own, PartOfMatrix(std::as_const(a_), k, k + 1, left, left - 1), along, poll);
    Subtract(along, rightwards_, Products(columns_, step, k, own), k + 1);
    Subtract(along, rows_, Products(downwards_, step, k, own), k + 1);
    ScaleBy(factor, along);
    return multiple;
  }

  double ReflectRow(std::size_t k, Reflections& right, const Poll& poll) {
    const std::size_t step = k - first_;
    const std::span<double> own = rows_.row(step).subspan(k + 1);
    std::ranges::copy(a_.row(k).subspan(k + 1), own.begin());
    Subtract(own, rightwards_, At(columns_, step + 1, k), k + 1);
    Subtract(own, rows_, At(downwards_, step, k), k + 1);
    double multiple = 0;
    const double factor = ReflectorOf(own, multiple);
    right.Add(own, factor);
    if (factor == 0) return multiple;
    const std::span<double> down = downwards_.row(step).subspan(k + 1);
    MultiplyRows(PartOfMatrix(std::as_const(a_), k + 1, k + 1, down.size(), own.size()), own, down,
                 poll);
    Subtract(down, columns_, Products(rightwards_, step + 1, k + 1, own), k + 1);
    Subtract(down, downwards_, Products(rows_, step, k + 1, own), k + 1);
    ScaleBy(factor, down);
    return multiple;
  }

  Matrix& a_;
  std::size_t first_;
  std::size_t end_;
  Matrix columns_;     ///< reflections from the left
  Matrix rightwards_;  ///< what they subtract
  Matrix downwards_;   ///< what those from the right subtract
  Matrix rows_;        ///< reflections from the right
};

}  // namespace

Bidiagonal BidiagonalOf(Matrix a, const Poll& poll) {
  Bidiagonal result;
  std::vector<Reflections> right;
  for (std::size_t first = 0; first < a.rows; first += kTogether) {
    right.emplace_back(a.rows - first);
    BidiagonalRun(a, first).Run(result, right.back(), poll);
  }
  result.right = std::move(a);
  poll.ForRanges(result.right.values.size(), [&](std::size_t from, std::size_t count) {
    std::fill_n(result.right.values.data() + from, count, 0.0);
  });
  for (std::size_t i = 0; i < result.right.rows; ++i) result.right.at(i, i) = 1;
  while (!right.empty()) {
    const std::size_t first = (right.size() - 1) * kTogether;
    const std::size_t left = result.right.rows - first;
    right.back().Apply(PartOfMatrix(result.right, first, first, left, left), true, poll);
    right.pop_back();
  }
  return result;
}

}  // namespace weightsmith::internal
