#include "merge/program/nth_largest.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <limits>
#include <utility>
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

/// As signed numbers, which vectors of every CPU compare.
std::pair<std::uint32_t, std::uint32_t> RangeOfValues(std::span<const std::uint32_t> values) {
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  std::int32_t most = 0;
  for (const std::uint32_t value : values) {
    least = std::min(least, static_cast<std::int32_t>(value));
    most = std::max(most, static_cast<std::int32_t>(value));
  }
  return {static_cast<std::uint32_t>(least), static_cast<std::uint32_t>(most)};
}

void TakeBucket(std::span<const std::uint32_t> values, std::uint32_t least, int shift,
                std::size_t number, std::size_t count, std::vector<std::uint32_t>& bucket) {
  bucket.resize(count + 1);
  std::size_t size = 0;
  for (const std::uint32_t value : values) {
    bucket[size] = value;
    size += (value - least) >> shift == number ? 1 : 0;
  }
  bucket.pop_back();
}

}  // namespace

void NthLargest(std::span<const std::uint32_t> values, std::span<const std::size_t> places,
                std::span<std::uint32_t> found) {
  if (values.empty()) return;
  const auto [least, most] = RangeOfValues(values);
  const int shift = std::max(static_cast<int>(std::bit_width(most - least)) - kBucketBits, 0);
  const std::array<std::size_t, kMagnitudeBuckets> counts = CountBuckets(values, least, shift);
  std::vector<std::uint32_t> bucket;
  std::size_t in_bucket = kMagnitudeBuckets;  // none
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::size_t place = places[i];
    std::size_t number = kMagnitudeBuckets - 1;
    while (place >= counts[number]) place -= counts[number--];
    if (number != in_bucket) TakeBucket(values, least, shift, number, counts[number], bucket);
    in_bucket = number;
    const auto nth = bucket.begin() + static_cast<std::ptrdiff_t>(place);
    std::ranges::nth_element(bucket, nth, std::ranges::greater());
    found[i] = *nth;
  }
}

}  // namespace weightsmith::internal
