#define EIGEN_DONT_VECTORIZE
#define EIGEN_DONT_PARALLELIZE

#include "merge/program/algebra.h"

#include <Eigen/Core>
#include <Eigen/SVD>

namespace weightsmith::internal {
namespace {

using EigenRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Eigen would take its block sizes, and so the order of its sums, from the caches of the CPU.
void FixBlockSizes() {
  static const bool fixed = [] {
    Eigen::setCpuCacheSizes(32 << 10, 256 << 10, 2 << 20);
    return true;
  }();
  static_cast<void>(fixed);
}

}  // namespace

Matrix RightSingularRows(const Matrix& a) {
  FixBlockSizes();
  const auto size = static_cast<Eigen::Index>(a.rows);
  const Eigen::MatrixXd matrix = Eigen::Map<const EigenRows>(a.values.data(), size, size);
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(matrix, Eigen::ComputeFullV);
  Matrix rows(a.rows, a.rows);
  Eigen::Map<EigenRows>(rows.values.data(), size, size) =
      svd.singularValues().asDiagonal() * svd.matrixV().transpose();
  return rows;
}

std::uint64_t RightSingularBytes(std::size_t size) {
  constexpr std::uint64_t kSquares = 12;
  return BytesOfNumbers(kSquares * size * size);
}

}  // namespace weightsmith::internal
