#include "merge/program/change.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/base/elementary.h"

namespace weightsmith::internal {
namespace {

double ProductOf(std::span<const float> x, std::span<const float> y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  }
  return sum;
}

}  // namespace

double EnergyLeft(std::span<const float> before, std::span<const float> after) {
  return ProductOf(after, after) / ProductOf(before, before);
}

double AngleBetween(std::span<const float> before, std::span<const float> after) {
  const double lengths = std::sqrt(ProductOf(before, before)) * std::sqrt(ProductOf(after, after));
  return ArcCosine(std::clamp(ProductOf(before, after) / lengths, -1.0, 1.0));
}

}  // namespace weightsmith::internal
