#include "merge/program/weiszfeld.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace weightsmith::internal {
namespace {

constexpr double kLeastDistance = 1e-6;
constexpr int kMostSteps = 100;
/// The objective is at rest where it changes less, relatively.
constexpr double kRest = 1e-20;

/// Products of points, by rows of a triangle.
class Products {
 public:
  explicit Products(std::span<const double> triangle) : triangle_(triangle) {
    while (count_ * (count_ + 1) / 2 < triangle.size()) ++count_;
  }

  std::size_t count() const { return count_; }
  double Of(std::size_t i, std::size_t j) const {
    if (j > i) std::swap(i, j);
    return triangle_[i * (i + 1) / 2 + j];
  }

  /// Of every point to the blend of all by `shares`.
  std::vector<double> Distances(std::span<const double> shares) const {
    double blend = 0;
    std::vector<double> with_blend(count_);
    for (std::size_t i = 0; i < count_; ++i) {
      for (std::size_t j = 0; j < count_; ++j) with_blend[i] += shares[j] * Of(i, j);
      blend += shares[i] * with_blend[i];
    }
    std::vector<double> distances(count_);
    for (std::size_t i = 0; i < count_; ++i) {
      distances[i] = std::sqrt(std::max(0.0, (Of(i, i) - 2 * with_blend[i]) + blend));
    }
    return distances;
  }

 private:
  std::span<const double> triangle_;
  std::size_t count_ = 0;
};

double Mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double Share(std::span<const double> in, std::size_t index) {
  const Products points(in);
  std::vector<double> shares(points.count(), 1 / static_cast<double>(points.count()));
  std::vector<double> distances = points.Distances(shares);
  double objective = Mean(distances);
  for (int step = 0; step < kMostSteps; ++step) {
    double sum = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      shares[i] = 1 / std::max(distances[i], kLeastDistance);
      sum += shares[i];
    }
    for (double& share : shares) share /= sum;
    distances = points.Distances(shares);
    const double before = std::exchange(objective, Mean(distances));
    if (std::abs(before - objective) <= kRest * objective) break;
  }
  return shares[index];
}

}  // namespace

const ScalarFunction& ShareInMedian() {
  static constexpr ScalarFunction function{.name = "share_in_median", .compute = Share};
  return function;
}

}  // namespace weightsmith::internal
