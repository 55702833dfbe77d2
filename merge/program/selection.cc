#include "merge/program/selection.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "merge/program/tape.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/program/selection.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "merge/program/selection-inl.h"

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(SplitByMagnitude);

constexpr std::size_t kCounters = Selection::kBytes / sizeof(std::uint64_t);
constexpr std::uint32_t kMagnitude = 0x7fffffff;
/// Behind infinity: a NaN is above every band.
constexpr std::uint32_t kEnd = 0x7f800001;
/// How far the band reaches to either side, in standard deviations of what the sample says. A miss
/// costs a pass.
constexpr double kDeviations = 4;

}  // namespace

Selection::Selection(double fraction, std::uint64_t elements)
    : elements_(elements),
      rank_(static_cast<std::uint64_t>(fraction * static_cast<double>(elements))) {
  if (rank_ == 0) {
    known_ = true;
    value_ = std::numeric_limits<float>::quiet_NaN();
  } else if (rank_ >= elements_) {
    known_ = true;
  }
}

void Selection::SetBand(std::uint32_t low, std::uint32_t high) {
  low_ = low;
  high_ = high;
  shift_ = 0;
  while (((high_ - 1 - low_) >> shift_) >= kCounters) ++shift_;
  above_ = 0;
  if (counts_ == nullptr) counts_ = std::make_unique<std::atomic<std::uint64_t>[]>(kCounters);
  for (std::size_t i = 0; i <= (high_ - 1 - low_) >> shift_; ++i) {
    counts_[i].store(0, std::memory_order_relaxed);
  }
}

void Selection::Know(std::uint32_t bits) {
  known_ = true;
  value_ = std::bit_cast<float>(bits);
  counts_ = nullptr;
}

void Selection::Propose(std::span<const float> sample) {
  if (known_) return;
  if (sample.empty()) return SetBand(0, kEnd);
  std::vector<std::uint32_t> bits(sample.size());
  std::ranges::transform(sample, bits.begin(), [](float value) {
    return std::bit_cast<std::uint32_t>(value) & kMagnitude;
  });
  const auto count = static_cast<double>(bits.size());
  const double share = static_cast<double>(rank_) / static_cast<double>(elements_);
  const double place = share * count;
  const double margin = kDeviations * std::sqrt(count * share * (1 - share)) + 2;
  // The bits at a place in the order from the largest.
  const auto at = [&](double index) {
    const auto nth = bits.begin() + static_cast<std::ptrdiff_t>(index);
    std::ranges::nth_element(bits, nth, std::ranges::greater());
    return *nth;
  };
  if (bits.size() == elements_) {
    const std::uint32_t found = at(static_cast<double>(rank_ - 1));
    if (found < kEnd) return Know(found);
    return Know(kEnd - 1);
  }
  const std::uint32_t high = place < margin ? kEnd : std::min(at(place - margin) + 1, kEnd);
  const std::uint32_t low = place + margin >= count ? 0 : at(place + margin);
  SetBand(low < high ? low : 0, low < high ? high : kEnd);
}

void Selection::Count(std::span<const float> values) {
  if (known_) return;
  // A vector more than a tile: the last one is stored whole.
  std::uint32_t band[kTile + 64];
  for (std::size_t at = 0; at < values.size(); at += kTile) {
    const std::span<const float> tile = values.subspan(at, std::min(kTile, values.size() - at));
    std::size_t inside = 0;
    const std::size_t above = HWY_DYNAMIC_DISPATCH(SplitByMagnitude)(tile.data(), tile.size(), low_,
                                                                     high_, band, &inside);
    above_.fetch_add(above, std::memory_order_relaxed);
    for (std::size_t i = 0; i < inside; ++i) {
      counts_[(band[i] - low_) >> shift_].fetch_add(1, std::memory_order_relaxed);
    }
  }
}

void Selection::EndPass() {
  if (known_) return;
  std::uint64_t seen = above_.load(std::memory_order_relaxed);
  if (seen >= rank_) {
    // Of a band that ends behind infinity only a NaN lies above.
    if (high_ >= kEnd) return Know(kEnd - 1);
    return SetBand(high_, kEnd);
  }
  for (std::size_t i = ((high_ - 1 - low_) >> shift_) + 1; i > 0; --i) {
    seen += counts_[i - 1].load(std::memory_order_relaxed);
    if (seen < rank_) continue;
    const std::uint32_t first = low_ + (static_cast<std::uint32_t>(i - 1) << shift_);
    if (shift_ == 0) return Know(first);
    return SetBand(first, std::min(first + (std::uint32_t{1} << shift_), high_));
  }
  SetBand(0, low_);
}

std::uint64_t SampleSize(std::uint64_t elements) {
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 14;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 18;
  return std::min(elements, std::clamp(elements / 64, kLeast, kMost));
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
