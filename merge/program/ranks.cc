#include "merge/program/ranks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

namespace weightsmith::internal {
namespace {

constexpr int kDigits = 3;
constexpr int kDigitBits = 11;
constexpr std::size_t kDigitValues = std::size_t{1} << kDigitBits;
constexpr std::uint32_t kMagnitudeBits = 0x7fffffff;

/// A magnitude in the upper half, where it stood in the lower.
using Entry = std::uint64_t;

std::size_t DigitOf(Entry entry, int digit) {
  return (entry >> (32 + digit * kDigitBits)) & (kDigitValues - 1);
}

/// Sorts lines of one length by magnitude: a radix sort of three digits from the lowest on, which
/// keeps the order of what is equal. A digit that all have is passed over.
class Sorter {
 public:
  explicit Sorter(std::size_t length) : entries_(length), sorted_(length) {}

  /// The entries of values that lie `stride` apart, sorted.
  std::span<const Entry> Sort(const float* values, std::size_t stride) {
    for (auto& counts : counts_) counts.fill(0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const std::uint32_t magnitude =
          std::bit_cast<std::uint32_t>(values[i * stride]) & kMagnitudeBits;
      const Entry entry = Entry{magnitude} << 32 | i;
      entries_[i] = entry;
      for (int digit = 0; digit < kDigits; ++digit) ++counts_[digit][DigitOf(entry, digit)];
    }
    for (int digit = 0; digit < kDigits; ++digit) SortBy(digit);
    return entries_;
  }

 private:
  void SortBy(int digit) {
    std::array<std::uint32_t, kDigitValues>& places = counts_[digit];
    if (places[DigitOf(entries_.front(), digit)] == entries_.size()) return;
    std::uint32_t place = 0;
    for (std::uint32_t& count : places) place += std::exchange(count, place);
    for (const Entry entry : entries_) sorted_[places[DigitOf(entry, digit)]++] = entry;
    entries_.swap(sorted_);
  }

  std::vector<Entry> entries_;
  std::vector<Entry> sorted_;
  std::array<std::array<std::uint32_t, kDigitValues>, kDigits> counts_{};
};

std::size_t IndexOf(Entry entry) {
  return static_cast<std::uint32_t>(entry);
}

/// Elements that are ranked among each other, and how far apart they lie.
struct Lines {
  std::size_t length = 0;
  std::size_t stride = 1;
};

Lines LinesOf(const Shape& shape, RankedIn in) {
  const auto elements = static_cast<std::size_t>(ElementCount(shape).value_or(0));
  if (in == RankedIn::kTensor || shape.size() < 2 || elements == 0) return {elements, 1};
  const std::size_t row = elements / shape[0];
  if (in == RankedIn::kRow) return {row, 1};
  return {static_cast<std::size_t>(shape[1]), row / static_cast<std::size_t>(shape[1])};
}

void RankLines(std::span<const std::span<const float>> in, const Shape& shape,
               std::span<const double> numbers, std::span<float> out, const Poll& poll) {
  constexpr std::size_t kBetweenPolls = std::size_t{1} << 18;
  if (out.empty()) return;
  const auto [length, stride] = LinesOf(shape, static_cast<RankedIn>(numbers[0]));
  Sorter sorter(length);
  const double most = static_cast<double>(length) - 1;
  std::size_t since = kBetweenPolls;
  for (std::size_t panel = 0; panel < out.size(); panel += length * stride) {
    for (std::size_t line = panel; line < panel + stride; ++line) {
      if ((since += length) > kBetweenPolls) {
        poll();
        since = 0;
      }
      std::size_t rank = 0;
      for (const Entry entry : sorter.Sort(in[0].data() + line, stride)) {
        const double share = length == 1 ? 0.5 : static_cast<double>(rank++) / most;
        out[line + IndexOf(entry) * stride] = static_cast<float>(share);
      }
    }
  }
}

std::uint64_t RankBytes(const Shape& shape) {
  // Of whatever kind: no line is longer than the tensor, and few are as long.
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  return sizeof(Sorter) + 2 * elements * sizeof(Entry);
}

}  // namespace

const TensorFunction& Ranks() {
  static constexpr TensorFunction function{
      .name = "ranks", .compute = RankLines, .bytes = RankBytes};
  return function;
}

void RankByMagnitude(std::span<const float> values, std::span<std::uint32_t> out) {
  if (values.empty()) return;
  Sorter sorter(values.size());
  std::uint32_t rank = 0;
  for (const Entry entry : sorter.Sort(values.data(), 1)) out[IndexOf(entry)] = rank++;
}

}  // namespace weightsmith::internal
