// Singular values and vectors of matrices of any size, in f64, with the same bits on every CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "merge/program/matrix.h"

namespace weightsmith::internal {

/// A matrix as Σ values[i]·left[i]ᵀ·right[i], of rows of length 1 that are orthogonal to each
/// other.
struct Singular {
  std::vector<double> values;  ///< the largest first; none that is 1e-9 of it or less
  Matrix left;                 ///< a row for each, with as many numbers as the matrix has rows
  Matrix right;                ///< likewise, as it has columns
};

/// All of it: by way of a triangle, if it is not square, and of two diagonals. What comes out is
/// checked; throws where it is not what was asked for. REQUIRES: finite, likewise below.
Singular DecomposeSingular(const Matrix& a, const Poll& poll);

/// The `count` largest, or all that there are. Of few of many, from 2,048 on, by iteration of a
/// subspace from a fixed start with noise; where that does not come as near as 1e-8 of the largest,
/// as above.
Singular LargestSingular(const Matrix& a, std::size_t count, const Poll& poll);

/// The matrix again.
Matrix Compose(const Singular& parts, const Poll& poll);

/// The nearest matrix all of whose singular values are 1 or 0: left·right.
Matrix Polar(const Matrix& a, const Poll& poll);

/// Bytes that any of these takes beside its arguments for a matrix of such a size, its result
/// included, at most.
std::uint64_t SingularBytes(std::uint64_t rows, std::uint64_t columns);
/// Likewise, that each thread takes beside them in a part that it computes.
std::uint64_t SingularBytesOfPart(std::uint64_t rows, std::uint64_t columns);

/// Makes rows orthogonal to each other and of length 1, each to those before it; one that is in
/// their span is left out. The first `clear` are so already.
Matrix OrthonormalRows(Matrix rows, const Poll& poll, std::size_t clear = 0);

}  // namespace weightsmith::internal
