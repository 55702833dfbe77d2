#include "merge/program/nth_largest.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <vector>

namespace weightsmith::internal {
namespace {

constexpr int kBucketBits = 11;
constexpr std::size_t kMagnitudeBuckets = std::size_t{1} << kBucketBits;

/// How many values each bucket has. Two counters of each take turns: values that follow one another
/// are mostly near one another, and an addition waits for the one before.
std::array<std::size_t, kMagnitudeBuckets> CountBuckets(std::span<const std::uint32_t> values,
                                                        std::uint32_t least, int shift) {
  std::array<std::uint32_t, 2 * kMagnitudeBuckets> counts{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    ++counts[2 * ((values[i] - least) >> shift) + i % 2];
  }
  std::array<std::size_t, kMagnitudeBuckets> sums{};
  for (std::size_t i = 0; i < kMagnitudeBuckets; ++i) {
    sums[i] = std::size_t{counts[2 * i]} + counts[2 * i + 1];
  }
  return sums;
}

}  // namespace

void NthLargest(std::span<const std::uint32_t> values, std::span<const std::size_t> places,
                std::span<std::uint32_t> found) {
  if (values.empty()) return;
  const std::uint32_t least = *std::min_element(values.begin(), values.end());
  const std::uint32_t most = *std::max_element(values.begin(), values.end());
  const int shift = std::max(static_cast<int>(std::bit_width(most - least)) - kBucketBits, 0);
  const std::array<std::size_t, kMagnitudeBuckets> counts = CountBuckets(values, least, shift);
  std::vector<std::uint32_t> bucket;
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::size_t place = places[i];
    std::size_t number = kMagnitudeBuckets - 1;
    while (place >= counts[number]) place -= counts[number--];
    bucket.resize(counts[number] + 1);
    std::size_t size = 0;
    for (const std::uint32_t value : values) {
      bucket[size] = value;
      size += (value - least) >> shift == number ? 1 : 0;
    }
    bucket.pop_back();
    const auto nth = bucket.begin() + static_cast<std::ptrdiff_t>(place);
    std::ranges::nth_element(bucket, nth, std::ranges::greater());
    found[i] = *nth;
  }
}

}  // namespace weightsmith::internal
