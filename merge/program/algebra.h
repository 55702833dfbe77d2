// What Eigen computes of small matrices, with the same bits on every CPU: without its vectors and
// threads, and with block sizes that are ours.
#pragma once

#include "merge/program/matrix.h"

namespace weightsmith::internal {

/// The most rows and columns that it is given: what takes longer could not be interrupted.
inline constexpr std::size_t kMostForEigen = 384;

/// Singular values of a square matrix, each times its vector on the right: rows that are orthogonal
/// to each other. REQUIRES: finite, and no larger than that.
Matrix RightSingularRows(const Matrix& a);

/// Bytes that it takes, at most.
std::uint64_t RightSingularBytes(std::size_t size);

}  // namespace weightsmith::internal
