#include "merge/arithmetic/karcher_mean.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "core/base/elementary.h"

namespace weightsmith::internal {
namespace {

/// Below this sine, at an arc that is not small, vectors are opposite: no way is the shortest.
constexpr double kOpposite = 1e-7;

/// Directions by their inner products; a point is a combination of them.
class Sphere {
 public:
  Sphere(std::span<const double> products, std::size_t n, double tolerance)
      : n_(n), lengths_(n), cosines_(n * n), tolerance_(tolerance) {
    for (std::size_t i = 0; i < n; ++i) lengths_[i] = std::sqrt(products[i * (i + 1) / 2 + i]);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const bool both = HasDirection(i) && HasDirection(j);
        const double product = products[i * (i + 1) / 2 + j];
        const double cosine = both ? product / (lengths_[i] * lengths_[j]) : 0;
        cosines_[i * n + j] = cosine;
        cosines_[j * n + i] = cosine;
      }
    }
  }

  std::size_t size() const { return n_; }
  bool HasDirection(std::size_t i) const { return lengths_[i] > tolerance_; }
  double Length(std::size_t i) const { return lengths_[i]; }
  double MeanLength() const {
    double sum = 0;
    for (const double length : lengths_) sum += length;
    return sum / static_cast<double>(n_);
  }

  /// The inner product of a point and direction i.
  double Along(std::span<const double> point, std::size_t i) const {
    double sum = 0;
    for (std::size_t j = 0; j < n_; ++j) sum += cosines_[i * n_ + j] * point[j];
    return sum;
  }
  double Norm(std::span<const double> point) const {
    double square = 0;
    for (std::size_t i = 0; i < n_; ++i) square += point[i] * Along(point, i);
    return std::sqrt(std::max(square, 0.0));
  }

 private:
  std::size_t n_;
  std::vector<double> lengths_;
  std::vector<double> cosines_;
  double tolerance_;
};

/// How far to go towards a direction at that cosine, over the sine.
double Pull(double cosine, double tolerance) {
  const double arc = ArcCosine(std::clamp(cosine, -1.0, 1.0));
  const double sine = Sine(arc);
  return arc < tolerance || sine < kOpposite ? 0 : arc / sine;
}

void Normalize(const Sphere& sphere, double tolerance, std::vector<double>& point) {
  const double norm = sphere.Norm(point);
  if (norm <= tolerance) return;
  for (double& part : point) part /= norm;
}

/// One step; false where the mean is reached.
bool Step(const Sphere& sphere, std::span<const double> shares, double tolerance,
          std::vector<double>& point) {
  std::vector<double> tangent(point.size());
  double back = 0;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const double cosine = std::clamp(sphere.Along(point, i), -1.0, 1.0);
    tangent[i] = shares[i] == 0 ? 0 : shares[i] * Pull(cosine, tolerance);
    back += tangent[i] * cosine;
  }
  for (std::size_t i = 0; i < point.size(); ++i) tangent[i] -= back * point[i];
  const double arc = sphere.Norm(tangent);
  if (!(arc >= tolerance)) return false;
  const double along = Cosine(arc);
  const double across = Sine(arc) / arc;
  for (std::size_t i = 0; i < point.size(); ++i) {
    point[i] = along * point[i] + across * tangent[i];
  }
  Normalize(sphere, tolerance, point);
  return true;
}

Sphere SphereOf(std::span<const double> in) {
  const std::span<const double> products = in.subspan(2);
  std::size_t n = 0;
  while ((n + 1) * (n + 2) / 2 <= products.size()) ++n;
  return Sphere(products, n, in[1]);
}

/// Empty where none has a direction.
std::vector<double> MeanOnSphere(const Sphere& sphere, std::span<const double> in) {
  const auto iterations = static_cast<std::uint64_t>(std::ceil(in[0]));
  const double tolerance = in[1];
  const std::size_t n = sphere.size();
  std::vector<double> shares(n);
  for (std::size_t i = 0; i < n; ++i) shares[i] = sphere.HasDirection(i) ? 1 : 0;
  const auto directions = static_cast<double>(std::ranges::count(shares, 1.0));
  if (directions == 0) return {};
  for (double& share : shares) share /= directions;
  std::vector<double> point = shares;
  if (sphere.Norm(point) < tolerance) {
    std::ranges::fill(point, 0.0);
    point[static_cast<std::size_t>(std::ranges::find_if(shares, [](double s) { return s > 0; }) -
                                   shares.begin())] = 1;
  }
  Normalize(sphere, tolerance, point);
  for (std::uint64_t step = 0; step < iterations; ++step) {
    if (!Step(sphere, shares, tolerance, point)) break;
  }
  return point;
}

double Factor(std::span<const double> in, std::size_t index) {
  const Sphere sphere = SphereOf(in);
  const std::vector<double> point = MeanOnSphere(sphere, in);
  if (point.empty() || !sphere.HasDirection(index)) return 0;
  return point[index] / sphere.Length(index) * sphere.MeanLength();
}

double Angle(std::span<const double> in, std::size_t index) {
  const Sphere sphere = SphereOf(in);
  const std::vector<double> point = MeanOnSphere(sphere, in);
  if (point.empty() || !sphere.HasDirection(index)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return ArcCosine(std::clamp(sphere.Along(point, index), -1.0, 1.0));
}

/// Whether the directions cancel out: 1, or 0.
double Opposite(std::span<const double> in, std::size_t /*index*/) {
  const Sphere sphere = SphereOf(in);
  std::vector<double> sum(sphere.size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = sphere.HasDirection(i) ? 1 : 0;
  const double directions = static_cast<double>(std::ranges::count(sum, 1.0));
  if (directions == 0) return 0;
  return sphere.Norm(sum) < directions * in[1] ? 1 : 0;
}

}  // namespace

const ScalarFunction& KarcherOpposite() {
  static const ScalarFunction function{.name = "karcher opposite", .compute = Opposite};
  return function;
}

const ScalarFunction& KarcherFactors() {
  static const ScalarFunction function{.name = "karcher factors", .compute = Factor};
  return function;
}

const ScalarFunction& KarcherAngles() {
  static const ScalarFunction function{.name = "karcher angles", .compute = Angle};
  return function;
}

}  // namespace weightsmith::internal
