#include "merge/program/order.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/base/fourier.h"
#include "merge/program/change.h"

namespace weightsmith::internal {
namespace {

/// A number whose order is that of the floats: -0 in front of 0, NaN at the ends.
std::uint32_t KeyOf(float value) {
  constexpr std::uint32_t kSign = 0x80000000;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

/// Places of the elements from the smallest to the largest, equal ones in their order.
std::vector<std::uint64_t> OrderOf(std::span<const float> values, const Poll& poll) {
  constexpr int kBits = 8;
  constexpr std::size_t kBuckets = 1 << kBits;
  constexpr std::uint32_t kMask = kBuckets - 1;
  std::vector<std::uint64_t> order(values.size());
  std::vector<std::uint64_t> next(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (int shift = 0; shift < 32; shift += kBits) {
    poll();
    // Both zeros are one number.
    const auto bucket = [&](std::uint64_t place) {
      return (KeyOf(values[place] == 0 ? 0 : values[place]) >> shift) & kMask;
    };
    std::vector<std::size_t> begin(kBuckets + 1);
    for (const std::uint64_t place : order) ++begin[bucket(place) + 1];
    for (std::size_t b = 0; b < kBuckets; ++b) begin[b + 1] += begin[b];
    for (const std::uint64_t place : order) next[begin[bucket(place)]++] = place;
    order.swap(next);
  }
  return order;
}

/// The k-th smallest of some magnitudes, from 1; below all of them for 0.
float KthMagnitude(std::vector<float>& magnitudes, std::uint64_t k) {
  if (k == 0) return -1;
  const auto kth = magnitudes.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::ranges::nth_element(magnitudes, kth, {}, KeyOf);
  return *kth;
}

void RedistributeValues(std::span<const std::span<const float>> in, const Shape& /*shape*/,
                        std::span<const double> numbers, std::span<float> out, const Poll& poll,
                        Told told) {
  const std::span<const float> a = in[0];
  std::vector<float> magnitudes(a.begin(), a.end());
  for (float& value : magnitudes) value = std::abs(value);
  const float low = KthMagnitude(magnitudes, static_cast<std::uint64_t>(numbers[0]));
  const float high = KthMagnitude(magnitudes, static_cast<std::uint64_t>(numbers[1]));
  const bool inverted = numbers[2] != 0;
  std::vector<float>& sorted = magnitudes;
  std::ranges::copy(a, sorted.begin());
  poll();
  std::ranges::sort(sorted, {}, KeyOf);
  const std::vector<std::uint64_t> places = OrderOf(in[1], poll);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const float size = std::abs(sorted[i]);
    const bool inside = low <= size && size <= high;
    out[places[i]] = inside != inverted ? sorted[i] : a[places[i]];
    taken += inside != inverted ? 1 : 0;
  }
  told.Say(0, static_cast<double>(taken) / static_cast<double>(sorted.size()));
}

std::uint64_t RedistributeBytes(const Shape& shape, std::size_t /*inputs*/,
                                std::span<const double> /*numbers*/) {
  return ElementCount(shape).value_or(0) * (sizeof(float) + 2 * sizeof(std::uint64_t));
}

void FilterOrdered(std::span<const std::span<const float>> in, const Shape& /*shape*/,
                   std::span<const double> numbers, std::span<float> out, const Poll& poll,
                   Told told) {
  const std::span<const float> x = in[0];
  const std::size_t size = x.size();
  if (size == 0) return;
  const std::vector<std::uint64_t> places = OrderOf(in[1], poll);
  std::vector<double> re(size);
  std::vector<double> im(size);
  for (std::size_t i = 0; i < size; ++i) re[i] = static_cast<double>(x[places[i]]);
  Fourier fourier(size);
  poll();
  fourier.Forward(re, im, 1);
  const std::size_t bins = size / 2 + 1;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t bin = i < bins ? i : size - i;
    const double share = static_cast<double>(bin) / static_cast<double>(bins);
    constexpr double kSteep = 1e-10;
    const double passed = numbers[1] > kSteep
                              ? std::clamp((share - numbers[0]) / numbers[1] + 0.5, 0.0, 1.0)
                              : (share >= numbers[0] ? 1.0 : 0.0);
    re[i] *= passed;
    im[i] *= passed;
  }
  poll();
  fourier.Inverse(re, im, 1);
  for (std::size_t i = 0; i < size; ++i) out[places[i]] = static_cast<float>(re[i]);
  if (told.Wants(0)) told.Say(0, EnergyLeft(x, out));
}

std::uint64_t FilterOrderedBytes(const Shape& shape, std::size_t /*inputs*/,
                                 std::span<const double> /*numbers*/) {
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  if (elements == 0) return 0;
  return elements * (2 * sizeof(std::uint64_t) + 2 * sizeof(double)) + Fourier::Bytes(elements);
}

}  // namespace

const TensorFunction& Redistribute() {
  static constexpr TensorFunction function{
      .name = "redistribute", .compute = RedistributeValues, .bytes = RedistributeBytes};
  return function;
}

const TensorFunction& FilterInOrder() {
  static constexpr TensorFunction function{
      .name = "filter_in_order", .compute = FilterOrdered, .bytes = FilterOrderedBytes};
  return function;
}

}  // namespace weightsmith::internal
