#include "merge/program/matrix.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "merge/program/reduction.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/program/matrix.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "merge/program/product-inl.h"

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(MultiplyStrip);

constexpr std::size_t kTermsAtOnce = 256;
constexpr std::size_t kStripColumns = 16;
/// Sizes of a part of a product that a thread computes: its rows of a, of so many terms, and its
/// part of c stay in the cache from strip to strip.
constexpr std::size_t kPartRows = 256;
constexpr std::size_t kPartColumns = 256;
/// A product of fewer multiplications, about a millisecond, is not shared.
constexpr std::size_t kSharedProduct = std::size_t{1} << 21;
/// Sizes of a block that is transposed inside the cache.
constexpr std::size_t kTransposeBlock = 32;

/// c ← c + a·b.
void AddProductOfPart(ConstMatrixPart a, ConstMatrixPart b, MatrixPart c, const Poll& poll) {
  for (std::size_t k = 0; k < a.columns; k += kTermsAtOnce) {
    const std::size_t terms = std::min(kTermsAtOnce, a.columns - k);
    poll();
    for (std::size_t j = 0; j < b.columns; j += kStripColumns) {
      HWY_DYNAMIC_DISPATCH(MultiplyStrip)
      (a.values + k, a.stride, b.values + k * b.stride + j, b.stride, a.rows, terms,
       std::min(kStripColumns, b.columns - j), c.values + j, c.stride);
    }
  }
}

}  // namespace

MatrixSize MatrixSizeOf(const Shape& shape) {
  std::uint64_t columns = 1;
  for (std::size_t d = 1; d < shape.size(); ++d) columns *= shape[d];
  return {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(columns)};
}

bool AreMatrices(TensorInputs in, const Shape& shape, const Poll& poll, Told told,
                 std::size_t index) {
  if (shape.size() < 2 || std::ranges::any_of(in, &std::span<const float>::empty)) return false;
  const bool finite = AreFinite(in, poll);
  told.Say(index, finite ? 0 : 1);
  return finite;
}

bool AreFinite(TensorInputs in, const Poll& poll) {
  std::atomic<bool> finite = true;
  for (const std::span<const float> values : in) {
    poll.ForRanges(values.size(), [&](std::size_t first, std::size_t count) {
      if (!finite) return;
      const bool all = std::ranges::all_of(values.subspan(first, count),
                                           [](float value) { return std::isfinite(value); });
      if (!all) finite = false;
    });
  }
  return finite;
}

void Average(TensorInputs in, std::span<float> out, const Poll& poll) {
  poll.ForRanges(out.size(), [&](std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      double sum = 0;
      for (const std::span<const float> values : in) sum += values[i];
      out[i] = static_cast<float>(sum / static_cast<double>(in.size()));
    }
  });
}

Matrix MatrixOf(std::span<const float> values, MatrixSize size, const Poll& poll) {
  Matrix matrix(size.rows, size.columns, poll);
  poll.ForRanges(values.size(), [&](std::size_t first, std::size_t count) {
    std::copy_n(values.data() + first, count, matrix.values.data() + first);
  });
  return matrix;
}

void Round(const Matrix& matrix, std::span<float> out, const Poll& poll) {
  poll.ForRanges(out.size(), [&](std::size_t first, std::size_t count) {
    std::transform(matrix.values.data() + first, matrix.values.data() + first + count,
                   out.data() + first, [](double v) { return static_cast<float>(v); });
  });
}

Matrix Copied(const Matrix& a, const Poll& poll) {
  return RowsOf(a, 0, a.rows, poll);
}

Matrix Transposed(const Matrix& a, const Poll& poll) {
  Matrix turned(a.columns, a.rows, poll);
  poll.ForEach((a.rows + kTransposeBlock - 1) / kTransposeBlock, [&](std::size_t block) {
    const std::size_t first_row = block * kTransposeBlock;
    const std::size_t end_row = std::min(first_row + kTransposeBlock, a.rows);
    for (std::size_t first = 0; first < a.columns; first += kTransposeBlock) {
      const std::size_t end = std::min(first + kTransposeBlock, a.columns);
      for (std::size_t i = first_row; i < end_row; ++i) {
        for (std::size_t j = first; j < end; ++j) turned.at(j, i) = a.at(i, j);
      }
    }
  });
  return turned;
}

MatrixPart PartOfMatrix(Matrix& a, std::size_t row, std::size_t column, std::size_t rows,
                        std::size_t columns) {
  return {a.values.data() + row * a.columns + column, a.columns, rows, columns};
}

ConstMatrixPart PartOfMatrix(const Matrix& a, std::size_t row, std::size_t column, std::size_t rows,
                             std::size_t columns) {
  return {a.values.data() + row * a.columns + column, a.columns, rows, columns};
}

void AddProductOf(ConstMatrixPart a, ConstMatrixPart b, MatrixPart c, const Poll& poll) {
  if (a.rows == 0) return;  // of c there is nothing that has a place
  if (a.rows * a.columns * b.columns < kSharedProduct) return AddProductOfPart(a, b, c, poll);
  const std::size_t across = (b.columns + kPartColumns - 1) / kPartColumns;
  const std::size_t down = (a.rows + kPartRows - 1) / kPartRows;
  poll.ForEach(down * across, [&](std::size_t part) {
    const std::size_t row = part / across * kPartRows;
    const std::size_t column = part % across * kPartColumns;
    const std::size_t rows = std::min(kPartRows, a.rows - row);
    const std::size_t columns = std::min(kPartColumns, b.columns - column);
    AddProductOfPart({a.values + row * a.stride, a.stride, rows, a.columns},
                     {b.values + column, b.stride, b.rows, columns},
                     {c.values + row * c.stride + column, c.stride, rows, columns}, poll);
  });
}

Matrix Multiply(const Matrix& a, const Matrix& b, const Poll& poll) {
  Matrix c(a.rows, b.columns, poll);
  AddProductOf(AllOf(a), AllOf(b), PartOfMatrix(c, 0, 0, c.rows, c.columns), poll);
  return c;
}

Matrix MultiplyTransposed(const Matrix& a, const Matrix& b, const Poll& poll) {
  return Multiply(a, Transposed(b, poll), poll);
}

double Dot(std::span<const double> x, std::span<const double> y) {
  return Reduce(ReductionCode::kDot, x, y);
}

double Norm(std::span<const double> x) {
  return std::sqrt(Dot(x, x));
}

void ScaleBy(double s, std::span<double> x) {
  for (double& value : x) value *= s;
}

void AddTo(std::span<double> y, double s, std::span<const double> x) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += s * x[i];
}

void ScaleBy(double s, Matrix& a, const Poll& poll) {
  poll.ForRanges(a.values.size(), [&](std::size_t first, std::size_t count) {
    ScaleBy(s, std::span(a.values).subspan(first, count));
  });
}

void AddTo(Matrix& a, double s, const Matrix& b, const Poll& poll) {
  poll.ForRanges(a.values.size(), [&](std::size_t first, std::size_t count) {
    AddTo(std::span(a.values).subspan(first, count), s, std::span(b.values).subspan(first, count));
  });
}

Matrix RowsOf(const Matrix& a, std::size_t first, std::size_t count, const Poll& poll) {
  Matrix rows(count, a.columns, poll);
  const double* const from = a.values.data() + first * a.columns;
  poll.ForRanges(rows.values.size(), [&](std::size_t at, std::size_t values) {
    std::copy_n(from + at, values, rows.values.data() + at);
  });
  return rows;
}

Matrix Stacked(std::span<const Matrix> parts, const Poll& poll) {
  std::size_t rows = 0;
  for (const Matrix& part : parts) rows += part.rows;
  Matrix all(rows, parts.empty() ? 0 : parts.front().columns, poll);
  double* to = all.values.data();
  for (const Matrix& part : parts) {
    poll.ForRanges(part.values.size(), [&](std::size_t first, std::size_t count) {
      std::copy_n(part.values.data() + first, count, to + first);
    });
    to += part.values.size();
  }
  return all;
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
