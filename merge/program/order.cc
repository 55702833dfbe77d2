#include "merge/program/order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/base/error.h"
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

float FloatOf(std::uint32_t key) {
  constexpr std::uint32_t kSign = 0x80000000;
  return std::bit_cast<float>((key & kSign) != 0 ? key & ~kSign : ~key);
}

/// Calls `use` for 0 to size - 1, one after the other.
template <class Use>
void InSteps(std::size_t size, const Poll& poll, const Use& use) {
  constexpr std::size_t kBetweenPolls = std::size_t{1} << 20;
  for (std::size_t first = 0; first < size; first += kBetweenPolls) {
    poll();
    const std::size_t end = std::min(first + kBetweenPolls, size);
    for (std::size_t i = first; i < end; ++i) use(i);
  }
}

/// Sorts by 32 bits of each item, those from `lowest` on; equal ones stay in their order.
template <class Item>
void RadixSort(std::vector<Item>& items, int lowest, const Poll& poll) {
  constexpr int kDigit = 11;
  constexpr std::size_t kBuckets = std::size_t{1} << kDigit;
  std::vector<Item> sorted;
  poll.Extend(sorted, items.size());
  for (int shift = 0; shift < 32; shift += kDigit) {
    const std::uint32_t mask = shift + kDigit < 32 ? kBuckets - 1 : (1U << (32 - shift)) - 1;
    const auto bucket = [&](Item item) {
      return static_cast<std::uint32_t>(item >> (lowest + shift)) & mask;
    };
    std::array<std::size_t, kBuckets> places{};
    InSteps(items.size(), poll, [&](std::size_t i) { ++places[bucket(items[i])]; });
    // What was stored in 16 bits has nothing in the lower half.
    if (!items.empty() && places[bucket(items.front())] == items.size()) continue;
    std::size_t place = 0;
    for (std::size_t& count : places) place += std::exchange(count, place);
    InSteps(items.size(), poll,
            [&](std::size_t i) { sorted[places[bucket(items[i])]++] = items[i]; });
    items.swap(sorted);
  }
}

std::vector<std::uint32_t> SortedKeys(std::vector<std::uint32_t> keys, const Poll& poll) {
  RadixSort(keys, 0, poll);
  return keys;
}

/// An element's key in the upper half, its place in the lower one.
using Entry = std::uint64_t;

std::uint32_t PlaceOf(Entry entry) {
  return static_cast<std::uint32_t>(entry);
}

/// The elements from the smallest to the largest, equal ones in their order; both zeros are equal.
std::vector<Entry> OrderOf(std::span<const float> values, const Poll& poll) {
  if (values.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorCode::kResources,
                "a tensor of more than 4,294,967,295 elements cannot be put in order");
  }
  std::vector<Entry> entries;
  poll.Extend(entries, values.size());
  InSteps(entries.size(), poll, [&](std::size_t i) {
    entries[i] = Entry{KeyOf(values[i] == 0 ? 0 : values[i])} << 32 | i;
  });
  RadixSort(entries, 32, poll);
  return entries;
}

/// The k-th smallest of sorted magnitudes, from 1; below all of them for 0.
float KthMagnitude(std::span<const std::uint32_t> sorted, std::uint64_t k) {
  return k == 0 ? -1 : FloatOf(sorted[k - 1]);
}

std::vector<std::uint32_t> KeysOf(std::span<const float> values, bool of_magnitudes,
                                  const Poll& poll) {
  std::vector<std::uint32_t> keys;
  poll.Extend(keys, values.size());
  InSteps(keys.size(), poll,
          [&](std::size_t i) { keys[i] = KeyOf(of_magnitudes ? std::abs(values[i]) : values[i]); });
  return keys;
}

void RedistributeValues(TensorInputs in, const Shape& /*shape*/, const RedistributedPart& part,
                        std::span<float> out, const Poll& poll, Told told) {
  const std::span<const float> a = in[0];
  float low = 0;
  float high = 0;
  {
    const std::vector<std::uint32_t> magnitudes = SortedKeys(KeysOf(a, true, poll), poll);
    low = KthMagnitude(magnitudes, part.first);
    high = KthMagnitude(magnitudes, part.end);
  }
  const std::vector<std::uint32_t> sorted = SortedKeys(KeysOf(a, false, poll), poll);
  const std::vector<Entry> order = OrderOf(in[1], poll);
  std::size_t taken = 0;
  InSteps(sorted.size(), poll, [&](std::size_t i) {
    const float value = FloatOf(sorted[i]);
    const float size = std::abs(value);
    const bool inside = low <= size && size <= high;
    const std::uint32_t place = PlaceOf(order[i]);
    out[place] = inside != part.inverted ? value : a[place];
    taken += inside != part.inverted ? 1 : 0;
  });
  told.Say(0, static_cast<double>(taken) / static_cast<double>(sorted.size()));
}

std::uint64_t RedistributeBytes(const Shape& shape, std::size_t /*inputs*/,
                                const RedistributedPart& /*part*/) {
  return ElementCount(shape).value_or(0) * (sizeof(std::uint32_t) + 2 * sizeof(Entry));
}

void FilterOrdered(TensorInputs in, const Shape& /*shape*/, const HighPass& filter,
                   std::span<float> out, const Poll& poll, Told told) {
  const std::span<const float> x = in[0];
  const std::size_t size = x.size();
  if (size == 0) return;
  const std::vector<Entry> order = OrderOf(in[1], poll);
  std::vector<double> re;
  std::vector<double> im;
  poll.Extend(re, size);
  poll.Extend(im, size);
  InSteps(size, poll, [&](std::size_t i) { re[i] = static_cast<double>(x[PlaceOf(order[i])]); });
  const auto loop = [&](std::size_t count, const Poll::Part& part) { poll.ForEach(count, part); };
  const Fourier fourier(size, loop);
  Fourier::Memory memory;
  fourier.Forward(re, im, 1, memory, loop);
  const std::size_t bins = size / 2 + 1;
  InSteps(size, poll, [&](std::size_t i) {
    const std::size_t bin = i < bins ? i : size - i;
    const double share = static_cast<double>(bin) / static_cast<double>(bins);
    constexpr double kSteep = 1e-10;
    const double passed = filter.rise > kSteep
                              ? std::clamp((share - filter.edge) / filter.rise + 0.5, 0.0, 1.0)
                              : (share >= filter.edge ? 1.0 : 0.0);
    re[i] *= passed;
    im[i] *= passed;
  });
  fourier.Inverse(re, im, 1, memory, loop);
  InSteps(size, poll, [&](std::size_t i) { out[PlaceOf(order[i])] = static_cast<float>(re[i]); });
  if (told.Wants(0)) told.Say(0, EnergyLeft(x, out, poll));
}

std::uint64_t FilterOrderedBytes(const Shape& shape, std::size_t /*inputs*/,
                                 const HighPass& /*filter*/) {
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  if (elements == 0) return 0;
  return elements * (2 * sizeof(Entry) + 2 * sizeof(double)) + Fourier::Bytes(elements) +
         Fourier::MemoryBytes(elements, 1);
}

}  // namespace

const TensorFunction<RedistributedPart>& Redistribute() {
  static constexpr TensorFunction<RedistributedPart> function{
      .name = "redistribute", .compute = RedistributeValues, .bytes = RedistributeBytes};
  return function;
}

const TensorFunction<HighPass>& FilterInOrder() {
  static constexpr TensorFunction<HighPass> function{
      .name = "filter_in_order", .compute = FilterOrdered, .bytes = FilterOrderedBytes};
  return function;
}

}  // namespace weightsmith::internal
