// Householder's reflections, several at once, and what they make of a matrix: a triangle, or two
// diagonals.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "merge/program/matrix.h"

namespace weightsmith::internal {

/// The triangle R of a = Q·R. REQUIRES: as many rows as columns, or more.
Matrix TriangleOf(const Matrix& a, const Poll& poll);

/// A square matrix as left·B·right, where left and right are orthogonal, and B has two diagonals.
struct Bidiagonal {
  std::vector<double> diagonal;
  std::vector<double> above;  ///< of the place behind each of the diagonal but the last
  Matrix right;
};

/// REQUIRES: square, finite.
Bidiagonal BidiagonalOf(Matrix a, const Poll& poll);

}  // namespace weightsmith::internal
