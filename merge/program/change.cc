#include "merge/program/change.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/base/elementary.h"

namespace weightsmith::internal {
namespace {

double ProductOf(std::span<const float> x, std::span<const float> y, const Poll& poll) {
  constexpr std::size_t kBetweenPolls = std::size_t{1} << 20;
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % kBetweenPolls == 0) poll();
    sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  }
  return sum;
}

}  // namespace

double EnergyLeft(std::span<const float> before, std::span<const float> after, const Poll& poll) {
  return ProductOf(after, after, poll) / ProductOf(before, before, poll);
}

double AngleBetween(std::span<const float> before, std::span<const float> after, const Poll& poll) {
  const double lengths =
      std::sqrt(ProductOf(before, before, poll)) * std::sqrt(ProductOf(after, after, poll));
  return ArcCosine(std::clamp(ProductOf(before, after, poll) / lengths, -1.0, 1.0));
}

}  // namespace weightsmith::internal
