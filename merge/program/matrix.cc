#include "merge/program/matrix.h"

#include <algorithm>
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
/// Sizes of a block that is transposed inside the cache.
constexpr std::size_t kTransposeBlock = 32;

}  // namespace

MatrixSize MatrixSizeOf(const Shape& shape) {
  std::uint64_t columns = 1;
  for (std::size_t d = 1; d < shape.size(); ++d) columns *= shape[d];
  return {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(columns)};
}

bool AreMatrices(TensorInputs in, const Shape& shape, Told told, std::size_t index) {
  const auto has_none = [](std::span<const float> values) { return values.empty(); };
  if (shape.size() < 2 || std::ranges::any_of(in, has_none)) return false;
  const bool finite = std::ranges::all_of(in, [](std::span<const float> values) {
    return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
  });
  told.Say(index, finite ? 0 : 1);
  return finite;
}

void Average(TensorInputs in, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    double sum = 0;
    for (const std::span<const float> values : in) sum += values[i];
    out[i] = static_cast<float>(sum / static_cast<double>(in.size()));
  }
}

Matrix MatrixOf(std::span<const float> values, MatrixSize size) {
  Matrix matrix(size.rows, size.columns);
  std::ranges::copy(values, matrix.values.begin());
  return matrix;
}

void Round(const Matrix& matrix, std::span<float> out) {
  std::ranges::transform(matrix.values, out.begin(),
                         [](double v) { return static_cast<float>(v); });
}

Matrix Transposed(const Matrix& a) {
  Matrix turned(a.columns, a.rows);
  for (std::size_t first_row = 0; first_row < a.rows; first_row += kTransposeBlock) {
    const std::size_t end_row = std::min(first_row + kTransposeBlock, a.rows);
    for (std::size_t first = 0; first < a.columns; first += kTransposeBlock) {
      const std::size_t end = std::min(first + kTransposeBlock, a.columns);
      for (std::size_t i = first_row; i < end_row; ++i) {
        for (std::size_t j = first; j < end; ++j) turned.at(j, i) = a.at(i, j);
      }
    }
  }
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
  for (std::size_t k = 0; k < a.columns; k += kTermsAtOnce) {
    const std::size_t terms = std::min(kTermsAtOnce, a.columns - k);
    for (std::size_t j = 0; j < b.columns; j += kStripColumns) {
      poll();
      HWY_DYNAMIC_DISPATCH(MultiplyStrip)
      (a.values + k, a.stride, b.values + k * b.stride + j, b.stride, a.rows, terms,
       std::min(kStripColumns, b.columns - j), c.values + j, c.stride);
    }
  }
}

Matrix Multiply(const Matrix& a, const Matrix& b, const Poll& poll) {
  Matrix c(a.rows, b.columns);
  AddProductOf(AllOf(a), AllOf(b), PartOfMatrix(c, 0, 0, c.rows, c.columns), poll);
  return c;
}

Matrix MultiplyTransposed(const Matrix& a, const Matrix& b, const Poll& poll) {
  return Multiply(a, Transposed(b), poll);
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

void AddTo(Matrix& a, double s, const Matrix& b) {
  AddTo(std::span(a.values), s, std::span(b.values));
}

Matrix FirstRows(const Matrix& a, std::size_t count) {
  Matrix first(count, a.columns);
  std::copy_n(a.values.begin(), first.values.size(), first.values.begin());
  return first;
}

Matrix Stacked(std::span<const Matrix> parts) {
  std::size_t rows = 0;
  for (const Matrix& part : parts) rows += part.rows;
  Matrix all(rows, parts.empty() ? 0 : parts.front().columns);
  auto to = all.values.begin();
  for (const Matrix& part : parts) to = std::ranges::copy(part.values, to).out;
  return all;
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
