// Matrices of f64 for functions of whole tensors. Every element of a product is summed in the order
// of the inner dimension, each product and each sum rounded by itself, so that it depends neither
// on the width of vectors nor on blocks nor on threads: those that have nothing else to do share
// what takes long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/aligned_vector.h"
#include "core/tensor/tensor.h"
#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

/// Rows of numbers, one behind the other.
struct Matrix {
  Matrix() = default;
  /// Of zeros.
  Matrix(std::size_t row_count, std::size_t column_count)
      : rows(row_count), columns(column_count), values(row_count * column_count) {}
  /// Likewise, of one that is large.
  Matrix(std::size_t row_count, std::size_t column_count, const Poll& poll)
      : rows(row_count), columns(column_count) {
    poll.Extend(values, row_count * column_count);
  }

  std::span<double> row(std::size_t i) { return std::span(values).subspan(i * columns, columns); }
  std::span<const double> row(std::size_t i) const {
    return std::span(values).subspan(i * columns, columns);
  }
  double& at(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double at(std::size_t i, std::size_t j) const { return values[i * columns + j]; }

  std::size_t rows = 0;
  std::size_t columns = 0;
  AlignedVector<double> values;
};

/// Rows and columns of a tensor as a matrix: its first dimension, and all others. REQUIRES: at
/// least two dimensions.
struct MatrixSize {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t smaller() const { return rows < columns ? rows : columns; }
};
MatrixSize MatrixSizeOf(const Shape& shape);

/// The index of what AreMatrices tells, behind all that functions of matrices say themselves.
inline constexpr std::size_t kToldNotFinite = 3;

/// Whether they are matrices that can be decomposed: of two dimensions or more, not empty, and
/// without infinities and NaN. Tells 1 where it is those that they have, else 0.
bool AreMatrices(TensorInputs in, const Shape& shape, const Poll& poll, Told told,
                 std::size_t index = kToldNotFinite);

/// Whether no value is infinite or NaN.
bool AreFinite(TensorInputs in, const Poll& poll);

/// The mean of each element, in f64 from left to right: what a method of matrices does with what is
/// none.
void Average(TensorInputs in, std::span<float> out, const Poll& poll);

/// Bytes of so many numbers.
constexpr std::uint64_t BytesOfNumbers(std::uint64_t count) {
  return count * sizeof(double);
}
/// Bytes of a matrix.
inline std::uint64_t BytesOfMatrix(std::uint64_t rows, std::uint64_t columns) {
  return AlignedBytes(BytesOfNumbers(rows * columns));
}

/// REQUIRES: as many values as the size says; likewise below.
Matrix MatrixOf(std::span<const float> values, MatrixSize size, const Poll& poll);
void Round(const Matrix& matrix, std::span<float> out, const Poll& poll);

Matrix Copied(const Matrix& a, const Poll& poll);
Matrix Transposed(const Matrix& a, const Poll& poll);

/// a·b. REQUIRES: as many rows of b as columns of a.
Matrix Multiply(const Matrix& a, const Matrix& b, const Poll& poll);
/// a·bᵀ. REQUIRES: as many columns of both.
Matrix MultiplyTransposed(const Matrix& a, const Matrix& b, const Poll& poll);

/// A part of a matrix, in its place.
template <class Number>
struct MatrixPartOf {
  Number* values = nullptr;
  std::size_t stride = 0;  ///< numbers from a row to the next
  std::size_t rows = 0;
  std::size_t columns = 0;

  std::span<Number> row(std::size_t i) const { return {values + i * stride, columns}; }
};
using MatrixPart = MatrixPartOf<double>;
using ConstMatrixPart = MatrixPartOf<const double>;

/// Rows and columns from these on, so many. REQUIRES: inside the matrix.
MatrixPart PartOfMatrix(Matrix& a, std::size_t row, std::size_t column, std::size_t rows,
                        std::size_t columns);
ConstMatrixPart PartOfMatrix(const Matrix& a, std::size_t row, std::size_t column, std::size_t rows,
                             std::size_t columns);
inline ConstMatrixPart AllOf(const Matrix& a) {
  return PartOfMatrix(a, 0, 0, a.rows, a.columns);
}

/// c ← c + a·b. REQUIRES: sizes that fit; c in a matrix of its own, or in rows or columns that
/// neither a nor b has.
void AddProductOf(ConstMatrixPart a, ConstMatrixPart b, MatrixPart c, const Poll& poll);

/// Bytes that a product takes beside its operands and its result, at most.
inline constexpr std::uint64_t kProductBytes = 4u << 20;

/// Σ x·y.
double Dot(std::span<const double> x, std::span<const double> y);
double Norm(std::span<const double> x);
/// x ← s·x.
void ScaleBy(double s, std::span<double> x);
/// y ← y + s·x.
void AddTo(std::span<double> y, double s, std::span<const double> x);
/// a ← s·a.
void ScaleBy(double s, Matrix& a, const Poll& poll);
/// a ← a + s·b. REQUIRES: one size.
void AddTo(Matrix& a, double s, const Matrix& b, const Poll& poll);

/// The rows from `first` on, so many. REQUIRES: it has them.
Matrix RowsOf(const Matrix& a, std::size_t first, std::size_t count, const Poll& poll);
/// The first `count` rows.
inline Matrix FirstRows(const Matrix& a, std::size_t count, const Poll& poll) {
  return RowsOf(a, 0, count, poll);
}
/// The rows of all of them, one matrix below the other. REQUIRES: as many columns of each.
Matrix Stacked(std::span<const Matrix> parts, const Poll& poll);

}  // namespace weightsmith::internal
